import type { KubernetesObject, Observed } from '../../cdk8s-function-xp/composition.ts';
import { timestamp } from '../../contract/timestamp.ts';
import { resolverName } from '../names.ts';
import { replicaKey } from '../server/replica-service.ts';
import type { Spec } from '../spec.ts';
import type { Servers } from './backends.ts';
import { encrypted } from './dnsdist.ts';
import { clusterIPOf } from './views.ts';

/** The resource key of the resolver's Deployment. */
export const podsKey = 'resolver/pods';

/** How long the nodes of a cluster may take until each of them leads to the resolver. */
const settlingSeconds = 15;

/**
 * The states between server and resolver, so that no question is lost: Services lead to the resolver once it answers, and
 * it goes once they lead past it. As long as a node may still lead to the server, that answers everybody.
 */
export interface SwitchOver {
  /** Whether Services are to lead to the resolver. */
  leads: boolean;
  /** Since when they do in the cluster, so that a preview has no time. */
  since: string | undefined;
  /** Seconds until that has lasted long enough for every node; undefined if it has, or is of no interest. */
  settlesIn: number | undefined;
  /** Whether the server is to answer the resolver and agents alone. */
  closes: boolean;
  /** Whether the resolver, no longer in the spec, still has clients: it then stays as it is. */
  lingers: boolean;
  /** Whether the resolver, in the spec or not, asks the server through Services of the replicas. */
  needsBackends: boolean;
  /** The resolver's Deployment. */
  pods: KubernetesObject | undefined;
  /** The Service through which agents ask it, if Services are to lead to it. */
  agents: KubernetesObject | undefined;
}

export function switchOverOf(
  { resolver }: Pick<Spec, 'resolver'>,
  { status }: KubernetesObject,
  observed: Observed,
  now: Date,
): SwitchOver {
  const pods = observed[podsKey];
  const dns = observed['services/dns'];
  const hasLed = dns?.spec?.selector?.['app.kubernetes.io/name'] === resolverName;
  const isOn = resolver !== undefined;
  const isClosed = observed[policyKey]?.spec?.ingress?.[0]?.from !== undefined;
  // Nobody has asked a new instance yet, and its pods will start, unless they wait for a Secret.
  const isNew = isOn && !dns && !encrypted.some((field) => resolver[field]);
  // From then on they stay: whoever may ask must not depend on how the pods are.
  const leads = isOn ? hasLed || isNew || isAvailable(pods) : hasLed && isClosed;
  const since: string | undefined = isOn && hasLed ? (status?.resolver?.since ?? timestamp(now)) : undefined;
  const seconds = since === undefined ? 0 : (now.getTime() - Date.parse(since)) / 1000;
  const isSettling = since !== undefined && !isClosed && seconds < settlingSeconds;
  return {
    leads,
    since,
    settlesIn: isSettling ? Math.ceil(settlingSeconds - seconds) : undefined,
    closes: isNew || (since !== undefined && !isSettling),
    lingers: !isOn && pods !== undefined && hasLed,
    needsBackends: isOn || pods !== undefined,
    pods,
    agents: leads ? observed[agentsKey] : undefined,
  };
}

/** Whether one of the pods answers. */
export const isAvailable = (pods: KubernetesObject | undefined): boolean => (pods?.status?.availableReplicas ?? 0) > 0;

const agentsKey = 'resolver/agents';
/** Of the server's NetworkPolicy. */
const policyKey = 'access/network';

/** What dnsdist asks, as far as the cluster has assigned addresses. */
export const serversOf = (replicas: number, observed: Observed, views: Servers['views']): Servers => ({
  own: Array.from({ length: replicas }, (_, ordinal) => clusterIPOf(observed[replicaKey(ordinal)]) ?? []).flat(),
  views,
  families: observed[agentsKey]?.spec?.ipFamilies ?? ['IPv4', 'IPv6'],
});
