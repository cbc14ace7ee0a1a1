import { isOwnKind } from '../../contract/source-kinds.ts';
import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import { type KubernetesObject, keyOf, type Labels } from '../kubernetes/object.ts';
import type { HostIndex } from './host-index.ts';
import type { SourceEntry, SourceInformerSpec } from './informer-spec.ts';
import { fromRoute } from './kinds/attached-route.ts';
import type { Gateway } from './kinds/gateway.ts';
import type { Route } from './kinds/route.ts';
import type { OwnObject } from './own-object.ts';
import type { SourceObject } from './source-object.ts';

/** Keeps what the statuses of Machines and claims say, which is no part of what they ask for. */
export interface StatusSink {
  /** @param resource such as `machine/shop/nas` */
  see(resource: string, object: KubernetesObject): void;
  forget(resource: string): void;
}

export interface SourceInformerOptions extends Pick<InformerOptions<never>, 'client' | 'onFailure' | 'backoff'> {
  spec: SourceInformerSpec;
  index: HostIndex;
  gateways?: Informer<Gateway>;
  /** Returns the labels of a namespace; undefined while unknown. */
  labelsOf: (namespace: string) => Labels | undefined;
  /** A stopped informer of the same kind and namespace, whose source objects stay in the index until the first list. */
  predecessor?: SourceInformer;
  /** An object was deleted, or no longer has hosts. */
  onRemoval: () => void;
  seen: StatusSink | undefined;
  /** Its Machines or claims have changed. */
  onOwnChange: () => void;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Keeps the source objects of one kind and namespace in the index: from the first list on, while they may be read. */
export class SourceInformer {
  readonly spec: SourceInformerSpec;
  readonly #index: HostIndex;
  readonly #informer: Informer<SourceEntry>;
  readonly #gateways: Informer<Gateway> | undefined;
  readonly #labelsOf: (namespace: string) => Labels | undefined;
  readonly #now: () => number;
  readonly #onOwnChange: () => void;
  #predecessor: SourceInformer | undefined;
  #isIndexed = false;

  constructor({ spec, index, gateways, labelsOf, predecessor, now, ...options }: SourceInformerOptions) {
    this.spec = spec;
    this.#index = index;
    this.#gateways = gateways;
    this.#labelsOf = labelsOf;
    this.#predecessor = predecessor;
    this.#now = now;
    const { onRemoval, onOwnChange, seen, ...others } = options;
    const isOwn = isOwnKind(spec.source.kind);
    const statuses = isOwn ? seen : undefined;
    this.#onOwnChange = isOwn ? onOwnChange : () => {};
    const { path, transform } = spec;
    this.#informer = new Informer({
      ...others,
      path,
      transform: (object: KubernetesObject) => {
        const entry = transform(object as never);
        // Nobody is told of the end of one that is not stored.
        if (entry) statuses?.see(this.#resource(keyOf(object.metadata)), object);
        return entry;
      },
      onChange: (key) => {
        if (!this.#informer.store.has(key)) statuses?.forget(this.#resource(key));
        if (!this.#isIndexed) return;
        if (!this.#informer.store.has(key)) onRemoval();
        this.#update(key, this.#now());
        this.#onOwnChange();
      },
      onSynced: () => this.sync(),
    });
  }

  /** Reports whether its source objects, or those of its predecessor, are in the index. */
  get hasSynced(): boolean {
    return this.#isIndexed || (this.#predecessor?.hasSynced ?? false);
  }

  /** Adds its source objects to the index once all are listed, and removes them when they can no longer be read. */
  sync(): void {
    const hasSynced = this.#informer.hasSynced && (this.#gateways?.hasSynced ?? true);
    if (hasSynced === this.#isIndexed) return;
    this.clear();
    this.#isIndexed = hasSynced;
    this.#index.touch();
    if (hasSynced) for (const key of this.#informer.store.keys()) this.#update(key);
    this.#onOwnChange();
  }

  /** Its Machines or claims, or those of its predecessor. */
  own(): readonly OwnObject[] {
    if (!this.#isIndexed) return this.#predecessor?.own() ?? [];
    return [...this.#informer.store.values()].filter(isOwnObject);
  }

  /** Updates the routes of a Gateway that changed, or of a namespace whose labels changed; all without either. */
  refresh({ gateway, namespace }: { gateway?: string; namespace?: string | undefined }): void {
    if (!this.#isIndexed) return;
    for (const [key, entry] of this.#informer.store) {
      if (!isRoute(entry) || (namespace !== undefined && entry.metadata.namespace !== namespace)) continue;
      if (gateway !== undefined && !entry.parents.some((parent) => parent.gateway === gateway)) continue;
      this.#update(key, this.#now());
    }
  }

  /** Stops watching. Returns the informer whose source objects are still in the index, as a predecessor. */
  retire(): SourceInformer | undefined {
    this.#informer.stop();
    return this.#isIndexed ? this : this.#predecessor;
  }

  /** Removes its source objects, or those of its predecessor, from the index. */
  clear(): void {
    this.#predecessor?.clear();
    this.#predecessor = undefined;
    if (!this.#isIndexed) return;
    this.#isIndexed = false;
    this.#index.touch();
    for (const key of this.#informer.store.keys()) this.#index.set(this.#resource(key), []);
  }

  #update(key: string, changedAt?: number): void {
    this.#index.set(this.#resource(key), this.#sourceObjectsOf(this.#informer.store.get(key) ?? []), changedAt);
  }

  #sourceObjectsOf(entry: SourceEntry): readonly SourceObject[] {
    if (isOwnObject(entry)) return [];
    if (!isRoute(entry)) return entry;
    const labels = this.#labelsOf(entry.metadata.namespace ?? '');
    return fromRoute(entry, this.spec.source, (key) => this.#gateways?.store.get(key), labels);
  }

  readonly #resource = (key: string) => `${this.spec.kind.label}/${key}`;
}

const isRoute = (entry: SourceEntry): entry is Route => 'parents' in entry;

const isOwnObject = (entry: SourceEntry): entry is OwnObject => 'resource' in entry;
