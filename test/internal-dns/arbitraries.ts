/** Random specs. */
import fc from 'fast-check';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { badSpecs, internalDNSOf } from './refusals.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?$/);
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
/** No name server is a single label, and no top-level domain is a number. */
const server = domain.map((name) => `${name}.internal`);
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const labelValue = fc.stringMatching(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?)?$/);
const key = fc.stringMatching(/^([a-z]{1,8}\.example\/)?[a-zA-Z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?$/);
const labels = fc.dictionary(key, labelValue, { maxKeys: 4 });
const annotations = fc.dictionary(key, fc.string(), { maxKeys: 4 });
const quantity = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('', 'm', 'k', 'Mi', 'Gi'))
  .map((q) => q.join(''));
const amounts = fc.dictionary(fc.constantFrom('cpu', 'memory', 'ephemeral-storage'), fc.oneof(quantity, fc.nat(64)));
const reference = fc.stringMatching(/^[a-z0-9]{1,12}\.example\/[a-z0-9]{1,12}:[a-z0-9.]{1,8}$/);

/** Any subset of the fields. */
const some = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });

const ttl = fc.integer({ min: 0, max: 2147483647 });
const dnsLabel = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
const selector = some({
  matchLabels: labels,
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({
        key,
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.array(labelValue, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    ),
    { maxLength: 2 },
  ),
});
const peer = fc.oneof(
  fc.record({ namespaceSelector: selector }),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
  fc.record({ podSelector: selector }),
  fc.record({
    ipBlock: fc.constantFrom({ cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] }, { cidr: '2001:db8::/32' }),
  }),
);
const pattern = fc.tuple(fc.constantFrom('', '*.', '[*].'), domain).map((parts) => parts.join(''));
const patterns = fc.uniqueArray(pattern, { maxLength: 4 });
const addresses = fc.uniqueArray(
  fc.oneof(
    address,
    dnsLabel.map((host) => `${host}.internal`),
  ),
  { maxLength: 3 },
);
const networks = fc.uniqueArray(fc.constantFrom('192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0'), { maxLength: 2 });

const gateways = some({ gatewayName: dnsLabel, gatewayNamespace: dnsLabel, gatewayLabels: labels });
/** Kinds that can be restricted to namespaces. */
const namespaced = [
  some({ ingressClassNames: fc.uniqueArray(dnsLabel, { maxLength: 2 }) }).map((rest) => ({ kind: 'Ingress', ...rest })),
  some({ serviceTypes: fc.subarray(['ClusterIP', 'LoadBalancer', 'ExternalName'], { minLength: 1 }) }).map((rest) => ({
    kind: 'Service',
    ...rest,
  })),
  ...['DNSEndpoint', 'IstioGateway', 'IstioVirtualService', 'HTTPProxy', 'TraefikProxy', 'OpenShiftRoute'].map((kind) =>
    fc.constant({ kind }),
  ),
  fc.constant({ kind: 'Unstructured', resources: ['virtualmachineinstances.v1.kubevirt.io'] }),
];
const clusterWide = gateways.map((filters) => [
  ...['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'].map((kind) => ({ kind, ...filters })),
  { kind: 'Node' },
  { kind: 'Pod' },
]);
const few = { maxLength: 5 };
const seen = fc.oneof(
  fc.record({
    sources: fc.tuple(...namespaced).chain((all) => fc.subarray<object>(all, few)),
    namespaces: fc.uniqueArray(dnsLabel, { maxLength: 8 }),
  }),
  fc.record({
    sources: fc
      .tuple(clusterWide, ...namespaced)
      .chain(([everywhere, ...rest]) => fc.subarray<object>([...everywhere, ...rest], few)),
  }),
);

