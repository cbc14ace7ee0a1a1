import { serve } from './cdk8s-function-xp/serve.ts';
import { internalDNSUnder } from './internal-dns/composition.ts';
import { restrictionFlags, restrictionsOf } from './internal-dns/restrictions.ts';

const warmUp = {
  apiVersion: 'dns.internal/v1alpha1',
  kind: 'InternalDNS',
  metadata: { name: 'warm-up' },
  spec: { zones: [{ name: 'example.internal' }] },
};

void serve((flags) => internalDNSUnder(restrictionsOf(flags, process.env)), { flags: restrictionFlags, warmUp });
