import * as z from 'zod';
import { parentOf } from '../../dns/name.ts';
import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { SharedHosts } from './conflict.ts';
import { sharingGroup } from './resource-label.ts';

/** A published name that is no longer requested. Persisted: see `DeleteGuardStore`. */
export const missingName = z.object({
  name: z.string(),
  /** The object that requested it. */
  object: z.string(),
  /** When it was first missing: milliseconds since 1970. */
  since: z.number(),
  /** Whether it is part of a mass deletion, which lasts until none of its names is both published and missing. */
  inMass: z.boolean().optional(),
  /**
   * Whether it is held because several objects vanished together. The last of them still left is part of that group.
   */
  together: z.boolean().optional(),
  /** Whether the state before is lost, as after an upgrade: it is held whatever happened to its object. */
  unsure: z.boolean().optional(),
});

export type MissingName = z.infer<typeof missingName>;

export interface RequestedNamesInput {
  current: readonly RRset[];
  desiredRecords: readonly RRset[];
  accepted: readonly RRset[];
  sharedHosts: SharedHosts;
}

/**
 * Returns the current names that are not missing: still requested by their namespace (even if rejected), or taken over
 * by another object. A name is not taken over while its own object still requests it and has only lost its address, or
 * cannot be seen: otherwise an object with the same hosts would get every name of an ingress controller that restarts,
 * and no name would ever be missing.
 */
export function requestedNames(
  { current, desiredRecords, accepted, sharedHosts }: RequestedNamesInput,
  lister: SourceLister,
): ReadonlySet<string> {
  const desiredByName = Map.groupBy(desiredRecords, ({ name }) => name);
  const acceptedNames = new Set(accepted.map(({ name }) => name));
  const isRequested = (rrset: RRset) =>
    desiredByName
      .get(rrset.name)
      ?.some((desired) => sharingGroup(resourceOf(desired)) === sharingGroup(resourceOf(rrset)));
  const isStillRequested = (rrset: RRset) =>
    lister.isUnsynced(resourceOf(rrset)) || requestFor(resourceOf(rrset), rrset.name, lister) !== undefined;
  const isTakenOver = (rrset: RRset) =>
    acceptedNames.has(rrset.name) && (sharedHosts === 'Merge' || !isStillRequested(rrset));
  return new Set(current.filter((rrset) => isRequested(rrset) || isTakenOver(rrset)).map(({ name }) => name));
}

/**
 * Why a name is missing. `AddressLost`: its object still requests it and has no address. `PodGone`: so it does, but the
 * name was that of one of its Pods. `ObjectGone`: it was deleted, or no longer requests the name. `Unsynced`: it cannot
 * be seen now. `Unwatched`: objects of its kind are never seen.
 */
export type MissingCause = 'AddressLost' | 'PodGone' | 'ObjectGone' | 'Unsynced' | 'Unwatched';

export function causeOf({ name, object, unsure }: MissingName, lister: SourceLister): MissingCause {
  if (unsure || lister.isUnsynced(object)) return 'Unsynced';
  if (!lister.hasSynced(object)) return 'Unwatched';
  const request = requestFor(object, name, lister);
  if (request === 'Pod') return 'PodGone';
  return request ? 'AddressLost' : 'ObjectGone';
}

/**
 * Returns how an object requests a name, with an address or without: for itself or for one of its Pods. An object that
 * waits for its controller does, such as a route that has lost its Gateway; one that the spec filters does not.
 */
function requestFor(object: string, name: string, lister: SourceLister): 'Own' | 'Pod' | undefined {
  const { hosts = [], below = false } = lister.get(object) ?? {};
  if (hosts.includes(name)) return 'Own';
  if (lister.filteredOf(object).some(({ isUnready, hosts }) => isUnready && hosts.includes(name))) return 'Own';
  return below && hosts.includes(parentOf(name)) ? 'Pod' : undefined;
}
