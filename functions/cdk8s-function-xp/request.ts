import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript';
import type { KubernetesObject, Observed } from './composition.ts';
import { sorted } from './json.ts';

/** What a composition gets to see of a request, as plain data. Throws when there is no composite. */
export function read(request: RunFunctionRequest): { composite: KubernetesObject; observed: Observed } {
  const composite = compositeOf(request);
  if (composite === undefined) throw new Error('cannot read the request: it has no observed composite');
  const observed: Record<string, KubernetesObject> = {};
  for (const [key, { resource }] of Object.entries(request.observed?.resources ?? {})) {
    if (resource !== undefined) observed[key] = resource as KubernetesObject;
  }
  return { composite: sorted(composite), observed: sorted(observed) };
}

/** The composite as Crossplane sent it. */
export function compositeOf(request: RunFunctionRequest): KubernetesObject | undefined {
  return request.observed?.composite?.resource as KubernetesObject | undefined;
}
