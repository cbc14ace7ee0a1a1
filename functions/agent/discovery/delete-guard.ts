import { type DeclaredDiscovery, letGoCommand } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import { sameTime, type TimeOf } from '../lib/clock.ts';
import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { sameAnswer } from './conflict.ts';
import type { RejectedRecord } from './evaluation.ts';
import { causeOf, type MissingCause, type MissingName } from './missing-names.ts';

export interface GuardResult {
  /** To be put back into the answer as they are. */
  held: RRset[];
  /** During a mass deletion, which somebody should look into. */
  report?: NonNullable<Report['discovery']['held']>;
}

/** What another guard left. */
export interface GuardState {
  missing: readonly MissingName[];
  /** Whether the state of a name's zone is lost. */
  isLost: (name: string) => boolean;
}

/** With the time on the monotonic clock at which the name was first missing. */
type Entry = MissingName & { at: number };

interface Missing {
  entry: Entry;
  cause: MissingCause;
}

/** A mass deletion has at least this many names. */
export const leastInMass = 5;

/**
 * Objects that go so soon after another count as going together, although each takes its names with it at once: one loop
 * of ExternalDNS would find them all gone. Milliseconds.
 */
export const burstMs = 2_000;

/**
 * Holds the names of one ExternalDNS that are published and no longer requested, each for `holdSeconds` at most.
 *
 *                  not requested             must be held
 *     published ------------------> missing --------------> held
 *         ^                           |                      |  hold over, released by
 *         | requested again           | need not be held     |  annotation, or guard off
 *         | (from every state)        v                      v
 *         +------------------------ deleted <------------ released
 *
 * This is decided in every loop, so a held name may be deleted before its hold is over. A missing name must be held
 * - while its object exists and requests it, so that it has only lost its address, however few names are missing: an
 *   ingress controller that restarts may clear the status of all its objects, one after the other;
 *   https://github.com/kubernetes-sigs/external-dns/issues/2677
 * - while its object cannot be seen although its kind is watched, however few names are missing;
 * - during a mass deletion: an ExternalDNS that has lost its view of the cluster requests nothing.
 *
 * All names of one object that is deleted or no longer requests them are deleted at once, however many they are. Where
 * objects of a kind are not watched, a deleted object looks like a cleared one: it must be the only one within a hold.
 *
 * A deleted name is still counted as missing until its hold would be over. A released name is never held again before
 * it was deleted or requested.
 */
export class DeleteGuard {
  readonly #timeOf: TimeOf;
  /** Missing names, whether held or deleted. */
  readonly #entries = new Map<string, Entry>();
  /** Names that are published, not requested, and no longer held. */
  #released = new Set<string>();
  #isSettling = false;
  /** Milliseconds since 1970; undefined unless there is a mass deletion. */
  #massSince: number | undefined;
  #isLost: GuardState['isLost'] = () => false;
  #missing: readonly MissingName[] | undefined = [];

  constructor(timeOf: TimeOf = sameTime) {
    this.#timeOf = timeOf;
  }

  /** Continues from the state of another guard. */
  restore({ missing, isLost }: GuardState, now: number): void {
    const time = this.#timeOf(now);
    for (const entry of missing) {
      const since = Math.min(entry.since, time);
      this.#entries.set(entry.name, { ...entry, since, at: now - (time - since) });
    }
    this.#isLost = isLost;
    this.#missing = undefined;
  }

  /** The state to restore another guard from. */
  get missingNames(): readonly MissingName[] {
    this.#missing ??= [...this.#entries.values().map(({ at: _, ...entry }) => entry)];
    return this.#missing;
  }

  /** Reports whether names are held only until it shows whether further objects go. */
  get isSettling(): boolean {
    return this.#isSettling;
  }

