/**
 * Debian's resolvers, each started with exactly the lines of its entry, between a real PowerDNS with the zones and a
 * signed root that denies them.
 *
 * @module-tag PowerDNS
 * @module-tag resolvers
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { families } from '../../functions/connect/guide.ts';
import type { Server, Zone } from '../../functions/connect/program.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { Relay } from '../agent/self-test/relay.ts';
import type { DNSProcess } from '../dns-process.ts';
import { query } from '../powerdns/query.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { createZone } from './powerdns-zone.ts';
import { type Internet, setups, startResolver } from './resolver.ts';

const dirs: string[] = [];
const servers: RunningPowerDNS[] = [];
let internet: Internet;
let zones: Zone[];
let relay: Relay;
/** The same server at two addresses. */
let ours: Record<'53' | 'another', Server>;

async function start(): Promise<RunningPowerDNS> {
  const dir = mkdtempSync(join(tmpdir(), 'connect-'));
  dirs.push(dir);
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
  servers.push(server);
  return server;
}

beforeAll(async () => {
  const [root, server] = await Promise.all([start(), start()]);
  const outside = { 'www.example.': ['A', '9.9.9.80'], 'evil.example.': ['A', '192.168.1.1'] } as const;
  const [ds = ''] = await createZone(root, '.', outside, { isSigned: true });
  internet = { server: { address: '127.0.0.1', port: root.dnsPort }, ds };
  const corp = { 'www.corp.internal.': ['A', '10.1.2.3'], 'out.corp.internal.': ['CNAME', 'www.example.'] } as const;
  const signed = { 'www.signed.internal.': ['A', '10.1.2.4'] } as const;
  const bogus = { 'www.bogus.internal.': ['A', '10.1.2.5'] } as const;
  const reverse = { '7.1.168.192.in-addr.arpa.': ['PTR', 'www.corp.internal.'] } as const;
  const wrong = (ds: string) => ds.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  zones = [
    { name: 'corp.internal', ds: await createZone(server, 'corp.internal.', corp) },
    { name: 'signed.internal', ds: await createZone(server, 'signed.internal.', signed, { isSigned: true }) },
    {
      name: 'bogus.internal',
      ds: (await createZone(server, 'bogus.internal.', bogus, { isSigned: true })).map(wrong),
    },
    { name: '1.168.192.in-addr.arpa', ds: await createZone(server, '1.168.192.in-addr.arpa.', reverse) },
  ];
  relay = new Relay(server.dnsPort);
  // An address that no other run has.
  const { host } = await relay.listen(`127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`, 53);
  ours = { '53': { address: host, port: 53 }, another: { address: '127.0.0.1', port: server.dnsPort } };
});
afterAll(async () => {
  relay?.close();
  for (const server of servers) await server.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const programs = families.flatMap(({ programs }) => programs).filter(({ id }) => id in setups);

test('every program that Debian has is run', () => {
  expect(programs.map(({ id }) => id)).toEqual(['dnsmasq', 'unbound', 'bind', 'knot-resolver', 'systemd-resolved']);
});

describe.each(programs)('$name', ({ id, steps }) => {
  // These pass on the answer of the server as it is.
  const follows = id !== 'dnsmasq' && id !== 'knot-resolver';
  const validates = id !== 'knot-resolver';
  const protects = id !== 'systemd-resolved';

  describe.each([
    ['port 53', ['53']],
    ['another port', ['another']],
    ['two servers', ['another', '53']],
  ] as const)('with %s', (_, ports) => {
    let resolver: DNSProcess;
    beforeAll(async () => {
      resolver = await startResolver(id, steps({ zones, servers: ports.map((port) => ours[port]) }), internet);
    });
    afterAll(() => resolver?.stop());

    // In this order: resolvers that have seen the root deny a top-level domain may know that from then on (RFC 8198).
    test.each([
      ['nothing.infra', 'A', 'udp', 'NXDOMAIN'],
      ['www.example', 'A', 'udp', '9.9.9.80'],
      ['www.corp.internal', 'A', 'udp', '10.1.2.3'],
      ['www.corp.internal', 'A', 'tcp', '10.1.2.3'],
      ['none.corp.internal', 'A', 'udp', 'NXDOMAIN'],
      ['out.corp.internal', 'A', 'udp', follows ? '9.9.9.80' : 'NOERROR'],
      ['www.signed.internal', 'A', 'udp', '10.1.2.4'],
      ['www.bogus.internal', 'A', 'udp', validates ? 'SERVFAIL' : '10.1.2.5'],
      ['7.1.168.192.in-addr.arpa', 'PTR', 'udp', 'www.corp.internal'],
      ['evil.example', 'A', 'udp', protects ? expect.stringMatching(/^(NOERROR|REFUSED|SERVFAIL)$/) : '192.168.1.1'],
    ] as const)('%s %s over %s', async (name, type, transport, expected) => {
      const { rcode, answers } = await query({
        name,
        type,
        port: resolver.port,
        tcp: transport === 'tcp',
        attempts: 5,
      });
      const values = answers.flatMap((answer) => (answer.type === type ? [answer.data] : []));
      expect(values[0] ?? rcode, resolver.log()).toEqual(expected);
    });
  });
});
