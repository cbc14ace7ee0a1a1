import type { AcrossNamespaces } from '../../contract/declaration.ts';
import { parentOf, withoutDot } from '../../dns/name.ts';
import { isAddressType, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { isTargetType } from '../sources/target.ts';
import type { EvaluationContext, Violation } from './evaluation.ts';
import type { NameContext } from './name-context.ts';
import { childNames, namesBelow } from './names-below.ts';
import { sharingGroup } from './resource-label.ts';

/**
 * Returns names in the order in which to evaluate them: wildcards and delegations depend on the accepted hosts, and
 * underscore names on both. `dependent` are those that depend on others.
 */
export function inDependencyOrder(byName: ReadonlyMap<string, readonly RRset[]>): {
  all: string[];
  dependent: string[];
} {
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
 * Returns why a name may not answer for a host of another namespace. The older object keeps what it has: a wildcard is not
 * lost when somebody creates a host above it. A challenge proves control of the host at any time, so it is always the
 * host's.
 */
export function acrossNamespacesViolation(
  desired: RRset,
  nameContext: NameContext,
  context: EvaluationContext,
): Violation | undefined {
  const kind = kindOf(desired);
  const { zone, current, names } = nameContext;
  if (!kind || zone === undefined || context.discovery.allowAcrossNamespaces.includes(kind)) return undefined;
  const isFinal = isChallenge(desired.name);
  if (!isFinal && current.some((rrset) => rrset.type === desired.type && isOfSameGroup(rrset, desired)))
    return undefined;
  const violation = (message: string): Violation => ({ verdict: 'Refused', message, isForbidden: true, isFinal });
  for (const name of hostsAnswered(desired, kind, zone)) {
    const host = hostOfAnother(
      [...(names.get(name) ?? []), ...(context.accepted.get(name) ?? [])],
      desired,
      isFinal ? 'anyOwner' : 'discovered',
    );
    if (host && (isFinal || !isOlder(desired, host, context.lister))) return violation(messages[kind](host));
  }
  const below = isFinal || kind === 'Delegations' ? hostBelow(desired, nameContext, context) : undefined;
  if (!below) return undefined;
  if (isFinal) return violation(messages.UnderscoreNames(below));
  return isOlder(desired, below, context.lister) ? undefined : violation(hidingMessage(below));
}

/** Labels that prove control of a name to a CA: RFC 8555 section 8.4, draft-ietf-acme-dns-persist. */
export const isChallenge = (name: string) => /(?:^|\.)_(?:acme-challenge|validation-persist)(?:-[^.]*)?\./.test(name);

/** The names that a name answers for, if they are hosts. The apex belongs to no namespace. */
function hostsAnswered({ name, type }: RRset, kind: AcrossNamespaces, zone: string): string[] {
  if (kind !== 'UnderscoreNames') return namesAbove(name, zone);
  const host = hostOf(name);
  // Services of the domain are not those of the host that has its name.
  if (host === zone && type === 'SRV') return [];
  return [host, `*.${host}`];
}

/** What follows the last label that begins with an underscore. */
const hostOf = (name: string) => name.replace(/^(?:.*\.)?_[^.]*\./, '');

function namesAbove(name: string, zone: string): string[] {
  const names: string[] = [];
  for (let above = parentOf(name); above !== zone && above.length > zone.length; above = parentOf(above))
    names.push(above);
  return names;
}

/** Returns a host that a delegation hides. A wildcard certificate is valid for every host one label below. */
function hostBelow(desired: RRset, { names }: NameContext, { accepted }: EvaluationContext): RRset | undefined {
  const { name, type, records } = desired;
  for (const known of [names, accepted]) {
    const below = type === 'NS' ? namesBelow(name, known) : childNames(hostOf(name), known);
    for (const each of below) {
      const isGlue = type === 'NS' && records.includes(each);
      const other = isGlue ? undefined : hostOfAnother(known.get(each) ?? [], desired, 'discovered');
      if (other) return other;
    }
  }
  return undefined;
}

/** Returns a host at a name unless the namespace of the desired record has one there, too. */
function hostOfAnother(
  existing: readonly RRset[],
  desired: RRset,
  which: 'discovered' | 'anyOwner',
): RRset | undefined {
  const hosts = existing.filter(({ type }) => isTargetType(type) || isAddressType(type));
  const discovered = hosts.filter((rrset) => ownershipOf(rrset) === 'discovered');
  if (discovered.some((rrset) => isOfSameGroup(rrset, desired))) return undefined;
  return discovered[0] ?? (which === 'anyOwner' ? hosts[0] : undefined);
}

const isOfSameGroup = (a: RRset, b: RRset) => sharingGroup(resourceOf(a)) === sharingGroup(resourceOf(b));

/** Reports whether the object of a desired record is known to be older than that of a host. */
function isOlder(desired: RRset, host: RRset, lister: SourceLister): boolean {
  const [own, other] = [desired, host].map((rrset) => lister.get(resourceOf(rrset))?.created);
  return own !== undefined && other !== undefined && own < other;
}

const cureFor = (kind: AcrossNamespaces) => `use another name, or add ${kind} to discovery.allowAcrossNamespaces`;

/** The name of an RRset and who publishes it. */
function withOwner(rrset: RRset): string {
  const name = withoutDot(rrset.name);
  const ownership = ownershipOf(rrset);
  if (ownership === 'declared') return `${name}, which the InternalDNS declares`;
  if (ownership === 'foreign') return `${name}, an unmanaged record`;
  return `${name}, which is used by ${resourceOf(rrset) || 'an unknown object'}`;
}

const messages: Readonly<Record<AcrossNamespaces, (host: RRset) => string>> = {
  UnderscoreNames: (host) => `it answers for ${withOwner(host)}: ${cureFor('UnderscoreNames')}`,
  Wildcards: (host) => `a wildcard below ${withOwner(host)}: ${cureFor('Wildcards')}`,
  Delegations: (host) => `a delegation below ${withOwner(host)}: ${cureFor('Delegations')}`,
};

export const hidingMessage = (hidden: RRset) => `a delegation would hide ${withOwner(hidden)}: delegate another name`;
