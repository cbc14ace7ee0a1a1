import type { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { compositeOf } from './request.ts';
import { refusalOf } from './response.ts';

/** What the function says about itself, in its log and its metrics. */
export interface Telemetry {
  registry: Registry;
  /** One request was answered, after `ms` milliseconds. */
  ran(request: RunFunctionRequest, response: RunFunctionResponse, ms: number): void;
  /** A client was turned away. */
  refused(peer: string | undefined, reason: string): void;
  /** New certificates could not be read; the old ones still serve. */
  stale(error: Error): void;
}

export function createTelemetry(log: Logger): Telemetry {
  const registry = new Registry();
  // By default prom-client wakes every 10 ms to measure the event loop: most of an idle process's CPU.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  const registers = [registry];
  const duration = new Histogram({
    name: 'function_request_duration_seconds',
    help: 'Time to answer a request, by outcome (ok or fatal).',
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });
  const refusals = new Counter({
    name: 'function_refused_clients_total',
    help: 'Connections refused for want of a trusted client certificate.',
    registers,
  });

  return {
    registry,
    ran(request, response, ms) {
      const error = refusalOf(response);
      const outcome = error === undefined ? 'ok' : 'fatal';
      duration.observe({ outcome }, ms / 1000);
      const line = { composite: nameOf(request), ms: Math.round(ms * 10) / 10, outcome };
      if (error !== undefined) log.warn({ ...line, error }, 'request');
      else log.info({ ...line, resources: Object.keys(response.desired?.resources ?? {}).length }, 'request');
    },
    refused(peer, reason) {
      refusals.inc();
      log.warn({ peer, reason }, 'client refused');
    },
    stale(error) {
      log.warn({ error: error.message }, 'certificates not renewed');
    },
  };
}

function nameOf(request: RunFunctionRequest): string | undefined {
  const { kind, metadata } = compositeOf(request) ?? {};
  return [kind, metadata?.namespace, metadata?.name].filter((part) => part !== undefined).join('/') || undefined;
}
