import { discoverable } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { misspeltType } from '../discovery/endpoint.ts';
import { illegalName } from '../discovery/host-name.ts';
import { keyOf } from '../powerdns/rrset.ts';
import { hasTooManyTargets, tooManyTargets } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { type HeldBecause, refused, undiscoverableType } from './reasons.ts';

/** Returns the targets of an object at one of its hosts; undefined if only ExternalDNS knows them. */
export function targetsAt(name: string, sourceObject: SourceObject | undefined): readonly string[] | undefined {
  const { parts, targets } = sourceObject ?? {};
  if (!parts) return targets;
  return typesAt(name, sourceObject).flatMap((type) => parts.get(keyOf({ name, type }))?.targets ?? []);
}

/** Returns why a name is published by the delete guard only. */
export function heldBecause(
  name: string,
  resource: string,
  lister: Pick<SourceLister, 'get' | 'hasSynced' | 'isUnsynced'>,
): HeldBecause {
  const sourceObject = lister.get(resource);
  if (lister.isUnsynced(resource)) return 'Unsynced';
  if (!sourceObject) return lister.hasSynced(resource) ? 'Deleted' : 'NotRequested';
  if (!sourceObject.hosts.includes(name) && !sourceObject.below) return 'HostRemoved';
  return targetsAt(name, sourceObject)?.length === 0 ? 'AddressLost' : 'NotRequested';
}

/**
 * Returns why a host can never be published with any type that the object has for it. ExternalDNS may never request it:
 * it drops such hosts of a route silently, and records of types that it does not manage.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go (gwHost)
 */
export function unpublishableHost(name: string, sourceObject: SourceObject | undefined): Reason | undefined {
  if (hasTooManyTargets(sourceObject?.parts ? undefined : sourceObject?.targets)) return refused(tooManyTargets);
  const types = typesAt(name, sourceObject);
  if (types.length === 0) {
    const fault = writtenTypes(name, sourceObject)
      .map(misspeltType)
      .find((each) => each !== undefined);
    return fault === undefined ? undiscoverableType : refused(fault);
  }
  const faults = types.map((type) => illegalName(name, type)).filter((fault) => fault !== undefined);
  return faults[0] !== undefined && faults.length === types.length ? refused(faults[0]) : undefined;
}

/** The types as the object spells them. */
const writtenTypes = (name: string, sourceObject: SourceObject | undefined): string[] =>
  [...(sourceObject?.parts?.keys() ?? [])]
    .filter((key) => key.startsWith(`${name} `))
    .map((key) => key.slice(name.length + 1));

/** The discoverable types of a host; of A, AAAA and CNAME only one, as they do not differ here. */
function typesAt(name: string, { parts, ofPodsOrNodes }: Partial<SourceObject> = {}): string[] {
  if (parts) return discoverable.filter((type) => parts.has(keyOf({ name, type })));
  // The hosts of a Service include its ports.
  return [ofPodsOrNodes && name.startsWith('_') ? 'SRV' : 'A'];
}
