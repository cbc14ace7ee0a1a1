import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../lib/clock.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Canary } from './canary.ts';
import type { HealthInputs, ResolutionState } from './resolution.ts';

export interface SelfTestOptions {
  canary: Pick<Canary, 'test'>;
  resolution: ResolutionState;
  inputs: () => Pick<HealthInputs, 'replicas'>;
  failureLog: Pick<FailureLog, 'record'>;
  pause?: (ms: number) => Promise<unknown>;
  now?: () => number;
}

/** Tests forever: at long intervals while all is well, at short ones after a failure. */
export async function selfTest(options: SelfTestOptions): Promise<never> {
  const { canary, resolution, inputs, failureLog, pause = sleep, now = monotonicNow } = options;
  for (;;) {
    const started = now();
    const { message } = resolution.record(await canary.test(), inputs());
    failureLog.record('resolve the canary record', message);
    await pause(Math.max(0, started + resolution.intervalMs - now()));
  }
}
