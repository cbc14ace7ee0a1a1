import { serve } from '../../functions/cdk8s-function-xp/serve.ts';
import { greetings } from '../protocol/greeting.ts';

void serve(greetings);
