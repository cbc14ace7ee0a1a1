import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { isOwnKind, mayCheck } from '../../contract/source-kinds.ts';
import type { Client } from '../kubernetes/client.ts';
import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import type { KubernetesObject, Labels } from '../kubernetes/object.ts';
import { monotonicNow } from '../lib/clock.ts';
import { HostIndex } from './host-index.ts';
import { type InformerSpec, informerSpecs, type SourceInformerSpec } from './informer-spec.ts';
import { kinds, namespaces, pathOf } from './kind.ts';
import type { Gateway } from './kinds/gateway.ts';
import type { Inventory, Machine, Malformed, NameClaim, OwnObject, ZoneObject } from './own-object.ts';
import { ServiceRanges, serviceCIDRsPath } from './service-ranges.ts';
import { SourceInformer, type StatusSink } from './source-informer.ts';
import type { SourceChange, SourceLister } from './source-object.ts';

export interface SourceCacheOptions {
  client: Client;
  /** Why an action such as `watch ingresses` fails; without a failure, that it works again or is no longer needed. */
  onFailure?: (action: string, failure?: string) => void;
  /** An object was deleted whose kind needs these resources, which may be on their way out, too. */
  onRemoval?: (resources: readonly string[]) => void;
  /** An object has changed after it was listed; without one, what is known about all of them. */
  onChange?: (change?: SourceChange) => void;
  seen?: StatusSink | undefined;
  backoff?: InformerOptions<never>['backoff'];
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The index of source objects, kept up to date by an informer for each kind and namespace of the declaration. */
export class SourceCache extends HostIndex implements SourceLister {
  readonly #options: SourceCacheOptions;
  readonly #informers = new Map<string, SourceInformer>();
  readonly #gateways = new Map<string, Informer<Gateway>>();
  #namespaces: Informer<Labels> | undefined;
  #discovery: DeclaredDiscovery | undefined;
  #served: ReadonlySet<string> | undefined;
  /** Resources of deleted objects: until API discovery answers, their definitions may have been deleted as well. */
  readonly #unconfirmed = new Set<string>();
  readonly #serviceRanges: ServiceRanges;
  #servesRanges: boolean | undefined;
  #inventory: Inventory | undefined;
  #isInventoryOutdated = true;
  #labelsOf: Inventory['labelsOf'] = () => undefined;

