import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { apply, condition, get, list, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { hostname, target } from './cluster/objects.ts';
import { permissionsOf } from './cluster/permissions.ts';
import { eventsOn, untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'disco.internal';
const ingressAddress = '198.51.100.200';

const allRecordTypes = ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'];

/** Every source that needs no controller of another project, and every form of host. */
scenario(
  'discovery',
  ({ shop, market, ingress, service, gateway, route, dnsEndpoint, internalDNS, writeAddresses }) => {
    let client: Client;
    const at = (name: string) => `${name}.${zone}`;

    test('a source that the cluster does not serve is reported, and the others work', async () => {
      await apply(
        gateway('front'),
        internalDNS('disco', {
          zones: [{ name: zone }, { name: '2.0.192.in-addr.arpa' }],
          discovery: {
            sources: [
              { kind: 'Ingress' },
              { kind: 'Service', serviceTypes: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] },
              ...['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'DNSEndpoint'].map((kind) => ({ kind })),
            ],
            recordTypes: allRecordTypes,
            targets: { hostNames: 'CNAME' },
            // Each test deletes all its objects at once.
            deleteGuard: { percent: 100 },
          },
        }),
      );
      await until('the status names the kind that is not served', async () => {
        const { reason, message } = await condition('disco', 'DiscoveryReady');
        return (reason === 'SourcesMissing' && /tcproutes/.test(message ?? '')) || { reason, message };
      });
      await waitForReady('disco');
      client = await clientOf('disco');
      const { spec } = await get('statefulset', 'idns-disco', 'internal-dns');
      const { args } = spec.template.spec.containers[0];
      expect(args).toContain('--source=gateway-httproute');
      expect(args).not.toContain('--source=gateway-tcproute');
      const [pod] = await list('pod', { namespace: 'internal-dns', labels: 'app.kubernetes.io/instance=disco' });
      expect(pod?.status.containerStatuses[0].restartCount).toBe(0);
    });

    test('its account can read what these sources need, and write only Events and the status of DNSEndpoints', async () => {
      const permissions = await permissionsOf('system:serviceaccount:internal-dns:idns-disco', 'default');
      const needed = [
        'networking.k8s.io/ingresses',
        ...['services', 'pods', 'nodes', 'namespaces', 'discovery.k8s.io/endpointslices'],
        ...['gateways', 'httproutes', 'grpcroutes', 'tlsroutes'].map((kind) => `gateway.networking.k8s.io/${kind}`),
        'externaldns.k8s.io/dnsendpoints',
      ].flatMap((resource) => ['list', 'watch'].map((verb) => `${verb} ${resource} *`));
      expect(needed.filter((line) => !permissions.includes(line))).toEqual([]);
      const writes = permissions.filter((line) => !/^(list|watch) /.test(line));
      expect([...new Set(writes)].sort()).toEqual([
        'create events *',
        'update externaldns.k8s.io/dnsendpoints/status *',
      ]);
    });

    test('Services of each type are published', async () => {
      const named = (name: string) => ({ annotations: { [hostname]: at(name) } });
      const both = { annotations: { [hostname]: at('balanced'), [internalHostname]: at('private') } };
      await apply(
        service('balanced', { type: 'LoadBalancer' }, both),
        service('inside', { type: 'ClusterIP' }, named('inside')),
        service('noded', { type: 'NodePort', selector: { app: 'none' } }, named('noded')),
        service('outside', { type: 'ExternalName', externalName: 'elsewhere.example.org' }, named('outside')),
      );
      await until('the load balancer has an address', async () => {
        return (await get('service', 'balanced', shop)).status.loadBalancer?.ingress !== undefined;
      });
      const balanced = (await get('service', 'balanced', shop)).status.loadBalancer.ingress[0].ip;
      const inside = (await get('service', 'inside', shop)).spec.clusterIP;
      const nodes = (await list('node')).map(addressOf).sort();
      await client.becomes(at('balanced'), balanced);
      await client.becomes(at('private'), (await get('service', 'balanced', shop)).spec.clusterIP);
      await client.becomes(at('inside'), inside);
      await client.becomes(at('noded'), nodes.join(' '));
      await client.becomes(at('outside'), 'elsewhere.example.org', 'CNAME');
      for (const name of ['balanced', 'inside', 'noded', 'outside']) await remove('service', name, shop);
      await client.becomes(at('inside'), 'NXDOMAIN');
    });

    test('routes of the Gateway API are published', async () => {
      await apply(
        route('HTTPRoute', 'web', [at('http')]),
        route('GRPCRoute', 'rpc', [at('grpc')]),
        route('TLSRoute', 'tls', [at('tls')]),
      );
      for (const name of ['http', 'grpc', 'tls']) await client.becomes(at(name), ingressAddress);
      await remove('httproute', 'web', shop);
      await client.becomes(at('http'), 'NXDOMAIN');
      await remove('grpcroute', 'rpc', shop);
      await remove('tlsroute', 'tls', shop);
    });

    test('DNSEndpoints of every record type are published', async () => {
      await apply(
        dnsEndpoint('all', [
          [at('four'), 'A', '192.0.2.4'],
          [at('six'), 'AAAA', '2001:db8::6'],
          [at('alias'), 'CNAME', at('four')],
          [at('text'), 'TXT', 'v=spf1 -all'],
          [at('post'), 'MX', `10 ${at('four')}`],
          [at('_sip._tcp'), 'SRV', `0 5 5060 ${at('four')}.`],
          [at('child'), 'NS', `${at('four')}`],
          ['4.2.0.192.in-addr.arpa', 'PTR', at('four')],
        ]),
      );
      await client.becomes(at('four'), '192.0.2.4');
      await client.becomes(at('six'), '2001:db8::6', 'AAAA');
      await client.becomes(at('alias'), at('four'), 'CNAME');
      await client.becomes('4.2.0.192.in-addr.arpa', at('four'), 'PTR');
      expect(await client.answer(at('post'), 'MX')).toContain(at('four'));
      expect(await client.answer(at('_sip._tcp'), 'SRV')).toContain('5060');
      expect(await client.answer(at('text'), 'TXT')).toContain('data');
      const { authority } = await client.ask(`www.${at('child')}`);
      expect(authority.map(({ type, name }) => `${name} ${type}`)).toEqual([`${at('child')} NS`]);
      await remove('dnsendpoint', 'all', shop);
      await client.becomes(at('four'), 'NXDOMAIN');
    });

    test('hosts of every form are published: a wildcard, the apex, 63 octets, 20 of one Ingress, TLS, IPv6, a CNAME', async () => {
      const long = 'x'.repeat(63);
      const many = Array.from({ length: 20 }, (_, index) => at(`many-${index}`));
      const secure = ingress({ name: 'secure', hosts: [] });
      secure.spec.tls = [{ hosts: [at('secure')] }];
      await apply(
        ingress({ name: 'shapes', hosts: [`*.${at('any')}`, zone, at(long)] }),
        ingress({ name: 'many', hosts: many }),
        secure,
        ingress({ name: 'six', hosts: [at('v6')], annotations: { [target]: '2001:db8::1' } }),
        ingress({ name: 'elsewhere', hosts: [at('cname')], annotations: { [target]: 'lb.example.org' } }),
      );
      for (const name of [`a.b.${at('any')}`, zone, at(long), at('secure'), ...many]) {
        await client.becomes(name, ingressAddress);
      }
      await client.becomes(at('v6'), '2001:db8::1', 'AAAA');
      await client.becomes(at('cname'), 'lb.example.org', 'CNAME');
      for (const name of ['shapes', 'many', 'secure', 'six', 'elsewhere']) await remove('ingress', name, shop);
      for (const name of [zone, ...many]) await client.becomes(name, name === zone ? 'NOERROR' : 'NXDOMAIN');
    });

    test('Ingresses of one namespace share a host, and of two namespaces the first one gets it', async () => {
      const host = at('shared');
      const own = (name: string, address: string, namespace = shop) =>
        ingress({ name, namespace, hosts: [host], annotations: { [target]: address } });
      await apply(own('first', '192.0.2.1'));
      await client.becomes(host, '192.0.2.1');
      await apply(own('second', '192.0.2.2'), own('thief', '192.0.2.66', market));
      await client.becomes(host, '192.0.2.1 192.0.2.2');
      await untilReported('disco', {
        name: host,
        resource: `ingress/${market}/thief`,
        verdict: 'Duplicate',
        message: new RegExp(`^already used by ingress/${shop}/(first|second)`),
      });
      await anotherLoop('disco');
      expect(await client.answer(host)).toBe('192.0.2.1 192.0.2.2');
      await remove('ingress', 'first', shop);
      await client.becomes(host, '192.0.2.2');
      await remove('ingress', 'second', shop);
      await client.becomes(host, '192.0.2.66');
      await remove('ingress', 'thief', market);
      await client.becomes(host, 'NXDOMAIN');
      // Two namespaces may request the same answer.
      await apply(own('two', '192.0.2.3', market));
      await client.becomes(host, '192.0.2.3');
      await apply(own('one', '192.0.2.3'));
      await until('an Event reports the second as Resolved', async () => {
        const events = await eventsOn('disco', 'ingress', 'one', shop);
        return events.some((event) => event.startsWith('Resolved: ')) || events;
      });
      await remove('ingress', 'one', shop);
      await anotherLoop('disco');
      expect(await client.answer(host)).toBe('192.0.2.3');
      await remove('ingress', 'two', market);
    });

    test('a CNAME and an address for one host: the first one gets it, and other hosts are published meanwhile', async () => {
      const host = at('either');
      const pointing = (name: string, value: string) =>
        ingress({ name, hosts: [host], annotations: { [target]: value } });
      await apply(pointing('by-address', '192.0.2.20'));
      await client.becomes(host, '192.0.2.20');
      await apply(pointing('by-name', 'lb.example.org'), ingress({ name: 'innocent', hosts: [at('innocent')] }));
      await client.becomes(at('innocent'), ingressAddress);
      expect(await client.answer(host)).toBe('192.0.2.20');
      await remove('ingress', 'by-address', shop);
      await client.becomes(host, 'lb.example.org', 'CNAME');
      for (const name of ['by-name', 'innocent']) await remove('ingress', name, shop);
      await client.becomes(host, 'NXDOMAIN');
    });

    test('a host follows its Ingress to another namespace, and one without an address waits for it', async () => {
      await apply(ingress({ name: 'mover', hosts: [at('mover')], annotations: { [target]: '192.0.2.7' } }));
      await client.becomes(at('mover'), '192.0.2.7');
      await apply(
        ingress({ name: 'mover', namespace: market, hosts: [at('mover')], annotations: { [target]: '192.0.2.8' } }),
      );
      await remove('ingress', 'mover', shop);
      await client.becomes(at('mover'), '192.0.2.8');
      await remove('ingress', 'mover', market);
      await client.becomes(at('mover'), 'NXDOMAIN');

      const late = ingress({ name: 'late', hosts: [at('late')], annotations: { 'lab/no-address': '1' } });
      await apply(late);
      await anotherLoop('disco');
      expect(await client.answer(at('late'))).toBe('NXDOMAIN');
      await writeAddresses('late', '192.0.2.9');
      await client.becomes(at('late'), '192.0.2.9');
      await remove('ingress', 'late', shop);
    });

    test('ingress classes and selectors filter objects, and targets and TTLs are as declared', async () => {
      await patch('internaldns', 'disco', {
        spec: {
          discovery: {
            sources: [{ kind: 'Ingress', ingressClassNames: ['internal'] }],
            selector: { matchLabels: { dns: 'yes' } },
            targets: { override: ['203.0.113.1'], default: ['203.0.113.1'] },
            minimumTTL: 30,
            excludedDomains: [at('hidden')],
          },
        },
      });
      const chosen = (name: string, className: string, labels: object, more: object = {}) => {
        const object = ingress({ name, hosts: [at(name)], annotations: { [ttl]: '5', ...more } });
        Object.assign(object.metadata, { labels });
        object.spec.ingressClassName = className;
        return object;
      };
      await apply(
        chosen('inner', 'internal', { dns: 'yes' }),
        chosen('addressless', 'internal', { dns: 'yes' }, { 'lab/no-address': '1' }),
        chosen('public', 'public', { dns: 'yes' }),
        chosen('unlabelled', 'internal', {}),
        chosen('hidden', 'internal', { dns: 'yes' }),
      );
      await client.becomes(at('inner'), '203.0.113.1');
      await client.becomes(at('addressless'), '203.0.113.1');
      await waitForReady('disco');
      expect((await client.ask(at('inner'))).answers[0]?.ttl).toBe(30);
      await anotherLoop('disco');
      for (const name of ['public', 'unlabelled', 'hidden']) expect(await client.answer(at(name))).toBe('NXDOMAIN');
      await patch('ingress', 'inner', { spec: { ingressClassName: 'public' } }, shop);
      await client.becomes(at('inner'), 'NXDOMAIN');
      for (const name of ['inner', 'addressless', 'public', 'unlabelled', 'hidden'])
        await remove('ingress', name, shop);
    });

    test('Nodes are published under names from a template', async () => {
      await apply(
        internalDNS('nodes', {
          zones: [{ name: 'nodes.internal' }],
          discovery: { sources: [{ kind: 'Node' }], extraArgs: ['--fqdn-template={{.Name}}.nodes.internal'] },
        }),
      );
      await waitForReady('nodes');
      const client = await clientOf('nodes');
      for (const node of await list('node')) {
        await client.becomes(`${node.metadata.name}.nodes.internal`, addressOf(node));
      }
    });
  },
);

const ttl = 'external-dns.alpha.kubernetes.io/ttl';
const internalHostname = 'external-dns.alpha.kubernetes.io/internal-hostname';

/** The first address of a Node is its IPv4 one. */
const addressOf = ({ status }: KubernetesObject): string =>
  status.addresses.find((a: { type: string }) => a.type === 'InternalIP').address;
