import * as z from 'zod';
import { hashOf } from '../agent/declaration.ts';
import { type Report, report, type ZoneReport } from '../agent/report.ts';
import type { Condition, KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import type { Names } from './names.ts';
import type { Endpoint } from './service.ts';
import { type Spec, typeOf } from './spec.ts';

/** The composite's status, beside what Crossplane itself writes there. */
export const status = z.object({
  address: z
    .string()
    .optional()
    .describe('Where clients reach the server: an address, or the name of a load balancer.'),
  port: z.int().optional().describe('The port at that address.'),
  zonesServed: z.string().optional().describe('How many of the zones answer, such as 2/2.'),
  zones: z
    .array(
      z.object({
        name: z.string().describe('The domain.'),
        state: z.string().describe('Serving, Pending, Failed, or Retained: no longer declared, but not empty.'),
        message: z.string().optional().describe('What is wrong, and what to do.'),
      }),
    )
    .optional()
    .describe('Each zone, as every replica serves it.'),
});

export const conditionTypes = ['ServerReady', 'ZonesReady', 'DiscoveryReady'] as const;

/** The cluster as one InternalDNS sees it. */
export interface Situation {
  spec: Spec;
  names: Names;
  endpoint: Endpoint;
  declaration: string;
  pods: KubernetesObject | undefined;
  mailbox: KubernetesObject | undefined;
}

export interface Assessment {
  status: z.infer<typeof status>;
  conditions: Condition[];
  ready: boolean;
}

/** What to say of an instance. No counters and no changing words in a condition: each change wakes Crossplane. */
export function assess(situation: Situation): Assessment {
  const { spec, names, endpoint, declaration, mailbox } = situation;
  const reports = names.pods.map((pod) => reportOf(pod, mailbox));
  const current = reports.filter((r) => r?.declaration === hashOf(declaration)) as Report[];
  const zones = zonesOf(spec, current, names.pods.length);
  const conditions = [
    serverReady(situation, current),
    zonesReady(situation, zones, reports, current),
    discoveryReady(spec, reports),
  ];
  const served = zones.filter(({ name, state }) => state === 'Serving' && spec.zones.some((z) => z.name === name));
  return {
    status: {
      address: endpoint.addresses[0] ?? endpoint.hostname,
      port: endpoint.port,
      zonesServed: `${served.length}/${spec.zones.length}`,
      zones,
    },
    conditions,
    ready: conditions.every((c) => c.status === 'True'),
  };
}

/** A pod's report; none if it is not there or not what an agent writes. */
function reportOf(pod: string, mailbox: KubernetesObject | undefined): Report | undefined {
  try {
    return report.parse(JSON.parse(mailbox?.data?.[pod] ?? ''));
  } catch {
    return undefined;
  }
}

const severity = { Serving: 0, Retained: 1, Pending: 2, Failed: 3 };

/** Each zone in the worst state that a replica reports; a replica that says nothing has it pending. */
function zonesOf(spec: Spec, current: Report[], replicas: number): ZoneReport[] {
  const reported = current.flatMap((r) => r.zones);
  const retained = reported.filter((z) => z.state === 'Retained').map((z) => z.name);
  const names = [...new Set([...spec.zones.map((z) => z.name), ...retained])];
  return names.map((name) => {
    const states = reported.filter((z) => z.name === name);
    const worst = states.reduce<ZoneReport | undefined>(
      (a, b) => (a && severity[a.state] >= severity[b.state] ? a : b),
      undefined,
    );
    const silent = states.length < replicas && !retained.includes(name);
    return worst && (!silent || worst.state === 'Failed') ? worst : { name, state: 'Pending' };
  });
}

const yes = (type: string, reason: string, message?: string): Condition => ({
  type,
  status: 'True',
  reason,
  ...(message && { message }),
});
const no = (type: string, reason: string, message: string): Condition => ({ type, status: 'False', reason, message });

function serverReady({ spec, names, endpoint, pods }: Situation, current: Report[]): Condition {
  const type = 'ServerReady';
  const { replicas } = spec;
  const state = pods?.status ?? {};
  if ((state.readyReplicas ?? 0) < replicas || (state.updatedReplicas ?? 0) < replicas) {
    return no(
      type,
      'PodsNotReady',
      `not every pod is ready; if this lasts: kubectl -n ${spec.namespace} describe pod -l app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${names.composite}`,
    );
  }
  if (endpoint.addresses.length === 0 && !endpoint.hostname) return no(type, 'NoAddress', noAddress(spec, names));
  return yes(type, 'Serving', current.find((r) => r.storage)?.storage);
}

function noAddress(spec: Spec, names: Names): string {
  return typeOf(spec.service) === 'LoadBalancer'
    ? `no load balancer has given Service ${names.server} an address: install one, or set service.type to ClusterIP or NodePort`
    : `Service ${names.server} has no address yet`;
}

function zonesReady(
  { spec, names }: Situation,
  zones: ZoneReport[],
  reports: (Report | undefined)[],
  current: Report[],
): Condition {
  const type = 'ZonesReady';
  const silent = names.pods.filter((_, index) => !reports[index]);
  if (silent.length > 0) {
    return no(
      type,
      'WaitingForAgent',
      `no report from ${silent.join(', ')}; if this lasts, see the log of the container agent`,
    );
  }
  if (current.length < names.pods.length) return no(type, 'Applying', 'the servers are taking over this spec');
  const failed = zones.filter((z) => z.state === 'Failed');
  if (failed.length > 0) return no(type, 'Failed', failed.map((z) => `${z.name}: ${z.message}`).join('; '));
  const pending = zones.filter((z) => z.state === 'Pending');
  if (pending.length > 0) return no(type, 'Pending', `not answering yet: ${pending.map((z) => z.name).join(', ')}`);
  const warnings = [
    ...zones.filter((z) => z.state === 'Retained').map((z) => `${z.name}: ${z.message}`),
    ...spec.zones.filter((z) => z.name === 'local' || z.name.endsWith('.local')).map((z) => underLocal(z.name)),
  ];
  return yes(type, 'Serving', warnings.join('; '));
}

const underLocal = (zone: string) =>
  `${zone} is under .local, which most machines ask by multicast DNS only (RFC 6762): prefer a name under .internal`;

/** Of every report, also of those on an earlier declaration: ExternalDNS goes on while the zones change. */
function discoveryReady(spec: Spec, reports: (Report | undefined)[]): Condition {
  const type = 'DiscoveryReady';
  if (spec.discovery.sources.length === 0)
    return yes(type, 'Off', 'discovery.sources is empty: no object gets a record');
  const states = reports.map((r) => r?.discovery.state);
  if (states.includes('Stalled')) {
    return no(
      type,
      'Stalled',
      'ExternalDNS has not been heard of for a while; see the log of the container external-dns',
    );
  }
  if (states.some((s) => s !== 'Synced')) {
    return no(
      type,
      'Waiting',
      'ExternalDNS has not finished its first loop; if this lasts, see the log of the container external-dns',
    );
  }
  const refused = reports.flatMap((r) => r?.discovery.refused ?? []);
  if (refused.length === 0) return yes(type, 'Synced');
  const first = [...new Set(refused.map((r) => `${r.name} (${r.resource}): ${r.message}`))].slice(0, 3);
  return yes(type, 'NamesLeftOut', `left out, among others: ${first.join('; ')}`);
}
