export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  creationTimestamp?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export type Labels = Readonly<Record<string, string>>;

/** Go encodes an empty list as null where a schema allows it. */
export type List<T> = readonly T[] | null | undefined;

/** One page of a collection. */
export interface ObjectList<T> {
  metadata: { resourceVersion: string; continue?: string };
  items?: List<T>;
}

export interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
}

export interface Secret extends KubernetesObject {
  /** Base64. */
  data?: Record<string, string>;
}

export interface Service extends KubernetesObject {
  status?: { loadBalancer?: { ingress?: List<{ ip?: string; hostname?: string }> } };
}

export interface PersistentVolumeClaim extends KubernetesObject {
  spec?: { resources?: { requests?: Record<string, string> } };
}

/** The ready pods of a Service: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoints-v1/ */
export interface Endpoints extends KubernetesObject {
  subsets?: List<{ addresses?: List<{ ip: string; targetRef?: { name?: string } }> }>;
}

/** What an Event is about. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid: string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/, as the core API has it. */
export interface CoreEvent extends KubernetesObject {
  involvedObject: { apiVersion?: string; kind?: string; namespace?: string; name?: string; uid?: string };
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  action: string;
  /** RFC 3339 with microseconds. */
  eventTime: string;
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
  source: { component: string };
  reportingComponent: string;
  reportingInstance: string;
}

/** Key of an object within its kind: `shop/web`, or `worker-1` for one without a namespace (client-go's MetaNamespaceKeyFunc). */
export const keyOf = ({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string =>
  namespace ? `${namespace}/${name}` : name;
