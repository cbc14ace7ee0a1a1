/**
 * The ends of CNAME chains, compared with PowerDNS.
 *
 * @module-tag PowerDNS
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { apexOf } from '../../../functions/dns/zone/apex.ts';
import { chainFrom, isEndless, maxLinks } from '../../../functions/dns/zone/cname-chain.ts';
import { Lookup } from '../../../functions/dns/zone/lookup.ts';
import type { RRset } from '../../../functions/dns/zone/rrset.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { query } from '../../powerdns/query.ts';
import { freePort, type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';

const dir = mkdtempSync(join(tmpdir(), 'chain-'));
let server: RunningPowerDNS;
let powerdns: PowerDNS;
let resolver: Resolver;

beforeAll(async () => {
  const resolverPort = await freePort();
  const config = powerdnsFilesFor({ dynamic: false, dname: true })['pdns.conf'];
  // No caches between queries.
  const uncached = 'cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0\n';
  server = await startPowerDNS({ config: `${config}resolver=127.0.0.1:${resolverPort}\n${uncached}`, dir });
  powerdns = new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'include/api.conf'), timeoutMs: waitTimeoutMs });
  resolver = await Resolver.start(resolverPort, server.dnsPort);
});
afterAll(async () => {
  resolver?.stop();
  await server?.stop();
  rmSync(dir, { recursive: true });
});

/** The resolver of PowerDNS for ALIAS: like that of the cluster, it forwards our zones back to us. */
class Resolver {
  /** How many more queries it answers before a chain counts as endless. */
  left = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async start(port: number, dnsPort: number): Promise<Resolver> {
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    await once(socket, 'listening');
    const resolver = new Resolver(socket);
    socket.on('message', async (message, from) => {
      const { id, questions: [question] = [] } = decode(message);
      const reply = await resolver.#answer(question as { name: string; type: 'A' | 'AAAA' }, dnsPort);
      // PowerDNS also answers SERVFAIL for an ALIAS to a name that does not exist.
      const rcode = reply.rcode === 'SERVFAIL' ? 2 : 0;
      const packet = encode({
        type: 'response',
        id,
        flags: RECURSION_DESIRED | RECURSION_AVAILABLE | rcode,
        questions: [question!],
        answers: reply.answers,
      });
      socket.send(packet, from.port, from.address);
    });
    return resolver;
  }

  async #answer({ name, type }: { name: string; type: 'A' | 'AAAA' }, port: number) {
    if (this.left-- <= 0) return { rcode: 'SERVFAIL', answers: [] };
    if (zoneNames.some((zone) => `${name}.`.endsWith(zone)))
      return await query({ name, type, port, attempts: waitTimeoutMs / 5_000 });
    const answers = type === 'A' ? [{ name, type, ttl: 0, data: '192.0.2.9' } as const] : [];
    return { rcode: 'NOERROR', answers };
  }

  stop(): void {
    this.#socket.close();
  }
}

const zoneNames = ['a.test.', 'b.a.test.'];
const labels = ['x', 'y', '*'];
/** Names of few labels, so that chains are frequent. */
const owners = [
  ...labels.map((label) => `${label}.a.test.`),
  ...labels.map((label) => `${label}.x.a.test.`),
  ...labels.map((label) => `${label}.y.a.test.`),
  ...labels.map((label) => `${label}.b.a.test.`),
];
const targets = [...owners.filter((name) => !name.startsWith('*')), 'z.x.a.test.', 'z.b.a.test.', 'lb.example.'];
const asked = [...owners, 'z.a.test.', 'z.x.a.test.', 'z.y.a.test.', 'z.b.a.test.', 'y.z.x.a.test.'];

const rrset: fc.Arbitrary<RRset> = fc
  .record({
    name: fc.constantFrom(...owners),
    type: fc.constantFrom('CNAME', 'CNAME', 'CNAME', 'CNAME', 'DNAME', 'DNAME', 'ALIAS', 'ALIAS', 'A'),
    target: fc.constantFrom(...targets),
  })
  .filter(({ name, type }) => type !== 'DNAME' || !name.startsWith('*'))
  .map(({ name, type, target }) => ({ name, type, ttl: 60, records: [type === 'A' ? '192.0.2.1' : target] }));

/** RRsets that can coexist: one per name, and none below a DNAME. */
const data = fc.uniqueArray(rrset, { selector: ({ name }) => name, minLength: 5, maxLength: 9 }).map((rrsets) => {
  const covering = rrsets.filter(({ type }) => type === 'DNAME');
  return rrsets.filter(({ name }) => !covering.some((dname) => name.endsWith(`.${dname.name}`)));
});

const homeOf = (name: string) => zoneNames.findLast((zone) => name.endsWith(zone)) as string;

function zonesOf(rrsets: RRset[]): { name: string; records: RRset[] }[] {
  return zoneNames.map((name) => {
    const apex = apexOf({ name, nameServers: ['ns.example'] });
    return { name, records: [...apex, ...rrsets.filter((r) => homeOf(r.name) === name)] };
  });
}

/** Whether the chain is endless for PowerDNS, which answers SERVFAIL or keeps querying, and whether it has an address. */
async function answeredTo(name: string) {
  resolver.left = 40;
  const { rcode, answers } = await server.query(name.slice(0, -1), 'A');
  return {
    isEndless: rcode === 'SERVFAIL' || resolver.left < 0,
    hasAddress: answers.some(({ type }) => type === 'A'),
  };
}

test.each([
  [maxLinks, 'NOERROR'],
  [maxLinks + 1, 'SERVFAIL'],
])('%s CNAMEs of a chain are %s', async (count, rcode) => {
  const zone = `long${count}.test.`;
  const record = (name: string, type: string, content: string): RRset => ({ name, type, ttl: 60, records: [content] });
  const records = [
    ...apexOf({ name: zone, nameServers: ['ns.example'] }),
    ...Array.from({ length: count }, (_, i) => record(`c${i}.${zone}`, 'CNAME', `c${i + 1}.${zone}`)),
    record(`c${count}.${zone}`, 'A', '192.0.2.1'),
  ];
  await powerdns.create(zone, records);
  expect((await server.query(`c0.long${count}.test`, 'A')).rcode).toBe(rcode);
  expect(isEndless(chainFrom(new Lookup([{ name: zone, records }]), `c0.${zone}`))).toBe(rcode === 'SERVFAIL');
});

test('a chain is endless exactly where PowerDNS answers SERVFAIL, or never finishes', async () => {
  const seen = { endless: 0, ended: 0 };
  await fc.assert(
    fc
      .asyncProperty(data, async (rrsets) => {
        const zones = zonesOf(rrsets);
        for (const { name, records } of zones) await powerdns.create(name, records);
        const lookup = new Lookup<RRset>(zones);
        for (const name of asked) {
          const { end } = chainFrom(lookup, name);
          seen[isEndless({ end }) ? 'endless' : 'ended'] += 1;
          const answered = await answeredTo(name);
          const isTold = end !== 'Outside' && end !== 'Delegated';
          expect([name, answered.isEndless, isTold && answered.hasAddress]).toEqual([
            name,
            isEndless({ end }),
            end === 'Addresses',
          ]);
        }
      })
      .afterEach(async () => {
        for (const header of await powerdns.zones()) await powerdns.remove({ ...header, rrsets: [] });
      }),
    { numRuns: 40, endOnFailure: false },
  );
  // The test proves nothing if one of the outcomes is rare.
  expect(Math.min(seen.endless, seen.ended)).toBeGreaterThan(20);
});
