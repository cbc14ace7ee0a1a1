import { withoutDot } from '../../dns/name.ts';
import type { DeclaredDiscovery } from '../declaration.ts';
import { bounds, type Report } from '../report.ts';
import type { RRset } from '../zone.ts';
import type { Claims } from './claim.ts';
import { stillAsks } from './succession.ts';

export interface Guarded {
  /** To be put back into the answer, as it stands. */
  held: RRset[];
  report?: NonNullable<Report['discovery']['held']>;
}

/** Fewer names are never too many to vanish at once. */
const least = 5;

/** A name that stood and that nobody wants. */
interface Vanished {
  name: string;
  /** The object that wanted it. */
  object: string;
  /** By the guard's own clock: the loop in which it was missed first. */
  at: number;
}

interface Hold {
  /** Milliseconds since 1970. */
  since: number;
  /** By the guard's own clock. */
  began: number;
  names: ReadonlySet<string>;
  /** Those whose names are held because several went at once: the last of them is none that went alone. */
  objects: ReadonlySet<string>;
}

/**
 * Holds an owner's names while too many of them vanish: an ingress controller that restarts may clear the status of
 * all its objects, one after the other, and an ExternalDNS that has lost its view of the cluster wants nothing.
 * https://github.com/kubernetes-sigs/external-dns/issues/2677
 *
 * All names of one object that is deleted, or no longer asks for them, go at once, however many they are. Where objects
 * are not seen, a deleted one and a cleared one look the same: there it must be the only one for as long as a hold lasts.
 *
 * The state is in memory. After a restart a hold begins anew: it lasts longer then, and deletes nothing too early.
 */
export class DeleteGuard {
  #hold: Hold | undefined;
  /** By their names; what is not held is deleted, and counts for as long as a hold would last. */
  readonly #vanished = new Map<string, Vanished>();
  /** What was held and is let go, for as long as it stands and nobody wants it. */
  #released = new Set<string>();
  #clock = 0;
  #heardAt: number | undefined;

  /**
   * @param standing what the owner's ExternalDNS finds
   * @param wanted the absolute names that are asked for: see `askedFor`
   * @param now milliseconds since 1970
   */
  hold(
    standing: RRset[],
    wanted: ReadonlySet<string>,
    { percent, holdSeconds, letGo = '' }: DeclaredDiscovery['deleteGuard'],
    claims: Claims,
    now: number,
  ): Guarded {
    const at = this.#tick(now);
    const isOver = (hold: Hold) => at - hold.began >= holdSeconds * 1000 || Date.parse(letGo) > hold.since;
    if (percent >= 100 || (this.#hold && isOver(this.#hold))) this.#release();
    const there = new Map(standing.map((rrset) => [rrset.name, rrset]));
    this.#forget(there, wanted, at - holdSeconds * 1000);
    const missing = [...there.values()].filter(({ name }) => !wanted.has(name) && !this.#released.has(name));
    for (const { name, mark } of missing) {
      if (!this.#vanished.has(name)) this.#vanished.set(name, { name, object: objectOf(name, mark), at });
    }
    const counted = counting([...this.#vanished.values()], this.#hold?.objects ?? new Set(), claims);
    const kept = there.size - this.#released.size - missing.length;
    if (!this.#hold && counted.size >= least && counted.size * 100 > percent * (counted.size + kept)) {
      this.#hold = { since: now, began: at, names: new Set(), objects: new Set() };
    }
    if (this.#hold) this.#hold = extended(this.#hold, counted.intersection(there), this.#vanished, claims);
    if (this.#hold && isOver(this.#hold)) this.#release();
    return guarded(standing, this.#hold);
  }

  /** Whether nothing is held or counted, so that time changes nothing. */
  get isIdle(): boolean {
    return !this.#hold && this.#vanished.size === 0 && this.#released.size === 0;
  }

  /** The guard's own clock, which a wall clock that is set back does not hold up. Milliseconds. */
  #tick(now: number): number {
    this.#clock += Math.max(0, now - (this.#heardAt ?? now));
    this.#heardAt = now;
    return this.#clock;
  }

  #release(): void {
    for (const name of this.#hold?.names ?? []) this.#released.add(name);
    this.#hold = undefined;
    this.#vanished.clear();
  }

  /** Whatever came back is as if it had never been away. */
  #forget(there: ReadonlyMap<string, RRset>, wanted: ReadonlySet<string>, before: number): void {
    this.#released = new Set([...this.#released].filter((name) => there.has(name) && !wanted.has(name)));
    for (const { name, at } of this.#vanished.values()) {
      if (wanted.has(name) || at <= before) this.#vanished.delete(name);
    }
  }
}

/** Names of which nobody knows the object are no names of one object. */
const objectOf = (name: string, mark: RRset['mark']) => (mark?.content.includes('/') ? mark.content : name);

type Cause = 'Cleared' | 'Gone' | 'Unseen';

/** Whether an object still asks for a name, and so has lost its address, or no longer does. */
function causeOf({ name, object }: Vanished, claims: Claims): Cause {
  if (!claims.sees(object)) return 'Unseen';
  return stillAsks(object, name, claims) ? 'Cleared' : 'Gone';
}

/** Which names are none that go with their one object. */
function counting(vanished: Vanished[], objects: ReadonlySet<string>, claims: Claims): ReadonlySet<string> {
  const { Cleared = [], Gone = [], Unseen = [] } = Object.groupBy(vanished, (each) => causeOf(each, claims));
  const areSeveral = (some: Vanished[]) =>
    new Set(some.map(({ object }) => object)).size > 1 || some.some(({ object }) => objects.has(object));
  const together = [...Map.groupBy(Gone, ({ at }) => at).values()].filter(areSeveral).flat();
  return new Set([...Cleared, ...together, ...(areSeveral(Unseen) ? Unseen : [])].map(({ name }) => name));
}

/** A hold takes in what vanishes during it, and is over when everything has come back. */
function extended(
  hold: Hold,
  names: ReadonlySet<string>,
  vanished: ReadonlyMap<string, Vanished>,
  claims: Claims,
): Hold | undefined {
  if (names.size === 0) return undefined;
  const objects = [...names]
    .map((name) => vanished.get(name))
    .filter((each) => each !== undefined)
    .filter((each) => causeOf(each, claims) !== 'Cleared')
    .map(({ object }) => object);
  return { ...hold, names, objects: hold.objects.union(new Set(objects)) };
}

function guarded(standing: RRset[], hold: Hold | undefined): Guarded {
  if (!hold) return { held: [] };
  const names = [...hold.names].sort().slice(0, bounds.held).map(withoutDot);
  return {
    held: standing.filter(({ name }) => hold.names.has(name)),
    report: { since: new Date(hold.since).toISOString(), names },
  };
}
