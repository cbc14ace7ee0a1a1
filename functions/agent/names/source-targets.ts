import { discoverable } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { misspeltType } from '../discovery/endpoint.ts';
import { illegalName } from '../discovery/host-name.ts';
import { keyOf } from '../powerdns/rrset.ts';
import { hasTooManyTargets, tooManyTargets } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';

/** Undefined where it is not known what the object answers with at a host of its own. */
export function targetsAt(name: string, sourceObject: SourceObject | undefined): readonly string[] | undefined {
  const { parts, targets } = sourceObject ?? {};
  if (!parts) return targets;
  return typesAt(name, sourceObject).flatMap((type) => parts.get(keyOf({ name, type }))?.targets ?? []);
}

/** Why what an object had at a name stands there in vain. */
export function lossOf(
  name: string,
  resource: string,
  lister: Pick<SourceLister, 'get' | 'hasSynced' | 'isUnsynced'>,
): string {
  const sourceObject = lister.get(resource);
  if (lister.isUnsynced(resource)) return 'cannot be seen, as its kind cannot be listed';
  if (!sourceObject) return lister.hasSynced(resource) ? 'is gone' : 'is no longer asked for by ExternalDNS';
  if (!sourceObject.hosts.includes(name) && !sourceObject.below) return 'no longer asks for it';
  return targetsAt(name, sourceObject)?.length === 0 ? 'has lost its address' : 'is no longer asked for by ExternalDNS';
}

/**
 * Why a host can never be published, whatever type it is claimed for. Nobody may ever ask for it: ExternalDNS drops such
 * hosts of a route without a word, and records of types that it does not manage.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go (gwHost)
 */
export function faultAt(name: string, sourceObject: SourceObject | undefined): Reason | undefined {
  const types = typesAt(name, sourceObject);
  if (hasTooManyTargets(sourceObject?.parts ? undefined : sourceObject?.targets))
    return { verdict: 'Refused', message: tooManyTargets };
  if (types.length === 0) {
    const misspelt = statedTypes(name, sourceObject)
      .map(misspeltType)
      .find((fault) => fault !== undefined);
    if (misspelt !== undefined) return { verdict: 'Refused', message: misspelt };
    return { verdict: 'Filtered', message: 'records of its type are not discovered: declare them in spec.zones' };
  }
  const faults = types.map((type) => illegalName(name, type)).filter((fault) => fault !== undefined);
  return faults[0] !== undefined && faults.length === types.length
    ? { verdict: 'Refused', message: faults[0] }
    : undefined;
}

/** As they are written. */
const statedTypes = (name: string, sourceObject: SourceObject | undefined): string[] =>
  [...(sourceObject?.parts?.keys() ?? [])]
    .filter((key) => key.startsWith(`${name} `))
    .map((key) => key.slice(name.length + 1));

/** The types that a host is claimed for, as far as they are discovered; one of them where that is all the same. */
function typesAt(name: string, { parts, ofPodsOrNodes }: Partial<SourceObject> = {}): string[] {
  if (parts) return discoverable.filter((type) => parts.has(keyOf({ name, type })));
  // The ports of a Service are claimed together with its hosts.
  return [ofPodsOrNodes && name.startsWith('_') ? 'SRV' : 'A'];
}
