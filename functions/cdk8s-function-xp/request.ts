import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript';
import type { KubernetesObject, Observed, Required } from './composition.ts';
import { sorted } from './json.ts';

export interface Input {
  composite: KubernetesObject;
  observed: Observed;
  required: Required;
}

/** What a composition gets to see of a request, as plain data. Throws when there is no composite. */
export function read(request: RunFunctionRequest): Input {
  const composite = compositeOf(request);
  if (composite === undefined) throw new Error('cannot read the request: it has no observed composite');
  const observed: Record<string, KubernetesObject> = {};
  for (const [key, { resource }] of Object.entries(request.observed?.resources ?? {})) {
    if (resource !== undefined) observed[key] = resource as KubernetesObject;
  }
  const required: Record<string, KubernetesObject[]> = {};
  for (const [key, { items }] of Object.entries(request.requiredResources)) {
    required[key] = items.flatMap(({ resource }) => (resource as KubernetesObject | undefined) ?? []);
  }
  return { composite: sorted(composite), observed: sorted(observed), required: sorted(required) };
}

/** The composite as Crossplane sent it. */
export function compositeOf(request: RunFunctionRequest): KubernetesObject | undefined {
  return request.observed?.composite?.resource as KubernetesObject | undefined;
}
