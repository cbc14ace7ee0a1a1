import { expect, test } from 'vitest';
import { rdataOf } from '../dns/query-rdata.ts';
import { wire, wireZone } from '../dns/rdata/wire-format.ts';
import { edit } from './cluster/edit.ts';
import { apply, get, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { identityOf, pdnsutil } from './cluster/pod.ts';
import { untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'zones.internal';
const pod = 'idns-zones-0';
const at = (name: string) => `${name}.${zone}`;
const beside = '192.0.2.200';
/** Each edit waits for tokens of Crossplane's circuit breaker. */
const turns = 3;

scenario('zones', ({ shop, ingress, internalDNS }) => {
  let client: Client;
  const declare = (records: object[]) => edit('zones', { zones: [{ name: zone, records }] });

  test('declared records are answered next to discovered ones, and repeated edits restart nothing', async () => {
    await apply(
      internalDNS('zones', { zones: [{ name: zone }] }),
      ingress({ name: 'beside', hosts: [at('beside')], annotations: { [target]: beside } }),
    );
    await waitForReady('zones');
    client = await clientOf('zones');
    const before = await identityOf(pod);
    for (let turn = 1; turn <= turns; turn++) {
      const address = `192.0.2.${turn}`;
      await declare([
        { name: 'www', type: 'A', values: [address] },
        { name: '@', type: 'MX', values: ['10 mail'] },
        { name: 'mail', type: 'A', values: ['192.0.2.25'] },
        { name: 'text', type: 'TXT', values: ['v=spf1 mx -all'] },
      ]);
      await client.becomes(at('www'), address);
    }
    expect(await client.answer(zone, 'MX')).toContain(at('mail'));
    await client.becomes(at('beside'), beside);
    await waitForReady('zones');
    expect(await identityOf(pod)).toEqual(before);
  });

  test('a declared record that was changed by hand is restored', async () => {
    const since = new Date().toISOString();
    await withDisturbance('zones', async () => {
      await pdnsutil(pod, 'rrset', 'replace', zone, at('www'), 'A', '60', '192.0.2.250');
      await until('the agent has restored the declared record', async () => {
        const log = await kubectl('-n', 'internal-dns', 'logs', pod, '-c', 'agent', `--since-time=${since}`);
        const listed = await pdnsutil(pod, 'zone', 'list', zone);
        const [, address] = /^www\.zones\.internal\.\s+60\s+IN\s+A\s+(\S+)$/m.exec(listed) ?? [];
        return (log.includes('change zone') && address === `192.0.2.${turns}`) || { address, log };
      });
    });
    expect(await client.answer(at('www'))).toBe(`192.0.2.${turns}`);
  });

  test('a declared name takes precedence over an Ingress, which gets it when the declaration is removed', async () => {
    await declare([{ name: 'beside', type: 'A', values: ['192.0.2.77'] }]);
    await client.becomes(at('beside'), '192.0.2.77');
    await anotherLoop('zones');
    expect(await client.answer(at('beside'))).toBe('192.0.2.77');
    await untilReported('zones', {
      name: at('beside'),
      resource: `ingress/${shop}/beside`,
      verdict: 'DeclaredElsewhere',
      message: /^the InternalDNS declares A at this name: /,
    });
    await declare([]);
    await client.becomes(at('beside'), beside);
  });

  test('every type is answered with the octets of its RFC', async () => {
    // A DS is only allowed next to the NS of a delegation.
    const delegated = (index: number) => ({ name: `n${index}`, type: 'NS', values: ['ns.example.com.'] });
    const records = wire.flatMap(([type, , text], index) => [
      { name: `n${index}`, type, values: [text] },
      ...(type === 'DS' ? [delegated(index)] : []),
    ]);
    await apply(internalDNS('types', { zones: [{ name: wireZone, records }], discovery: { sources: [] } }));
    await waitForReady('types');
    const { address: host, port } = (await get('internaldns', 'types')).status;
    const answers: string[] = [];
    // One after the other: TCP connections per client are limited.
    for (const [i, [type]] of wire.entries()) answers.push(await rdataOf({ host, port }, `n${i}.${wireZone}.`, type));
    expect(wire.map(([type, section, text], i) => [type, section, text, answers[i]])).toEqual(
      wire.map(([type, section, text, octets]) => [type, section, text, octets.replaceAll(' ', '')]),
    );
  });
});
