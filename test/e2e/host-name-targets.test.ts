import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { declare } from './cluster/edit.ts';
import { apply, exists, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientAt, clientOf } from './cluster/names.ts';
import { statusAddress, tableAt, untilReported } from './cluster/reported-names.ts';
import { startResolver } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'elb.internal';
const at = (name: string) => `${name}.${zone}`;

/** A load balancer that is only a name, as on AWS. The cluster DNS knows it: it is a headless Service. */
scenario('host-name-targets', ({ shop, ingress, service, internalDNS, writeAddresses }) => {
  let client: Client;
  /** Forwards the zone alone, like the CoreDNS of the docs: a CNAME out of the zone has no address there. */
  let pod: Client;
  let page: string;
  const loadBalancer = `balancer.${shop}.svc.cluster.local`;
  const slice = (...addresses: string[]): KubernetesObject => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'balancer', namespace: shop, labels: { 'kubernetes.io/service-name': 'balancer' } },
    ...{ addressType: 'IPv4', endpoints: [{ addresses, conditions: { ready: true } }], ports: [{ port: 80 }] },
  });
  /** Nothing that the watcher sees changes when the load balancer does. */
  const balance = (addresses: string[], until: () => Promise<unknown>) =>
    withDisturbance('elsewhere-lb', async () => {
      if (addresses.length > 0) await apply(slice(...addresses));
      else await remove('endpointslice', 'balancer', shop);
      await until();
    });
  const messageOf = async (name: string) =>
    (await tableAt(page, at(name))).names.find(({ resource }) => resource === `ingress/${shop}/${name}`)?.message;

  test('a host gets the addresses of the load balancer, for clients that resolve nothing but the zone', async () => {
    await apply(
      service('balancer', { clusterIP: 'None' }),
      slice('192.0.2.1'),
      internalDNS('elsewhere-lb', { zones: [{ name: zone }], discovery: { sources: [{ kind: 'Ingress' }] } }),
    );
    await waitForReady('elsewhere-lb');
    [client, page] = [await clientOf('elsewhere-lb'), await statusAddress('elsewhere-lb')];
    const { address } = (await get('internaldns', 'elsewhere-lb')).status;
    pod = clientAt(await startResolver(shop, 'host-names-resolver', zone, address));
    const pending = { 'lab/no-address': '1' };
    await apply(
      ingress({ name: 'web', hosts: [at('web')], annotations: pending }),
      ingress({ name: 'apex', hosts: [zone], annotations: pending }),
      ingress({ name: 'both', hosts: [at('both')], annotations: pending }),
    );
    await withDisturbance('elsewhere-lb', async () => {
      await writeAddresses('web', loadBalancer);
      await writeAddresses('apex', loadBalancer);
      await writeAddresses('both', loadBalancer, '192.0.2.99');
      await client.becomes(at('web'), '192.0.2.1');
      await client.becomes(zone, '192.0.2.1');
      await client.becomes(at('both'), '192.0.2.1 192.0.2.99');
    });
    await pod.becomes(at('web'), '192.0.2.1');
    expect(await client.answer(at('web'), 'CNAME')).toBe('NOERROR');
    await anotherLoop('elsewhere-lb');
  });

  test('the host follows the load balancer: a new address at once, and a lost one after three answers', async () => {
    await balance(['192.0.2.2'], async () => {
      await client.becomes(at('web'), '192.0.2.1 192.0.2.2');
      await client.becomes(at('web'), '192.0.2.2');
      await client.becomes(at('both'), '192.0.2.2 192.0.2.99');
    });
    await pod.becomes(at('web'), '192.0.2.2');
    await anotherLoop('elsewhere-lb');
  });

  test('a restart keeps what is published', async () => {
    await withDisturbance('elsewhere-lb', async () => {
      await kubectl('-n', 'internal-dns', 'delete', 'pod', 'idns-elsewhere-lb-0');
      await until('the new pod exists', () => exists('pod', 'idns-elsewhere-lb-0', 'internal-dns'));
      await waitForReady('elsewhere-lb');
      await until('the page has the verdict', async () => {
        const message = await messageOf('web');
        return message === 'resolves to 192.0.2.2' || message;
      });
    });
    expect(await client.answer(at('web'))).toBe('192.0.2.2');
    await anotherLoop('elsewhere-lb');
  });

  test('a load balancer that is gone loses its addresses, and the verdict says so', async () => {
    await balance([], async () => {
      await client.becomes(at('web'), 'NXDOMAIN');
      await client.becomes(at('both'), '192.0.2.99');
    });
    await untilReported('elsewhere-lb', {
      name: at('web'),
      resource: `ingress/${shop}/web`,
      verdict: 'NoAddress',
      message: /^the pod's resolver .* the target balancer\..*\.svc\.cluster\.local \((NXDOMAIN|NODATA)\): /,
    });
    await balance(['192.0.2.3'], () => client.becomes(at('web'), '192.0.2.3'));
    await anotherLoop('elsewhere-lb');
  });

  test('with hostNames: CNAME the host is an alias, and the verdict says who gets no address', async () => {
    await declare('elsewhere-lb', { discovery: { targets: { hostNames: 'CNAME' } } });
    await client.becomes(at('web'), loadBalancer, 'CNAME');
    await until('the page says who gets no address', async () => {
      const message = await messageOf('web');
      return message?.includes('get no address for balancer.') || message;
    });
    await declare('elsewhere-lb', { discovery: { targets: { hostNames: 'Addresses' } } });
    await withDisturbance('elsewhere-lb', () => client.becomes(at('web'), '192.0.2.3'));
    await anotherLoop('elsewhere-lb');
  });
});
