import * as z from 'zod';
import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import { sameTime, type TimeOf } from '../lib/clock.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { requestFor } from './requested-names.ts';

export interface GuardResult {
  /** To be put back into the answer, as it stands. */
  held: RRset[];
  /** While so many vanish at once that somebody should look. */
  report?: NonNullable<Report['discovery']['held']>;
}

/** A name that was published and that nobody wants. */
export const missingName = z.object({
  name: z.string(),
  /** The object that wanted it. */
  object: z.string(),
  /** When it was missed first: milliseconds since 1970. */
  since: z.number(),
  /** Whether it is one of a mass that vanishes, which lasts until none of them stands and is missed. */
  inMass: z.boolean().optional(),
  /** Whether it is held because several objects went at once: the last of them is none that went alone. */
  together: z.boolean().optional(),
  /** Whether nobody knows what was missed before, as after an upgrade: it is held whatever became of its object. */
  unsure: z.boolean().optional(),
});

export type MissingName = z.infer<typeof missingName>;

/** What a guard is to go on with. */
export interface GuardState {
  missing: readonly MissingName[];
  /** Whether what was missed of a name before is lost. */
  isLost: (name: string) => boolean;
}

/** With the moment in which it was missed first. */
type Entry = MissingName & { at: number };

/** Fewer names are never too many to vanish at once. */
const least = 5;

/**
 * Holds an owner's names that nobody wants any more, each for as long as a hold lasts:
 *
 * - however few, while their object is there and asks for them, and so has only lost its address: an ingress controller
 *   that restarts may clear the status of all its objects, one after the other;
 *   https://github.com/kubernetes-sigs/external-dns/issues/2677
 * - however few, while their object cannot be seen though its kind is looked at;
 * - otherwise while too many of them vanish: an ExternalDNS that has lost its view of the cluster wants nothing.
 *
 * All names of one object that is deleted, or no longer asks for them, go at once, however many they are. Where objects
 * of a kind are never seen, a deleted one and a cleared one look the same: there it must be the only one for as long as
 * a hold lasts.
 */
export class DeleteGuard {
  readonly #timeOf: TimeOf;
  /** By their names; what is not held is deleted, and counts for as long as a hold would last. */
  readonly #entries = new Map<string, Entry>();
  /** What was held and is let go, for as long as it stands and nobody wants it. */
  #released = new Set<string>();
  /** Since when names are held of a mass that vanishes: milliseconds since 1970. */
  #massSince: number | undefined;
  #isLost: GuardState['isLost'] = () => false;
  #missing: readonly MissingName[] | undefined = [];

  constructor(timeOf: TimeOf = sameTime) {
    this.#timeOf = timeOf;
  }

  /** Goes on where another guard was. */
  restore({ missing, isLost }: GuardState, now: number): void {
    const time = this.#timeOf(now);
    for (const entry of missing) {
      const since = Math.min(entry.since, time);
      this.#entries.set(entry.name, { ...entry, since, at: now - (time - since) });
    }
    this.#isLost = isLost;
    this.#missing = undefined;
  }

  /** For another guard to go on with: the same array for as long as nothing changes. */
  get missingNames(): readonly MissingName[] {
    this.#missing ??= [...this.#entries.values().map(({ at: _, ...entry }) => entry)];
    return this.#missing;
  }

