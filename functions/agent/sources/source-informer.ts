import { Watch, type WatchOptions } from '../kubernetes/informer.ts';
import type { ClaimIndex } from './host-index.ts';
import type { ClaimsWant } from './informer-spec.ts';
import { routeClaims } from './kinds/attached-route.ts';
import type { Gateway } from './kinds/gateway.ts';
import type { Labels } from './kinds/metadata.ts';
import type { Route } from './kinds/route.ts';
import type { Claim } from './source-object.ts';

export interface FollowedOptions extends Pick<WatchOptions<never>, 'config' | 'onFailure' | 'pause'> {
  want: ClaimsWant;
  index: ClaimIndex;
  gateways?: Watch<Gateway>;
  /** Of a namespace; undefined while they are not known. */
  labelsOf: (namespace: string) => Labels | undefined;
  /** Whose claims stay in the index until there are others. */
  predecessor?: Followed;
  /** An object is gone, or of no interest any more. */
  onRemoval: () => void;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The claims of one kind in one scope: in the index from the first complete list on, and while they may be read. */
export class Followed {
  readonly want: ClaimsWant;
  readonly #index: ClaimIndex;
  readonly #watch: Watch<readonly Claim[] | Route>;
  readonly #gateways: Watch<Gateway> | undefined;
  readonly #labelsOf: (namespace: string) => Labels | undefined;
  readonly #now: () => number;
  #predecessor: Followed | undefined;
  #isShown = false;

  constructor({ want, index, gateways, labelsOf, predecessor, now, onRemoval, ...options }: FollowedOptions) {
    this.want = want;
    this.#index = index;
    this.#gateways = gateways;
    this.#labelsOf = labelsOf;
    this.#predecessor = predecessor;
    this.#now = now;
    const { path, project } = want;
    this.#watch = new Watch({
      ...options,
      path,
      project,
      onChange: (key) => {
        if (!this.#isShown) return;
        if (!this.#watch.entries.has(key)) onRemoval();
        this.#show(key, this.#now());
      },
      onComplete: () => this.settle(),
    });
  }

  get isSeen(): boolean {
    return this.#isShown || (this.#predecessor?.isSeen ?? false);
  }

  /** Shows its claims once they are complete, and none when they cannot be read any more. */
  settle(): void {
    const isComplete = this.#watch.isComplete && (this.#gateways?.isComplete ?? true);
    if (isComplete === this.#isShown) return;
    this.withdraw();
    this.#isShown = isComplete;
    this.#index.touch();
    if (!isComplete) return;
    for (const key of this.#watch.entries.keys()) this.#show(key);
  }

  /** A Gateway is another one now, or the labels of a namespace, or those of all where none is given. */
  refresh({ gateway, namespace }: { gateway?: string; namespace?: string | undefined }): void {
    if (!this.#isShown) return;
    for (const [key, entry] of this.#watch.entries) {
      if (!isRoute(entry) || (namespace !== undefined && entry.metadata.namespace !== namespace)) continue;
      if (gateway !== undefined && !entry.parents.some((parent) => parent.gateway === gateway)) continue;
      this.#show(key, this.#now());
    }
  }

  /** Ends it; who has claims in the index, to be the predecessor of another. */
  retire(): Followed | undefined {
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
    for (const key of this.#watch.entries.keys()) this.#index.set(this.#resource(key), []);
  }

  #show(key: string, changedAt?: number): void {
    this.#index.set(this.#resource(key), this.#claimsOf(this.#watch.entries.get(key) ?? []), changedAt);
  }

  #claimsOf(entry: readonly Claim[] | Route): readonly Claim[] {
    if (!isRoute(entry)) return entry;
    const labels = this.#labelsOf(entry.metadata.namespace ?? '');
    return routeClaims(entry, this.want.source, (key) => this.#gateways?.entries.get(key), labels);
  }

  readonly #resource = (key: string) => `${this.want.kind.label}/${key}`;
}

const isRoute = (entry: readonly Claim[] | Route): entry is Route => 'parents' in entry;
