import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import { byAge, type SourceLister, type SourceObject } from '../sources/source-object.ts';
import type { RejectedRecord } from './evaluation.ts';
import { sharingGroup } from './resource-label.ts';
import { isTargetType } from './target.ts';
import type { NameRestrictions } from './tenancy.ts';

/** A name that somebody is to have, and who comes before them. */
interface Contest {
  rrset: RRset;
  elder: SourceObject;
}

export interface Contenders {
  accepted: readonly RRset[];
  current: readonly RRset[];
  desiredRecords: readonly RRset[];
}

/**
 * Keeps a name from the object of another namespace while an older one that asks for it has no address: when addresses
 * come back after an outage, the first to have one would have names that are not its own. For as long as the delete guard
 * would hold the name, since the older one changed; where that is not known, since this began.
 */
export class HostReservations {
  #beganAt: number | undefined;
  /** By name and elder, by the clock. */
  #since = new Map<string, number>();

  /** What is accepted without what an older object may still have. */
  apply(
    { accepted, ...contenders }: Contenders,
    {
      holdSeconds,
      restrictions,
      lister,
      now,
    }: { holdSeconds: number; restrictions: NameRestrictions; lister: SourceLister; now: number },
  ): { accepted: RRset[]; refused: RejectedRecord[] } {
    this.#beganAt ??= now;
    const there = Map.groupBy(contenders.current, ({ name }) => name);
    const asked = Map.groupBy(contenders.desiredRecords, ({ name }) => name);
    const contests = accepted.flatMap((rrset): Contest[] => {
      const atName = { current: there.get(rrset.name) ?? [], desiredRecords: asked.get(rrset.name) ?? [] };
      const elder = elderOf(rrset, atName, lister, restrictions);
      return elder ? [{ rrset, elder }] : [];
    });
    const sinceOf = ({ rrset, elder }: Contest) => {
      const changedAt = lister.changedAt(elder.resource) ?? this.#beganAt ?? now;
      return this.#since.get(keyOf(rrset, elder)) ?? Math.min(now, changedAt);
    };
    this.#since = new Map(contests.map((contest) => [keyOf(contest.rrset, contest.elder), sinceOf(contest)]));
    const waiting = new Map(
      contests
        .filter((contest) => now - sinceOf(contest) < holdSeconds * 1000)
        .map(({ rrset, elder }) => [rrset.name, elder]),
    );
    return {
      accepted: accepted.filter(({ name }) => !waiting.has(name)),
      refused: accepted.flatMap((rrset): RejectedRecord[] => {
        const elder = waiting.get(rrset.name);
        return elder ? [{ rrset, verdict: 'Duplicate', message: comesBefore(elder) }] : [];
      }),
    };
  }

  /** Whether nobody waits, so that time changes nothing. */
  get isIdle(): boolean {
    return this.#since.size === 0;
  }
}

const keyOf = ({ name }: RRset, { resource }: SourceObject) => `${name} ${resource}`;

const comesBefore = ({ resource }: SourceObject) =>
  `${resource} is older, and the name waits for its address (discovery.deleteGuard.hold)`;

/**
 * The oldest object of another namespace that may have a name and that ExternalDNS has no address for.
 * @param atName what stands there and is asked for
 */
function elderOf(
  rrset: RRset,
  { current, desiredRecords }: Omit<Contenders, 'accepted'>,
  lister: SourceLister,
  restrictions: NameRestrictions,
) {
  const { name, type } = rrset;
  const group = sharingGroup(resourceOf(rrset));
  const own = lister.get(resourceOf(rrset));
  if (!own || !isTargetType(type)) return undefined;
  const isOwn = (other: RRset) => sharingGroup(resourceOf(other)) === group;
  const elders = lister
    .byHost(name)
    .filter((sourceObject) => sharingGroup(sourceObject.resource) !== group && byAge(sourceObject) < byAge(own))
    .filter(
      (sourceObject) => isHostOf(sourceObject, name) && (!sourceObject.parts || wantsTarget(name, sourceObject.parts)),
    );
  // Most names have one object that asks for them.
  if (elders.length === 0 || current.some(isOwn)) return undefined;
  // What it has there already the delete guard holds.
  const known = new Set([...current, ...desiredRecords].map(resourceOf));
  return elders
    .filter(({ resource }) => !known.has(resource))
    .filter(({ resource }) => !restrictions.for({ ...rrset, mark: { account: '', content: resource } }))
    .sort((a, b) => (byAge(a) < byAge(b) ? -1 : 1))[0];
}

/** Whether a claim on a name has it among its hosts: else it is that of one of its Pods, or beyond the bound. */
const isHostOf = ({ hosts, overflow, below }: SourceObject, name: string) =>
  (!overflow && !below) || hosts.includes(name);

const wantsTarget = (name: string, parts: NonNullable<SourceObject['parts']>) =>
  ['A', 'AAAA', 'CNAME'].some((type) => parts.has(`${name} ${type}`));
