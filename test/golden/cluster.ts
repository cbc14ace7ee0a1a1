/** A healthy cluster, as a function observes it. Pure. */
import type { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import {
  type Declaration,
  type DeclaredResolver,
  declarationKey,
  hashOf,
} from '../../functions/contract/declaration.ts';
import type { Report, ZoneReport } from '../../functions/contract/report.ts';
import { applied } from '../crossplane.ts';

/**
 * The composed objects of a response once they are ready, with their status and the values that a cluster assigns. `changes`
 * apply to the reports of the agents.
 */
export function running(
  composite: KubernetesObject,
  response: RunFunctionResponse,
  changes: Partial<Report> = {},
): Observed {
  const [, ...objects] = applied(composite, response);
  const pods = objects.find(({ kind }) => kind === 'StatefulSet');
  const declaration = objects.find(({ data }) => data?.[declarationKey])?.data[declarationKey];
  const reports = reportsOf(composite, pods, declaration, changes);
  const keys = Object.keys(response.desired?.resources ?? {}).sort();
  return Object.fromEntries(
    objects.map((object, index) => [keys[index], { ...object, ...whenReady(object, reports) } as KubernetesObject]),
  );
}

/** The reports of the agents when they serve `declaration`, by pod. */
function reportsOf(
  composite: KubernetesObject,
  pods: KubernetesObject | undefined,
  declaration: string,
  changes: Partial<Report>,
): Record<string, string> {
  const zones: { name: string; dnssec?: { mode: string } }[] = composite.spec.zones;
  const isDiscovering = composite.spec.discovery.sources.length > 0;
  const { optional, splitDNS, resolver }: Declaration = JSON.parse(declaration);
  const report: Report = {
    declaration: hashOf(declaration),
    zones: zones.map(({ name, dnssec = { mode: 'Off' } }) => ({
      name,
      state: 'Serving',
      ...(dnssec.mode !== 'Off' && { dnssec: signature }),
    })),
    warnings: [],
    discovery: { state: isDiscovering ? 'Synced' : 'Off' },
    ...(isDiscovering && { names: { total: 40, resolved: 40, problems: [] } }),
    resolution: { state: 'Serving', since: '2026-01-31T12:00:00Z' },
    hostIPs: ['192.0.2.11', '2001:db8:11::1'],
    ...(optional && { served: optional }),
    ...(splitDNS && { splitDNS: { state: 'Synced' } }),
    ...(resolver && { resolver: resolverReportOf(resolver) }),
    ...changes,
  };
  const ordinals = Array.from({ length: pods?.spec.replicas }, (_, ordinal) => ordinal);
  return Object.fromEntries(ordinals.map((ordinal) => [`${pods?.metadata.name}-${ordinal}`, JSON.stringify(report)]));
}

const resolverReportOf = ({ upstreams, certificates, reportsNodes }: DeclaredResolver): Report['resolver'] => ({
  upstreams: upstreams.map(({ address }) => ({ address, state: 'Up' })),
  certificates: certificates.map(({ field }) => ({ field, state: 'Valid', notAfter: '2026-04-30T12:00:00Z' })),
  ...(reportsNodes && { hostIPs: ['192.0.2.12', '2001:db8:12::1'] }),
});

/** A constant: a cluster generates another key each time. */
const signature: ZoneReport['dnssec'] = {
  ds: [`23 13 2 ${'5e'.repeat(32)}`],
  dnskey: [`257 3 13 ${Buffer.alloc(64, 'key').toString('base64')}`],
};

/** The private key that the agent has written to the Secret. */
export const privateKey = Buffer.from('Private-key-format: v1.2\nPrivateKey: c2VjcmV0\n').toString('base64');

/** The fields of an object that a cluster sets or changes. */
function whenReady(object: KubernetesObject, reports: Record<string, string>): Partial<KubernetesObject> {
  const { kind, spec, metadata } = object;
  if (kind === 'StatefulSet') {
    const { replicas } = spec;
    const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas, updatedReplicas: replicas };
    const revision = `${metadata.name}-5d8f7c9b6d`;
    return {
      metadata: { ...metadata, generation: 1 },
      status: { ...counts, observedGeneration: 1, currentRevision: revision, updateRevision: revision },
    };
  }
  if (kind === 'Deployment') {
    const { replicas } = spec;
    const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas, updatedReplicas: replicas };
    return { metadata: { ...metadata, generation: 1 }, status: { ...counts, observedGeneration: 1 } };
  }
  if (kind === 'ConfigMap' && object.data === undefined) return { data: reports };
  if (kind === 'Secret') return { data: { 'corp.internal': privateKey } };
  return kind === 'Service' ? service(spec) : {};
}

function service(spec: KubernetesObject['spec']): Partial<KubernetesObject> {
  const clusterIPs = [spec.clusterIP ?? '198.18.0.53', '2001:db8:f::53'];
  const ipFamilies = ['IPv4', 'IPv6'];
  const nodePort = 30053;
  if (spec.type === undefined || spec.type === 'ClusterIP') return { spec: { ...spec, clusterIPs, ipFamilies } };
  const ports = spec.ports.map((port: object) => ({ nodePort, ...port }));
  const exposed = { spec: { ...spec, clusterIPs, ipFamilies, ports } };
  if (spec.type === 'NodePort') return exposed;
  // Tailscale's operator writes a name first, then the addresses.
  const ingress =
    spec.loadBalancerClass === 'tailscale'
      ? [{ hostname: 'dns.example.ts.net' }, { ip: '100.64.0.53' }]
      : [{ ip: spec.loadBalancerIP ?? '192.0.2.7' }];
  return { ...exposed, status: { loadBalancer: { ingress } } };
}
