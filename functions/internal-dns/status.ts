import * as z from 'zod';
import type { Condition, KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import type { Declaration } from '../contract/declaration.ts';
import type { Report } from '../contract/report.ts';
import { no, yes } from './condition.ts';
import { discoveryReady, discoveryStatus, discoveryStatusOf } from './discovery/status.ts';
import { monitoringReady } from './monitoring/status.ts';
import {
  isServed,
  namesStatus,
  namesStatusOf,
  resolutionStatus,
  resolutionStatusOf,
  resolvable,
} from './names-status.ts';
import { type ResolverInput, resolverReady, resolverStatus, resolverStatusOf } from './resolver/status.ts';
import { isAvailable } from './resolver/switch-over.ts';
import { addressStatus, addressStatuses, noAddress, serviceNotes } from './server/address-status.ts';
import { featuresOf } from './server/powerdns.ts';
import { missingStorageClass } from './server/storage-class.ts';
import { tailnetReady, tailnetStatus, tailnetStatusOf } from './tailnet/status.ts';
import type { Signature } from './zones/signature.ts';
import { zoneStatus, zoneStatuses, zonesReady } from './zones/status.ts';

/** The composite's status, in addition to what Crossplane writes there. */
export const status = z.object({
  address: z
    .string()
    .optional()
    .describe('Address or load balancer hostname of spec.service, at which clients reach the server.'),
  port: z.int().optional().describe('Port at that address.'),
  addresses: z
    .array(addressStatus)
    .optional()
    .describe('Where clients reach the server: through spec.service, then through each of spec.additionalServices.'),
  tailnet: tailnetStatus
    .optional()
    .describe('Where clients in a tailnet reach the server. Unset if no Service has tailscale.'),
  resolver: resolverStatus.optional().describe('State of the resolver. Unset without one.'),
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

export const conditionTypes = [
  'ServerReady',
  'ZonesReady',
  'DiscoveryReady',
  'Resolvable',
  'MonitoringReady',
  'TailnetReady',
  'ResolverReady',
] as const;

/** What the status of an InternalDNS is derived from. */
export interface StatusInput extends ResolverInput {
  declaration: Declaration;
  /** The signatures published so far, by zone. */
  signatures: ReadonlyMap<string, Signature>;
  pods: KubernetesObject | undefined;
  /** By pod; undefined if missing or invalid. */
  reports: (Report | undefined)[];
  /** The ones on this declaration. */
  current: Report[];
  /** The StorageClasses of the cluster. Undefined if they are unknown or do not matter. */
  classes: readonly KubernetesObject[] | undefined;
}

export interface Assessment {
  status: z.infer<typeof status>;
  conditions: Condition[];
  ready: boolean;
}

/** The status, the conditions and the readiness of an InternalDNS. */
export function statusOf(input: StatusInput): Assessment {
  const { spec, names, endpoints, declaration, signatures, reports, current } = input;
  const { pods } = names;
  const { own } = endpoints;
  const of = { zones: declaration.zones, endpoints, signatures, pods, reports, current };
  const zones = zoneStatuses(of);
  const known = namesStatusOf(spec, reports);
  const resolution = resolutionStatusOf(pods, reports);
  const parts = [serverReady(input, current), zonesReady(zones, of), discoveryReady(spec, names.composite, reports)];
  const discovery = discoveryStatusOf(spec, reports);
  const tailnet = tailnetStatusOf(names.composite, spec, endpoints);
  const resolver = resolverStatusOf(input);
  const served = zones.filter(({ name, state }) => state === 'Serving' && spec.zones.some((z) => z.name === name));
  return {
    status: {
      address: own.addresses[0] ?? own.hostname,
      port: own.port,
      addresses: addressStatuses(endpoints),
      ...(tailnet && { tailnet }),
      ...(resolver && { resolver }),
      zonesServed: `${served.length}/${spec.zones.length}`,
      zones,
      ...(discovery && { discovery }),
      ...(known && { namesResolved: `${known.resolved}/${known.total}`, names: known }),
      ...(resolution && { resolution }),
    },
    conditions: [
      ...parts,
      resolvable({ spec, names, known, resolution }),
      monitoringReady(spec, reports),
      tailnetReady(spec, endpoints, reports),
      ...[resolverReady(input) ?? []].flat(),
    ],
    // Not Resolvable: a name that does not resolve is a problem of its object, not of this server.
    ready: parts.every(({ status }) => status === 'True') && isServed(resolution) && isAnswered(input.switchOver),
  };
}

/** Whether the pods to which Services lead exist: the self-test counts only once it has had an answer. */
const isAnswered = ({ leads, pods }: ResolverInput['switchOver']) => !leads || isAvailable(pods);

function serverReady({ spec, names, endpoints, pods, classes }: StatusInput, current: Report[]): Condition {
  const type = 'ServerReady';
  const { replicas } = spec;
  const state = pods?.status ?? {};
  if ((state.readyReplicas ?? 0) < replicas || (state.updatedReplicas ?? 0) < replicas) {
    const missing = classes && missingStorageClass(spec, pods, classes);
    // Both are facts. Without a StorageClass a pod can still get a volume that was created by hand, and wait for an image.
    if (missing) return no(type, 'NoStorageClass', `not every pod is ready, and ${missing}`);
    const restarts = featuresOf(spec).dynamic
      ? ' (the first check of an instance, or answer other than All, restarts its pods once)'
      : '';
    return no(
      type,
      'PodsNotReady',
      `not every pod is ready${restarts}; if this lasts: kubectl -n ${spec.namespace} describe pod -l app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${names.composite}`,
    );
  }
  const unreachable = noAddress(endpoints.own, spec);
  if (unreachable) return no(type, 'NoAddress', unreachable);
  const storage = current.find((r) => r.storage)?.storage;
  return yes(type, 'Serving', [...(storage ? [storage] : []), ...serviceNotes(endpoints, spec)].join('; '));
}
