import { isDeepStrictEqual } from 'node:util';
import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import { maxChecks } from '../../dns/health-check.ts';
import { absolute } from '../../dns/name.ts';
import { checkCount } from '../../dns/record.ts';
import type { Endpoint } from '../discovery/endpoint.ts';
import type { Sources } from '../discovery/provider.ts';
import { isOwn } from '../discovery/resource-label.ts';
import { nameRestrictions } from '../discovery/tenancy.ts';
import { Memo, MemoByKey } from '../lib/memo.ts';
import { discoveredMark, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { HostIndex } from '../sources/host-index.ts';
import type { Inventory, Machine } from '../sources/own-object.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { withAnswer } from './answered-rrset.ts';
import type { TranslatedMachine } from './machine-records.ts';
import { serviceTest } from './service-address.ts';
import { sourceObjectOf, type Translated } from './translated.ts';
import { type Translation, type TranslationInput, translate } from './translation.ts';

/**
 * The source objects of the cluster, and beside them those that its Machines and claims are translated into:
 *
 *     inventory, declaration ──> translation ──> source objects: who asks for which name, since when
 *                                           └──> endpoints: what of, as if ExternalDNS had sent them
 *
 * Every claim depends on all Machines, so they are translated together, and again only after a change. What comes out the
 * same is the same object.
 */
export class TranslatedSources implements Sources {
  readonly #others: SourceLister;
  readonly #now: () => number;
  readonly #index = new HostIndex();
  readonly #translated = new Memo<void>();
  readonly #machines = new MemoByKey<Machine, TranslatedMachine>();
  readonly #endpoints = new Map<string | undefined, readonly Endpoint[]>();
  #byResource: ReadonlyMap<string, Translated> = new Map();
  #translation: Translation | undefined;

  /** @param now monotonic milliseconds */
  constructor(others: SourceLister, now: () => number) {
    this.#others = others;
    this.#now = now;
  }

  /**
   * Translates again what has changed. Not while sources have not synced: what is not listed yet would be missed.
   * @param computes whether PowerDNS runs LUA records
   */
  update(declaration: Declaration, computes: boolean): void {
    const { discovery } = declaration;
    const { inventory } = this.#others;
    this.#translated.get([inventory, discovery && declaration, computes], () => {
      if (inventory && discovery)
        this.#replace(translate({ ...this.#inputOf(inventory, declaration, discovery), computes }));
      else this.#clear();
    });
  }

  /** What Machines and claims ask for. Undefined before they are known; the same object until something changes. */
  get translation(): Translation | undefined {
    return this.#translation;
  }

  endpoints(namespace?: string): readonly Endpoint[] {
    const known = this.#endpoints.get(namespace);
    if (known) return known;
    const endpoints = [...this.#byResource.values()].flatMap(({ object, endpoints }) =>
      namespace === undefined || object.namespace === namespace ? endpoints : [],
    );
    this.#endpoints.set(namespace, endpoints);
    return endpoints;
  }

  computed(rrset: RRset): RRset {
    const translated = this.#byResource.get(resourceOf(rrset));
    return translated ? withAnswer(rrset, translated) : rrset;
  }

  get version(): number {
    return this.#others.version + this.#index.version;
  }

  get revision(): number {
    return this.#others.revision + this.#index.revision;
  }

  hasSynced(resource: string): boolean {
    return this.#others.hasSynced(resource);
  }

  isUnsynced(resource: string): boolean {
    return this.#others.isUnsynced(resource) || (isOwn(resource) && this.#isAwaited);
  }

  unsynced(): string | undefined {
    return this.#others.unsynced() ?? this.#others.inventory?.awaited;
  }

  get(resource: string): SourceObject | undefined {
    return this.#indexOf(resource).get(resource);
  }

  changedAt(resource: string): number | undefined {
    return this.#indexOf(resource).changedAt(resource);
  }

  byHost(name: string): readonly SourceObject[] {
    const [others, own] = [this.#others.byHost(name), this.#index.byHost(name)];
    if (own.length === 0) return others;
    return others.length === 0 ? own : [...others, ...own];
  }

  *list(): Iterable<SourceObject> {
    yield* this.#others.list();
    yield* this.#index.list();
  }

  *listFiltered(): Iterable<SourceObject> {
    yield* this.#others.listFiltered();
    yield* this.#index.listFiltered();
  }

  filteredOf(resource: string): readonly SourceObject[] {
    return this.#indexOf(resource).filteredOf(resource);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.#others.namespaceLabels(namespace);
  }

  get inventory(): Inventory | undefined {
    return this.#others.inventory;
  }

  /** Whether there are Machines or claims that are not translated yet. */
  get #isAwaited(): boolean {
    return this.#translation === undefined && this.#others.inventory !== undefined;
  }

  #indexOf(resource: string): Pick<SourceLister, 'get' | 'changedAt' | 'filteredOf'> {
    return isOwn(resource) ? this.#index : this.#others;
  }

  #inputOf(
    inventory: Inventory,
    declaration: Declaration,
    discovery: DeclaredDiscovery,
  ): Omit<TranslationInput, 'computes'> {
    const { zones } = declaration;
    const restrictions = nameRestrictions(discovery, this.#others);
    return {
      ...inventory,
      zones: new Map(zones.map(({ name, dnssec }) => [absolute(name), dnssec !== undefined])),
      tenants: discovery.tenants,
      mayHave: (resource: string, name: string) =>
        restrictions.for({ name, type: 'A', ttl: 0, records: [], mark: discoveredMark('', resource) }) === undefined,
      isOfService: serviceTest(declaration, inventory),
      checksLeft: Math.max(0, maxChecks - checkCount(zones.flatMap(({ records = [] }) => records))),
      remembered: (machine, work) => this.#machines.get(machine, [declaration, inventory.labelsOf], work),
    };
  }

  #replace(translation: Translation): void {
    const isFirst = this.#translation === undefined;
    const before = this.#byResource;
    const same = <T extends Translated>(each: T): T => {
      const last = before.get(each.object.resource);
      return last && areEqual(last, each) ? (last as T) : each;
    };
    const [machines, others] = [translation.machines.map(same), translation.others.map(same)];
    const after = new Map([...machines, ...others].map((each) => [each.object.resource, each]));
    const changed = [...after.values()].filter((each) => before.get(each.object.resource) !== each);
    const removed = [...before.keys()].filter((resource) => !after.has(resource));
    if (!isFirst && changed.length + removed.length === 0) return;
    const changedAt = isFirst ? undefined : this.#now();
    for (const each of changed) this.#index.set(each.object.resource, [sourceObjectOf(each)], changedAt);
    for (const resource of removed) this.#index.set(resource, [], changedAt);
    // Who gets no verdict before has one now.
    if (isFirst) this.#index.touch();
    this.#byResource = after;
    this.#translation = { machines, others };
    this.#endpoints.clear();
  }

  #clear(): void {
    for (const resource of this.#byResource.keys()) this.#index.set(resource, []);
    this.#byResource = new Map();
    this.#translation = undefined;
    this.#endpoints.clear();
  }
}

/** Most Machines are the same as before, but for the claims that have them: comparing all that they ask for takes longer. */
function areEqual(last: Translated, each: Translated): boolean {
  const isSame = last.object === each.object && last.endpoints === each.endpoints && last.hosts === each.hosts;
  return isSame ? isDeepStrictEqual(last.finding.claims, each.finding.claims) : isDeepStrictEqual(last, each);
}
