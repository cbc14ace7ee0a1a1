import { keyOf } from '../../powerdns/rrset.ts';
import type { Part, SourceObject } from '../source-object.ts';
import { type Metadata, toSourceObject, unique } from './metadata.ts';
import type { StatedTTL } from './ttl.ts';

/** What an object of `kind` claims whose hosts may have each their own targets. Only where they do there are parts. */
export function toSourceObjectPerHost(
  kind: string,
  metadata: Metadata,
  targetsAt: ReadonlyMap<string, readonly string[]>,
  ttl: StatedTTL,
): SourceObject[] {
  const all = unique([...targetsAt.values()].flat());
  const sourceObjects = toSourceObject(kind, metadata, [...targetsAt.keys()], all, ttl);
  if ([...targetsAt.values()].every(({ length }) => length === all.length)) return sourceObjects;
  return sourceObjects.map((sourceObject) => ({ ...sourceObject, parts: partsOf(sourceObject, targetsAt) }));
}

function partsOf(
  { hosts, ttl }: SourceObject,
  targetsAt: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Part> {
  return new Map(
    hosts.flatMap((name) => {
      const part = { targets: targetsAt.get(name) ?? [], ...(ttl && { ttl }) };
      return ['A', 'AAAA', 'CNAME'].map((type): [string, Part] => [keyOf({ name, type }), part]);
    }),
  );
}