  constructor(options: SourceCacheOptions) {
    super((change) => options.onChange?.(change));
    this.#options = options;
    this.#serviceRanges = new ServiceRanges({
      ...this.#informerOptions(serviceCIDRsPath),
      onChange: () => this.#onOwnChange(),
    });
  }

  /** Starts and stops informers as the declaration requires. Those that it leaves unchanged go on. */
  setDiscovery(discovery: DeclaredDiscovery | undefined): void {
    this.#discovery = discovery;
    this.#sync();
  }

  /** Sets the resources that the cluster serves: kinds of CRDs are watched while theirs are among these. */
  setServedResources(served: readonly string[]): void {
    this.#served = new Set(served);
    this.#sync();
  }

  /** Sets whether the cluster tells the ranges of its Services; undefined before API discovery has answered. */
  setServesRanges(isServed: boolean | undefined): void {
    this.#servesRanges = isServed;
    this.#syncRanges();
  }

  /** Confirms that API discovery has answered for these resources since `onRemoval`. */
  confirm(resources: readonly string[]): void {
    if (resources.filter((resource) => this.#unconfirmed.delete(resource)).length === 0) return;
    this.touch();
    this.#options.onChange?.();
  }

  hasSynced(resource: string): boolean {
    const [label, namespace] = resource.split('/');
    return this.#informers.values().some(({ hasSynced, spec }) => {
      return hasSynced && spec.kind.label === label && (spec.namespace === '' || spec.namespace === namespace);
    });
  }

  isUnsynced(resource: string): boolean {
    const { sources = [], namespaces = [] } = this.#discovery ?? {};
    const [label = '', namespace = ''] = resource.split('/');
    if (namespaces.length > 0 && !namespaces.includes(namespace)) return false;
    return sources.some(({ kind, resources = [] }) => {
      // The labels of kinds that only ExternalDNS reads are unknown.
      if (!kinds[kind]) return !labels.has(label) && !resources.every((name) => this.#served?.has(name));
      if (kinds[kind].label !== label) return false;
      return !this.hasSynced(resource) || resources.some((name) => this.#unconfirmed.has(name));
    });
  }

  unsynced(): string | undefined {
    const isAsking = !this.#served && this.#discovery?.sources.some(({ resources = [] }) => resources.length > 0);
    if (isAsking) return 'kinds that the cluster serves';
    return this.#informers.values().find(({ hasSynced }) => !hasSynced)?.spec.kind.plural;
  }

  namespaceLabels(namespace: string): Labels | undefined {
    return this.#namespaces?.hasSynced ? this.#namespaces.store.get(namespace) : undefined;
  }

  /**
   * While a deletion is unconfirmed it is the one before: with a definition all of its objects go, one after the other, and
   * no claim is to lose its members one by one.
   */
  get inventory(): Inventory | undefined {
    const own = this.#discovery?.sources.filter(({ kind }) => isOwnKind(kind)) ?? [];
    if (own.length === 0) return undefined;
    const isUnconfirmed = own.some(({ resources = [] }) => resources.some((name) => this.#unconfirmed.has(name)));
    if (this.#inventory && (isUnconfirmed || !this.#isInventoryOutdated)) return this.#inventory;
    this.#isInventoryOutdated = false;
    this.#inventory = this.#takeInventory();
    return this.#inventory;
  }

  #takeInventory(): Inventory {
    return {
      machines: this.#own<Machine>('Machine') ?? (this.#sourceOf('Machine') ? undefined : []),
      claims: this.#own<NameClaim>('NameClaim') ?? [],
      zones: this.#zones(),
      labelsOf: this.#labelsOf,
      serviceRanges: this.#serviceRanges.networks,
      awaited: this.#awaited,
    };
  }

  get #awaited(): string | undefined {
    if (this.#namespaces?.hasSynced === false) return 'namespaces';
    return this.#serviceRanges.networks ? undefined : 'ranges of Services';
  }

  #zones(): Inventory['zones'] {
    const source = this.#sourceOf('Zone');
    if (!source) return 'Off';
    // Not `Unserved` before API discovery has answered.
    const isServed = this.#served && (source.resources ?? []).every((name) => this.#served?.has(name));
    return isServed === false ? 'Unserved' : (this.#own<ZoneObject>('Zone') ?? 'Unknown');
  }

  #sourceOf(kind: OwnKind) {
    return this.#discovery?.sources.find((source) => source.kind === kind);
  }

  /** The objects of a kind of this project; undefined unless all can be read. */
  #own<T extends OwnObject>(kind: OwnKind): (T | Malformed)[] | undefined {
    const informers = [...this.#informers.values()].filter(({ spec }) => spec.source.kind === kind);
    if (informers.length === 0 || !informers.every(({ hasSynced }) => hasSynced)) return undefined;
    return informers.flatMap((informer) => informer.own() as (T | Malformed)[]);
  }

  #onOwnChange(): void {
    this.#isInventoryOutdated = true;
    this.#options.onChange?.();
  }

  #sync(): void {
    this.touch();
    this.#isInventoryOutdated = true;
    const specs = this.#discovery ? informerSpecs(this.#discovery, this.#served ?? new Set()) : [];
    const predecessors = this.#retire(new Set(specs.map(({ id }) => id)));
    this.#syncGateways(specs.flatMap(({ gateways }) => gateways ?? []));
    const { now = monotonicNow, seen } = this.#options;
    for (const spec of specs) {
      if (this.#informers.has(spec.id)) continue;
      const gateways = spec.gateways && this.#gateways.get(spec.gateways.id);
      const predecessor = predecessors.get(scopeOf(spec));
      predecessors.delete(scopeOf(spec));
      const informer = new SourceInformer({
        ...this.#informerOptions(spec.path),
        spec,
        index: this,
        labelsOf: (namespace) => this.namespaceLabels(namespace),
        now,
        seen,
        onRemoval: () => this.#onRemoval(spec.source.resources ?? []),
        onOwnChange: () => this.#onOwnChange(),
        ...(gateways && { gateways }),
        ...(predecessor && { predecessor }),
      });
      this.#informers.set(spec.id, informer);
    }
    for (const informer of predecessors.values()) informer.clear();
    this.#syncNamespaces();
    this.#syncRanges();
  }

  /** Only those who have addresses checked need them. */
  #syncRanges(): void {
    this.#serviceRanges.update(mayCheck(this.#discovery?.sources ?? []), this.#servesRanges);
  }

  #onRemoval(resources: readonly string[]): void {
    if (resources.length === 0 || !this.#options.onRemoval) return;
    for (const resource of resources) this.#unconfirmed.add(resource);
    this.#options.onRemoval(resources);
  }

  /** Retires all informers but these. Returns the predecessors, by their scope. */
  #retire(ids: ReadonlySet<string>): Map<string, SourceInformer> {
    const retired = [...this.#informers].filter(([id]) => !ids.has(id));
    for (const [id] of retired) this.#informers.delete(id);
    const predecessors = retired.flatMap(([, informer]) => informer.retire() ?? []);
    return new Map(predecessors.map((informer) => [scopeOf(informer.spec), informer]));
  }

  #syncGateways(specs: InformerSpec<Gateway>[]): void {
    const ids = new Set(specs.map(({ id }) => id));
    for (const [id, informer] of this.#gateways) {
      if (ids.has(id)) continue;
      informer.stop();
      this.#gateways.delete(id);
    }
    for (const spec of specs) {
      if (this.#gateways.has(spec.id)) continue;
      const routes = () => this.#informers.values().filter((informer) => informer.spec.gateways?.id === spec.id);
      const informer = new Informer<Gateway>({
        ...this.#informerOptions(spec.path),
        ...spec,
        onChange: (gateway) => routes().forEach((route) => void route.refresh({ gateway })),
        onSynced: () => routes().forEach((route) => void route.sync()),
      });
      this.#gateways.set(spec.id, informer);
    }
  }

  /** Namespaces are watched for tenants only, which select them by label. */
  #syncNamespaces(): void {
    const isNeeded = (this.#discovery?.tenants.length ?? 0) > 0;
    if (isNeeded === (this.#namespaces !== undefined)) return;
    this.#namespaces?.stop();
    this.#namespaces = isNeeded ? this.#namespaceInformer() : undefined;
    if (!isNeeded) this.#onNamespaceChange();
  }

  #namespaceInformer(): Informer<Labels> {
    const path = pathOf(namespaces);
    const informer = new Informer<Labels>({
      ...this.#informerOptions(path),
      path,
      transform: ({ metadata }: KubernetesObject) => metadata.labels ?? {},
      // Labels are unknown until all are listed.
      onChange: (namespace) => informer.hasSynced && this.#onNamespaceChange(namespace),
      onSynced: () => this.#onNamespaceChange(),
    });
    return informer;
  }

  /** @param namespace undefined for all of them */
  #onNamespaceChange(namespace?: string): void {
    this.touch();
    this.#isInventoryOutdated = true;
    this.#labelsOf = (name) => this.namespaceLabels(name);
    for (const informer of this.#informers.values()) informer.refresh({ namespace });
    this.#options.onChange?.();
  }

  #informerOptions(path: string): Pick<InformerOptions<never>, 'client' | 'backoff' | 'onFailure'> {
    const { client, backoff, onFailure } = this.#options;
    const [plural, namespace] = path.split('/').reverse();
    const action = path.includes('/namespaces/') ? `watch ${plural} in namespace ${namespace}` : `watch ${plural}`;
    return { client, ...(backoff && { backoff }), onFailure: (failure) => onFailure?.(action, failure) };
  }
}

type OwnKind = 'Machine' | 'NameClaim' | 'Zone';

const labels = new Set(Object.values(kinds).map(({ label }) => label));

/** A predecessor has the same scope as its successor. */
const scopeOf = ({ kind, namespace }: SourceInformerSpec) => `${kind.label}/${namespace}`;
