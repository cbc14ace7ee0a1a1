import { serve } from './cdk8s-function-xp/serve.ts';
import { internalDNS } from './internal-dns/composition.ts';

void serve(internalDNS);
