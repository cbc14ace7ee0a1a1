import * as z from 'zod';
import type { Condition, KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import type { Declaration } from '../contract/declaration.ts';
import type { Report } from '../contract/report.ts';
import { no, yes } from './condition.ts';
import { discoveryReady, discoveryStatus, discoveryStatusOf } from './discovery/status.ts';
import { monitoringReady } from './monitoring/status.ts';
import type { Names } from './names.ts';
import {
  isServed,
  namesStatus,
  namesStatusOf,
  resolutionStatus,
  resolutionStatusOf,
  resolvable,
} from './names-status.ts';
import { currentOf } from './reports.ts';
import { featuresOf } from './server/powerdns.ts';
import type { Endpoint } from './server/service.ts';
import { type Spec, typeOf } from './spec.ts';
import type { Signature } from './zones/signature.ts';
import { zoneStatus, zoneStatuses, zonesReady } from './zones/status.ts';

/** The composite's status, in addition to what Crossplane writes there. */
export const status = z.object({
  address: z.string().optional().describe('Address or load balancer hostname at which clients reach the server.'),
  port: z.int().optional().describe('Port at that address.'),
  zonesServed: z.string().optional().describe('Number of zones that are served, out of all, such as 2/2.'),
  namesResolved: z
    .string()
    .optional()
    .describe('Number of hosts requested by objects that resolve, out of all, such as 37/40. Unset until it is known.'),
  zones: z.array(zoneStatus).optional().describe('State of each zone, across all replicas.'),
  discovery: discoveryStatus.optional().describe('State of discovery: names that are held, and changes in preview.'),
  names: namesStatus
    .optional()
    .describe(
      'Hosts requested by objects, as reported by the replica that resolves the fewest. Unset until it is known, and if nothing is discovered.',
    ),
  resolution: resolutionStatus
    .optional()
    .describe(
      "Result of the agent's self-test of the whole chain, from a change to its answer through the Service. Unset until the first one.",
    ),
});

export const conditionTypes = ['ServerReady', 'ZonesReady', 'DiscoveryReady', 'Resolvable', 'MonitoringReady'] as const;

/** What the status of an InternalDNS is derived from. */
export interface StatusInput {
  spec: Spec;
  names: Names;
  endpoint: Endpoint;
  declaration: Declaration;
  declarationText: string;
  /** The signatures published so far, by zone. */
  signatures: ReadonlyMap<string, Signature>;
  pods: KubernetesObject | undefined;
  /** By pod; undefined if missing or invalid. */
  reports: (Report | undefined)[];
}

export interface Assessment {
  status: z.infer<typeof status>;
  conditions: Condition[];
  ready: boolean;
}

/** The status, the conditions and the readiness of an InternalDNS. */
export function statusOf(input: StatusInput): Assessment {
  const { spec, names, endpoint, declaration, declarationText, signatures, reports } = input;
  const { pods } = names;
  const current = currentOf(reports, declarationText);
  const of = { zones: declaration.zones, addresses: endpoint.addresses, signatures, pods, reports, current };
  const zones = zoneStatuses(of);
  const known = namesStatusOf(spec, reports);
  const resolution = resolutionStatusOf(pods, reports);
  const parts = [serverReady(input, current), zonesReady(zones, of), discoveryReady(spec, names.composite, reports)];
  const discovery = discoveryStatusOf(spec, reports);
  const served = zones.filter(({ name, state }) => state === 'Serving' && spec.zones.some((z) => z.name === name));
  return {
    status: {
      address: endpoint.addresses[0] ?? endpoint.hostname,
      port: endpoint.port,
      zonesServed: `${served.length}/${spec.zones.length}`,
      zones,
      ...(discovery && { discovery }),
      ...(known && { namesResolved: `${known.resolved}/${known.total}`, names: known }),
      ...(resolution && { resolution }),
    },
    conditions: [...parts, resolvable({ spec, names, known, resolution }), monitoringReady(spec, reports)],
    // Not Resolvable: a name that does not resolve is a problem of its object, not of this server.
    ready: parts.every(({ status }) => status === 'True') && isServed(resolution),
  };
}

function serverReady({ spec, names, endpoint, pods }: StatusInput, current: Report[]): Condition {
  const type = 'ServerReady';
  const { replicas } = spec;
  const state = pods?.status ?? {};
  if ((state.readyReplicas ?? 0) < replicas || (state.updatedReplicas ?? 0) < replicas) {
    const restarts = featuresOf(spec).dynamic
      ? ' (the first check of an instance, or answer other than All, restarts its pods once)'
      : '';
    return no(
      type,
      'PodsNotReady',
      `not every pod is ready${restarts}; if this lasts: kubectl -n ${spec.namespace} describe pod -l app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${names.composite}`,
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
