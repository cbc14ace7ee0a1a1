import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { isOwnKind } from '../../contract/source-kinds.ts';
import { Memo } from '../lib/memo.ts';
import { kinds } from '../sources/kind.ts';
import type { SourceChange } from '../sources/source-object.ts';
import { contentsOf } from '../sources/target.ts';
import type { AnticipationDifferences } from './anticipation-differences.ts';
import { type DesiredRecordsOptions, desiredRecordsAt } from './desired-records.ts';
import { type Endpoint, nameOf, resourceLabel } from './endpoint.ts';
import { kindLabelOf } from './resource-label.ts';
import { endpointsAt } from './source-endpoints.ts';

/** A name at which objects have changed, until ExternalDNS has seen that. */
interface AnticipatedName {
  /** The object that changed last: `ingress/shop/web`. */
  resource: string;
  /** When it did, in monotonic milliseconds. */
  changedAt: number;
  /** What ExternalDNS is about to ask for, on behalf of objects of the anticipated kinds. */
  endpoints: readonly Endpoint[];
  /** Loops that could have seen the change and asked for something else. */
  misses: number;
  /** Whether an object has changed since of which only ExternalDNS knows what it asks for. */
  isOutdated?: boolean;
}

/** How long a name stands against ExternalDNS: so many loops that began after the change, or intervals. */
const most = { misses: 2, intervals: 3 };

/**
 * What objects ask for before ExternalDNS does, for one ExternalDNS. A name is all that is replaced in its endpoints, since a
 * merged endpoint has the label of one object and one that repeats another is left out.
 *
 *                  an object changes                ExternalDNS asks for the same
 *     as asked ----------------------> anticipated -------------------------------> as asked
 *        ^                                  |
 *        |                                  | two loops that began after the change ask for something else,
 *        +------------ difference <---------+ or one that began three intervals after it
 *
 * A loop that began before the change, or whose informers lag behind, has no say: what it has not seen it would undo.
 */
export class Anticipation {
  readonly #differences: AnticipationDifferences;
  /** Changes that are not in `#names` yet, by name. */
  readonly #changed = new Map<string, Pick<AnticipatedName, 'resource' | 'changedAt'>>();
  readonly #names = new Map<string, AnticipatedName>();
  readonly #expected = new Memo<readonly Endpoint[]>();
  /** A new object after every change of `#names`. */
  #version = {};

  constructor(differences: AnticipationDifferences) {
    this.#differences = differences;
  }

  /** Records that an object has changed what it asks for. */
  record({ resource, hosts }: SourceChange, changedAt: number): void {
    for (const name of hosts) this.#changed.set(name, { resource, changedAt });
  }

  /** Reports whether changes were recorded that `anticipate` has not looked at. */
  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  /**
   * Works out what ExternalDNS is about to ask for at the names of all changes.
   * @param asked what it asked for last
   */
  anticipate(asked: readonly Endpoint[], context: DesiredRecordsOptions): void {
    if (this.#changed.size === 0) return;
    const { discovery, lister, scope } = context;
    const present = endpointsByName(this.#changed, this.expected(asked, discovery));
    const isAnticipated = (resource: string) => this.#isAnticipated(resource, discovery);
    const isWhole = this.#isWhole(discovery);
    for (const [name, change] of this.#changed) {
      if (!isAnticipated(change.resource)) continue;
      const sourceObjects = lister
        .byHost(name)
        .filter(({ namespace }) => scope.namespace === undefined || scope.namespace === namespace);
      const endpoints = endpointsAt(
        name,
        sourceObjects.filter(({ resource }) => isAnticipated(resource)),
      );
      if (!endpoints) {
        this.#outdate(name, change.changedAt);
        continue;
      }
      const own = (present.get(name) ?? []).filter((endpoint) => isAnticipated(resourceLabel(endpoint)));
      if (isWhole || includesAll(endpoints, own)) this.#names.set(name, { ...change, endpoints, misses: 0 });
    }
    this.#changed.clear();
    this.#version = {};
  }

  /** What ExternalDNS asked for, with what it is about to ask for instead. The same array while nothing changes. */
  expected(asked: readonly Endpoint[], discovery: DeclaredDiscovery): readonly Endpoint[] {
    if (this.#names.size === 0) return asked;
    return this.#expected.get([asked, discovery, this.#version], () => {
      const isReplaced = (endpoint: Endpoint) =>
        isAnticipatedKind(resourceLabel(endpoint), discovery) && this.#names.has(nameOf(endpoint));
      return [
        ...asked.filter((endpoint) => !isReplaced(endpoint)),
        ...this.#names.values().flatMap(({ endpoints }) => endpoints),
      ];
    });
  }

  /**
   * Compares what ExternalDNS asks for in a loop with what was expected, and gives up what it does not confirm.
   * @param startedAt when the loop began, in monotonic milliseconds
   */
  compare(asked: readonly Endpoint[], startedAt: number, context: DesiredRecordsOptions): void {
    const { discovery } = context;
    // Of a name that has just changed again nothing is expected yet.
    const isDue = ([name, { changedAt }]: [string, AnticipatedName]) =>
      startedAt > changedAt && !this.#changed.has(name);
    const due = new Map(this.#names.entries().filter(isDue));
    if (due.size === 0) return;
    const byName = endpointsByName(due, asked);
    for (const [name, anticipated] of due) {
      const own = (byName.get(name) ?? []).filter((each) => isAnticipatedKind(resourceLabel(each), discovery));
      const isSame = requestOf(name, own, context) === requestOf(name, anticipated.endpoints, context);
      if (!isSame) anticipated.misses++;
      const { misses, changedAt, resource } = anticipated;
      const isOver =
        misses >= most.misses || startedAt - changedAt >= most.intervals * discovery.intervalSeconds * 1000;
      if (!isSame && !isOver) continue;
      this.#names.delete(name);
      this.#version = {};
      if (isSame || anticipated.isOutdated) continue;
      this.#differences.record({ name, resource, anticipated: anticipated.endpoints, asked: own }, startedAt);
    }
  }

  /** What was anticipated stands until ExternalDNS has seen the change, too, and may then differ. */
  #outdate(name: string, changedAt: number): void {
    const anticipated = this.#names.get(name);
    if (anticipated) Object.assign(anticipated, { changedAt, misses: 0, isOutdated: true });
  }

  #isAnticipated(resource: string, discovery: DeclaredDiscovery): boolean {
    return isAnticipatedKind(resource, discovery) && !this.#differences.isSuspended(kindLabelOf(resource));
  }