const discoverySettings = some({
  interval: fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h')).map((d) => d.join('')),
  anticipation: fc.constantFrom('Enabled', 'Disabled'),
  policy: fc.constantFrom('Sync', 'UpsertOnly', 'CreateOnly', 'Preview'),
  ownerID: fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/),
  reverse: fc.constantFrom('Off', 'Publish'),
  selector,
  annotationSelector: selector,
  annotationPrefix: domain.map((name) => `${name}/`),
  recordTypes: fc.subarray(['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'], { minLength: 1 }),
  excludedDomains: fc.uniqueArray(domain, { maxLength: 3 }),
  targets: some({
    default: addresses,
    override: addresses,
    networks,
    excludedNetworks: networks,
    hostNames: fc.constantFrom('Addresses', 'CNAME'),
  }),
  defaultTTL: ttl,
  minimumTTL: ttl,
  deleteGuard: some({ percent: fc.integer({ min: 0, max: 100 }), hold: fc.constantFrom('1s', '5m', '24h') }),
  sharedHosts: fc.constantFrom('FirstWins', 'SameNamespace', 'Merge', 'Refuse'),
  tenants: fc.array(
    fc.record(
      {
        namespaceSelector: selector,
        names: patterns,
        networks,
        machines: fc.constantFrom('SelectableByNamespace', 'SelectableByTenant', 'SelectableByAll'),
        checks: fc.constantFrom('Port', 'URL'),
      },
      { requiredKeys: ['namespaceSelector', 'names'] },
    ),
    { maxLength: 2 },
  ),
  reservedNames: patterns,
  allowAcrossNamespaces: fc.subarray(['UnderscoreNames', 'Wildcards', 'Delegations']),
  maxNamesPerNamespace: fc.integer({ min: 1, max: 100000 }),
  ownershipTXT: some({ prefix: fc.constantFrom('extdns-%{record_type}.', 'edns.'), wildcardReplacement: dnsLabel }),
  extraArgs: fc.subarray(['--log-level=debug', '--publish-host-ip', '--fqdn-template={{.Name}}.corp.internal']),
});

const discovery = fc.oneof(
  discoverySettings,
  fc.tuple(seen, discoverySettings).map(([what, how]) => ({ ...what, ...how })),
);

const ipV4 = fc.ipV4();
/** An address that may be checked. */
const host = fc.integer({ min: 1, max: 254 }).map((octet) => `192.0.2.${octet}`);
const answered = fc.oneof(
  fc.record({ values: fc.uniqueArray(ipV4, { minLength: 1, maxLength: 4 }) }),
  fc.constant({ values: ['{{service.address}}'] }),
  fc.record({
    values: fc.uniqueArray(host, { minLength: 1, maxLength: 4 }),
    check: fc.constantFrom({ port: 25 }, { url: 'https://{{value}}/healthz', contains: '"ok"', interval: '10s' }),
    answer: fc.constantFrom('All', 'Random', 'Sticky', 'Closest'),
    whenAllDown: fc.constantFrom('All', 'None'),
  }),
);

/** Fields of a record except its name, valid in any zone. */
const data = fc.oneof(
  answered.map((fields) => ({ type: 'A', ...fields })),
  fc
    .uniqueArray(fc.constantFrom('2001:db8::1', '2001:DB8::2', '{{service.address}}'), { minLength: 1 })
    .map((values) => ({
      type: 'AAAA',
      values,
    })),
  fc.record({
    type: fc.constant('TXT'),
    values: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,300}$/), { minLength: 1, maxLength: 3 }),
  }),
  fc.constantFrom(
    { type: 'MX', values: ['10 mail', '20 mail.example.com.'] },
    { type: 'SRV', values: ['0 5 5060 sip'] },
    { type: 'CAA', values: ['0 issue ca.example.net'] },
    { type: 'TXT', values: ['{{zone.name}} of {{xr.name}} at {{service.address}}', 'bücher "quoted"'] },
  ),
);

/** Records with unique names, not at the apex or below another zone. */
const records = fc
  .array(fc.tuple(data, some({ ttl })), { maxLength: 6 })
  .map((all) => all.map(([fields, more], index) => ({ name: `record-${index}-{{xr.name}}`, ...fields, ...more })));

const zoneFields = some({
  nameServers: fc.array(server, { maxLength: 3 }),
  soa: some({
    mname: server,
    rname: domain.map((name) => `dns.admin@${name}`),
    refresh: fc.integer({ min: 1, max: 86400 }),
  }),
  defaultTTL: ttl,
  records,
  recordsFrom: fc.array(
    fc.record({ configMapKeyRef: fc.record({ name: domain, key: fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/) }) }),
    { maxLength: 3 },
  ),
  dnssec: some({
    mode: fc.constantFrom('Off', 'Signed', 'Unsigning'),
    algorithm: fc.constantFrom('ECDSA256', 'ECDSA384', 'ED25519'),
    nsec3: fc.boolean(),
  }),
});

/** A qualified name, as the class of a load balancer is. */
const className = fc.stringMatching(/^[a-z0-9]{1,12}\.example\/[a-z0-9]{1,12}$/);

/** Fields of every Service, whatever its type. */
const ofAnyType = {
  annotations,
  labels,
  protocols: fc.subarray(['UDP', 'TCP'], { minLength: 1 }),
  ipFamilyPolicy: fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack'),
  addresses: fc.uniqueArray(address),
};
const ofExternal = { externalTrafficPolicy: fc.constantFrom('Cluster', 'Local') };
const ofBalanced = {
  loadBalancerIP: address,
  loadBalancerSourceRanges: networks,
};

