import type { Condition } from '../cdk8s-function-xp/composition.ts';

// No counters and no changing words in a message: each change wakes Crossplane.

export const yes = (type: string, reason: string, message?: string): Condition => ({
  type,
  status: 'True',
  reason,
  ...(message && { message }),
});

export const no = (type: string, reason: string, message: string): Condition => ({
  type,
  status: 'False',
  reason,
  message,
});
