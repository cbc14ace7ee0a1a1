import type { AcrossNamespaces } from '../../contract/declaration.ts';
import { parentOf, withoutDot } from '../../dns/name.ts';
import { isAddressType, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { NameContext } from './name-context.ts';
import { childNames, type Names, namesBelow } from './names-below.ts';
import { sharingGroup } from './resource-label.ts';
import { isTargetType } from './target.ts';

/** What is known of the hosts beside which a name would be. */
export interface AcrossNamespacesContext {
  allowAcrossNamespaces: readonly AcrossNamespaces[];
  lister: Pick<SourceLister, 'get'>;
  /** What has been accepted so far, by its absolute names: see `byDependence`. */
  accepted: Names;
}

export interface AcrossNamespacesViolation {
  message: string;
  /** Whether what stands of it goes, too. */
  isFinal: boolean;
}

/**
 * Names in the order in which they are to be judged: a wildcard looks at hosts, and an underscore at both. Those that look
 * at others are `dependent`.
 */
export function byDependence(byName: ReadonlyMap<string, readonly RRset[]>): { all: string[]; dependent: string[] } {
  const ranked = byName
    .entries()
    .map(([name, desiredRecords]) => ({
      name,
      rank: desiredRecords.reduce((rank, desired) => Math.max(rank, rankOf(desired)), 0),
    }))
    .toArray()
    .sort((a, b) => a.rank - b.rank);
  const dependent = ranked.filter(({ rank }) => rank > 0);
  return { all: ranked.map(({ name }) => name), dependent: dependent.map(({ name }) => name) };
}

const rankOf = (desired: RRset) => ranks[kindOf(desired) ?? 'host'];
const ranks = { host: 0, Delegations: 1, Wildcards: 1, UnderscoreNames: 2 } as const;

function kindOf({ name, type }: Pick<RRset, 'name' | 'type'>): AcrossNamespaces | undefined {
  if (type === 'NS') return 'Delegations';
  if (name.startsWith('_') || name.includes('._')) return 'UnderscoreNames';
  return name.startsWith('*.') ? 'Wildcards' : undefined;
}

/**
 * Why a name answers for a host that is another namespace's. Whoever was there first keeps what he has: a wildcard is not
 * lost for a host that somebody makes above it. But a challenge proves who a host is at any time, so it is the host's.
 */
export function acrossNamespacesViolation(
  desired: RRset,
  nameContext: NameContext,
  context: AcrossNamespacesContext,
): AcrossNamespacesViolation | undefined {
  const kind = kindOf(desired);
  const { zone } = nameContext.placement;
  if (!kind || zone === undefined || context.allowAcrossNamespaces.includes(kind)) return undefined;
  const isFinal = isChallenge(desired.name);
  if (!isFinal && nameContext.current.some((rrset) => rrset.type === desired.type && isOfSame(rrset, desired)))
    return undefined;
  for (const name of concerned(desired, kind, zone)) {
    const there = [...(nameContext.names.get(name) ?? []), ...(context.accepted.get(name) ?? [])];
    const host = hostOfAnother(there, desired, isFinal);
    if (host && (isFinal || !isElder(desired, host, context.lister))) return { message: messages[kind](host), isFinal };
  }
  const below = isFinal || kind === 'Delegations' ? hostBelow(desired, nameContext, context) : undefined;
  if (!below) return undefined;
  const message = isFinal ? messages.UnderscoreNames(below) : hiding(below);
  return isFinal || !isElder(desired, below, context.lister) ? { message, isFinal } : undefined;
}

/** Labels that prove to a certification authority who has the names: RFC 8555 section 8.4, draft-ietf-acme-dns-persist. */
export const isChallenge = (name: string) => /(?:^|\.)_(?:acme-challenge|validation-persist)(?:-[^.]*)?\./.test(name);

/** The names that a name answers for, if they are hosts: of what is in the whole zone nobody has the top. */
function concerned({ name, type }: RRset, kind: AcrossNamespaces, zone: string): string[] {
  if (kind !== 'UnderscoreNames') return above(name, zone);
  const host = hostOf(name);
  // Services of the domain are not those of the host that has its name.
  if (host === zone && type === 'SRV') return [];
  return [host, `*.${host}`];
}

/** What follows the last label that begins with an underscore. */
const hostOf = (name: string) => name.replace(/^(?:.*\.)?_[^.]*\./, '');

function above(name: string, zone: string): string[] {
  const names: string[] = [];
  for (let up = parentOf(name); up !== zone && up.length > zone.length; up = parentOf(up)) names.push(up);
  return names;
}

/** What a delegation hides; and a certificate of a wildcard is good for every host one label below. */
function hostBelow(desired: RRset, { names }: NameContext, { accepted }: AcrossNamespacesContext): RRset | undefined {
  const { name, type, records } = desired;
  for (const known of [names, accepted]) {
    const below = type === 'NS' ? namesBelow(name, known) : childNames(hostOf(name), known);
    for (const each of below) {
      const isGlue = type === 'NS' && records.includes(each);
      const other = isGlue ? undefined : hostOfAnother(known.get(each) ?? [], desired, false);
      if (other) return other;
    }
  }
  return undefined;
}

/** A host that is not also one of the namespace that wants the name. */
function hostOfAnother(there: readonly RRset[], desired: RRset, isAnyMaker: boolean): RRset | undefined {
  const hosts = there.filter(({ type }) => isTargetType(type) || isAddressType(type));
  const discovered = hosts.filter((rrset) => ownershipOf(rrset) === 'discovered');
  if (discovered.some((rrset) => isOfSame(rrset, desired))) return undefined;
  return discovered[0] ?? (isAnyMaker ? hosts[0] : undefined);
}

const isOfSame = (a: RRset, b: RRset) => sharingGroup(resourceOf(a)) === sharingGroup(resourceOf(b));

/** Whether the object of a wish is older than that of a host. What is not seen is no older than anything. */
function isElder(desired: RRset, host: RRset, lister: Pick<SourceLister, 'get'>): boolean {
  const [own, other] = [desired, host].map((rrset) => lister.get(resourceOf(rrset))?.created);
  return own !== undefined && other !== undefined && own < other;
}

const opened = (kind: AcrossNamespaces) => `use another name, or open ${kind} in discovery.allowAcrossNamespaces`;
const whose = (host: RRset) =>
  `${withoutDot(host.name)}, which ${resourceOf(host).includes('/') ? resourceOf(host) : 'the InternalDNS'} has`;

const messages: Readonly<Record<AcrossNamespaces, (host: RRset) => string>> = {
  UnderscoreNames: (host) => `it speaks for ${whose(host)}: ${opened('UnderscoreNames')}`,
  Wildcards: (host) => `a wildcard below ${whose(host)}: ${opened('Wildcards')}`,
  Delegations: (host) => `a delegation below ${whose(host)}: ${opened('Delegations')}`,
};

const hiding = (host: RRset) => `a delegation would hide ${whose(host)}: delegate another name`;
