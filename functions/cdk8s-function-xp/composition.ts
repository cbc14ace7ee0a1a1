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
  };
  // biome-ignore lint/suspicious/noExplicitAny: the shape below metadata differs by kind and is checked where it is read.
  [field: string]: any;
}

/** The composed objects that exist in the cluster, by resource key. */
export type Observed = Readonly<Record<string, KubernetesObject>>;

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
  conditions?: readonly Condition[];
  /** False holds the composite's Ready back even when every composed resource is ready. */
  ready?: boolean;
}

/** A composition: one composite in, its composed resources out. */
export interface Composition {
  /** Every condition type that `render` returns: a refused composite reports each as Unknown. */
  conditionTypes: readonly string[];
  /** Pure and deterministic. A throw refuses the composite; its message reaches the user as it is. */
  render(composite: KubernetesObject, observed: Observed): Rendering;
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
