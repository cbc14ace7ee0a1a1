import { mostHosts } from '../../contract/declaration.ts';
import { claimantOf, discoveredMark } from '../powerdns/rrset.ts';
import { isOverLimit } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import type { Refused } from './conflict.ts';
import type { Wish } from './desired-record.ts';

/** The wishes that are within the bound, and one refusal for each object that goes beyond. */
export function withoutOverLimit(
  wishes: Wish[],
  lister: SourceLister,
  { ownerID, namespace }: { ownerID: string; namespace?: string },
): { wishes: Wish[]; refused: Refused[] } {
  const overLimit = [...lister.list()].filter(
    (sourceObject) => sourceObject.overflow && (namespace === undefined || sourceObject.namespace === namespace),
  );
  if (overLimit.length === 0) return { wishes, refused: [] };
  const byResource = new Map(overLimit.map((sourceObject) => [sourceObject.resource, sourceObject]));
  return {
    wishes: wishes.filter((wish) => !isOverLimit(byResource.get(claimantOf(wish)) ?? {}, wish.name)),
    refused: overLimit.flatMap((sourceObject) => refusalOf(sourceObject, ownerID)),
  };
}

function refusalOf({ resource, overflow }: SourceObject, ownerID: string): Refused[] {
  if (!overflow) return [];
  const count = mostHosts + overflow.hashes.length;
  const message = `an object may ask for ${mostHosts} names, and this one asks for ${count}: split it`;
  const mark = discoveredMark(ownerID, resource);
  return [{ rrset: { name: overflow.host, type: 'A', ttl: 0, records: [], mark }, verdict: 'Refused', message }];
}
