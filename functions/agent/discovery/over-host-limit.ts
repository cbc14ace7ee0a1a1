import { mostHosts } from '../../contract/declaration.ts';
import { discoveredMark, resourceOf } from '../powerdns/rrset.ts';
import { isOverLimit } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import type { RejectedRecord } from './conflict.ts';
import type { DesiredRecord } from './desired-record.ts';

/** The wishes that are within the bound, and one refusal for each object that goes beyond. */
export function withoutOverLimit(
  desiredRecords: DesiredRecord[],
  lister: SourceLister,
  { ownerID, namespace }: { ownerID: string; namespace?: string },
): { desiredRecords: DesiredRecord[]; refused: RejectedRecord[] } {
  const overLimit = [...lister.list()].filter(
    (sourceObject) => sourceObject.overflow && (namespace === undefined || sourceObject.namespace === namespace),
  );
  if (overLimit.length === 0) return { desiredRecords, refused: [] };
  const byResource = new Map(overLimit.map((sourceObject) => [sourceObject.resource, sourceObject]));
  return {
    desiredRecords: desiredRecords.filter(
      (desired) => !isOverLimit(byResource.get(resourceOf(desired)) ?? {}, desired.name),
    ),
    refused: overLimit.flatMap((sourceObject) => refusalOf(sourceObject, ownerID)),
  };
}

function refusalOf({ resource, overflow }: SourceObject, ownerID: string): RejectedRecord[] {
  if (!overflow) return [];
  const count = mostHosts + overflow.hashes.length;
  const message = `an object may ask for ${mostHosts} names, and this one asks for ${count}: split it`;
  const mark = discoveredMark(ownerID, resource);
  return [{ rrset: { name: overflow.host, type: 'A', ttl: 0, records: [], mark }, verdict: 'Refused', message }];
}
