import { expect, test } from 'vitest';
import type { Guide } from '../../functions/connect/guide.ts';
import { query } from '../powerdns/query.ts';
import { startBIND, startParent, startUnbound } from './cluster/delegation.ts';
import { edit } from './cluster/edit.ts';
import { apply, condition, exists, get, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { clientAt } from './cluster/names.ts';
import { statusAddress } from './cluster/reported-names.ts';
import { startCoreDNS } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'ways.internal';
const reverse = '77.168.192.in-addr.arpa';
const server = `ns1.${zone}`;
const www = '192.0.2.80';
const namespace = 'internal-dns';

interface WayIn {
  service: string;
  type: string;
  addresses: string[];
  port: number;
}

const families = (addresses: string[]) => addresses.map((address) => (address.includes(':') ? 'IPv6' : 'IPv4')).sort();

/** Pods, a LAN and the nodes reach one server at the same time, each through a Service of its own. */
scenario('ways-in', ({ internalDNS, shop }) => {
  const waysIn = async (): Promise<WayIn[]> => (await get('internaldns', 'ways')).status.addresses ?? [];
  const wayIn = async (name: string) => (await waysIn()).find(({ service }) => service === name);

  const nodes = { name: 'nodes', type: 'NodePort' };
  const lan = { name: 'lan', type: 'LoadBalancer' };
  // No load balancer of this class exists.
  const none = { name: 'none', type: 'LoadBalancer', loadBalancerClass: 'example.com/none' };

  test('an additional Service without an address does not hold Ready back, and is told', async () => {
    await apply(
      internalDNS('ways', {
        zones: [
          {
            name: zone,
            records: [{ name: 'www', type: 'A', values: [www] }],
            dnssec: { mode: 'Signed', algorithm: 'ECDSA256' },
          },
          { name: reverse, nameServers: [server] },
        ],
        additionalServices: [lan, nodes, none],
        advertise: 'lan',
      }),
    );
    await waitForReady('ways');
    await until('ServerReady names the pending Service and the cure', async () => {
      const { status, reason, message = '' } = await condition('ways', 'ServerReady');
      const isTold =
        message ===
        'no load balancer of class example.com/none has given Service idns-ways-none an address: install it, or remove additionalServices[none]';
      return (status === 'True' && reason === 'Serving' && isTold) || { status, reason, message };
    });
    expect((await condition('ways', 'Ready')).status).toBe('True');
    expect(await wayIn('none')).toEqual({ service: 'none', type: 'LoadBalancer', addresses: [], port: 53 });
  });

  test('each Service answers at all of its addresses, over UDP and TCP', async () => {
    await until('the load balancer has an address of each family of the Service', async () => {
      const [own, balanced] = [await wayIn('service'), await wayIn('lan')];
      return String(families(balanced?.addresses ?? [])) === String(families(own?.addresses ?? [])) || balanced;
    });
    const all = await waysIn();
    expect(all.map(({ service, type }) => `${service} ${type}`)).toEqual([
      'service ClusterIP',
      'lan LoadBalancer',
      'nodes NodePort',
      'none LoadBalancer',
    ]);
    const [own] = all as [WayIn];
    for (const { service, addresses, port } of all.filter(({ service }) => service !== 'none')) {
      expect(addresses, service).not.toEqual([]);
      for (const address of addresses) {
        const client = clientAt(address, port);
        await client.becomes(zone, server, 'NS');
        for (const overTCP of [false, true]) {
          expect(await client.answer(zone, 'NS', overTCP), `${address} port ${port}, TCP: ${overTCP}`).toBe(server);
        }
      }
    }
    const { status } = await get('internaldns', 'ways');
    expect([status.address, status.port]).toEqual([own.addresses[0], 53]);
  });

  test('the agent says what to paste where, and a CoreDNS that gets its block answers for every zone', async () => {
    const page = await statusAddress('ways');
    let guide = {} as Guide;
    await until('the page has the addresses of the status', async () => {
      guide = (await (await fetch(`${page}/connect.json`)).json()) as Guide;
      const told = guide.ways.map(({ service, servers }) => [service, servers.map(({ address }) => address)]);
      const reported = (await waysIn()).map(({ service, addresses }) => [service, addresses]);
      return String(told) === String(reported) || told;
    });
    expect(guide.notes).toEqual([expect.stringMatching(/^no load balancer of class example\.com\/none has given/)]);
    const [coredns] = guide.families.flatMap(({ programs }) => programs).filter(({ id }) => id === 'coredns');
    const block = coredns?.steps[0]?.code ?? '';
    expect(block).toContain(`${zone}:53 ${reverse}:53 {`);
    const client = clientAt(await startCoreDNS(shop, 'ways-coredns', zone, block));
    for (const overTCP of [false, true]) {
      for (const name of [zone, reverse]) expect(await client.answer(name, 'NS', overTCP)).toBe(server);
    }
    const text = await (await fetch(`${page}/connect.txt?way=nodes`)).text();
    const { addresses, port } = (await wayIn('nodes')) as WayIn;
    expect(text).toContain(`\n    server=/${zone}/${addresses[0]}#${port}\n`);
  });

  test('the nodes are those of the pods, with the port of the Service', async () => {
    const [{ status }, { spec }] = [
      await get('pod', 'idns-ways-0', namespace),
      await get('service', 'idns-ways-nodes', namespace),
    ];
    const { addresses, port } = (await wayIn('nodes')) as WayIn;
    const { ipFamilies } = spec;
    const hosts = (status.hostIPs as { ip: string }[]).map(({ ip }) => ip);
    expect(addresses).toEqual(hosts.filter((ip) => ipFamilies.includes(families([ip])[0])));
    expect(port).toBe(spec.ports[0].nodePort);
  });

  test('the name server of the zone, and its glue, have the advertised addresses', async () => {
    const [own, balanced] = [(await wayIn('service')) as WayIn, (await wayIn('lan')) as WayIn];
    const client = clientAt(own.addresses[0] as string);
    const four = balanced.addresses.filter((address) => !address.includes(':'));
    await client.becomes(server, four.sort().join(' '));
    const { delegation } = (await get('internaldns', 'ways')).status.zones[0];
    for (const address of four) expect(delegation).toContainEqual(`${server}. 60 IN A ${address}`);
  });

  test('a stock BIND and a stock Unbound follow the delegation from a signed parent, and validate', async () => {
    const { delegation } = (await get('internaldns', 'ways')).status.zones[0];
    const parent = await startParent('internal', delegation);
    try {
      for (const start of [startBIND, startUnbound]) {
        const { port, stop } = await start(parent);
        try {
          const ask = (name: string) => query({ name, port, ad: true });
          const [found, missing] = [await ask(`www.${zone}`), await ask(`nothing.${zone}`)];
          expect(
            found.answers.map(({ data }) => data),
            start.name,
          ).toEqual([www]);
          expect(found.flags, start.name).toContain('ad');
          expect([missing.rcode, ...missing.flags], start.name).toEqual(expect.arrayContaining(['NXDOMAIN', 'ad']));
        } finally {
          await stop();
        }
      }
    } finally {
      await parent.stop();
    }
  });

  test('a Service that gets its address late heals by itself', async () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.99' }] } };
    const flags = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    await kubectl('-n', namespace, 'patch', 'service', 'idns-ways-none', ...flags);
    await until('the status has the address, and ServerReady has nothing to say', async () => {
      const [{ message }, way] = [await condition('ways', 'ServerReady'), await wayIn('none')];
      return (way?.addresses[0] === '192.0.2.99' && !message) || { message, way };
    });
  });

  test('a Service that is no longer in the spec is removed, and the others stay', async () => {
    const before = await get('service', 'idns-ways-lan', namespace);
    await edit('ways', { additionalServices: [lan] });
    for (const name of ['idns-ways-nodes', 'idns-ways-none']) {
      await until(`${name} is gone`, async () => !(await exists('service', name, namespace)));
    }
    expect((await get('service', 'idns-ways-lan', namespace)).metadata.uid).toBe(before.metadata.uid);
    // Crossplane deletes what is no longer desired before it writes the status.
    await until('the status has the other two', async () => {
      const names = (await waysIn()).map(({ service }) => service);
      return names.join() === 'service,lan' || names;
    });
  });
});
