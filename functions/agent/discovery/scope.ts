import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { isOwnKind } from '../../contract/source-kinds.ts';
import { discoveredMark, ownershipOf, type RRset } from '../powerdns/rrset.ts';

/** What one ExternalDNS discovers: the whole cluster or one namespace. */
export interface Scope {
  ownerID: string;
  /** The only namespace that it sees. */
  namespace?: string;
}

export function scopesOf({ ownerID, namespaces }: DeclaredDiscovery): Scope[] {
  if (namespaces.length === 0) return [{ ownerID }];
  return namespaces.map((namespace) => ({ ownerID: `${ownerID}/${namespace}`, namespace }));
}

/** Reports whether Machines, claims or Zones are among the sources. */
export const hasOwnKinds = (discovery: DeclaredDiscovery | undefined): boolean =>
  discovery?.sources.some(({ kind }) => isOwnKind(kind)) ?? false;

/** Reports whether claims are among the sources. */
export const hasClaims = (discovery: DeclaredDiscovery | undefined): boolean =>
  discovery?.sources.some(({ kind }) => kind === 'NameClaim') ?? false;

/** Reports whether teams can declare zones. */
export const hasZones = (discovery: DeclaredDiscovery | undefined): boolean =>
  discovery?.sources.some(({ kind }) => kind === 'Zone') ?? false;

/** Reports whether nothing else is: ExternalDNS knows none of them, and does not run. */
export const hasOnlyOwnKinds = (discovery: DeclaredDiscovery | undefined): boolean =>
  hasOwnKinds(discovery) && (discovery?.sources.every(({ kind }) => isOwnKind(kind)) ?? false);

/**
 * Reports whether an RRset belongs to a scope. The scope of the whole cluster owns all discovered RRsets, whatever
 * their owner ID.
 */
export function isOwnedBy({ ownerID }: Scope, { namespaces }: DeclaredDiscovery, rrset: RRset): boolean {
  if (ownershipOf(rrset) !== 'discovered') return false;
  return namespaces.length === 0 || rrset.mark?.account === accountOf(ownerID);
}

/** Reports whether an RRset was discovered in a scope that is no longer declared, such as a removed namespace. */
export function isOrphaned(discovery: DeclaredDiscovery, rrset: RRset): boolean {
  return (
    ownershipOf(rrset) === 'discovered' && !scopesOf(discovery).some((scope) => isOwnedBy(scope, discovery, rrset))
  );
}

const accountOf = (ownerID: string) => discoveredMark(ownerID, '').account;
