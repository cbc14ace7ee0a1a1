/**
 * Objects of every kind that the agent reads, from a seed: as an API server accepts them, with whatever can make a difference
 * to ExternalDNS. `generate` makes new ones, `change` other versions of them.
 */
import { gatewayGroup, sourceResources } from '../../../../functions/contract/source-kinds.ts';
import type { Random } from './random.ts';

export type ReadKind = keyof typeof sourceResources;
export type GeneratedKind = ReadKind | 'Gateway' | 'Namespace';

export interface GeneratedObject {
  apiVersion: string;
  kind: GeneratedKind;
  metadata: {
    name: string;
    namespace?: string;
    creationTimestamp: string;
    uid: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
  };
  // Of its kind.
  spec: Record<string, unknown>;
  /** To be applied to the subresource of that name. */
  status?: Record<string, unknown>;
}

const defaultNamespaces = ['gen-a', 'gen-b'];
const teams = ['a', 'b'] as const;
const gatewayNames = ['public', 'private'] as const;
export const routeKinds = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const;
const kinds: readonly ReadKind[] = [
  'Ingress',
  'Ingress',
  'Ingress',
  'Service',
  'Service',
  'Service',
  'HTTPRoute',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
  'DNSEndpoint',
  'DNSEndpoint',
];
export const prefixes = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/'] as const;
const [usual] = prefixes;

export interface GenerateOptions {
  /** The zone of nearly all hosts. */
  domain?: string;
  /** How many hosts there are to share. */
  hosts?: number;
  kinds?: readonly ReadKind[];
  /** Where the objects are. */
  namespaces?: readonly string[];
}

const namespacesIn = ({ namespaces = defaultNamespaces }: GenerateOptions) => namespaces;

const long = 'l'.repeat(63);

/** Hosts that an API server accepts in a spec. */
const validHosts = ({ domain = 'corp.internal', hosts = 10 }: GenerateOptions) => [
  ...Array.from({ length: hosts }, (_, i) => `h${i}.${domain}`),
  `www.sub.${domain}`,
  `*.${domain}`,
  `*.sub.${domain}`,
  `${long}.${domain}`,
  domain,
  'elsewhere.example.com',
];

/** Those of annotations may be anything. */
const annotatedHosts = (options: GenerateOptions) => [...validHosts(options), ...oddHosts(options)];

const oddHosts = ({ domain = 'corp.internal' }: GenerateOptions) => [
  `H0.${domain.toUpperCase()}`,
  `h1.${domain}.`,
  `h2.${domain}..`,
  `d_e.${domain}`,
  `sp$ecial.${domain}`,
  `${long}x.${domain}`,
  `_sip._tcp.${domain}`,
  `double..${domain}`,
  '192.0.2.7',
  'bücher.example.com',
  '',
];

const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'];
const lbNames = ['lb.example.com', 'lb2.example.com'];

const annotatedTargets = [
  ...addresses,
  ...lbNames,
  'LB.example.com.',
  '2001:DB8:0:0::1',
  '192.0.2.1.',
  '01.2.3.4',
  'fe80::1%eth0',
  '::ffff:192.0.2.9',
  '',
];

const ttls = ['60', '300', '5m', '1.5s', '1h', '0', '-1', '+90', '9999999999', '1h30m', '10', 'abc', '', '0.5s', '2_0'];

/** With the blanks that people write. */
const listed = (random: Random, values: readonly string[]): string =>
  values.map((value) => random.pick(['', '', ' ', '  ']) + value).join(',') +
  (random.oneIn(8) ? random.pick([',', ' ', '\n', '\u0085']) : '');

