import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { families, guideOf, type Reach } from '../../functions/connect/guide.ts';
import type { Server } from '../../functions/connect/program.ts';
import { linesOf } from '../../functions/connect/text.ts';

const at = (port: number, ...addresses: string[]): Server[] => addresses.map((address) => ({ address, port }));

const reach: Reach = {
  zones: [
    { name: 'corp.internal', ds: [] },
    { name: '1.168.192.in-addr.arpa', ds: [] },
  ],
  clusterIPs: ['10.96.0.53'],
  ways: [{ service: 'service', type: 'ClusterIP', servers: at(53, '10.96.0.53') }],
  notes: [],
};
const withWays = (...more: Reach['ways']): Reach => ({ ...reach, ways: [...reach.ways, ...more] });
const lan = { service: 'lan', type: 'LoadBalancer', servers: at(53, '192.0.2.53', '2001:db8::53') };
const nodes = { service: 'nodes', type: 'NodePort', servers: at(30053, '192.0.2.1', '2001:db8::1') };
const tailnet = { service: 'tailnet', type: 'LoadBalancer', servers: at(53, '100.64.0.3') };

const all = families.flatMap(({ programs }) => programs);

/** What is to be pasted for a program. */
function codeOf(id: string, from: Reach, way?: string): string {
  const programs = guideOf('corp', from, way).families.flatMap(({ programs }) => programs);
  return (
    programs
      .find((program) => program.id === id)
      ?.steps.flatMap(({ code }) => code ?? [])
      .join('\n') ?? ''
  );
}

test('every program has an id of its own, and says something', () => {
  const ids = all.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]+$/);
  // What issue trackers of internal DNS are full of.
  expect(ids).toEqual(
    expect.arrayContaining([
      ...['coredns', 'coredns-custom', 'kube-dns', 'eks', 'gke-cloud-dns', 'nodelocal-dns', 'dnsmasq', 'pi-hole'],
      ...['adguard-home', 'unbound', 'bind', 'opnsense', 'pfsense', 'openwrt', 'unifi', 'fritzbox', 'systemd-resolved'],
      ...['networkmanager', 'macos', 'windows', 'route53-resolver', 'tailscale', 'headscale', 'netbird'],
    ]),
  );
});

describe.each(all)('$name', ({ id, ports }) => {
  const servers: [string, Server[]][] = [
    ['53', lan.servers],
    ['30053', nodes.servers],
  ];
  test.each(servers)('names every server and every zone with port %s', (_, servers) => {
    const way = { service: 'lan', type: 'LoadBalancer', servers };
    // Pods take the cluster IPs, if there are any.
    const from = { ...withWays(way), clusterIPs: [], ways: [way] };
    const [port] = servers.map(({ port }) => port);
    const text = [...linesOf(guideOf('corp', from, 'lan'), id)].join('\n');
    if (port !== 53 && ports === '53') {
      expect(text.replaceAll('\n', ' ')).toContain('can only ask on port 53, and this way in has port 30053');
      return;
    }
    for (const { address } of servers) expect(text).toContain(address);
    if (port !== 53) expect(text).toContain('30053');
    for (const { name } of from.zones) {
      if (id !== 'fritzbox' || name === 'corp.internal') expect(text).toContain(name);
    }
  });
});

test('Kubernetes and the APIs can parse what they get', () => {
  const from = withWays(lan, tailnet);
  expect(parse(codeOf('coredns-custom', from).split('\nkubectl')[0] as string).data).toEqual({
    'internal-dns.server': `${codeOf('coredns', from)}\n`,
  });
  expect(JSON.parse(parse(codeOf('kube-dns', from)).data.stubDomains)).toEqual({
    'corp.internal': ['10.96.0.53'],
    '1.168.192.in-addr.arpa': ['10.96.0.53'],
  });
  expect(parse(codeOf('headscale', from)).dns.nameservers.split).toEqual({
    'corp.internal': ['100.64.0.3'],
    '1.168.192.in-addr.arpa': ['100.64.0.3'],
  });
  expect(JSON.parse(/--data '([^']*)'/s.exec(codeOf('tailscale', from))?.[1] as string)).toEqual({
    'corp.internal': ['100.64.0.3'],
    '1.168.192.in-addr.arpa': ['100.64.0.3'],
  });
  expect(JSON.parse(/--data '([^']*)'/s.exec(codeOf('netbird', from, 'lan'))?.[1] as string)).toMatchObject({
    nameservers: [
      { ip: '192.0.2.53', ns_type: 'udp', port: 53 },
      { ip: '2001:db8::53', ns_type: 'udp', port: 53 },
    ],
    domains: ['corp.internal', '1.168.192.in-addr.arpa'],
  });
});

