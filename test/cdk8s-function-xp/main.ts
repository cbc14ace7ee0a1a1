import { serve } from '../../functions/cdk8s-function-xp/serve.ts';
import { greeting, greetings } from './greeting.ts';

// The composition of greeting.ts as a process.
await serve(greetings, {
  ...(process.env.DEADLINE ? { deadline: Number(process.env.DEADLINE) } : {}),
  warmUp: process.env.WARM_UP ? greeting('', 'warm-up') : undefined,
});