function annotationsOf(random: Random, options: GenerateOptions, hostKeys: readonly string[]) {
  const annotations: Record<string, string> = {};
  const set = (name: string, value: string) => {
    if (random.oneIn(6)) annotations[random.pick(prefixes) + name] = random.pick([value, 'other', '']);
    annotations[random.pick(prefixes) + name] = value;
  };
  for (const key of hostKeys)
    if (random.oneIn(2))
      set(key, listed(random, random.some(random.oneIn(4) ? annotatedHosts(options) : validHosts(options), 3, 1)));
  if (random.oneIn(5)) set('target', listed(random, random.some(annotatedTargets, 3, 1)));
  if (random.oneIn(3)) set('ttl', random.pick(ttls));
  if (random.oneIn(12)) set('controller', random.pick(['dns-controller', 'other', '']));
  if (random.oneIn(12)) set('set-identifier', random.pick(['one', 'two']));
  if (random.oneIn(12)) set('alias', random.pick(['true', 'false']));
  if (random.oneIn(12)) set('access', random.pick(['public', 'private']));
  if (random.oneIn(12)) annotations[`${usual}webhook-color`] = 'blue';
  return annotations;
}

const sourceWord = (random: Random) =>
  random.pick(['defined-hosts-only', 'annotation-only', 'Annotation-Only', 'DEFINED-HOSTS-ONLY', 'anything', '']);

function loadBalancer(random: Random): Record<string, unknown> | undefined {
  if (random.oneIn(6)) return undefined;
  const ingress = Array.from({ length: random.int(4) }, () => ({
    ...(random.oneIn(6) ? {} : { ip: random.pick(addresses) }),
    ...(random.oneIn(4) ? { hostname: random.pick(lbNames) } : {}),
  }));
  return { loadBalancer: random.oneIn(8) ? {} : { ingress } };
}

const backend = { service: { name: 'web', port: { number: 80 } } };

interface Parts {
  annotations: Record<string, string>;
  spec: Record<string, unknown>;
  status?: Record<string, unknown> | undefined;
}

function ingress(random: Random, options: GenerateOptions): Parts {
  const hosts = validHosts(options);
  const rules = random.some(['', ...hosts], 3).map((host) => ({
    ...(host && { host }),
    http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
  }));
  const tls = random.oneIn(3) ? [{ hosts: random.some(hosts, 2), secretName: 'tls' }] : undefined;
  const annotations = annotationsOf(random, options, ['hostname']);
  if (random.oneIn(5)) annotations[`${random.pick(prefixes)}ingress-hostname-source`] = sourceWord(random);
  const isLegacy = random.oneIn(5);
  if (isLegacy) annotations['kubernetes.io/ingress.class'] = random.pick(['nginx', 'other']);
  return {
    annotations,
    spec: {
      ...(rules.length > 0 ? { rules } : { defaultBackend: backend }),
      ...(tls && { tls }),
      ...(!isLegacy && random.oneIn(2) && { ingressClassName: random.pick(['nginx', 'other']) }),
    },
    status: loadBalancer(random),
  };
}

function service(random: Random, options: GenerateOptions): Parts {
  const type = random.pick(['LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP', 'NodePort', 'ExternalName']);
  const isHeadless = type === 'ClusterIP' && random.oneIn(2);
  const ports = [
    {
      name: 'http',
      port: 80,
      protocol: random.pick(['TCP', 'UDP']),
      ...(type === 'NodePort' && { nodePort: 30_000 + random.int(2000) }),
    },
  ];
  const annotations = annotationsOf(random, options, ['hostname', 'internal-hostname']);
  return {
    annotations,
    spec: {
      type,
      ports,
      ...(type === 'ExternalName'
        ? { externalName: random.pick(lbNames) }
        : {
            selector: { app: 'web' },
            clusterIP: isHeadless ? 'None' : `10.96.${random.int(200)}.${1 + random.int(250)}`,
          }),
      ...(random.oneIn(6) && { externalIPs: random.some(addresses.slice(0, 3), 2, 1) }),
      ...(type === 'NodePort' && random.oneIn(2) && { externalTrafficPolicy: 'Local' }),
    },
    status: type === 'LoadBalancer' ? loadBalancer(random) : undefined,
  };
}

