/** Checks in a server's logs that it writes nothing while nothing changes. Pure. */

/** A change of something that a server watches: milliseconds since 1970. */
export interface Change {
  from: number;
  /** The end; an object changes at once. */
  to: number;
  /** Such as `ingress e2e-zones/beside`. */
  what: string;
}

/** The logs of one pod, in order. */
export interface PodLog {
  pod: string;
  /** Starts of its containers. */
  starts: number[];
  /** Loops of ExternalDNS without changes, by container. */
  loops: Readonly<Record<string, readonly number[]>>;
  /** Writes of the agent to PowerDNS, such as `change zone corp.internal`. */
  writes: readonly { at: number; what: string }[];
}

/** Idle loops after which all effects of a change are written: the first may have begun before the change. */
const idleLoops = 3;
/** The same write this often means that two writers fight. No loop is idle if every loop writes. */
const maxRepeats = 5;
/** How much later than the server the watcher may see a change: milliseconds. */
const lag = 5_000;

/** Writes without a cause: a sentence each. */
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
    const counts = Object.values(loops).map((each) => each.filter((loop) => loop > last.to && loop < at).length);
    const idle = counts.length > 0 ? Math.min(...counts) : 0;
    const before = `${new Date(at).toISOString()} ${pod}: "${what}"`;
    const after = `since the last change (${last.what}, ${((at - last.to) / 1000).toFixed(1)} s before)`;
    if (idle >= idleLoops) return [`${before} after ${idle} idle loops of ExternalDNS ${after}`];
    return times === maxRepeats ? [`${before} for the ${maxRepeats}th time ${after}`] : [];
  });
}

const later = (a: Change, b: Change) => (b.to > a.to ? b : a);
