import { keyOf } from '../../powerdns/rrset.ts';
import type { Claim, Part } from '../source-object.ts';
import { claimOf, type Metadata, unique } from './metadata.ts';
import type { StatedTTL } from './ttl.ts';

/** What an object of `kind` claims whose hosts may have each their own targets. Only where they do there are parts. */
export function claimByHost(
  kind: string,
  metadata: Metadata,
  targetsAt: ReadonlyMap<string, readonly string[]>,
  ttl: StatedTTL,
): Claim[] {
  const all = unique([...targetsAt.values()].flat());
  const claims = claimOf(kind, metadata, [...targetsAt.keys()], all, ttl);
  if ([...targetsAt.values()].every(({ length }) => length === all.length)) return claims;
  return claims.map((claim) => ({ ...claim, parts: partsOf(claim, targetsAt) }));
}

function partsOf({ hosts, ttl }: Claim, targetsAt: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, Part> {
  return new Map(
    hosts.flatMap((name) => {
      const part = { targets: targetsAt.get(name) ?? [], ...(ttl && { ttl }) };
      return ['A', 'AAAA', 'CNAME'].map((type): [string, Part] => [keyOf({ name, type }), part]);
    }),
  );
}