describe('the way in', () => {
  const takenBy = (from: Reach, way?: string) =>
    Object.fromEntries(guideOf('corp', from, way).families.map(({ name, service }) => [name, service]));

  test('is that of spec.service for pods, by its cluster IPs, whatever its type', () => {
    const own = { service: 'service', type: 'NodePort', servers: at(30053, '192.0.2.1') };
    const [pods, network] = guideOf('corp', { ...reach, ways: [own] }).families;
    expect([pods?.servers, network?.servers]).toEqual([at(53, '10.96.0.53'), at(30053, '192.0.2.1')]);
  });

  test('is the first that a network reaches, and the one in the tailnet for its members', () => {
    expect(takenBy(withWays(tailnet, nodes, lan))).toMatchObject({ Routers: 'nodes', VPNs: 'tailnet' });
    expect(takenBy(withWays(lan))).toMatchObject({ Routers: 'lan', VPNs: 'lan' });
    expect(takenBy(withWays({ ...lan, servers: [] }))).toMatchObject({ Routers: 'service', VPNs: 'service' });
  });

  test('is the one that is chosen, for all but pods', () => {
    expect(takenBy(withWays(lan, tailnet), 'tailnet')).toMatchObject({
      'DNS of clusters': 'service',
      Routers: 'tailnet',
      VPNs: 'tailnet',
    });
    expect(() => guideOf('corp', withWays(lan), 'wan')).toThrow('unknown way in wan: use one of service, lan');
  });

  const cautionOf = (from: Reach, way?: string) => guideOf('corp', from, way).families[1]?.caution;

  test('that only pods reach, or that nobody reaches, comes with a caution', () => {
    expect(cautionOf(withWays(lan))).toBeUndefined();
    expect(cautionOf(reach)).toMatch(
      /^the way in service has cluster IPs, which usually only nodes and pods reach: add/,
    );
    const waiting = { service: 'wan', type: 'LoadBalancer', servers: [] };
    expect(cautionOf(withWays(waiting), 'wan')).toBe('the way in wan has no address yet');
    const named = { ...waiting, hostname: 'lb.example.com' };
    expect(cautionOf(withWays(named), 'wan')).toBe(
      'the way in wan has only the name lb.example.com, to which no resolver can forward',
    );
    expect(guideOf('corp', withWays(waiting), 'wan').families[1]?.programs).toEqual([]);
  });
});

test('the text has a line for each zone, way in and note, and says when there is nothing', () => {
  const text = [...linesOf(guideOf('corp', { ...withWays(nodes), notes: ['no load balancer'] }))];
  expect(text.slice(0, 5)).toEqual([
    'Internal DNS corp',
    'Zones: corp.internal, 1.168.192.in-addr.arpa',
    'Way in service (ClusterIP): 10.96.0.53',
    'Way in nodes (NodePort): 192.0.2.1:30053 [2001:db8::1]:30053',
    'Note: no load balancer',
  ]);
  const nothing: Reach = { zones: [], clusterIPs: [], ways: [], notes: [] };
  expect([...linesOf(guideOf('corp', nothing))]).toEqual([
    'Internal DNS corp',
    'Zones: none yet',
    'there is nothing to connect to yet: no zone or no way in',
  ]);
});

describe('a server that answers all names', () => {
  const resolving: Reach = { ...withWays(lan, nodes, tailnet), answersAll: true };
  const idsOf = (from: Reach) => guideOf('corp', from).families.flatMap(({ programs }) => programs.map(({ id }) => id));

  test('can be the only one of a network and of a tailnet, which comes first', () => {
    expect(idsOf(resolving).slice(0, 3)).toEqual(['dhcp', 'lan-dns', 'tailscale-all']);
    expect(idsOf(resolving).slice(3)).toEqual(idsOf(withWays(lan, nodes, tailnet)));
    expect(codeOf('dhcp', resolving)).toBe(
      'dhcp-option=option:dns-server,192.0.2.53\ndhcp-option=option6:dns-server,[2001:db8::53]',
    );
    expect(codeOf('lan-dns', resolving)).toBe('192.0.2.53\n2001:db8::53');
    const [, data] = /--data '(.*)'/.exec(codeOf('tailscale-all', resolving)) ?? [];
    expect(JSON.parse(data!)).toEqual({ dns: ['100.64.0.3'] });
  });

  test('is told from one that answers for its zones alone', () => {
    const textOf = (from: Reach) => [...linesOf(guideOf('corp', from))].join(' ');
    expect(textOf(resolving)).toContain('It answers all names: it can be the only DNS server of a network or tailnet.');
    expect(textOf(withWays(lan))).not.toContain('It answers all names');
    const fritzBox = (from: Reach) => [...linesOf(guideOf('corp', from), 'fritzbox')].join(' ');
    expect(fritzBox(resolving)).toContain('Announce 192.0.2.53, 2001:db8::53 under Home Network');
    expect(fritzBox(withWays(lan))).toContain('this server answers for its own zones only');
  });

  test('needs port 53', () => {
    const text = [...linesOf(guideOf('corp', { ...resolving, ways: [nodes] }), 'dhcp')].join(' ');
    expect(text).toContain('can only ask on port 53');
  });
});
