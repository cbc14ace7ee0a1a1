import { monotonicNow } from '../lib/clock.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { pause as pauseFor } from '../lib/runnable.ts';
import type { Canary } from './canary.ts';
import type { HealthInputs, ResolutionState } from './resolution.ts';

export interface SelfTestOptions {
  canary: Pick<Canary, 'test'>;
  resolution: ResolutionState;
  inputs: () => Pick<HealthInputs, 'replicas' | 'hasResolver'>;
  onTested?: () => void;
  failureLog: Pick<FailureLog, 'record'>;
  signal: AbortSignal;
  pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  now?: () => number;
}

/** Runs the self-test until the signal: rarely while it succeeds, and soon again after a failure. */
export async function selfTest(options: SelfTestOptions): Promise<void> {
  const { canary, resolution, inputs, onTested, failureLog, signal, pause = pauseFor, now = monotonicNow } = options;
  while (!signal.aborted) {
    const started = now();
    const { message } = resolution.record(await canary.test(), inputs());
    failureLog.record('resolve the canary record', message);
    onTested?.();
    await pause(Math.max(0, started + resolution.intervalMs - now()), signal);
  }
}
