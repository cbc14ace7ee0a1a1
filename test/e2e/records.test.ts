import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, get, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { hostname, target } from './cluster/objects.ts';
import { statusAddress, tableAt } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'records.internal';
const pod = 'idns-records-0';
const at = (name: string) => `${name}.${zone}`;

scenario('records', ({ shop, ingress, service, internalDNS }) => {
  let client: Client;
  /** The address that the cluster's ingress controller writes to every Ingress. */
  let address: string;
  const annotate = (name: string, annotations: Record<string, string | null>) =>
    patch('ingress', name, { metadata: { annotations } }, shop);

  test('the hosts of an Ingress resolve: a name, a wildcard and the apex, over UDP and TCP', async () => {
    await apply(internalDNS('records', { zones: [{ name: zone }] }));
    await waitForReady('records');
    client = await clientOf('records');
    expect(await client.answer(at('web'))).toBe('NXDOMAIN');
    await apply(ingress({ name: 'web', hosts: [at('web'), at('*.any'), zone, 'web.example.org'] }));
    await until('the Ingress has an address', async () => {
      address = (await get('ingress', 'web', shop)).status.loadBalancer.ingress[0].ip;
      return true;
    });
    await client.becomes(at('web'), address);
    for (const name of [at('web'), at('deep.down.any'), zone]) {
      expect(await client.answer(name, 'A')).toBe(address);
      expect(await client.answer(name, 'A', true)).toBe(address);
    }
    // The server must not recurse.
    expect(await client.answer('web.example.org')).toBe('REFUSED');
    const page = await statusAddress('records');
    await until('the page reports the host outside the zones', async () => {
      const { names } = await tableAt(page, 'web.example.org');
      const own = names.find(({ resource }) => resource === `ingress/${shop}/web`);
      return (own?.verdict === 'OutsideZones' && own.message.includes(zone)) || names;
    });
  });

  test('a Service of type LoadBalancer with a hostname resolves', async () => {
    await apply(
      service('mail', { type: 'LoadBalancer', ports: [{ port: 25 }] }, { annotations: { [hostname]: at('mail') } }),
    );
    let balanced = '';
    await until('the Service has an address', async () => {
      balanced = (await get('service', 'mail', shop)).status.loadBalancer.ingress[0].ip;
      return true;
    });
    await client.becomes(at('mail'), balanced);
  });

  test('a second zone is added and removed without a restart', async () => {
    const before = (await get('pod', pod, 'internal-dns')).metadata.uid;
    expect(await client.answer('www.second.records')).toBe('REFUSED');
    await apply(ingress({ name: 'second', hosts: ['www.second.records'] }));
    await edit('records', { zones: [{ name: zone }, { name: 'second.records' }] });
    await until('both zones are served', async () => {
      const { zonesServed } = (await get('internaldns', 'records')).status;
      return zonesServed === '2/2' || zonesServed;
    });
    await waitForReady('records');
    expect(await client.answer('second.records', 'SOA')).toContain('hostmaster.second.records');
    await client.becomes('www.second.records', address);
    await edit('records', { zones: [{ name: zone }] });
    await client.becomes('www.second.records', 'REFUSED');
    const after = await get('pod', pod, 'internal-dns');
    expect(after.metadata.uid).toBe(before);
    const restarts = [...after.status.initContainerStatuses, ...after.status.containerStatuses];
    expect(restarts.map(({ restartCount }) => restartCount)).toEqual([0, 0, 0]);
    await remove('ingress', 'second', shop);
  });

  test('an answer follows its target: A -> another A -> CNAME -> A', async () => {
    await annotate('web', { [target]: '192.0.2.99' });
    await client.becomes(at('web'), '192.0.2.99');
    await patch('ingress', 'web', { spec: { rules: [{ host: at('web') }] } }, shop);
    await client.becomes(zone, 'NOERROR');
    await annotate('web', { [target]: at('mail') });
    await client.becomes(at('web'), at('mail'), 'CNAME');
    await annotate('web', { [target]: null });
    await client.becomes(at('web'), address);
  });

  test('names that cannot be published do not block others', async () => {
    await apply(
      ingress({ name: 'bad', hosts: [], annotations: { [hostname]: at('sp$ecial'), [target]: '192.0.2.1' } }),
      ingress({ name: 'dots', hosts: [], annotations: { [hostname]: at('a..b'), [target]: '192.0.2.1' } }),
      ingress({ name: 'odd', hosts: [at('odd')], annotations: { [target]: 'what..ever.example.org' } }),
      ingress({ name: 'good', hosts: [at('good')] }),
    );
    await client.becomes(at('good'), address);
    await anotherLoop('records');
    for (const name of ['bad', 'dots', 'odd', 'good']) await remove('ingress', name, shop);
  });

  test('deleting an object removes its names', async () => {
    await remove('ingress', 'web', shop);
    await client.becomes(at('web'), 'NXDOMAIN');
    await remove('service', 'mail', shop);
    await client.becomes(at('mail'), 'NXDOMAIN');
  });
});
