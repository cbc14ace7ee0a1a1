import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeEach, expect, test } from 'vitest';
import { rdataOf } from '../dns/rdata.ts';
import { wire, wireZone } from '../dns/wire.ts';
import { delv, findDelv } from '../powerdns/delv.ts';
import { untilBreakerRests } from './breaker.ts';
import { figure } from './figures.ts';
import {
  apply,
  applyLarge,
  condition,
  get,
  kubectl,
  patch,
  remove,
  settle,
  until,
  waitFor,
  waitForNew,
} from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { configMap, ingress, internalDNS, shop } from './objects.ts';
import { pdnsutil } from './pod.ts';
import { untilTold } from './telling.ts';

const namespace = 'internal-dns';
const pod = 'idns-corp-0';

/** Zones as the composite declares them: records, zone files, reverse zones, checked answers, DNSSEC. */
export function zones(): void {
  let client: Client;
  const declare = (zone: object, more: object[] = [], discovery: object = {}) =>
    patch('internaldns', 'corp', { spec: { zones: [{ name: 'corp.internal', ...zone }, ...more], discovery } });

  beforeEach(() => untilBreakerRests());

  test('declared records answer beside discovered ones, and edits in a row restart nothing', async () => {
    client = await clientOf('corp');
    const before = await podOf('corp');
    await apply(ingress({ name: 'beside', hosts: ['beside.corp.internal'] }));
    const seconds: number[] = [];
    // Each costs about 17 of the 100 tokens that Crossplane's circuit breaker gives to a composite.
    for (let turn = 1; turn <= 10; turn++) {
      await untilBreakerRests(25);
      const address = `192.0.2.${turn}`;
      const start = performance.now();
      await declare({
        records: [
          { name: 'www', type: 'A', values: [address] },
          { name: '@', type: 'MX', values: ['10 mail'] },
          { name: 'mail', type: 'A', values: ['192.0.2.25'] },
          { name: 'text', type: 'TXT', values: ['v=spf1 mx -all'] },
        ],
      });
      await client.becomes('www.corp.internal', address);
      seconds.push((performance.now() - start) / 1000);
      await settle('corp');
    }
    figure('record in the resource changed -> answered, slowest of ten', Math.max(...seconds));
    expect(await client.answer('corp.internal', 'MX')).toContain('mail.corp.internal');
    await client.becomes('beside.corp.internal', '198.51.100.200');
    await waitFor('Ready', 'internaldns/corp', 60);
    await quiet('corp');
    expect(await podOf('corp')).toEqual(before);
  });

  test('every type is answered with the octets of its RFC', async () => {
    // A DS stands beside the NS of what is delegated.
    const delegated = (index: number) => ({ name: `n${index}`, type: 'NS', values: ['ns.example.com.'] });
    const records = wire.flatMap(([type, , text], index) => [
      { name: `n${index}`, type, values: [text] },
      ...(type === 'DS' ? [delegated(index)] : []),
    ]);
    await apply(internalDNS('types', { zones: [{ name: wireZone, records }], discovery: { sources: [] } }));
    await waitForNew('types');
    const { address: host, port } = (await get('internaldns', 'types')).status;
    const answers = await Promise.all(wire.map(([type], i) => rdataOf({ host, port }, `n${i}.${wireZone}.`, type)));
    expect(wire.map(([type, section, text], i) => [type, section, text, answers[i]])).toEqual(
      wire.map(([type, section, text, octets]) => [type, section, text, octets.replaceAll(' ', '')]),
    );
    await remove('internaldns', 'types');
  });

  test('what somebody changes by hand is put right', async () => {
    const since = new Date().toISOString();
    const start = performance.now();
    await pdnsutil(pod, 'rrset', 'replace', 'corp.internal', 'www.corp.internal', 'A', '60', '192.0.2.250');
    await until('PowerDNS has what is declared, as the agent wrote it anew', 15, async () => {
      const log = await kubectl('-n', namespace, 'logs', pod, '-c', 'agent', `--since-time=${since}`);
      const listed = await pdnsutil(pod, 'zone', 'list', 'corp.internal');
      const [, address] = /^www\.corp\.internal\.\s+60\s+IN\s+A\s+(\S+)$/m.exec(listed) ?? [];
      return (log.includes('change zone') && address === '192.0.2.10') || { address, log };
    });
    figure('changed by hand -> put right', (performance.now() - start) / 1000);
    expect(await client.answer('www.corp.internal')).toBe('192.0.2.10');
  });

  test('a declared name wins over an Ingress that asks for it, which has it when the declaration goes', async () => {
    await settle('corp');
    await declare({ records: [{ name: 'beside', type: 'A', values: ['192.0.2.77'] }] });
    await client.becomes('beside.corp.internal', '192.0.2.77');
    await quiet('corp');
    await untilTold('corp', {
      name: 'beside.corp.internal',
      resource: `ingress/${shop}/beside`,
      verdict: 'DeclaredElsewhere',
      message: /^the InternalDNS declares A at this name: /,
    });
    await settle('corp');
    await declare({});
    await client.becomes('beside.corp.internal', '198.51.100.200');
    await quiet('corp');
    await remove('ingress', 'beside', shop);
  });

  test('a zone file of 10,000 records is served, follows its ConfigMap, and is held while a line is wrong', async () => {
    const file = (changed: string) =>
      configMap('corp-zone', {
        zone: [
          '$TTL 60',
          ...Array.from({ length: 9_999 }, (_, index) => `host-${index} A 198.18.${index >> 8}.${index & 255}`),
          changed,
          '',
        ].join('\n'),
      });
    await applyLarge(file('changing A 192.0.2.1'));
    await settle('corp');
    const start = performance.now();
    await declare({ recordsFrom: [{ configMapKeyRef: { name: 'corp-zone', key: 'zone' } }] });
    await client.becomes('changing.corp.internal', '192.0.2.1', 60);
    figure('zone file of 10,000 records named -> answered', (performance.now() - start) / 1000);
    expect(await client.answer('host-9998.corp.internal')).toBe('198.18.39.14');
    await waitFor('Ready', 'internaldns/corp', 60);
    const before = await podOf('corp');
    const seconds: number[] = [];
    for (let turn = 11; turn <= 20; turn++) {
      await applyLarge(file(`changing A 192.0.2.${turn}`));
      seconds.push(await client.becomes('changing.corp.internal', `192.0.2.${turn}`));
    }
    seconds.sort((a, b) => a - b);
    figure('one line of 10,000 changed -> answered, median of ten in a row', seconds[5]!);
    figure('one line of 10,000 changed -> answered, slowest of ten in a row', seconds[9]!);
    expect(await podOf('corp')).toEqual(before);

    await applyLarge(file('changing A 192.0.2.256'));
    await until('the status names the line', 30, async () => {
      const { message } = await condition('corp', 'ZonesReady');
      const words = 'ConfigMap corp-zone, key zone, line 10001: not an IPv4 address: 192.0.2.256';
      return message?.includes(words) || message;
    });
    expect(await client.answer('changing.corp.internal')).toBe('192.0.2.20');
    expect(await client.answer('host-0.corp.internal')).toBe('198.18.0.0');
    await applyLarge(file('changing A 192.0.2.3'));
    await client.becomes('changing.corp.internal', '192.0.2.3');
    await waitFor('Ready', 'internaldns/corp', 60);
    await settle('corp');
    await declare({});
    await client.becomes('host-0.corp.internal', 'NXDOMAIN', 30);
    await kubectl('-n', namespace, 'delete', 'configmap', 'corp-zone');
  });

  test('addresses have names: declared, discovered, and of a range that is delegated', async () => {
    await apply(ingress({ name: 'reverse', hosts: ['reverse.corp.internal'] }));
    await settle('corp');
    await declare(
      { records: [{ name: 'db', type: 'A', values: ['192.0.2.7', '203.0.113.70'], ptr: true }] },
      [
        { name: '2.0.192.in-addr.arpa' },
        { name: '100.51.198.in-addr.arpa' },
        { name: '113.0.203.in-addr.arpa' },
        { name: '64/26.113.0.203.in-addr.arpa', nameServers: ['ns1.corp.internal'] },
      ],
      { reverse: 'Publish' },
    );
    await client.becomes('7.2.0.192.in-addr.arpa', 'db.corp.internal', 30, 'PTR');
    await client.becomes('200.100.51.198.in-addr.arpa', 'reverse.corp.internal', 30, 'PTR');
    // The zones are made one after the other.
    const both = '70.64/26.113.0.203.in-addr.arpa db.corp.internal';
    await client.becomes('70.113.0.203.in-addr.arpa', both, 15, 'PTR');
    const range = await client.ask('70.113.0.203.in-addr.arpa', 'PTR');
    expect(range.answers.map(({ type, data }) => `${type} ${data}`)).toEqual([
      'CNAME 70.64/26.113.0.203.in-addr.arpa',
      'PTR db.corp.internal',
    ]);
    await waitFor('Ready', 'internaldns/corp', 60);
    await quiet('corp');
    await remove('ingress', 'reverse', shop);
    await client.becomes('200.100.51.198.in-addr.arpa', 'NXDOMAIN', 30, 'PTR');
    await settle('corp');
    await declare({}, [], { reverse: 'Off' });
    await client.becomes('7.2.0.192.in-addr.arpa', 'REFUSED', 30, 'PTR');
    await waitFor('Ready', 'internaldns/corp', 60);
  });

  test('an answer follows the health of what it leads to, and the first check restarts the server once', async () => {
    const [one, other] = addressesOfThisMachine();
    const port = 18_025;
    const listeners = [await listener(one, port), await listener(other, port)];
    try {
      const before = await podOf('corp');
      await settle('corp');
      await declare({
        records: [
          { name: 'mx', type: 'A', values: [one, other], check: { port, interval: '1s' } },
          {
            name: 'none',
            type: 'A',
            values: [one],
            check: { port: 18_026, interval: '1s', timeout: '1s' },
            backup: ['192.0.2.99'],
            whenAllDown: 'Backup',
          },
        ],
      });
      await until('another pod serves', 60, async () => (await podOf('corp')).uid !== before.uid);
      await waitFor('Ready', 'internaldns/corp', 60);
      const both = [one, other].sort().join(' ');
      await client.becomes('mx.corp.internal', both, 30);
      await client.becomes('none.corp.internal', '192.0.2.99', 30);
      const closed = performance.now();
      const end = once(listeners[1]!.close(), 'close');
      await client.becomes('mx.corp.internal', one, 15);
      figure('port closed -> gone from the answer', (performance.now() - closed) / 1000);
      await end;
      listeners[1] = await listener(other, port);
      figure('port open again -> answered', await client.becomes('mx.corp.internal', both, 15));
      await quiet('corp');
    } finally {
      for (const server of listeners) server.close();
    }
    await settle('corp');
    await declare({});
    await client.becomes('mx.corp.internal', 'NXDOMAIN', 30);
    await waitFor('Ready', 'internaldns/corp', 60);
  });

  test('a signed zone validates against the DS in its status, and keeps its key without its volume', async () => {
    await findDelv();
    const zone = 'signed.internal';
    const spec = (mode: string) => ({
      zones: [
        {
          name: zone,
          records: [{ name: 'www', type: 'A', values: ['192.0.2.1'] }],
          dnssec: { mode, algorithm: 'ECDSA256' },
        },
      ],
      discovery: { sources: [] },
    });
    await apply(internalDNS('signed', spec('Signed')));
    await waitForNew('signed');
    const dsOf = async (): Promise<string[]> => (await get('internaldns', 'signed')).status.zones[0].dnssec.ds;
    const ds = await dsOf();
    const validated = async (name: string) => {
      const { address: server } = (await get('internaldns', 'signed')).status;
      return delv({ server, zone, ds, name });
    };
    expect(await validated(`www.${zone}`)).toMatch(/fully validated[\s\S]*192\.0\.2\.1/);
    expect(await validated(`nothing.${zone}`)).toMatch(/negative response, fully validated/);

    await settle('signed');
    await kubectl('-n', namespace, 'delete', 'pvc', 'data-idns-signed-0', '--wait=false');
    await kubectl('-n', namespace, 'delete', 'pod', 'idns-signed-0');
    const signed = await clientOf('signed');
    await until('the zone answers again', 90, async () => (await signed.answer(`www.${zone}`)) === '192.0.2.1');
    await waitFor('Ready', 'internaldns/signed', 60);
    expect(await dsOf()).toEqual(ds);
    await until('it validates with the same key', 30, async () => {
      const seen = await validated(`www.${zone}`);
      return seen.includes('fully validated') || seen;
    });

    await expect(apply(internalDNS('signed', spec('Off')))).rejects.toThrow('Unsigning');
    await settle('signed');
    await apply(internalDNS('signed', spec('Unsigning')));
    await until('the status says what to remove first', 30, async () => {
      const { message } = await condition('signed', 'ZonesReady');
      return message?.includes(ds[0]!.split(' ')[0]!) || message;
    });
    await settle('signed');
    await apply(internalDNS('signed', spec('Off')));
    await until('nothing is signed any more', 30, async () => (await signed.answer(zone, 'DNSKEY')) === 'NOERROR');
    await waitFor('Ready', 'internaldns/signed', 60);
    await remove('internaldns', 'signed');
  });
}

/** What would be another one after a restart. */
async function podOf(composite: string): Promise<{ uid: string; restarts: number[] }> {
  const { metadata, status } = await get('pod', `idns-${composite}-0`, namespace);
  const all: { restartCount: number }[] = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ];
  return { uid: metadata.uid ?? '', restarts: all.map(({ restartCount }) => restartCount) };
}

/** Two addresses at which pods reach this machine. */
function addressesOfThisMachine(): [string, string] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const [one, other] = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map((a) => a.address);
  if (!one || !other) throw new Error('this machine needs two IPv4 addresses that pods reach');
  return [one, other];
}

async function listener(address: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.end()).listen(port, address);
  await once(server, 'listening');
  return server;
}
