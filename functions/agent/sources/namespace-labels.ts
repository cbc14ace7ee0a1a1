import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import type { Labels, ObjectMeta } from '../kubernetes/object.ts';
import { namespaces, pathOf } from './kind.ts';

export type NamespaceLabelsOptions = Pick<InformerOptions<Labels>, 'client' | 'backoff' | 'onFailure'> & {
  /** What is known of a namespace, or without an argument of any, is something else now. */
  onChange: (namespace?: string) => void;
};

/** The labels of the cluster's namespaces, while somebody asks for them. */
export class NamespaceLabels {
  readonly #options: NamespaceLabelsOptions;
  #watch: Informer<Labels> | undefined;

  constructor(options: NamespaceLabelsOptions) {
    this.#options = options;
  }

  follow(isWanted: boolean): void {
    if (isWanted === (this.#watch !== undefined)) return;
    this.#watch?.stop();
    this.#watch = isWanted ? this.#begin() : undefined;
    if (!isWanted) this.#options.onChange();
  }

  /** Undefined while they are not known. */
  of(namespace: string): Labels | undefined {
    return this.#watch?.hasSynced ? this.#watch.store.get(namespace) : undefined;
  }

  #begin(): Informer<Labels> {
    const { onChange, ...watching } = this.#options;
    const transform = ({ metadata }: { metadata: ObjectMeta }) => metadata.labels ?? {};
    return new Informer({
      ...watching,
      path: pathOf(namespaces),
      transform,
      // Until all are listed, none is known.
      onChange: (namespace) => this.#watch?.hasSynced && onChange(namespace),
      onSynced: () => onChange(),
    });
  }
}