const service = fc.oneof(
  some({ ...ofAnyType, type: fc.constant('ClusterIP'), clusterIP: address }),
  some({ ...ofAnyType, ...ofExternal }).map((fields) => ({ type: 'NodePort', ...fields })),
  some({ ...ofAnyType, ...ofExternal, ...ofBalanced, loadBalancerClass: className }).map((fields) => ({
    type: 'LoadBalancer',
    ...fields,
  })),
  some({ ...ofAnyType, ...ofExternal, ...ofBalanced }).chain((fields) =>
    some({
      hostname: label,
      tags: fc.array(
        label.map((tag) => `tag:a${tag}`),
        { maxLength: 3 },
      ),
      proxyClass: label,
    }).map((tailscale) => ({
      ...fields,
      tailscale,
    })),
  ),
);

/** With names that differ, and without a cluster IP, which the own Service may have. */
const additionalServices = fc
  .uniqueArray(fc.tuple(fc.constantFrom('lan', 'dmz', 'nodes-2', 'dns', 'declared'), service), {
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((list) => list.map(([name, fields]) => ({ ...fields, name, clusterIP: undefined })));

const containers = some({ requests: amounts, limits: amounts });
const id = fc.integer({ min: 1, max: 2147483647 });

/** A valid spec, without any of its optional parts. */
export const specs = fc
  .tuple(
    fc.record({
      zones: fc.uniqueArray(zoneFields.map(signable).chain(named), {
        minLength: 1,
        maxLength: 8,
        selector: ({ name }) => name,
      }),
    }),
    some({
      namespace: label.filter((name) => !name.startsWith('kube-')),
      replicas: fc.integer({ min: 1, max: 5 }),
      discovery,
      service,
      additionalServices,
      replicaServices: some({
        mode: fc.constantFrom('Each', 'None'),
        overrides: fc.array(some({ annotations, addresses: fc.array(fc.ipV4(), { maxLength: 2 }) }), { maxLength: 5 }),
      }),
      storage: fc.oneof(
        some({ type: fc.constant('Volume'), size: quantity, storageClassName: label, retain: fc.boolean() }),
        fc.record(
          { type: fc.constant('Ephemeral'), size: quantity, retain: fc.constant(false) },
          { requiredKeys: ['type'] },
        ),
      ),
      images: some({
        powerdns: reference,
        externalDNS: reference,
        agent: reference,
        pullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
        pullSecrets: fc.array(fc.record({ name: label }), { maxLength: 3 }),
      }),
      resources: some({ powerdns: containers, externalDNS: containers, agent: containers }),
      scheduling: some({
        nodeSelector: labels,
        tolerations: fc.array(some({ key, effect: fc.constantFrom('NoSchedule', 'NoExecute') })),
        affinity: fc.constant({ nodeAffinity: {} }),
        priorityClassName: label,
      }),
      securityContext: fc.oneof(
        some({ runAsGroup: id, fsGroup: id }),
        fc.record({ runAsUser: id, runAsGroup: id, fsGroup: id }, { requiredKeys: ['runAsUser', 'fsGroup'] }),
      ),
      podLabels: labels,
      podAnnotations: annotations,
      statusPage: some({ from: fc.array(peer, { maxLength: 3 }) }),
      monitoring: some({
        enabled: fc.boolean(),
        labels,
        namespaceSelector: selector,
        interval: fc.constantFrom('1s', '1.5s', '1m'),
      }),
    }),
  )
  .map(([zones, rest]): Record<string, unknown> => ({ ...zones, ...rest }));

/** No name of a signed zone may lose all addresses. */
function signable<T extends { records?: object[]; dnssec?: { mode?: string } }>(zone: T): T {
  if (!zone.records || (zone.dnssec?.mode ?? 'Off') === 'Off') return zone;
  const records = zone.records.map((each) => ('whenAllDown' in each ? { ...each, whenAllDown: 'All' } : each));
  return { ...zone, records };
}

function named<T extends object>(rest: T): fc.Arbitrary<T & { name: string }> {
  return domain.map((name) => ({ name, ...rest }));
}

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/);

/** A valid InternalDNS. */
export const composites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(specs, name)
  .map(([spec, name]) => internalDNSOf(spec, name));

/** An InternalDNS with one invalid field, which may be that it has its own name in it. */
export const badComposites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(specs, fc.constantFrom(...badSpecs.map(({ spec }) => spec)))
  .map(([{ zones, ...good }, bad]) => internalDNSOf({ ...good, ...bad }));

/** An InternalDNS with an arbitrary value for one of its fields. */
export const wildComposites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(
    specs,
    name,
    fc.constantFrom('zones', 'replicas', 'discovery', 'service', 'storage', 'podLabels'),
    fc.jsonValue(),
  )
  .map(([spec, name, field, value]) => internalDNSOf({ ...spec, [field]: value }, name));
