import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Client } from '../kubernetes/client.ts';
import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import type { Labels } from '../kubernetes/object.ts';
import { monotonicNow } from '../lib/clock.ts';
import { HostIndex } from './host-index.ts';
import { type InformerSpec, informerSpecs, type SourceInformerSpec } from './informer-spec.ts';
import { kinds, namespaces, pathOf } from './kind.ts';
import type { Gateway } from './kinds/gateway.ts';
import { NamespaceLabels } from './namespace-labels.ts';
import { SourceInformer } from './source-informer.ts';
import type { SourceLister, SourceObject } from './source-object.ts';

export interface SourceCacheOptions {
  client: Client;
  /** What cannot be done, such as `watch ingresses`, and why; no failure means that it can be done, or need not be. */
  onFailure?: (action: string, failure?: string) => void;
  /** An object is gone, of a kind that needs these resources, which may be going, too. */
  onRemoval?: (resources: readonly string[]) => void;
  backoff?: InformerOptions<never>['backoff'];
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The objects of the kinds that a declaration looks at, as the cluster has them, and what they claim. */
export class SourceCache implements SourceLister {
  readonly #options: SourceCacheOptions;
  readonly #index = new HostIndex();
  readonly #informer = new Map<string, SourceInformer>();
  readonly #gateways = new Map<string, Informer<Gateway>>();
  readonly #namespaces: NamespaceLabels;
  #discovery: DeclaredDiscovery | undefined;
  #served: ReadonlySet<string> | undefined;
  /** Resources of which objects have gone, and may have because they are not served any more. */
  readonly #doubted = new Set<string>();

