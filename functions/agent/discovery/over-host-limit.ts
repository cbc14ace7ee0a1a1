import { mostHosts } from '../../contract/declaration.ts';
import { claimantOf, discoveredMark } from '../powerdns/rrset.ts';
import { isBeyond } from '../sources/host-limit.ts';
import type { Claim, Claims } from '../sources/source-object.ts';
import type { Refused } from './conflict.ts';
import type { Wish } from './desired-record.ts';

/** The wishes that are within the bound, and one refusal for each object that goes beyond. */
export function withoutExcess(
  wishes: Wish[],
  claims: Claims,
  { ownerID, namespace }: { ownerID: string; namespace?: string },
): { wishes: Wish[]; refused: Refused[] } {
  const excessive = [...claims.all()].filter(
    (claim) => claim.excess && (namespace === undefined || claim.namespace === namespace),
  );
  if (excessive.length === 0) return { wishes, refused: [] };
  const byResource = new Map(excessive.map((claim) => [claim.resource, claim]));
  return {
    wishes: wishes.filter((wish) => !isBeyond(byResource.get(claimantOf(wish)) ?? {}, wish.name)),
    refused: excessive.flatMap((claim) => refusalOf(claim, ownerID)),
  };
}

function refusalOf({ resource, excess }: Claim, ownerID: string): Refused[] {
  if (!excess) return [];
  const count = mostHosts + excess.hashes.length;
  const message = `an object may ask for ${mostHosts} names, and this one asks for ${count}: split it`;
  const mark = discoveredMark(ownerID, resource);
  return [{ rrset: { name: excess.host, type: 'A', ttl: 0, records: [], mark }, verdict: 'Refused', message }];
}
