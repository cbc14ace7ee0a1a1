/** A cluster where all is well, as a function gets to see it. Pure. */
import type { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { declarationKey, hashOf } from '../../functions/contract/declaration.ts';
import type { Report, ZoneReport } from '../../functions/contract/report.ts';
import { applied } from '../crossplane.ts';

/**
 * The composed objects of a response after everybody has done his part: the status of each, and what the cluster assigns.
 * Of what the agents report, `said` is otherwise.
 */
export function running(
  composite: KubernetesObject,
  response: RunFunctionResponse,
  said: Partial<Report> = {},
): Observed {
  const [, ...objects] = applied(composite, response);
  const pods = objects.find(({ kind }) => kind === 'StatefulSet');
  const declaration = objects.find(({ data }) => data?.[declarationKey])?.data[declarationKey];
  const reports = reportsOf(composite, pods, declaration, said);
  const keys = Object.keys(response.desired?.resources ?? {}).sort();
  return Object.fromEntries(
    objects.map((object, index) => [keys[index], { ...object, ...atRest(object, reports) } as KubernetesObject]),
  );
}

/** What each agent writes into the mailbox when it serves `declaration`, by pod. */
function reportsOf(
  composite: KubernetesObject,
  pods: KubernetesObject | undefined,
  declaration: string,
  said: Partial<Report>,
): Record<string, string> {
  const zones: { name: string; dnssec?: { mode: string } }[] = composite.spec.zones;
  const discovers = composite.spec.discovery.sources.length > 0;
  const { optional } = JSON.parse(declaration);
  const report: Report = {
    declaration: hashOf(declaration),
    zones: zones.map(({ name, dnssec = { mode: 'Off' } }) => ({
      name,
      state: 'Serving',
      ...(dnssec.mode !== 'Off' && { dnssec: signature }),
    })),
    warnings: [],
    discovery: { state: discovers ? 'Synced' : 'Off' },
    ...(discovers && { names: { total: 40, resolved: 40, problems: [] } }),
    resolution: { state: 'Serving', since: '2026-01-31T12:00:00Z' },
    ...(optional && { served: optional }),
    ...said,
  };
  const ordinals = Array.from({ length: pods?.spec.replicas }, (_, ordinal) => ordinal);
  return Object.fromEntries(ordinals.map((ordinal) => [`${pods?.metadata.name}-${ordinal}`, JSON.stringify(report)]));
}

/** Of a key that nobody has: a cluster makes another one each time. */
const signature: ZoneReport['dnssec'] = {
  ds: [`23 13 2 ${'5e'.repeat(32)}`],
  dnskey: [`257 3 13 ${Buffer.alloc(64, 'key').toString('base64')}`],
};

/** What the agent has put into the Secret. */
export const privateKey = Buffer.from('Private-key-format: v1.2\nPrivateKey: c2VjcmV0\n').toString('base64');

/** The members that a cluster sets or changes in an object. */
function atRest(object: KubernetesObject, reports: Record<string, string>): Partial<KubernetesObject> {
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
  if (kind === 'ConfigMap' && object.data === undefined) return { data: reports };
  if (kind === 'Secret') return { data: { 'corp.internal': privateKey } };
  return kind === 'Service' ? service(spec) : {};
}

function service(spec: KubernetesObject['spec']): Partial<KubernetesObject> {
  const clusterIPs = [spec.clusterIP ?? '198.18.0.53', '2001:db8:f::53'];
  const nodePort = 30053;
  if (spec.type === undefined || spec.type === 'ClusterIP') return { spec: { ...spec, clusterIPs } };
  const ports = spec.ports.map((port: object) => ({ ...port, nodePort }));
  const exposed = { spec: { ...spec, clusterIPs, ports } };
  if (spec.type === 'NodePort') return exposed;
  // Tailscale's operator gives a name first, then the addresses.
  const ingress =
    spec.loadBalancerClass === 'tailscale'
      ? [{ hostname: 'dns.example.ts.net' }, { ip: '100.64.0.53' }]
      : [{ ip: spec.loadBalancerIP ?? '192.0.2.7' }];
  return { ...exposed, status: { loadBalancer: { ingress } } };
}