  /**
   * Returns the RRsets to hold in this loop.
   * @param current what ExternalDNS finds
   * @param requested the absolute names that are not missing: see `requestedNames`
   * @param now milliseconds on the monotonic clock
   * @param settles whether the names of objects that go one soon after the other, the first aside, are held until none has
   *   gone for a while: where each object takes its names with it at once, they would be gone before there are enough for a
   *   mass deletion
   */
  hold(
    current: RRset[],
    requested: ReadonlySet<string>,
    { percent, holdSeconds, letGo = '' }: DeclaredDiscovery['deleteGuard'],
    lister: SourceLister,
    now: number,
    settles = false,
  ): GuardResult {
    const time = this.#timeOf(now);
    this.#isSettling = false;
    const published = new Map(current.map((rrset) => [rrset.name, rrset]));
    const isOver = (entry: Entry) => now - entry.at >= holdSeconds * 1000 || entry.since < Date.parse(letGo);
    this.#release(published, requested, percent >= 100 ? () => true : isOver);
    if (percent >= 100) return { held: [] };
    this.#addMissing(published, requested, { since: time, at: now });
    const missing = [...this.#entries.values()].map((entry) => ({ entry, cause: causeOf(entry, lister) }));
    const isPublished = ({ entry }: Missing) => published.has(entry.name);
    const gone = inBursts(missing.filter(({ cause }) => cause === 'ObjectGone'));
    const counted = countedForMass(missing, gone);
    const kept = published.size - this.#released.size - missing.filter(isPublished).length;
    const isOverLimit = counted.length >= leastInMass && counted.length * 100 > percent * (counted.length + kept);
    const mass = counted.filter(isPublished);
    const isMass = mass.length > 0 && (isOverLimit || mass.some(({ entry }) => entry.inMass));
    if (isMass) this.#markMass(mass);
    const held = missing.filter((each) => isPublished(each) && (isHeldAlone(each.cause) || each.entry.together));
    const names = new Set(held.map(({ entry }) => entry.name));
    const first = held.reduce((since, { entry }) => Math.min(since, entry.since), time);
    this.#massSince = isMass ? (this.#massSince ?? first) : undefined;
    const settling = settles ? settlingAmong(gone, now).filter(isPublished) : [];
    this.#isSettling = settling.some(({ entry }) => !names.has(entry.name));
    const all = names.union(new Set(settling.map(({ entry }) => entry.name)));
    return { held: current.filter(({ name }) => all.has(name)), ...reportOf(names, this.#massSince) };
  }

  /** Forgets all names, as under a policy that deletes nothing. */
  clear(): void {
    if (this.#entries.size > 0) this.#missing = undefined;
    this.#entries.clear();
    this.#released.clear();
    this.#massSince = undefined;
    this.#isSettling = false;
    this.#isLost = () => false;
  }

  /** Reports whether no name is missing or released, so that the result does not depend on time. */
  get isIdle(): boolean {
    return this.#entries.size === 0 && this.#released.size === 0;
  }

  /** Forgets names that are requested again, and releases those whose hold is over. */
  #release(
    published: ReadonlyMap<string, RRset>,
    requested: ReadonlySet<string>,
    isOver: (entry: Entry) => boolean,
  ): void {
    this.#released = new Set([...this.#released].filter((name) => published.has(name) && !requested.has(name)));
    for (const entry of this.#entries.values()) {
      if (!requested.has(entry.name) && !isOver(entry)) continue;
      if (!requested.has(entry.name) && published.has(entry.name)) this.#released.add(entry.name);
      this.#entries.delete(entry.name);
      this.#missing = undefined;
    }
  }

  #addMissing(
    published: ReadonlyMap<string, RRset>,
    requested: ReadonlySet<string>,
    when: Pick<Entry, 'since' | 'at'>,
  ): void {
    for (const [name, { mark }] of published) {
      if (requested.has(name) || this.#released.has(name) || this.#entries.has(name)) continue;
      const unsure = this.#isLost(name) && { unsure: true };
      this.#entries.set(name, { name, object: objectOf(name, mark), ...when, ...unsure });
      this.#missing = undefined;
    }
    this.#isLost = () => false;
  }

  #markMass(mass: readonly Missing[]): void {
    for (const { entry, cause } of mass) {
      const isMarked = entry.inMass && (entry.together || isHeldAlone(cause));
      if (isMarked) continue;
      entry.inMass = true;
      if (!isHeldAlone(cause)) entry.together = true;
      this.#missing = undefined;
    }
  }
}

/** Names without a known object count as an object each. */
const objectOf = (name: string, mark: RRset['mark']) => (mark?.content.includes('/') ? mark.content : name);

/** Reports whether a name is held even if it is the only one that is missing. */
const isHeldAlone = (cause: MissingCause) => cause === 'AddressLost' || cause === 'Unsynced';

/** Returns the names that count toward a mass deletion: all but those that vanish with a single object. */
function countedForMass(missing: readonly Missing[], gone: readonly Missing[][]): Missing[] {
  const { ObjectGone: _, Unwatched = [], ...others } = Object.groupBy(missing, ({ cause }) => cause);
  const together = new Set(missing.filter(({ entry }) => entry.together).map(({ entry }) => entry.object));
  const count = (some: Missing[]) => areOfSeveral(some) || some.some(({ entry }) => together.has(entry.object));
  return [...Object.values(others).flat(), ...gone.filter(count).flat(), ...(count(Unwatched) ? Unwatched : [])];
}

/** Returns names of objects that went one soon after the other, the last one just now. */
const settlingAmong = (gone: readonly Missing[][], now: number): Missing[] =>
  gone.filter((burst) => now - (burst.at(-1) as Missing).entry.at < burstMs && areOfSeveral(burst)).flat();

const areOfSeveral = (some: readonly Missing[]) => new Set(some.map(({ entry }) => entry.object)).size > 1;

/** Groups names that went one soon after the other. */
function inBursts(missing: readonly Missing[]): Missing[][] {
  const bursts: Missing[][] = [];
  for (const each of [...missing].sort((a, b) => a.entry.at - b.entry.at)) {
    const last = bursts.at(-1);
    if (last && each.entry.at - (last.at(-1) as Missing).entry.at < burstMs) last.push(each);
    else bursts.push([each]);
  }
  return bursts;
}

function reportOf(names: ReadonlySet<string>, since: number | undefined): Pick<GuardResult, 'report'> {
  if (since === undefined) return {};
  const shown = [...names].sort().slice(0, bounds.held).map(withoutDot);
  return { report: { since: new Date(since).toISOString(), names: shown } };
}

/** Rejects what another object would publish at a held name, unless that is what the name answers. */
export function withoutHeldNames(
  accepted: readonly RRset[],
  held: readonly RRset[],
  composite: string,
): { accepted: RRset[]; refused: RejectedRecord[] } {
  const heldByName = Map.groupBy(held, ({ name }) => name);
  const { free = [], taken = [] } = Object.groupBy(accepted, ({ name }) => (heldByName.has(name) ? 'taken' : 'free'));
  const refused = taken.flatMap((rrset): RejectedRecord[] => {
    const atName = heldByName.get(rrset.name) as RRset[];
    if (atName.some((each) => sameAnswer(each, rrset))) return [];
    const message = `the delete guard holds the name for ${resourceOf(atName[0] as RRset)} (to release it: ${letGoCommand(composite)})`;
    return [{ rrset, verdict: 'Duplicate', message }];
  });
  return { accepted: free, refused };
}