  /**
   * Reports whether every endpoint comes from objects that are seen. If not, an equal endpoint of another object may be hidden
   * behind one that is, so nothing may vanish before ExternalDNS says so.
   */
  #isWhole({ sources }: DeclaredDiscovery): boolean {
    return sources.every(
      ({ kind, isAnticipated }) =>
        isOwnKind(kind) || (isAnticipated && !this.#differences.isSuspended(kinds[kind]?.label ?? '')),
    );
  }
}

/** Reports whether objects of a kind are anticipated unless they were wrong too often. */
export const isAnticipatedKind = (resource: string, discovery: DeclaredDiscovery): boolean =>
  anticipatedLabels(discovery).has(kindLabelOf(resource));

const labelsOf = new WeakMap<DeclaredDiscovery, ReadonlySet<string>>();

/** The anticipated kinds, as ExternalDNS calls them. */
function anticipatedLabels(discovery: DeclaredDiscovery): ReadonlySet<string> {
  const known = labelsOf.get(discovery);
  if (known) return known;
  // Nobody asks for Machines and claims later.
  const anticipated = discovery.sources.filter(({ kind, isAnticipated }) => isAnticipated && !isOwnKind(kind));
  const labels = new Set(anticipated.flatMap(({ kind }) => kinds[kind]?.label ?? []));
  labelsOf.set(discovery, labels);
  return labels;
}

function endpointsByName(
  names: ReadonlyMap<string, unknown>,
  endpoints: readonly Endpoint[],
): ReadonlyMap<string, Endpoint[]> {
  const byName = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const name = nameOf(endpoint);
    if (!names.has(name)) continue;
    const others = byName.get(name);
    if (others) others.push(endpoint);
    else byName.set(name, [endpoint]);
  }
  return byName;
}

/** What endpoints request at a name, object by object, as text: however they are merged and spelled. */
function requestOf(name: string, endpoints: readonly Endpoint[], context: DesiredRecordsOptions): string {
  const requested = desiredRecordsAt(name, endpoints, context);
  return JSON.stringify(
    requested
      .map(({ type, ttl, records, mark, fault }) => [type, mark?.content, ttl, fault ?? '', ...records].join('\n'))
      .sort(),
  );
}

/** Reports whether endpoints of one name have every target that others have. */
function includesAll(endpoints: readonly Endpoint[], others: readonly Endpoint[]): boolean {
  const contents = new Set(endpoints.flatMap(contentsIn));
  return others.flatMap(contentsIn).every((content) => contents.has(content));
}

const contentsIn = ({ recordType, targets }: Endpoint): string[] =>
  contentsOf(recordType, targets).map((content) => `${recordType} ${content}`);
