/** What is refused, by whom, and with which words. The same tables hold for the function here and for a real API server in test/cluster. */
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';

type Spec = Record<string, unknown>;

export interface BadSpec {
  reason: string;
  spec: Spec;
  /** The field that is named. */
  path: string;
  /** Part of what is said of it; a pattern where the API server and the function have words of their own. */
  message: string | RegExp;
  /** Who can tell, when not both. */
  judge?: 'function';
}

export interface BadEdit {
  reason: string;
  before: Spec;
  after: Spec;
  message: string;
}

const zones = [{ name: 'corp.internal' }];
const addressForm = 'must be an IPv4 or IPv6 address, such as 192.0.2.7 or 2001:db8::7';
const domainForm =
  'must be a domain name: labels of letters, digits and hyphens between single dots, such as corp.internal';
const labelForm = 'must be one label of lower case letters, digits and hyphens, such as dns';
const durationForm = 'interval must be a duration of at least 1s, such as 2s or 1m30s';
const quantityForm = 'size must be a quantity above zero, such as 1Gi';
const tooMany = /too big|too many|must have at most/i;
const tooLong = /too big|too long/i;
const wrongType = /invalid input|invalid type|must be of type/i;
const notOneOf = /expected one of|unsupported value/i;

const zone = (reason: string, name: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones: [{ name }] },
  path: 'spec.zones[0].name',
  message,
});
const service = (reason: string, fields: Spec, path: string, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, service: fields },
  path: `spec.service${path}`,
  message,
});
const field = (reason: string, path: string, value: unknown, message: string | RegExp): BadSpec => ({
  reason,
  spec: { zones, ...nested(path.split('.').slice(1), value) },
  path,
  message,
});

function nested([name, ...rest]: string[], value: unknown): Spec {
  return { [name as string]: rest.length === 0 ? value : nested(rest, value) };
}

