import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { allKinds } from '../../functions/internal-dns/discovery/kind.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted, refusalIn, yamlOf } from '../crossplane.ts';
import { internalDNSOf } from '../internal-dns/refusals.ts';

type Discovery = Record<string, unknown>;

const gateway = { gatewayName: 'edge', gatewayNamespace: 'ingress', gatewayLabels: { traffic: 'internal' } };

/** A source of each kind, and each way to limit discovery. */
const cases: Record<string, Discovery & { missing?: { kind: string; resource: string }[] }> = {
  ingress: { sources: [{ kind: 'Ingress', ingressClassNames: ['nginx', 'private'] }] },
  'ingress-without-rules': {
    sources: [{ kind: 'Ingress' }],
    extraArgs: ['--ignore-ingress-rules-spec', '--no-ignore-ingress-tls-spec'],
  },
  'service-load-balancer': { sources: [{ kind: 'Service' }] },
  'service-resolved': { sources: [{ kind: 'Service' }], extraArgs: ['--resolve-service-load-balancer-hostname'] },
  'service-cluster-ip': { sources: [{ kind: 'Service', serviceTypes: ['ClusterIP', 'ExternalName'] }] },
  'service-node-port': { sources: [{ kind: 'Service', serviceTypes: ['NodePort'] }] },
  routes: { sources: ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'].map((kind) => ({ kind })) },
  'routes-of-some-gateways': { sources: ['HTTPRoute', 'TLSRoute'].map((kind) => ({ kind, ...gateway })) },
  'listener-sets': { sources: [{ kind: 'HTTPRoute' }], extraArgs: ['--gateway-listener-sets'] },
  'dns-endpoint': {
    sources: [{ kind: 'DNSEndpoint' }],
    recordTypes: ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'],
  },
  'nodes-and-pods': { sources: [{ kind: 'Node' }, { kind: 'Pod' }] },
  istio: { sources: [{ kind: 'IstioGateway' }, { kind: 'IstioVirtualService' }] },
  proxies: { sources: [{ kind: 'HTTPProxy' }, { kind: 'TraefikProxy' }, { kind: 'OpenShiftRoute' }] },
  'machines-only': { sources: [{ kind: 'Machine' }, { kind: 'NameClaim' }] },
  'machines-besides': {
    sources: [{ kind: 'Ingress' }, { kind: 'Machine' }],
    namespaces: ['a'],
    tenants: [{ namespaceSelector: {}, names: ['*.corp.internal'], networks: ['192.0.2.0/24'], checks: 'URL' }],
  },
  'zones-only': {
    sources: [{ kind: 'Zone' }],
    tenants: [{ namespaceSelector: {}, names: [], zones: ['team.internal', '*.2.0.192.in-addr.arpa'] }],
  },
  unstructured: {
    sources: [{ kind: 'Unstructured', resources: ['virtualmachineinstances.v1.kubevirt.io', 'configmaps.v1'] }],
    extraArgs: ['--fqdn-template={{.Name}}.vms.internal'],
  },

  'scope-namespaces': {
    namespaces: ['shop', 'search'],
    sources: [{ kind: 'Ingress' }, { kind: 'Service', serviceTypes: ['LoadBalancer', 'ClusterIP'] }],
  },
  'scope-selectors': {
    selector: {
      matchLabels: { exposure: 'private', 'example.com/team': 'shop' },
      matchExpressions: [
        { key: 'stage', operator: 'NotIn', values: ['test', 'canary'] },
        { key: 'tier', operator: 'In', values: ['edge'] },
        { key: 'public', operator: 'DoesNotExist' },
        { key: 'owner', operator: 'Exists' },
      ],
    },
    annotationSelector: { matchLabels: { 'corp.internal/publish': 'yes', 'corp.internal/audience': '' } },
  },
  'scope-annotation-prefix': { annotationPrefix: 'dns.corp.internal/' },
  'scope-hosts-of-the-spec': { sources: [{ kind: 'Ingress' }, { kind: 'DNSEndpoint' }], hostnames: 'Spec' },
  'scope-tenants': {
    namespaces: ['shop'],
    tenants: [
      { namespaceSelector: { matchLabels: { team: 'shop' } }, names: ['*.shop.internal', '[*].shop.internal'] },
    ],
    reservedNames: ['shop.internal'],
    maxNamesPerNamespace: 20,
    sharedHosts: 'Refuse',
  },

  'policy-and-targets': {
    policy: 'UpsertOnly',
    ownerID: 'cluster-1',
    interval: '1m',
    reverse: 'Publish',
    targets: {
      default: ['192.0.2.80'],
      override: ['lb.corp.internal'],
      networks: ['192.0.2.0/24'],
      excludedNetworks: ['10.0.0.0/8'],
    },
    excludedDomains: ['static.corp.internal'],
    defaultTTL: 300,
    minimumTTL: 30,
    deleteGuard: { percent: 20, hold: '1h30m' },
    ownershipTXT: {},
    extraArgs: ['--log-level=debug'],
  },
  'missing-one': {
    sources: [{ kind: 'Ingress' }, { kind: 'TCPRoute' }],
    missing: [{ kind: 'TCPRoute', resource: 'tcproutes.v1alpha2.gateway.networking.k8s.io' }],
  },
  'missing-a-resource': {
    sources: [{ kind: 'Unstructured', resources: ['virtualmachines.v1.kubevirt.io', 'nads.v1.k8s.cni.cncf.io'] }],
    missing: [{ kind: 'Unstructured', resource: 'nads.v1.k8s.cni.cncf.io' }],
  },
  'missing-all': {
    sources: [{ kind: 'HTTPRoute' }],
    missing: [{ kind: 'HTTPRoute', resource: 'httproutes.v1.gateway.networking.k8s.io' }],
  },
};

const statusWith = (missing: object[]): Observed => ({
  'mailboxes/status': {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'idns-corp-status' },
    data: {
      'idns-corp-0': JSON.stringify({
        declaration: 'x',
        zones: [],
        discovery: { state: 'Synced', missing },
      }),
    },
  },
});

