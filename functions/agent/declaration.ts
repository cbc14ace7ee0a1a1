import { createHash } from 'node:crypto';
import * as z from 'zod';
import { record, ttl } from '../dns/record.ts';
import { soa } from '../dns/soa.ts';

/** The key of a ConfigMap that holds a zone file. */
const zoneFile = z.object({ configMap: z.string(), key: z.string() });

export type ZoneFileRef = z.infer<typeof zoneFile>;

const signing = z.object({
  mode: z.enum(['Signed', 'Unsigning']),
  algorithm: z.enum(['ECDSA256', 'ECDSA384', 'ED25519']),
  nsec3: z.boolean(),
  /** The DS records that the zone was published with so far. */
  ds: z.array(z.string()),
});

const zone = z.object({
  name: z.string(),
  /** Names of the zone's servers; none means `ns1` below the zone. */
  nameServers: z.array(z.string()),
  soa: soa.optional(),
  /** Seconds. */
  defaultTTL: ttl.optional(),
  records: z.array(record).optional(),
  recordsFrom: z.array(zoneFile).optional(),
  /** Absent when the zone is not signed. */
  dnssec: signing.optional(),
});

/**
 * What one InternalDNS declares, as the function writes it and the agent reads it. Names are lower case and without
 * the trailing dot, as in the composite; records are as the user wrote them, with the placeholders filled in.
 */
export const declaration = z.object({
  zones: z.array(zone),
  /** Where clients reach the DNS Service: IPv4 and IPv6 addresses of the zones' own name servers. */
  addresses: z.array(z.string()),
  /** Absent when nothing is to be discovered. */
  discovery: z
    .object({
      ownerID: z.string(),
      intervalSeconds: z.number().positive(),
      /** Whether the addresses that are published get PTR records. */
      reverse: z.boolean().optional(),
    })
    .optional(),
  /** The size that the pod's claim should have, as a Kubernetes quantity. */
  storage: z.object({ size: z.string() }),
});

export type Declaration = z.infer<typeof declaration>;
export type DeclaredZone = Declaration['zones'][number];

/** The key of the ConfigMap that holds a declaration. */
export const declarationKey = 'declaration.json';

/** Identifies a declaration by its text, so that a report can say which one it speaks of. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