function parentRef(random: Random, options: GenerateOptions) {
  return {
    ...(random.oneIn(2) && { group: gatewayGroup }),
    ...(random.oneIn(2) && { kind: random.oneIn(12) ? 'Service' : 'Gateway' }),
    ...(random.oneIn(2) && { namespace: random.pick(namespacesIn(options)) }),
    name: random.pick([...gatewayNames, 'absent']),
    ...(random.oneIn(3) && { sectionName: random.pick(['http', 'https', 'tls', 'tcp', 'udp']) }),
    ...(random.oneIn(8) && { port: random.pick([80, 443, 53]) }),
  };
}

function route(random: Random, options: GenerateOptions, kind: ReadKind): Parts {
  const annotations = annotationsOf(random, options, ['hostname']);
  if (random.oneIn(5)) annotations[`${random.pick(prefixes)}gateway-hostname-source`] = sourceWord(random);
  const parentRefs = Array.from({ length: 1 + random.int(2) }, () => parentRef(random, options));
  const parents = parentRefs
    .filter(() => !random.oneIn(6))
    .map((ref) => ({
      parentRef: random.oneIn(8) ? parentRef(random, options) : ref,
      controllerName: 'example.com/gateway',
      conditions: [
        { type: 'ResolvedRefs', status: 'True' },
        { type: 'Accepted', status: random.oneIn(6) ? 'False' : 'True' },
      ].map((each) => ({ ...each, reason: 'Set', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })),
    }));
  const hasHosts = kind !== 'TCPRoute' && kind !== 'UDPRoute' && (kind === 'TLSRoute' || !random.oneIn(4));
  const hosts = validHosts(options).filter((host) => host.includes('.'));
  const rules = kind === 'HTTPRoute' || kind === 'GRPCRoute' ? [{}] : [{ backendRefs: [{ name: 'web', port: 80 }] }];
  return {
    annotations,
    spec: { parentRefs, ...(hasHosts && { hostnames: [...new Set(random.some(hosts, 3, 1))] }), rules },
    status: { parents },
  };
}

function dnsEndpoint(random: Random, options: GenerateOptions): Parts {
  const hosts = annotatedHosts(options).filter((host) => host !== '');
  const endpoints = Array.from({ length: random.int(4) }, () => {
    const recordType = random.oneIn(12)
      ? random.pick(['a', 'SPF'])
      : random.pick(['A', 'A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS']);
    const targets: Record<string, string[]> = {
      A: [...addresses.slice(0, 3), 'not-an-address', '192.0.2.1.'],
      AAAA: [...addresses.slice(3), '2001:DB8::1', '192.0.2.1'],
      CNAME: [...lbNames, 'LB.example.com.', '192.0.2.1'],
      TXT: ['v=spf1 -all', '"quoted"', 'a "b" c', 'Ümlaut', 'dot.', ''],
      MX: ['10 mail.example.com', 'mail'],
      SRV: ['0 50 80 web.example.com.', '0 50 80 web.example.com'],
      NS: ['ns.example.com', 'ns.example.com.'],
    };
    const own = targets[recordType] ?? addresses;
    return {
      dnsName: random.pick(random.oneIn(6) ? hosts : validHosts(options)),
      recordType,
      targets: random.oneIn(6) ? random.some(own, 3) : random.some(own.slice(0, 2), 2, 1),
      ...(random.oneIn(3) && { recordTTL: random.pick([0, 60, 300]) }),
      ...(random.oneIn(8) && { setIdentifier: 'one' }),
      ...(random.oneIn(10) && { providerSpecific: [{ name: 'alias', value: 'true' }] }),
    };
  });
  return { annotations: annotationsOf(random, options, []), spec: { endpoints }, status: undefined };
}

