import { timestamp } from '../../contract/timestamp.ts';
import { isServing, type Pod, type PodCondition, withCondition } from '../kubernetes/pod.ts';

/** The pods of an instance at the API server. */
export interface Pods {
  /** Returns undefined if it does not exist. */
  read(name: string): Promise<Pod | undefined>;
  /** Merges into a pod's status. Returns false if the pod does not have the `resourceVersion` of `body` any more. */
  mergeStatus(name: string, body: object): Promise<boolean>;
}

export interface Removal {
  pods: Pods;
  /** The pod of this agent. */
  self: string;
  /** The pod that does not answer, as it was when it was ready last. */
  silent: Pod;
  now?: () => Date;
}

/** The condition of the own pod that says which other one it took out last. */
const tookOut = 'dns.internal/TookOut';

/**
 * Takes a pod that does not answer out of its Services, as the node lifecycle controller does with the pods of a dead node
 * 40 seconds later: it sets the condition Ready to False. A kubelet that is alive sets it back.
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/util/node/controller_utils.go (MarkPodsNotReady)
 *
 * Replicas that do not reach each other must never take out each other. So an agent writes to its own pod, while that is
 * ready, between reading the silent one and writing to it. If that one's agent has meanwhile written to its own pod to do
 * the same, its version has changed, and the write fails; if it does so later, it is no longer ready. In a circle of such
 * removals each agent would have written to its own pod before the next one did, so there is none.
 *
 * Returns whether it was taken out; if not, either pod has just changed.
 */
export async function removeFromServices({ pods, self, silent, now = () => new Date() }: Removal): Promise<boolean> {
  const own = await pods.read(self);
  if (!isServing(own)) return false;
  const at = { reason: 'NoAnswer', lastTransitionTime: timestamp(now()) };
  const { name: peer, resourceVersion } = silent.metadata;
  // A write without a change would not give the pod another version. This one differs each time.
  const what = `${peer} did not answer at version ${resourceVersion}`;
  const why = `${self} gets no answer from this pod`;
  return (
    (await merge(pods, own, { type: tookOut, status: 'True', message: what, ...at })) &&
    (await merge(pods, silent, { type: 'Ready', status: 'False', message: why, ...at }))
  );
}

function merge(pods: Pods, pod: Pod, condition: PodCondition): Promise<boolean> {
  const { name, uid, resourceVersion } = pod.metadata;
  const conditions = withCondition(pod, condition);
  return pods.mergeStatus(name, { metadata: { uid, resourceVersion }, status: { conditions } });
}