  /**
   * @param standing what the owner's ExternalDNS finds
   * @param wanted the absolute names that are asked for: see `askedFor`
   * @param now the moment, in milliseconds
   */
  hold(
    current: RRset[],
    wanted: ReadonlySet<string>,
    { percent, holdSeconds, letGo = '' }: DeclaredDiscovery['deleteGuard'],
    lister: SourceLister,
    now: number,
  ): GuardResult {
    const time = this.#timeOf(now);
    const there = new Map(current.map((rrset) => [rrset.name, rrset]));
    const isOver = (entry: Entry) => now - entry.at >= holdSeconds * 1000 || entry.since < Date.parse(letGo);
    this.#forget(there, wanted, percent >= 100 ? () => true : isOver);
    if (percent >= 100) return { held: [] };
    this.#miss(there, wanted, { since: time, at: now });
    const losses = [...this.#entries.values()].map((entry) => ({ entry, loss: lossOf(entry, lister) }));
    const counted = counting(losses);
    const kept = there.size - this.#released.size - losses.filter(({ entry }) => there.has(entry.name)).length;
    const isMass = counted.length >= least && counted.length * 100 > percent * (counted.length + kept);
    const mass = counted.filter(({ entry }) => there.has(entry.name));
    const isOn = mass.length > 0 && (isMass || mass.some(({ entry }) => entry.inMass));
    if (isOn) this.#takeIn(mass);
    const held = losses.filter(({ entry, loss }) => there.has(entry.name) && (isHeldAlone(loss) || entry.together));
    const names = new Set(held.map(({ entry }) => entry.name));
    const first = held.reduce((since, { entry }) => Math.min(since, entry.since), time);
    this.#massSince = isOn ? (this.#massSince ?? first) : undefined;
    return { held: current.filter(({ name }) => names.has(name)), ...reportOf(names, this.#massSince) };
  }

  /** Forgets everything, as where nothing is deleted. */
  clear(): void {
    if (this.#entries.size > 0) this.#missing = undefined;
    this.#entries.clear();
    this.#released.clear();
    this.#massSince = undefined;
    this.#isLost = () => false;
  }

  /** Whether nothing is held or counted, so that time changes nothing. */
  get isIdle(): boolean {
    return this.#entries.size === 0 && this.#released.size === 0;
  }

  /** Whatever came back is as if it had never been away. What is over is let go. */
  #forget(there: ReadonlyMap<string, RRset>, wanted: ReadonlySet<string>, isOver: (entry: Entry) => boolean): void {
    this.#released = new Set([...this.#released].filter((name) => there.has(name) && !wanted.has(name)));
    for (const entry of this.#entries.values()) {
      if (!wanted.has(entry.name) && !isOver(entry)) continue;
      if (!wanted.has(entry.name) && there.has(entry.name)) this.#released.add(entry.name);
      this.#entries.delete(entry.name);
      this.#missing = undefined;
    }
  }

  #miss(there: ReadonlyMap<string, RRset>, wanted: ReadonlySet<string>, when: Pick<Entry, 'since' | 'at'>): void {
    for (const [name, { mark }] of there) {
      if (wanted.has(name) || this.#released.has(name) || this.#entries.has(name)) continue;
      const unsure = this.#isLost(name) && { unsure: true };
      this.#entries.set(name, { name, object: objectOf(name, mark), ...when, ...unsure });
      this.#missing = undefined;
    }
    this.#isLost = () => false;
  }

  #takeIn(mass: readonly Lost[]): void {
    for (const { entry, loss } of mass) {
      const isFresh = !entry.inMass || (!entry.together && !isHeldAlone(loss));
      if (!isFresh) continue;
      entry.inMass = true;
      if (!isHeldAlone(loss)) entry.together = true;
      this.#missing = undefined;
    }
  }
}

/** Names of which nobody knows the object are no names of one object. */
const objectOf = (name: string, mark: RRset['mark']) => (mark?.content.includes('/') ? mark.content : name);

/**
 * What became of a name's object. `Cleared`: it is there, asks for the name, and has lost its address. `Pod`: so it has,
 * but the name is that of one of its Pods. `Gone`: it is not, or no longer asks. `Unknown`: it is to be seen and cannot.
 * `Unseen`: its kind never is.
 */
type Loss = 'Cleared' | 'Pod' | 'Gone' | 'Unknown' | 'Unseen';

interface Lost {
  entry: Entry;
  loss: Loss;
}

function lossOf({ name, object, unsure }: Entry, lister: SourceLister): Loss {
  if (unsure || lister.isUnsynced(object)) return 'Unknown';
  if (!lister.hasSynced(object)) return 'Unseen';
  const request = requestFor(object, name, lister);
  if (request === 'Below') return 'Pod';
  return request ? 'Cleared' : 'Gone';
}

/** Whether a name is held by itself, even if it is the only one. */
const isHeldAlone = (loss: Loss) => loss === 'Cleared' || loss === 'Unknown';

/** Which names count towards a mass: those that do not go with their one object. */
function counting(losses: readonly Lost[]): Lost[] {
  const { Gone = [], Unseen = [], ...others } = Object.groupBy(losses, ({ loss }) => loss);
  const together = new Set(losses.filter(({ entry }) => entry.together).map(({ entry }) => entry.object));
  const areSeveral = (some: Lost[]) =>
    new Set(some.map(({ entry }) => entry.object)).size > 1 || some.some(({ entry }) => together.has(entry.object));
  const goneTogether = [...Map.groupBy(Gone, ({ entry }) => entry.at).values()].filter(areSeveral).flat();
  return [...Object.values(others).flat(), ...goneTogether, ...(areSeveral(Unseen) ? Unseen : [])];
}

function reportOf(names: ReadonlySet<string>, since: number | undefined): Pick<GuardResult, 'report'> {
  if (since === undefined) return {};
  const shown = [...names].sort().slice(0, bounds.held).map(withoutDot);
  return { report: { since: new Date(since).toISOString(), names: shown } };
}