  constructor(options: SourceCacheOptions) {
    this.#options = options;
    const onChange = (namespace?: string) => {
      this.#index.touch();
      for (const informer of this.#informer.values()) informer.refresh({ namespace });
    };
    this.#namespaces = new NamespaceLabels({ ...this.#watching(pathOf(namespaces)), onChange });
  }

  /** Follows what this declaration looks at and nothing else. What stays the same is not listed again. */
  follow(discovery: DeclaredDiscovery | undefined): void {
    this.#discovery = discovery;
    this.#bring();
  }

  /** Kinds that not every cluster serves are followed while they are among these: see `Served`. */
  takeServed(served: readonly string[]): void {
    this.#served = new Set(served);
    this.#bring();
  }

  /** It is known again whether these are served: see `takeServed`. */
  settle(resources: readonly string[]): void {
    if (resources.filter((resource) => this.#doubted.delete(resource)).length > 0) this.#index.touch();
  }

  get version(): number {
    return this.#index.version;
  }

  get revision(): number {
    return this.#index.revision;
  }

  hasSynced(resource: string): boolean {
    const [label, namespace] = resource.split('/');
    return this.#informer.values().some(({ isSeen, want }) => {
      return isSeen && want.kind.label === label && (want.namespace === '' || want.namespace === namespace);
    });
  }

  isUnsynced(resource: string): boolean {
    const { sources = [], namespaces = [] } = this.#discovery ?? {};
    const [label = '', namespace = ''] = resource.split('/');
    if (namespaces.length > 0 && !namespaces.includes(namespace)) return false;
    return sources.some(({ kind, resources = [] }) => {
      // Of what only ExternalDNS sees it is not known which kind has which label.
      if (!kinds[kind]) return !labels.has(label) && !resources.every((name) => this.#served?.has(name));
      if (kinds[kind].label !== label) return false;
      return !this.hasSynced(resource) || resources.some((name) => this.#doubted.has(name));
    });
  }

  unsynced(): string | undefined {
    const isAsking = !this.#served && this.#discovery?.sources.some(({ resources = [] }) => resources.length > 0);
    if (isAsking) return 'kinds that the cluster serves';
    return this.#informer.values().find(({ isSeen }) => !isSeen)?.want.kind.plural;
  }

  get(resource: string): SourceObject | undefined {
    return this.#index.get(resource);
  }

  /** The object of that name, also if a filter leaves it out. */
  getAny(resource: string): SourceObject | undefined {
    return this.#index.getAny(resource);
  }

  changedAt(resource: string): number | undefined {
    return this.#index.changedAt(resource);
  }

  byHost(name: string): readonly SourceObject[] {
    return this.#index.byHost(name);
  }

  list(): Iterable<SourceObject> {
    return this.#index.list();
  }

  listFiltered(): Iterable<SourceObject> {
    return this.#index.listFiltered();
  }

  filteredOf(resource: string): readonly SourceObject[] {
    return this.#index.filteredOf(resource);
  }

  namespaceLabels(namespace: string): Labels | undefined {
    return this.#namespaces.of(namespace);
  }

  #bring(): void {
    this.#index.touch();
    const wants = this.#discovery ? informerSpecs(this.#discovery, this.#served ?? new Set()) : [];
    const predecessors = this.#retire(new Set(wants.map(({ id }) => id)));
    this.#bringGateways(wants.flatMap((want) => want.gateways ?? []));
    const labelsOf = (namespace: string) => this.#namespaces.of(namespace);
    const { now = monotonicNow } = this.#options;
    for (const want of wants) {
      if (this.#informer.has(want.id)) continue;
      const gateways = want.gateways && this.#gateways.get(want.gateways.id);
      const predecessor = predecessors.get(placeOf(want));
      predecessors.delete(placeOf(want));
      const onRemoval = () => this.#doubt(want.source.resources ?? []);
      const options = { ...this.#watching(want.path), want, index: this.#index, labelsOf, now, onRemoval };
      const informer = new SourceInformer({
        ...options,
        ...(gateways && { gateways }),
        ...(predecessor && { predecessor }),
      });
      this.#informer.set(want.id, informer);
    }
    for (const informer of predecessors.values()) informer.withdraw();
    // Only tenants are chosen by the labels of their namespaces.
    this.#namespaces.follow((this.#discovery?.tenants.length ?? 0) > 0);
  }

  #doubt(resources: readonly string[]): void {
    if (resources.length === 0 || !this.#options.onRemoval) return;
    for (const resource of resources) this.#doubted.add(resource);
    this.#options.onRemoval(resources);
  }

  /** Ends all but these. Returns those with claims in the index, by their place. */
  #retire(wanted: ReadonlySet<string>): Map<string, SourceInformer> {
    const retired = [...this.#informer].filter(([id]) => !wanted.has(id));
    for (const [id] of retired) this.#informer.delete(id);
    const shown = retired.flatMap(([, informer]) => informer.retire() ?? []);
    return new Map(shown.map((informer) => [placeOf(informer.want), informer]));
  }

  #bringGateways(wants: InformerSpec<Gateway>[]): void {
    const wanted = new Set(wants.map(({ id }) => id));
    for (const [id, watch] of this.#gateways) {
      if (wanted.has(id)) continue;
      watch.stop();
      this.#gateways.delete(id);
    }
    for (const want of wants) {
      if (this.#gateways.has(want.id)) continue;
      const routes = () => this.#informer.values().filter((informer) => informer.want.gateways?.id === want.id);
      const watch = new Informer<Gateway>({
        ...this.#watching(want.path),
        ...want,
        onChange: (gateway) => routes().forEach((route) => void route.refresh({ gateway })),
        onSynced: () => routes().forEach((route) => void route.settle()),
      });
      this.#gateways.set(want.id, watch);
    }
  }

  #watching(path: string): Pick<InformerOptions<never>, 'client' | 'backoff' | 'onFailure'> {
    const { client, backoff, onFailure } = this.#options;
    const [plural, namespace] = path.split('/').reverse();
    const action = path.includes('/namespaces/') ? `watch ${plural} in namespace ${namespace}` : `watch ${plural}`;
    return { client, ...(backoff && { backoff }), onFailure: (failure) => onFailure?.(action, failure) };
  }
}

const labels = new Set(Object.values(kinds).map(({ label }) => label));

/** What one follows instead of another. */
const placeOf = ({ kind, namespace }: SourceInformerSpec) => `${kind.label}/${namespace}`;
