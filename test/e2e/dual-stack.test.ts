import { expect, test } from 'vitest';
import { apply, get, remove, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientAt, clientOf } from './cluster/names.ts';
import { hostname } from './cluster/objects.ts';
import { containerOf } from './cluster/pod.ts';
import { startPod } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'dual.internal';
const at = (name: string) => `${name}.${zone}`;
const addressesOf = (ips: { ip: string }[]) => ips.map(({ ip }) => ip).sort();

const isDual = (await get('service', 'kube-dns', 'kube-system')).spec.clusterIPs.length === 2;
const reason = isDual ? '' : ' (skipped: the cluster has one IP family)';

/** A server and objects with addresses of both IP families. */
scenario('dual-stack', ({ shop, ingress, service, internalDNS }) => {
  let clients: Client[];
  let addresses: string[];

  /** Waits until clients of both families get the addresses of both families. */
  async function becomes(name: string, ips: readonly string[]): Promise<void> {
    for (const [family, type] of [
      ['.', 'A'],
      [':', 'AAAA'],
    ] as const) {
      const expected = ips.filter((address) => address.includes(family)).join(' ');
      for (const client of clients) await client.becomes(name, expected, type);
    }
  }

  test.skipIf(reason)(`the server has an address of each family and answers on both${reason}`, async () => {
    await apply(
      internalDNS('dual', {
        zones: [{ name: zone }],
        discovery: {
          sources: [{ kind: 'Ingress' }, { kind: 'Service', serviceTypes: ['ClusterIP', 'LoadBalancer'] }],
        },
      }),
    );
    await waitForReady('dual');
    const { spec } = await get('service', 'idns-dual', 'internal-dns');
    addresses = spec.clusterIPs;
    expect(addresses).toHaveLength(2);
    clients = [await clientOf('dual'), ...addresses.map((address) => clientAt(address))];
    await becomes(at('ns1'), addresses);
    for (const address of addresses) {
      const client = clientAt(address);
      expect(await client.answer(zone, 'NS')).toBe(at('ns1'));
      expect(await client.answer(at('ns1'), 'AAAA', true)).toBe(addresses.find((each) => each.includes(':')));
    }
  });

  test.skipIf(reason)(`both addresses of an Ingress and of a load balancer are published${reason}`, async () => {
    await apply(
      ingress({ name: 'web', hosts: [at('web')] }),
      service(
        'lb',
        { type: 'LoadBalancer', ipFamilyPolicy: 'RequireDualStack' },
        { annotations: { [hostname]: at('lb') } },
      ),
    );
    for (const [kind, name] of [
      ['ingress', 'web'],
      ['service', 'lb'],
    ] as const) {
      let ips: string[] = [];
      await until(`${kind}/${name} has both addresses`, async () => {
        ips = addressesOf((await get(kind, name, shop)).status.loadBalancer?.ingress ?? []);
        return ips.length === 2 || ips;
      });
      await becomes(at(name), ips);
      await remove(kind, name, shop);
      for (const client of clients) await client.becomes(at(name), 'NXDOMAIN', 'AAAA');
    }
  });

  test.skipIf(reason)(`both addresses of a headless Service's Pod are published${reason}`, async () => {
    const { image } = await containerOf('idns-dual-0', 'agent');
    await apply(
      service(
        'peers',
        { clusterIP: 'None', ipFamilyPolicy: 'RequireDualStack', selector: { app: 'peer' } },
        { annotations: { [hostname]: at('peers') } },
      ),
    );
    await startPod(shop, 'peer', image, { nameservers: [addresses[0]] }, { app: 'peer' });
    const pod = await get('pod', 'peer', shop);
    await becomes(at('peers'), addressesOf(pod.status.podIPs));
  });
});
