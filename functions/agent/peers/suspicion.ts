import { isServing, type Pod } from '../kubernetes/pod.ts';

/** What an agent remembers of another replica between two questions. */
export interface Suspicion {
  /** The address at which it is asked. Undefined until its pod has one. */
  readonly ip?: string | undefined;
  /** Whether it has answered there since it was last taken out. */
  readonly hasAnswered: boolean;
  /** When it was last taken out, in monotonic milliseconds. */
  readonly takenOutAt?: number | undefined;
}

export const unknown: Suspicion = { hasAnswered: false };

/** At the least between two removals of one replica: a network that comes and goes must not make its Services flap. */
const restMs = 60_000;

export const afterAnswer = (suspicion: Suspicion): Suspicion =>
  suspicion.hasAnswered ? suspicion : { ...suspicion, hasAnswered: true };

export const afterRemoval = (suspicion: Suspicion, now: number): Suspicion => ({
  ...suspicion,
  hasAnswered: false,
  takenOutAt: now,
});

/**
 * What follows from a silence, given the replica's pod as the API server has it; undefined if it does not exist. `silent` is
 * the pod if it is to be taken out of its Services. Only who has answered can fall silent, so each silence leads to one
 * removal: if kubelet, which sees the pod, then says that it is ready, the network in between is at fault, and kubelet's
 * word stands.
 */
export function afterSilence(
  suspicion: Suspicion,
  pod: Pod | undefined,
  now: number,
): { suspicion: Suspicion; silent?: Pod } {
  const ip = pod?.status?.podIP;
  if (ip !== suspicion.ip) return { suspicion: { ...unknown, ip } };
  const { hasAnswered, takenOutAt = Number.NEGATIVE_INFINITY } = suspicion;
  const isToGo = hasAnswered && isServing(pod) && now - takenOutAt >= restMs;
  return { suspicion, ...(isToGo && { silent: pod }) };
}
