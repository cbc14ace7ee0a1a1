import { inspect } from 'node:util';
import {
  Ready,
  type Requirements,
  type Resource,
  type Condition as ResponseCondition,
  type RunFunctionRequest,
  type RunFunctionResponse,
  Severity,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript';
import type { Condition, Rendering } from './composition.ts';
import { sorted, toJson } from './json.ts';
import { isReady } from './readiness.ts';
import type { Input } from './request.ts';
import { composedResources, isApplied } from './resources.ts';
import { writesStatusFirst } from './status-write.ts';

/** Seconds until Crossplane asks again unasked; it also bounds how long an open watch circuit breaker hides a change. */
const TTL = { unready: 10, ready: 60 };

const STATUSES = {
  True: Status.STATUS_CONDITION_TRUE,
  False: Status.STATUS_CONDITION_FALSE,
  Unknown: Status.STATUS_CONDITION_UNKNOWN,
};

/** The answer to a composite that rendered. Throws on what cannot be composed. */
export function accept(
  request: RunFunctionRequest,
  { composite, observed }: Pick<Input, 'composite' | 'observed'>,
  rendering: Rendering,
): RunFunctionResponse {
  const composed = composedResources(rendering.chart, observed, rendering.unawaited);
  const status = rendering.status && (toJson(rendering.status, 'status') as Record<string, unknown>);
  const ready = rendering.ready !== false && Object.values(composed).every(({ ready }) => ready === Ready.READY_TRUE);
  const wasReady = isReady(composite);
  // That it is no longer ready does not wait: until then whoever waits for Ready would find that of an earlier spec.
  const waits = (ready || !wasReady) && writesStatusFirst(composite, status);
  const mayBeReady = rendering.ready !== false && (wasReady || !waits);
  const isSettled = ready && !waits && Object.entries(composed).every(([key, each]) => isApplied(each, observed[key]));
  return {
    ...answer(request, Math.min(isSettled ? TTL.ready : TTL.unready, rendering.ttl ?? TTL.ready)),
    desired: {
      composite: desiredComposite(request.desired?.composite, status, mayBeReady),
      resources: sorted({ ...request.desired?.resources, ...composed }),
    },
    conditions: waits ? [] : (rendering.conditions ?? []).map(conditionOf),
    requirements: requirementsOf(rendering.requires),
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
function desiredComposite(earlier: Resource | undefined, status: object | undefined, mayBeReady: boolean): Resource {
  const resource = earlier?.resource;
  return {
    resource: status ? sorted({ ...resource, status: { ...resource?.status, ...status } }) : resource,
    connectionDetails: earlier?.connectionDetails ?? {},
    ready: mayBeReady ? (earlier?.ready ?? Ready.READY_UNSPECIFIED) : Ready.READY_FALSE,
  };
}

// Undefined if there are none: to Crossplane an empty message differs from none, so it would call the function twice.
// https://github.com/crossplane/crossplane/blob/v2.4.0/internal/xfn/required_resources.go#L97
function requirementsOf(requires: Rendering['requires'] = {}): Requirements | undefined {
  const selectors = Object.entries(requires);
  if (selectors.length === 0) return undefined;
  // With labels even if there are none, which match all objects: Crossplane 2.2.0 refuses a selector without a match.
  // https://github.com/crossplane/crossplane/blob/v2.2.0/internal/xfn/required_resources.go#L225
  const resources = selectors.map(([key, { apiVersion, kind, matchLabels = {} }]) => [
    key,
    { apiVersion, kind, matchLabels: { labels: { ...matchLabels } } },
  ]);
  return { resources: sorted(Object.fromEntries(resources)), extraResources: {}, schemas: {} };
}

function conditionOf({ type, status, reason, message }: Condition): ResponseCondition {
  return { type, status: STATUSES[status], reason, message, target: Target.TARGET_COMPOSITE };
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return typeof error === 'string' ? error : inspect(error);
}