/** Returns the Gateways and the Namespaces that routes depend on. */
export function generateGateways(random: Random, options: GenerateOptions = {}): GeneratedObject[] {
  const hosts = validHosts(options).filter((host) => host.includes('.'));
  const listeners = () =>
    [
      ['http', 80, 'HTTP'],
      ['https', 443, 'HTTPS'],
      ['tls', 8443, 'TLS'],
      ['tcp', 5432, 'TCP'],
      ['udp', 53, 'UDP'],
    ].map(([name, port, protocol]) => ({
      name,
      port,
      protocol,
      ...(protocol !== 'TCP' && protocol !== 'UDP' && random.oneIn(2) && { hostname: random.pick(hosts) }),
      ...(protocol === 'HTTPS' && { tls: { mode: 'Terminate', certificateRefs: [{ name: 'tls' }] } }),
      ...(protocol === 'TLS' && { tls: { mode: 'Passthrough' } }),
      ...(!random.oneIn(4) && {
        allowedRoutes: {
          ...(!random.oneIn(4) && {
            namespaces: random.pick<object>([
              { from: 'All' },
              { from: 'All' },
              { from: 'Same' },
              { from: 'Selector', selector: { matchLabels: { team: 'a' } } },
            ]),
          }),
          ...(random.oneIn(4) && {
            kinds: [{ ...(random.oneIn(2) && { group: gatewayGroup }), kind: random.pick(routeKinds) }],
          }),
        },
      }),
    }));
  const gateways = namespacesIn(options).flatMap((namespace) =>
    gatewayNames.map((name): GeneratedObject => {
      const annotations: Record<string, string> = {};
      if (random.oneIn(3))
        annotations[`${random.pick(prefixes)}target`] = listed(random, random.some(annotatedTargets, 2, 1));
      if (random.oneIn(8)) annotations[`${usual}controller`] = random.pick(['dns-controller', 'other']);
      const addressesOf = random.some([...addresses, ...lbNames], 3);
      return {
        apiVersion: `${gatewayGroup}/v1`,
        kind: 'Gateway',
        metadata: metadataOf(name, namespace, { random, annotations }),
        spec: { gatewayClassName: 'example', listeners: listeners() },
        status: {
          addresses: addressesOf.map((value) => ({
            type: value.includes('example') ? 'Hostname' : 'IPAddress',
            value,
          })),
        },
      };
    }),
  );
  const spaces = namespacesIn(options).map((name, index): GeneratedObject => {
    const metadata = metadataOf(name, undefined, { random, annotations: {} });
    return {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata, labels: { team: teams[index % teams.length] as string } },
      spec: {},
    };
  });
  return [...spaces, ...gateways];
}

const metadataOf = (
  name: string,
  namespace: string | undefined,
  { random, annotations }: { random: Random; annotations: Record<string, string> },
): GeneratedObject['metadata'] => ({
  name,
  ...(namespace !== undefined && { namespace }),
  uid: `uid-${namespace}-${name}`,
  creationTimestamp: `2026-01-0${1 + random.int(9)}T00:00:00Z`,
  labels: random.oneIn(2) ? { team: random.pick(teams) } : {},
  annotations,
});

/** Returns an object whose name and namespace are given, or random. */
export function generate(random: Random, id: number | string, options: GenerateOptions = {}): GeneratedObject {
  const kind = random.pick(options.kinds ?? kinds);
  return generateOf(kind, random, { name: `o${id}`, namespace: random.pick(namespacesIn(options)) }, options);
}

/** Returns another version of an object. */
export function change(object: GeneratedObject, random: Random, options: GenerateOptions = {}): GeneratedObject {
  const { name, namespace = '', uid, creationTimestamp } = object.metadata;
  const other = generateOf(object.kind as ReadKind, random, { name, namespace }, options);
  const metadata = { ...other.metadata, uid, creationTimestamp };
  // Often only a controller has acted.
  return random.oneIn(2) ? { ...object, ...(other.status && { status: other.status }) } : { ...other, metadata };
}

function generateOf(
  kind: ReadKind,
  random: Random,
  { name, namespace }: { name: string; namespace: string },
  options: GenerateOptions,
): GeneratedObject {
  const { group, version } = sourceResources[kind];
  const makers: Partial<Record<ReadKind, typeof ingress>> = {
    Ingress: ingress,
    Service: service,
    DNSEndpoint: dnsEndpoint,
  };
  const make = makers[kind];
  const { annotations, spec, status } = make ? make(random, options) : route(random, options, kind);
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    metadata: metadataOf(name, namespace, { random, annotations }),
    spec,
    ...(status && { status }),
  };
}
