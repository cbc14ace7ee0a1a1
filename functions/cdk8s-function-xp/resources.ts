import { createHash } from 'node:crypto';
import { Ready, type Resource } from '@crossplane-org/function-sdk-typescript';
import { ApiObject, type Chart } from 'cdk8s';
import type { KubernetesObject, Observed } from './composition.ts';
import { toJson } from './json.ts';
import { canBeUnready, isReady, kindOf } from './readiness.ts';

/** On every composed object: which desired state it is the result of. */
const STAMP = 'cdk8s-function-xp/desired';

/**
 * The chart's objects as composed resources, by construct path below the chart, each with its readiness. Throws when the
 * chart does not validate, when two objects are one and the same to Kubernetes, and when an object is not pure JSON.
 */
export function composedResources(
  chart: Chart,
  observed: Observed,
  unawaited: readonly string[] = [],
): Record<string, Resource> {
  validate(chart);
  const resources: Record<string, Resource> = {};
  const keys = new Map<string, string>();
  for (const object of chart.node.findAll().filter(ApiObject.isApiObject)) {
    const key = keyOf(object, chart);
    if (key in resources) throw new Error(`cannot compose ${key}: two objects have this path`);
    const resource = toJson(object.toJson(), key) as KubernetesObject;
    const identity = identityOf(resource);
    const rival = keys.get(identity);
    if (rival !== undefined) throw new Error(`cannot compose ${key}: ${rival} is ${identity} already`);
    keys.set(identity, key);
    resources[key] = stamped(resource, observed[key], unawaited.includes(key));
  }
  return resources;
}

// Chart.toJson would validate, but render everything a second time and lose the paths; ApiObject.toJson does not validate.
function validate(chart: Chart): void {
  const errors = chart.node
    .findAll()
    .flatMap(({ node }) => node.validate().map((error) => `${node.path}: ${error}`))
    .sort();
  if (errors.length > 0) throw new Error(`cannot compose the chart: ${errors.join('; ')}`);
}

// Without the ids above the chart it may be renamed, and a cdk8s-plus construct ("x") may replace a plain ApiObject ("x", for
// which it makes "x/Resource"): a changed key deletes the object and creates it again.
function keyOf(object: ApiObject, chart: Chart): string {
  const ids = object.node.scopes.slice(chart.node.scopes.length).map(({ node }) => node.id);
  if (ids.length > 1 && ids.at(-1) === 'Resource') ids.pop();
  return ids.join('/');
}

function identityOf(resource: KubernetesObject): string {
  const { name, namespace } = resource.metadata;
  return `${kindOf(resource)} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** Whether an observed object is the result of this desired state. */
export const isApplied = ({ resource }: Resource, observed: KubernetesObject | undefined): boolean =>
  observed !== undefined && stampOf(observed) === stampOf(resource as KubernetesObject);

const stampOf = ({ metadata }: KubernetesObject) => metadata.annotations?.[STAMP];

// An object that does not bear the stamp yet is the one from before an edit: its readiness says nothing about this state.
function stamped(resource: KubernetesObject, observed: KubernetesObject | undefined, isUnawaited: boolean): Resource {
  const stamp = createHash('sha256').update(JSON.stringify(resource)).digest('hex').slice(0, 16);
  const isCurrent = (observed && stampOf(observed) === stamp) || !canBeUnready(resource);
  const annotations = { ...resource.metadata.annotations, [STAMP]: stamp };
  return {
    resource: { ...resource, metadata: { ...resource.metadata, annotations } },
    connectionDetails: {},
    ready: observed && isCurrent && (isUnawaited || isReady(observed)) ? Ready.READY_TRUE : Ready.READY_FALSE,
  };
}
