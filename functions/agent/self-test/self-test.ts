import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from '../lib/clock.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Canary } from './canary.ts';
import type { HealthInputs, ResolutionState } from './resolution.ts';

export interface SelfTestOptions {
  canary: Pick<Canary, 'test'>;
  resolution: ResolutionState;
  circumstances: () => Pick<HealthInputs, 'replicas'>;
  failureLog: Pick<FailureLog, 'record'>;
  pause?: (ms: number) => Promise<unknown>;
  now?: () => number;
}

/** Tests for ever: now and then while all is well, and soon again after a failure. */
export async function selfTest(options: SelfTestOptions): Promise<never> {
  const { canary, resolution, circumstances, failureLog, pause = sleep, now = monotonicNow } = options;
  for (;;) {
    const began = now();
    const { message } = resolution.note(await canary.test(), circumstances());
    failureLog.record('resolve its own record', message);
    await pause(Math.max(0, began + resolution.pauseMs - now()));
  }
}
