import { createHash } from 'node:crypto';
import * as z from 'zod';

/**
 * What one InternalDNS declares, as the function writes it and the agent reads it. Names are lower case and without
 * the trailing dot, as in the composite.
 */
export const declaration = z.object({
  zones: z.array(
    z.object({
      name: z.string(),
      /** Names of the zone's servers; none means `ns1` below the zone. */
      nameServers: z.array(z.string()),
    }),
  ),
  /** Where clients reach the DNS Service: IPv4 and IPv6 addresses of the zones' own name servers. */
  addresses: z.array(z.string()),
  /** Absent when nothing is to be discovered. */
  discovery: z.object({ ownerID: z.string(), intervalSeconds: z.number().positive() }).optional(),
  /** The size that the pod's claim should have, as a Kubernetes quantity. */
  storage: z.object({ size: z.string() }),
});

export type Declaration = z.infer<typeof declaration>;

/** The key of the ConfigMap that holds a declaration. */
export const declarationKey = 'declaration.json';

/** Identifies a declaration by its text, so that a report can say which one it speaks of. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