export const badSpecs: readonly BadSpec[] = [
  { reason: 'there are no zones', spec: {}, path: 'spec.zones', message: /required/i },
  { reason: 'the list of zones is empty', spec: { zones: [] }, path: 'spec.zones', message: /at least 1|>=1 items/ },
  {
    reason: 'there are more zones than 64',
    spec: { zones: Array.from({ length: 65 }, (_, i) => ({ name: `z${i}.internal` })) },
    path: 'spec.zones',
    message: tooMany,
  },
  {
    reason: 'two zones have one name',
    spec: { zones: [...zones, ...zones] },
    path: 'spec.zones',
    // An API server checks the keys of a list map before any rule.
    message: /zones must have different names|Duplicate value/,
  },
  { reason: 'a zone has no name', spec: { zones: [{}] }, path: 'spec.zones[0].name', message: /required/i },
  zone(
    'a zone ends in a dot',
    'corp.internal.',
    'zone name is written without the trailing dot, such as corp.internal',
  ),
  zone('a zone has capitals', 'Corp.internal', 'zone name is written in lower case, such as corp.internal'),
  zone('a zone has an empty label', 'corp..internal', `zone name ${domainForm}`),
  zone('a zone begins with a dot', '.corp.internal', `zone name ${domainForm}`),
  zone('a zone has a blank', 'corp internal', `zone name ${domainForm}`),
  zone('a zone is a wildcard', '*.corp.internal', `zone name ${domainForm}`),
  zone('a label begins with a hyphen', '-corp.internal', `zone name ${domainForm}`),
  zone('a label ends in a hyphen', 'corp-.internal', `zone name ${domainForm}`),
  zone('a zone is not ASCII', 'bücher.internal', `zone name ${domainForm}`),
  zone('a zone ends its line', 'corp.internal\n', `zone name ${domainForm}`),
  zone(
    'a label has 64 characters',
    `${'a'.repeat(64)}.internal`,
    'zone name has a label of more than 63 characters; RFC 1035 allows 63',
  ),
  zone('a zone has 254 characters', `${'a.'.repeat(126)}aa`, tooLong),
  {
    reason: 'a name server ends in a dot',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns1.corp.internal.'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server is written without the trailing dot, such as corp.internal',
  },
  {
    reason: 'a name server has capitals',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['NS1.corp.internal'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server is written in lower case, such as corp.internal',
  },
  {
    reason: 'a name server has a label of 64 characters',
    spec: { zones: [{ name: 'corp.internal', nameServers: [`${'a'.repeat(64)}.internal`] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: 'name server has a label of more than 63 characters; RFC 1035 allows 63',
  },
  {
    reason: 'a name server is no name',
    spec: { zones: [{ name: 'corp.internal', nameServers: ['ns 1'] }] },
    path: 'spec.zones[0].nameServers[0]',
    message: `name server ${domainForm}`,
  },
  {
    reason: 'a zone has more than 13 name servers',
    spec: { zones: [{ name: 'corp.internal', nameServers: Array.from({ length: 14 }, (_, i) => `ns${i}.internal`) }] },
    path: 'spec.zones[0].nameServers',
    message: tooMany,
  },

  field('the namespace is no name', 'spec.namespace', 'Internal_DNS', 'namespace must be the name of a namespace'),
  field('the namespace is the cluster’s', 'spec.namespace', 'kube-system', 'namespace must not be one of kube-*'),
  field('the namespace is too long', 'spec.namespace', 'a'.repeat(64), tooLong),
  field('there is no replica', 'spec.replicas', 0, />=1|greater than or equal to 1/),
  field('there are six replicas', 'spec.replicas', 6, /<=5|less than or equal to 5/),
  field('replicas is a text', 'spec.replicas', '2', wrongType),
  field('replicas is a fraction', 'spec.replicas', 1.5, wrongType),

  field('the interval is under 1s', 'spec.discovery.interval', '500ms', durationForm),
  field('the interval has no unit', 'spec.discovery.interval', '5', durationForm),
  field('the interval is negative', 'spec.discovery.interval', '-5s', durationForm),
  field('the interval is in days', 'spec.discovery.interval', '1d', durationForm),
  field('the policy does not exist', 'spec.discovery.policy', 'sync', notOneOf),
  field('the owner has a blank', 'spec.discovery.ownerID', 'a b', 'ownerID must consist of letters, digits, dots'),
  field('the owner has a quote', 'spec.discovery.ownerID', 'a"b', 'ownerID must consist of letters, digits, dots'),
  {
    reason: 'a source is of an unknown kind',
    spec: { zones, discovery: { sources: [{ kind: 'Pod' }] } },
    path: 'spec.discovery.sources[0].kind',
    message: notOneOf,
  },
  {
    reason: 'two sources are of one kind',
    spec: { zones, discovery: { sources: [{ kind: 'Ingress' }, { kind: 'Ingress' }] } },
    path: 'spec.discovery.sources',
    message: /sources must be of different kinds|Duplicate value/,
  },

  service('the type does not exist', { type: 'ExternalName' }, '.type', notOneOf),
  service(
    'the load balancer’s address is a name',
    { type: 'LoadBalancer', loadBalancerIP: 'dns.internal' },
    '.loadBalancerIP',
    `loadBalancerIP ${addressForm}`,
  ),
  service(
    'the load balancer’s address is a network',
    { type: 'LoadBalancer', loadBalancerIP: '192.0.2.0/24' },
    '.loadBalancerIP',
    `loadBalancerIP ${addressForm}`,
  ),
  service(
    'the cluster address is out of range',
    { clusterIP: '192.0.2.256' },
    '.clusterIP',
    `clusterIP ${addressForm}`,
  ),
  service('the cluster address is None', { clusterIP: 'None' }, '.clusterIP', `clusterIP ${addressForm}`),
  service(
    'a published address is cut short',
    { addresses: ['192.0.2.1', '192.0.2'] },
    '.addresses[1]',
    `address ${addressForm}`,
  ),
  service('a published address has a port', { addresses: ['192.0.2.1:53'] }, '.addresses[0]', `address ${addressForm}`),
  {
    ...service('a published address has too few groups', { addresses: ['1:2:3'] }, '.addresses[0]', ''),
    message: `address ${addressForm}`,
    judge: 'function',
  },
  service(
    'a load balancer’s address is given to another type',
    { loadBalancerIP: '192.0.2.7' },
    '',
    'loadBalancerIP and loadBalancerClass need type: LoadBalancer',
  ),
  service(
    'a load balancer’s class is given to another type',
    { type: 'NodePort', loadBalancerClass: 'example.internal/lb' },
    '',
    'loadBalancerIP and loadBalancerClass need type: LoadBalancer',
  ),
  service(
    'a tailnet is asked for a node port',
    { type: 'NodePort', tailscale: {} },
    '',
    'tailscale needs type LoadBalancer: leave type out',
  ),
  service(
    'a tailnet is asked for another class',
    { tailscale: {}, loadBalancerClass: 'example.internal/lb' },
    '',
    'tailscale sets loadBalancerClass itself: leave it out',
  ),
  service(
    'the machine’s name in the tailnet has a dot',
    { tailscale: { hostname: 'dns.corp' } },
    '.tailscale.hostname',
    `hostname ${labelForm}`,
  ),
  service(
    'a tag is written without its prefix',
    { tailscale: { tags: ['dns'] } },
    '.tailscale.tags[0]',
    'tags must look like tag:dns',
  ),
  service('an annotation is a number', { annotations: { a: 1 } }, '.annotations.a', wrongType),

  field('the size is none', 'spec.storage.size', 'large', quantityForm),
  field('the size is zero', 'spec.storage.size', '0', quantityForm),
  field('the size is negative', 'spec.storage.size', '-1Gi', quantityForm),
  field('the size has a unit of its own', 'spec.storage.size', '1GB', quantityForm),
  field('retain is a text', 'spec.storage.retain', 'yes', wrongType),
  field('an image has no name', 'spec.images.agent', '', /at least 1|>=1 characters/),
  field('the pull policy does not exist', 'spec.images.pullPolicy', 'always', notOneOf),
  {
    reason: 'a pull secret is a bare name',
    spec: { zones, images: { pullSecrets: ['mirror'] } },
    path: 'spec.images.pullSecrets[0]',
    message: wrongType,
  },
  {
    ...field('an amount of memory is none', 'spec.resources.agent.limits.memory', 'much', ''),
    message: 'must be a quantity, such as 100m or 128Mi',
    judge: 'function',
  },
  field('an amount of cpu is a fraction', 'spec.resources.powerdns.requests.cpu', 0.5, wrongType),
  field(
    'podLabels takes the selectors’ names',
    'spec.podLabels',
    { 'app.kubernetes.io/name': 'x' },
    'podLabels must not',
  ),
];

/** Names of an InternalDNS that are refused. */
export const badNames: readonly { reason: string; name: string }[] = [
  { reason: 'it begins with a digit', name: '1corp' },
  { reason: 'it has a dot', name: 'corp.internal' },
  { reason: 'it has 41 characters', name: 'a'.repeat(41) },
];

const loadBalancer = (fields: Spec = {}): Spec => ({ zones, service: { type: 'LoadBalancer', ...fields } });
const isFixed = 'is immutable: it can be neither set, changed nor removed later';

/** Edits that only an API server can refuse: it alone knows the object before. */
export const badEdits: readonly BadEdit[] = [
  {
    reason: 'the namespace changes',
    before: { zones },
    after: { zones, namespace: 'elsewhere' },
    message: 'namespace is immutable',
  },
  {
    reason: 'the storage shrinks',
    before: { zones, storage: { size: '2Gi' } },
    after: { zones, storage: { size: '1Gi' } },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'the storage shrinks to its default',
    before: { zones, storage: { size: '2Gi' } },
    after: { zones },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'the storage shrinks into another unit',
    before: { zones, storage: { size: '1Gi' } },
    after: { zones, storage: { size: '1000M' } },
    message: 'size may grow, not shrink',
  },
  {
    reason: 'a storage class is set later',
    before: { zones },
    after: { zones, storage: { storageClassName: 'fast' } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'the storage class changes',
    before: { zones, storage: { storageClassName: 'slow' } },
    after: { zones, storage: { storageClassName: 'fast' } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'the storage class is removed',
    before: { zones, storage: { storageClassName: 'slow' } },
    after: { zones, storage: { storageClassName: null } },
    message: `storageClassName ${isFixed}`,
  },
  {
    reason: 'a cluster address is set later',
    before: { zones },
    after: { zones, service: { clusterIP: '192.0.2.10' } },
    message: `clusterIP ${isFixed}`,
  },
  {
    reason: 'the class of the load balancer changes',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: loadBalancer({ loadBalancerClass: 'example.internal/b' }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
  {
    reason: 'the class of the load balancer is removed',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: loadBalancer({ loadBalancerClass: null }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
  {
    reason: 'a load balancer moves into a tailnet',
    before: loadBalancer(),
    after: loadBalancer({ tailscale: {} }),
    message: `loadBalancerClass ${isFixed} while the type stays LoadBalancer; tailscale likewise`,
  },
];

/** Edits that look like those and are fine. */
export const goodEdits: readonly Omit<BadEdit, 'message'>[] = [
  {
    reason: 'the storage grows into another unit',
    before: { zones },
    after: { zones, storage: { size: '2G' } },
  },
  {
    reason: 'a Service becomes a load balancer with a class',
    before: { zones },
    after: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
  },
  {
    reason: 'a load balancer becomes an inner Service',
    before: loadBalancer({ loadBalancerClass: 'example.internal/a' }),
    after: { zones, service: { type: 'ClusterIP' } },
  },
  {
    reason: 'zones come and go',
    before: { zones },
    after: { zones: [{ name: 'other.internal' }, { name: 'third.internal' }] },
  },
];

const oddZone = (name: string): Spec => ({ zones: [{ name }] });

/** What looks wrong and is not; `warning` is what ZonesReady then says. */
export const oddSpecs: readonly { reason: string; spec: Spec; warning?: string }[] = [
  {
    reason: 'a zone under .local',
    spec: oddZone('corp.local'),
    warning:
      'corp.local is under .local, which most machines ask by multicast DNS only (RFC 6762): prefer a name under .internal',
  },
  {
    reason: '.local itself',
    spec: oddZone('local'),
    warning:
      'local is under .local, which most machines ask by multicast DNS only (RFC 6762): prefer a name under .internal',
  },
  { reason: 'a zone that only ends like .local', spec: oddZone('mylocal') },
  { reason: 'a reverse zone', spec: oddZone('2.0.192.in-addr.arpa') },
  { reason: 'a reverse zone of a part of a network (RFC 2317)', spec: oddZone('0-25.2.0.192.in-addr.arpa') },
  { reason: 'a reverse zone of IPv6', spec: oddZone('8.b.d.0.1.0.0.2.ip6.arpa') },
  { reason: 'a zone of one label', spec: oddZone('corp') },
  { reason: 'a label with an underscore', spec: oddZone('_msdcs.corp.internal') },
  { reason: 'a label of digits', spec: oddZone('4711.internal') },
  { reason: 'a label of 63 characters', spec: oddZone(`${'a'.repeat(63)}.internal`) },
  { reason: 'an internationalised zone', spec: oddZone('xn--bcher-kva.internal') },
  { reason: 'a zone within another', spec: { zones: [{ name: 'internal' }, { name: 'corp.internal' }] } },
  { reason: '64 zones', spec: { zones: Array.from({ length: 64 }, (_, i) => ({ name: `z${i}.internal` })) } },
  { reason: 'addresses of IPv6', spec: { zones, service: { addresses: ['2001:db8::53', '::ffff:192.0.2.1', '::1'] } } },
  { reason: 'an interval of two units', spec: { zones, discovery: { interval: '1m30s' } } },
  { reason: 'an interval of exactly 1s in another unit', spec: { zones, discovery: { interval: '1000ms' } } },
  { reason: 'an interval with a fraction', spec: { zones, discovery: { interval: '1.5s' } } },
  { reason: 'a size without a unit', spec: { zones, storage: { size: '1073741824' } } },
  { reason: 'a size with an exponent', spec: { zones, storage: { size: '1e9' } } },
  { reason: 'an amount that YAML takes for a number', spec: { zones, resources: { agent: { limits: { cpu: 1 } } } } },
  {
    reason: 'a tailnet with the type that it has anyway',
    spec: { zones, service: { type: 'LoadBalancer', tailscale: {} } },
  },
];

/** An InternalDNS, as a person writes it. */
export const internalDNSOf = (spec: Spec, name = 'corp'): KubernetesObject => ({
  apiVersion: 'dns.internal/v1alpha1',
  kind: 'InternalDNS',
  metadata: { name },
  spec,
});
