import type { Chart } from 'cdk8s';

/** A Kubernetes object as plain JSON. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: ManagedFields[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: the shape below metadata differs by kind and is checked where it is read.
  [field: string]: any;
}

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#managing-fields-inside-an-object */
interface ManagedFields {
  manager: string;
  subresource?: string;
  // biome-ignore lint/suspicious/noExplicitAny: sets of fields as deep as the object.
  fieldsV1?: any;
}

/** The composed objects that exist in the cluster, by resource key. */
export type Observed = Readonly<Record<string, KubernetesObject>>;

/** Selects objects in the cluster that are not composed: those of a kind that have all of these labels. */
export interface Selector {
  apiVersion: string;
  kind: string;
  /** By default any. */
  matchLabels?: Readonly<Record<string, string>>;
}

/** The objects that were selected, by the key of their selector; a key is missing until Crossplane has fetched its objects. */
export type Required = Readonly<Record<string, readonly KubernetesObject[]>>;

/** A condition of the composite; `message` says what to do when the status is not True. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message?: string;
}

/** What one composite comes to. */
export interface Rendering {
  /** Its ApiObjects become composed resources; an object's construct path below the chart is its resource key. */
  chart: Chart;
  /** The composite's whole status: Crossplane removes a field that is no longer returned. */
  status?: Record<string, unknown>;
  /** They change once nothing else of the composite does. */
  conditions?: readonly Condition[];
  /** Seconds until it has to be rendered again, if nothing else is the occasion. By default Crossplane's usual time. */
  ttl?: number | undefined;
  /** False holds the composite's Ready back even when every composed resource is ready. */
  ready?: boolean;
  /** Keys of composed resources that are ready once they exist, whatever else their kind waits for: Ready is not held back for these. */
  unawaited?: readonly string[];
  /**
   * What else it is derived from. Crossplane fetches the objects, which it must be allowed to list and watch, and renders again
   * with them until the selectors stay the same: do not derive these from what was required.
   */
  requires?: Readonly<Record<string, Selector>>;
}

/** A composition: one composite in, its composed resources out. */
export interface Composition {
  /** Every condition type that `render` returns: a refused composite reports each as Unknown. */
  conditionTypes: readonly string[];
  /** Pure and deterministic. A throw refuses the composite; its message reaches the user as it is. */
  render(composite: KubernetesObject, observed: Observed, required: Required): Rendering;
}

/** A flag that the composition has beside those of every function. */
export interface Flag {
  type: 'string' | 'boolean';
  /** The form of its value, as `--help` shows it. */
  value?: string;
  help: string;
}

export type Flags = Readonly<Record<string, Flag>>;
export type FlagValues = Readonly<Record<string, string | boolean | undefined>>;
