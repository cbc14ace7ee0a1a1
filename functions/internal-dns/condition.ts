import type { Condition } from '../cdk8s-function-xp/composition.ts';

// Messages have no counters or other values that change often: each change triggers a reconcile by Crossplane.

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
