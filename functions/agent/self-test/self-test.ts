import { setTimeout as sleep } from 'node:timers/promises';
import { steadily } from '../lib/clock.ts';
import type { Complaints } from '../lib/failure-log.ts';
import type { Canary } from './canary.ts';
import type { Circumstances, ResolutionState } from './resolution.ts';

export interface SelfTestOptions {
  canary: Pick<Canary, 'test'>;
  resolution: ResolutionState;
  circumstances: () => Pick<Circumstances, 'replicas'>;
  complaints: Pick<Complaints, 'note'>;
  pause?: (ms: number) => Promise<unknown>;
  now?: () => number;
}

/** Tests for ever: now and then while all is well, and soon again after a failure. */
export async function selfTest(options: SelfTestOptions): Promise<never> {
  const { canary, resolution, circumstances, complaints, pause = sleep, now = steadily } = options;
  for (;;) {
    const began = now();
    const { message } = resolution.note(await canary.test(), circumstances());
    complaints.note('resolve its own record', message);
    await pause(Math.max(0, began + resolution.pauseMs - now()));
  }
}
