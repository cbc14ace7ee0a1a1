import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import type { Composition } from './composition.ts';
import { read } from './request.ts';
import { accept, refuse } from './response.ts';

/** One request through a composition. Never throws: whatever is wrong becomes a FATAL result, here and nowhere else. */
export function run(request: RunFunctionRequest, composition: Composition): RunFunctionResponse {
  try {
    const { composite, observed, required } = read(request);
    return accept(request, { composite, observed }, composition.render(composite, observed, required));
  } catch (error) {
    return refuse(request, composition.conditionTypes, error);
  }
}
