/** Whether a server rests when nothing changes, read off what its logs say. Pure. */

/** When something was changed that a server follows: milliseconds since 1970. */
export interface Change {
  from: number;
  /** When it was over; an object changes at once. */
  to: number;
  /** Such as `ingress e2e-zones/beside`. */
  what: string;
}

/** What the logs of one pod tell, in their order. */
export interface PodLog {
  pod: string;
  /** When it was started, and each of its containers anew. */
  starts: number[];
  /** When each ExternalDNS had looked and found nothing to do, by its container. */
  loops: Readonly<Record<string, readonly number[]>>;
  /** What the agent wrote into PowerDNS, such as `change zone corp.internal`. */
  writes: readonly { at: number; what: string }[];
}

/** Loops without anything to do after which all that a change leads to is done: the first may have begun before it. */
const settling = 3;
/** A change that is written more often than this is fought over. A write of every loop leaves no loop without anything to do. */
const attempts = 5;
/** How much later than the server the watcher may hear of a change: milliseconds. */
const lag = 5_000;

/** Writes that nothing has led to: a sentence each. */
export function writesWithoutCause({ pod, starts, loops, writes }: PodLog, changes: readonly Change[]): string[] {
  const causes = [...changes, ...starts.map((at) => ({ from: at, to: at, what: 'its start' }))];
  const inARow = new Map<string, number>();
  let since = Number.NEGATIVE_INFINITY;
  return writes.flatMap(({ at, what }) => {
    const isCaused = causes.some(({ from, to }) => from <= at + lag && at <= to);
    if (isCaused) return [];
    const last = causes.filter(({ to }) => to <= at).reduce(later, { from: 0, to: 0, what: 'nothing' });
    if (last.to !== since) inARow.clear();
    since = last.to;
    const times = (inARow.get(what) ?? 0) + 1;
    inARow.set(what, times);
    const rests = Object.values(loops).map((each) => each.filter((loop) => loop > last.to && loop < at).length);
    const rested = rests.length > 0 ? Math.min(...rests) : 0;
    const before = `${new Date(at).toISOString()} ${pod}: "${what}"`;
    const after = `since the last change (${last.what}, ${((at - last.to) / 1000).toFixed(1)} s before)`;
    if (rested >= settling) return [`${before} after ${rested} loops of ExternalDNS that had nothing to do ${after}`];
    return times === attempts ? [`${before} for the ${attempts}th time ${after}`] : [];
  });
}

const later = (a: Change, b: Change) => (b.to > a.to ? b : a);
