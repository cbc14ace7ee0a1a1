import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import { byAge } from '../sources/age.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { isTargetType } from '../sources/target.ts';
import type { DesiredRecord } from './desired-records.ts';
import type { RejectedRecord } from './evaluation.ts';
import { sharingGroup } from './resource-label.ts';
import type { NameRestrictions } from './tenancy.ts';

/** A name that one object would get and an older one may still need. */
interface Reservation {
  rrset: RRset;
  older: SourceObject;
}

export interface Candidates {
  accepted: readonly RRset[];
  current: readonly RRset[];
  desiredRecords: readonly DesiredRecord[];
}

export interface HostReservationOptions {
  holdSeconds: number;
  restrictions: NameRestrictions;
  lister: SourceLister;
  now: number;
}

/**
 * Reserves names for older objects that have no address at the moment: when addresses come back after an outage, the
 * first object to get one would otherwise get names of another namespace. A reservation lasts as long as a hold of the
 * delete guard, from the older object's last change, or from the first loop if that is unknown.
 */
export class HostReservations {
  #startedAt: number | undefined;
  /** By name and older object, on the agent's clock. */
  #since = new Map<string, number>();

  /** Rejects accepted RRsets whose name is reserved. */
  apply(
    { accepted, ...others }: Candidates,
    { holdSeconds, restrictions, lister, now }: HostReservationOptions,
  ): { accepted: RRset[]; refused: RejectedRecord[] } {
    this.#startedAt ??= now;
    const current = Map.groupBy(others.current, ({ name }) => name);
    const desired = Map.groupBy(others.desiredRecords, ({ name }) => name);
    const reservations = accepted.flatMap((rrset): Reservation[] => {
      const atName = { current: current.get(rrset.name) ?? [], desiredRecords: desired.get(rrset.name) ?? [] };
      const older = oldestBefore(rrset, atName, lister, restrictions);
      return older ? [{ rrset, older }] : [];
    });
    const sinceOf = ({ rrset, older }: Reservation) => {
      const changedAt = lister.changedAt(older.resource) ?? this.#startedAt ?? now;
      return this.#since.get(keyOf(rrset, older)) ?? Math.min(now, changedAt);
    };
    this.#since = new Map(reservations.map((each) => [keyOf(each.rrset, each.older), sinceOf(each)]));
    const reserved = new Map(
      reservations
        .filter((each) => now - sinceOf(each) < holdSeconds * 1000)
        .map(({ rrset, older }) => [rrset.name, older]),
    );
    return {
      accepted: accepted.filter(({ name }) => !reserved.has(name)),
      refused: accepted.flatMap((rrset): RejectedRecord[] => {
        const older = reserved.get(rrset.name);
        return older ? [{ rrset, verdict: 'Duplicate', message: reservedFor(older) }] : [];
      }),
    };
  }

  /** Reports whether there is no reservation, so that the result does not depend on time. */
  get isIdle(): boolean {
    return this.#since.size === 0;
  }
}

const keyOf = ({ name }: RRset, { resource }: SourceObject) => `${name} ${resource}`;

const reservedFor = ({ resource }: SourceObject) =>
  `reserved for ${resource}, which is older and has no address now (discovery.deleteGuard.hold)`;

/**
 * Returns the oldest object of another namespace that may have the name, is older than the RRset's object, and has no
 * endpoint for it.
 * @param atName what is current and desired at the name
 */
function oldestBefore(
  rrset: RRset,
  { current, desiredRecords }: Omit<Candidates, 'accepted'>,
  lister: SourceLister,
  restrictions: NameRestrictions,
): SourceObject | undefined {
  const { name, type } = rrset;
  const group = sharingGroup(resourceOf(rrset));
  const own = lister.get(resourceOf(rrset));
  if (!own || !isTargetType(type)) return undefined;
  const isOwn = (other: RRset) => sharingGroup(resourceOf(other)) === group;
  const olderObjects = lister
    .byHost(name)
    .filter((sourceObject) => sharingGroup(sourceObject.resource) !== group && byAge(sourceObject, own) < 0)
    .filter(
      (sourceObject) => isHostOf(sourceObject, name) && (!sourceObject.parts || wantsTarget(name, sourceObject.parts)),
    );
  // Most names are requested by one object.
  if (olderObjects.length === 0 || current.some(isOwn)) return undefined;
  // What an older object has published is held by the delete guard.
  // A host name that is not resolved is no address.
  const known = new Set([...current, ...desiredRecords.filter(({ unresolved }) => !unresolved)].map(resourceOf));
  return olderObjects
    .filter(({ resource }) => !known.has(resource))
    .filter(({ resource }) => !restrictions.for({ ...rrset, mark: { account: '', content: resource } }))
    .sort(byAge)[0];
}

/** Reports whether a name is a host of the object itself: not of one of its Pods, nor over its host limit. */
const isHostOf = ({ hosts, overflow, below }: SourceObject, name: string) =>
  (!overflow && !below) || hosts.includes(name);

const wantsTarget = (name: string, parts: NonNullable<SourceObject['parts']>) =>
  ['A', 'AAAA', 'CNAME'].some((type) => parts.has(`${name} ${type}`));
