import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import type { Labels } from '../kubernetes/object.ts';
import type { HostIndex } from './host-index.ts';
import type { SourceInformerSpec } from './informer-spec.ts';
import { fromRoute } from './kinds/attached-route.ts';
import type { Gateway } from './kinds/gateway.ts';
import type { Route } from './kinds/route.ts';
import type { SourceObject } from './source-object.ts';

export interface SourceInformerOptions extends Pick<InformerOptions<never>, 'client' | 'onFailure' | 'backoff'> {
  want: SourceInformerSpec;
  index: HostIndex;
  gateways?: Informer<Gateway>;
  /** Of a namespace; undefined while they are not known. */
  labelsOf: (namespace: string) => Labels | undefined;
  /** Whose claims stay in the index until there are others. */
  predecessor?: SourceInformer;
  /** An object is gone, or of no interest any more. */
  onRemoval: () => void;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The claims of one kind in one scope: in the index from the first complete list on, and while they may be read. */
export class SourceInformer {
  readonly want: SourceInformerSpec;
  readonly #index: HostIndex;
  readonly #watch: Informer<readonly SourceObject[] | Route>;
  readonly #gateways: Informer<Gateway> | undefined;
  readonly #labelsOf: (namespace: string) => Labels | undefined;
  readonly #now: () => number;
  #predecessor: SourceInformer | undefined;
  #isShown = false;

  constructor({ want, index, gateways, labelsOf, predecessor, now, onRemoval, ...options }: SourceInformerOptions) {
    this.want = want;
    this.#index = index;
    this.#gateways = gateways;
    this.#labelsOf = labelsOf;
    this.#predecessor = predecessor;
    this.#now = now;
    const { path, transform } = want;
    this.#watch = new Informer({
      ...options,
      path,
      transform,
      onChange: (key) => {
        if (!this.#isShown) return;
        if (!this.#watch.store.has(key)) onRemoval();
        this.#show(key, this.#now());
      },
      onSynced: () => this.settle(),
    });
  }

  get isSeen(): boolean {
    return this.#isShown || (this.#predecessor?.isSeen ?? false);
  }

  /** Shows its claims once they are complete, and none when they cannot be read any more. */
  settle(): void {
    const isComplete = this.#watch.hasSynced && (this.#gateways?.hasSynced ?? true);
    if (isComplete === this.#isShown) return;
    this.withdraw();
    this.#isShown = isComplete;
    this.#index.touch();
    if (!isComplete) return;
    for (const key of this.#watch.store.keys()) this.#show(key);
  }

  /** A Gateway is another one now, or the labels of a namespace, or those of all where none is given. */
  refresh({ gateway, namespace }: { gateway?: string; namespace?: string | undefined }): void {
    if (!this.#isShown) return;
    for (const [key, entry] of this.#watch.store) {
      if (!isRoute(entry) || (namespace !== undefined && entry.metadata.namespace !== namespace)) continue;
      if (gateway !== undefined && !entry.parents.some((parent) => parent.gateway === gateway)) continue;
      this.#show(key, this.#now());
    }
  }

  /** Ends it; who has claims in the index, to be the predecessor of another. */
  retire(): SourceInformer | undefined {
    this.#watch.stop();
    return this.#isShown ? this : this.#predecessor;
  }

  /** Takes its claims out of the index, or those of its predecessor. */
  withdraw(): void {
    this.#predecessor?.withdraw();
    this.#predecessor = undefined;
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#index.touch();
    for (const key of this.#watch.store.keys()) this.#index.set(this.#resource(key), []);
  }

  #show(key: string, changedAt?: number): void {
    this.#index.set(this.#resource(key), this.#sourceObjectsOf(this.#watch.store.get(key) ?? []), changedAt);
  }

  #sourceObjectsOf(entry: readonly SourceObject[] | Route): readonly SourceObject[] {
    if (!isRoute(entry)) return entry;
    const labels = this.#labelsOf(entry.metadata.namespace ?? '');
    return fromRoute(entry, this.want.source, (key) => this.#gateways?.store.get(key), labels);
  }

  readonly #resource = (key: string) => `${this.want.kind.label}/${key}`;
}

const isRoute = (entry: readonly SourceObject[] | Route): entry is Route => 'parents' in entry;