/** The parts of an answer that are about discovery. */
function answerTo({ missing, ...discovery }: (typeof cases)[string]): object {
  const composite = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }], discovery }));
  const response = run(requestFor(composite, missing ? statusWith(missing) : {}), internalDNS);
  expect(refusalIn(response)).toBeUndefined();
  const objects = Object.values(response.desired?.resources ?? {}).map(({ resource }) => resource as KubernetesObject);
  const pods = objects.find(({ kind }) => kind === 'StatefulSet');
  const containers: { name: string; args: string[] }[] = pods?.spec.template.spec.containers ?? [];
  const bindings = objects.filter(({ roleRef }) => roleRef?.kind === 'ClusterRole');
  const declaration = objects.find(({ metadata }) => metadata.name === 'idns-corp-declared')?.data['declaration.json'];
  const ready = response.conditions.find(({ type }) => type === 'DiscoveryReady');
  return {
    arguments: Object.fromEntries(containers.map(({ name, args }) => [name, name === 'agent' ? undefined : args])),
    bindings: bindings
      .map(({ kind, metadata: { name, namespace }, roleRef }) => ({ kind, name, namespace, role: roleRef.name }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    declared: JSON.parse(declaration).discovery,
    ...(missing && { ready: ready?.message }),
  };
}

const folder = join(import.meta.dirname, 'sources');
const header = '# The objects for discovery: see sources.test.ts. Written by `make golden`: review the diff.\n';

test.for(Object.entries(cases))('the answer to %s is the golden file', ([name, discovery]) => {
  const text = header + yamlOf([answerTo(discovery)]);
  const golden = join(folder, `${name}.yaml`);
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text, 'run `make golden` if this is intended').toBe(readFileSync(golden, 'utf8'));
});

test('every kind has a case, and every golden file belongs to one', () => {
  const kinds = Object.values(cases).flatMap(({ sources = [] }) => (sources as { kind: string }[]).map((s) => s.kind));
  expect([...new Set(kinds)].sort()).toEqual([...allKinds].sort());
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(cases)
      .map((name) => `${name}.yaml`)
      .sort(),
  );
});
