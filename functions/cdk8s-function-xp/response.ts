import { inspect } from 'node:util';
import {
  Ready,
  type Resource,
  type Condition as ResponseCondition,
  type RunFunctionRequest,
  type RunFunctionResponse,
  Severity,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript';
import type { Condition, Observed, Rendering } from './composition.ts';
import { sorted, toJson } from './json.ts';
import { composedResources } from './resources.ts';

/** Seconds until Crossplane asks again unasked; it also bounds how long an open watch circuit breaker hides a change. */
const TTL = { unready: 10, ready: 60 };

const STATUSES = {
  True: Status.STATUS_CONDITION_TRUE,
  False: Status.STATUS_CONDITION_FALSE,
  Unknown: Status.STATUS_CONDITION_UNKNOWN,
};

/** The answer to a composite that rendered. Throws on what cannot be composed. */
export function accept(request: RunFunctionRequest, observed: Observed, rendering: Rendering): RunFunctionResponse {
  const composed = composedResources(rendering.chart, observed);
  const ready = rendering.ready !== false && Object.values(composed).every(({ ready }) => ready === Ready.READY_TRUE);
  return {
    ...answer(request, ready ? TTL.ready : TTL.unready),
    desired: {
      composite: desiredComposite(request.desired?.composite, rendering),
      resources: sorted({ ...request.desired?.resources, ...composed }),
    },
    conditions: (rendering.conditions ?? []).map(conditionOf),
  };
}

/**
 * The answer to a composite that cannot be had. Crossplane applies nothing of a FATAL response but its conditions; what earlier
 * functions desired passes through. Ready stays as it was, so every other condition has to say what happened.
 */
export function refuse(
  request: RunFunctionRequest,
  conditionTypes: readonly string[],
  error: unknown,
): RunFunctionResponse {
  const message = messageOf(error);
  return {
    ...answer(request, TTL.unready),
    results: [{ severity: Severity.SEVERITY_FATAL, message, target: Target.TARGET_COMPOSITE }],
    conditions: conditionTypes.map((type) => conditionOf({ type, status: 'Unknown', reason: 'FatalError', message })),
  };
}

/** The message of a refusal; undefined when `response` is none. */
export function refusalOf({ results }: RunFunctionResponse): string | undefined {
  return results.find(({ severity }) => severity === Severity.SEVERITY_FATAL)?.message;
}

function answer(request: RunFunctionRequest, ttl: number): RunFunctionResponse {
  return {
    meta: { tag: request.meta?.tag ?? '', ttl: { seconds: ttl, nanos: 0 } },
    desired: request.desired,
    context: request.context,
    results: [],
    requirements: undefined,
    conditions: [],
  };
}

// Never READY_TRUE: Crossplane takes that over the readiness of every resource, those of other functions included. Unspecified
// lets it derive the composite's from them. It fills in apiVersion, kind and name itself:
// https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/apiextensions/composite/composition_functions.go
function desiredComposite(earlier: Resource | undefined, { status, ready }: Rendering): Resource {
  const resource = earlier?.resource;
  const own = status && (toJson(status, 'status') as Record<string, unknown>);
  return {
    resource: own ? sorted({ ...resource, status: { ...resource?.status, ...own } }) : resource,
    connectionDetails: earlier?.connectionDetails ?? {},
    ready: ready === false ? Ready.READY_FALSE : (earlier?.ready ?? Ready.READY_UNSPECIFIED),
  };
}

function conditionOf({ type, status, reason, message }: Condition): ResponseCondition {
  return { type, status: STATUSES[status], reason, message, target: Target.TARGET_COMPOSITE };
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return typeof error === 'string' ? error : inspect(error);
}
