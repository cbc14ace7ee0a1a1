/** Domains that teams declare for themselves. */
import { expect, test } from 'vitest';
import { delv, findDelv } from '../powerdns/delv.ts';
import { figure } from './cluster/figures.ts';
import { apply, get, kubectl, patch, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { withSecondReplica } from './cluster/replicas.ts';
import { scenario } from './scenario.ts';

const instance = 'domains-of-teams';
const platform = 'team-zones.internal';
const domain = `shop.${platform}`;
const other = 'shop-outside.internal';

scenario('team-zones', ({ shop, market, internalDNS }) => {
  let client: Client;

  const record = (name: string, address: string) => ({ name, type: 'A', values: [address] });
  const zone = (object: string, spec: object, namespace = shop) => ({
    apiVersion: 'dns.internal/v1alpha1',
    kind: 'Zone',
    metadata: { name: object, namespace },
    spec,
  });
  /** The entry of this InternalDNS in the status of a Zone, once it is in a state. */
  const untilState = async (state: string, object: string, namespace = shop) => {
    const entryOf = async () => {
      const { instances = [] } = (await get('zones.dns.internal', object, namespace)).status ?? {};
      return instances.find(({ name }: { name: string }) => name === instance);
    };
    await until(`Zone ${object} is ${state}`, async () => {
      const entry = await entryOf();
      return entry?.state === state || (entry ?? 'no entry');
    });
    return entryOf();
  };

  test('a team declares a zone below one of the InternalDNS, which delegates it, and nothing restarts', async () => {
    await patch('namespace', shop, { metadata: { labels: { domains: 'shop' } } });
    await apply(
      internalDNS(instance, {
        zones: [{ name: platform }],
        discovery: {
          sources: [{ kind: 'Zone' }],
          tenants: [
            {
              namespaceSelector: { matchLabels: { domains: 'shop' } },
              names: [],
              zones: [domain, `*.${domain}`, other],
            },
          ],
        },
      }),
    );
    await waitForReady(instance);
    client = await clientOf(instance);
    const before = (await get('pod', `idns-${instance}-0`, 'internal-dns')).metadata.uid;
    const records = [record('www', '192.0.2.80'), { ...record('any', '192.0.2.81'), answer: 'Random' }];
    await apply(zone('shop', { name: domain, records }));
    figure('Zone applied -> answered', await client.becomes(`www.${domain}`, '192.0.2.80'));
    await client.becomes(`any.${domain}`, '192.0.2.81');
    expect(await untilState('Serving', 'shop')).not.toHaveProperty('delegation');
    await patch('zones.dns.internal', 'shop', { spec: { records: [record('www', '192.0.2.82')] } }, shop);
    await client.becomes(`www.${domain}`, '192.0.2.82');
    await client.becomes(`any.${domain}`, 'NXDOMAIN');
    expect((await get('pod', `idns-${instance}-0`, 'internal-dns')).metadata.uid).toBe(before);
  });

  test('the status of a signed zone has what its parent needs, and by it delv validates the zone', async () => {
    await findDelv();
    await apply(zone('outside', { name: other, records: [record('www', '192.0.2.83')], dnssec: { mode: 'Signed' } }));
    const { delegation, dnssec } = await untilState('Serving', 'outside');
    const { address: server } = (await get('internaldns', instance)).status;
    const validated = (name: string) => delv({ server, zone: other, ds: dnssec.ds, name: `${name}.${other}` });
    expect(await validated('www')).toMatch(/fully validated[\s\S]*192\.0\.2\.83/);
    expect(await validated('nothing')).toMatch(/negative response, fully validated/);
    expect(delegation[0]).toMatch(new RegExp(`^${other}\\. \\d+ IN NS ns1\\.${other}\\.$`));
    expect(delegation).toContainEqual(expect.stringContaining(` IN DS ${dnssec.ds[0]}`));
    await client.becomes(`ns1.${other}`, server);
  });

  test('a namespace of no tenant has no zone, and of two Zones with one name the older has it', async () => {
    await apply(
      zone('stolen', { name: `stolen.${domain}`, records: [record('www', '192.0.2.66')] }, market),
      zone('again', { name: domain, records: [record('www', '192.0.2.66')] }),
    );
    expect((await untilState('Refused', 'stolen', market)).message).toContain('discovery.tenants');
    expect((await untilState('Refused', 'again')).message).toContain(`${shop}/shop`);
    expect(await client.answer(`www.${domain}`)).toBe('192.0.2.82');
    await waitForReady(instance);
  });

  test('a second replica gives the same answers, signed with the same key, and the status stays one', async () => {
    const replicas = await withSecondReplica(instance);
    const { dnssec } = await untilState('Serving', 'outside');
    for (const { client, server, port } of replicas) {
      await client.becomes(`www.${domain}`, '192.0.2.82');
      await client.becomes(`www.${other}`, '192.0.2.83');
      const answer = await delv({ server, port, zone: other, ds: dnssec.ds, name: `www.${other}` });
      expect(answer).toContain('fully validated');
    }
    const { instances } = (await get('zones.dns.internal', 'outside', shop)).status;
    expect(instances.map(({ name }: { name: string }) => name)).toEqual([instance]);
  });

  test('a zone goes with its Zone, and the next one gets its name', async () => {
    await kubectl('-n', shop, 'delete', 'zones.dns.internal', 'outside');
    await client.becomes(other, 'REFUSED', 'SOA');
    await kubectl('-n', shop, 'delete', 'zones.dns.internal', 'shop');
    await client.becomes(`www.${domain}`, '192.0.2.66');
  });
});
