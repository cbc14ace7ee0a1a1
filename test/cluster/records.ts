import { expect, test } from 'vitest';
import { figure } from './figures.ts';
import { apply, get, patch, remove, until, waitFor } from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { hostname, ingress, shop, target } from './objects.ts';
import { untilTold } from './telling.ts';

/** What the cluster's ingress controller writes into every Ingress. */
async function ingressAddress(name: string): Promise<string> {
  return (await get('ingress', name, shop)).status.loadBalancer.ingress[0].ip;
}

const annotate = (name: string, annotations: Record<string, string | null>) =>
  patch('ingress', name, { metadata: { annotations } }, shop);

export function records(): void {
  let client: Client;

  test('the hosts of an Ingress resolve: a name, a wildcard and the apex, over UDP and TCP', async () => {
    client = await clientOf('corp');
    expect(await client.answer('web.corp.internal')).toBe('NXDOMAIN');
    const hosts = ['web.corp.internal', '*.any.corp.internal', 'corp.internal', 'web.example.org'];
    await apply(ingress({ name: 'web', hosts }));
    const seconds = await client.becomes('web.corp.internal', '198.51.100.200');
    figure('Ingress applied -> answered, asked for before', seconds);
    const address = await ingressAddress('web');
    for (const name of ['web.corp.internal', 'deep.down.any.corp.internal', 'corp.internal']) {
      expect(await client.answer(name, 'A')).toBe(address);
      expect(await client.answer(name, 'A', true)).toBe(address);
    }
    // Not this server's business: it must not recurse.
    expect(await client.answer('web.example.org')).toBe('REFUSED');
    await quiet('corp');
    await untilTold('corp', {
      name: 'web.example.org',
      resource: `ingress/${shop}/web`,
      verdict: 'OutsideZones',
      message: /corp\.internal/,
    });
  });

  test('a Service of type LoadBalancer with a hostname resolves', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'mail', namespace: shop, annotations: { [hostname]: 'mail.corp.internal' } },
      spec: { type: 'LoadBalancer', ports: [{ port: 25 }] },
    });
    await waitForAddress('mail');
    const address = (await get('service', 'mail', shop)).status.loadBalancer.ingress[0].ip;
    await client.becomes('mail.corp.internal', address);
    await quiet('corp');
  });

  test('a second zone answers without any restart, and goes again', async () => {
    const before = (await get('pod', 'idns-corp-0', 'internal-dns')).metadata.uid;
    expect(await client.answer('www.lab.internal')).toBe('REFUSED');
    await apply(ingress({ name: 'lab', hosts: ['www.lab.internal'] }));
    await patch('internaldns', 'corp', { spec: { zones: [{ name: 'corp.internal' }, { name: 'lab.internal' }] } });
    const seconds = await until('both zones are served', 60, async () => {
      const { zonesServed } = (await get('internaldns', 'corp')).status;
      return zonesServed === '2/2' || zonesServed;
    });
    figure('zone added -> served', seconds);
    await waitFor('Ready', 'internaldns/corp', 60);
    expect(await client.answer('lab.internal', 'SOA')).toContain('hostmaster.lab.internal');
    await client.becomes('www.lab.internal', '198.51.100.200');
    await quiet('corp');
    await patch('internaldns', 'corp', { spec: { zones: [{ name: 'corp.internal' }] } });
    await client.becomes('www.lab.internal', 'REFUSED');
    await quiet('corp');
    const after = await get('pod', 'idns-corp-0', 'internal-dns');
    expect(after.metadata.uid).toBe(before);
    const restarts = [...after.status.initContainerStatuses, ...after.status.containerStatuses];
    expect(restarts.map(({ restartCount }) => restartCount)).toEqual([0, 0, 0]);
    await remove('ingress', 'lab', shop);
  });

  test('an answer follows its address: A -> another A -> CNAME -> A', async () => {
    await annotate('web', { [target]: '192.0.2.99' });
    figure('address changed -> answered', await client.becomes('web.corp.internal', '192.0.2.99'));
    await quiet('corp');
    await patch('ingress', 'web', { spec: { rules: [{ host: 'web.corp.internal' }] } }, shop);
    await client.becomes('corp.internal', 'NOERROR');
    await annotate('web', { [target]: 'mail.corp.internal' });
    await client.becomes('web.corp.internal', 'mail.corp.internal', 15, 'CNAME');
    await quiet('corp');
    await annotate('web', { [target]: null });
    await client.becomes('web.corp.internal', '198.51.100.200');
    await quiet('corp');
  });

  test('names that cannot be published stop nobody else', async () => {
    await apply(
      ingress({ name: 'bad', hosts: [], annotations: { [hostname]: 'sp$ecial.corp.internal', [target]: '192.0.2.1' } }),
      ingress({ name: 'dots', hosts: [], annotations: { [hostname]: 'a..b.corp.internal', [target]: '192.0.2.1' } }),
      ingress({ name: 'odd', hosts: ['odd.corp.internal'], annotations: { [target]: 'what..ever.example.org' } }),
      ingress({ name: 'good', hosts: ['good.corp.internal'] }),
    );
    await client.becomes('good.corp.internal', '198.51.100.200');
    await quiet('corp');
    for (const name of ['bad', 'dots', 'odd', 'good']) await remove('ingress', name, shop);
  });

  test('an Ingress that goes takes its name with it', async () => {
    await remove('ingress', 'web', shop);
    figure('Ingress deleted -> NXDOMAIN', await client.becomes('web.corp.internal', 'NXDOMAIN'));
    await remove('service', 'mail', shop);
    await client.becomes('mail.corp.internal', 'NXDOMAIN');
    await quiet('corp');
  });
}

async function waitForAddress(service: string): Promise<void> {
  await until('the Service has an address', 30, async () => {
    return (await get('service', service, shop)).status.loadBalancer?.ingress !== undefined;
  });
}
