import { serve } from './cdk8s-function-xp/serve.ts';
import { internalDNS } from './internal-dns/composition.ts';

const warmUp = {
  apiVersion: 'dns.internal/v1alpha1',
  kind: 'InternalDNS',
  metadata: { name: 'warm-up' },
  spec: { zones: [{ name: 'example.internal' }] },
};

void serve(internalDNS, { warmUp });
