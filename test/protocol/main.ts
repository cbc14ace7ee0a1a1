import { serve } from '../../functions/cdk8s-function-xp/serve.ts';
import { greeting, greetings } from './greeting.ts';

/** The composition of greeting.ts as a process; `spec.ms` keeps it busy for as long, and it says on stderr when it starts. */
await serve(
  {
    ...greetings,
    render(composite, observed) {
      const end = Date.now() + (composite.spec.ms ?? 0);
      if (composite.spec.ms) process.stderr.write('rendering\n');
      while (Date.now() < end);
      return greetings.render(composite, observed);
    },
  },
  {
    ...(process.env.DEADLINE ? { deadline: Number(process.env.DEADLINE) } : {}),
    warmUp: process.env.WARM_UP ? greeting('', 'warm-up') : undefined,
  },
);
