import { serve } from '../../functions/cdk8s-function-xp/serve.ts';
import { greetings } from '../cdk8s-function-xp/greeting.ts';

void serve(greetings);
