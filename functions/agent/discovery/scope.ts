import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { discoveredMark, ownershipOf, type RRset } from '../powerdns/rrset.ts';

/** Who discovers: one ExternalDNS for the cluster, or one for each namespace. */
export interface Scope {
  ownerID: string;
  /** The only namespace that it sees. */
  namespace?: string;
}

export function scopesOf({ ownerID, namespaces }: DeclaredDiscovery): Scope[] {
  if (namespaces.length === 0) return [{ ownerID }];
  return namespaces.map((namespace) => ({ ownerID: `${ownerID}/${namespace}`, namespace }));
}

/** Whether a scope's ExternalDNS made an RRset. A single one has everything, whatever its owner was called before. */
export function isOwnedBy({ ownerID }: Scope, { namespaces }: DeclaredDiscovery, rrset: RRset): boolean {
  if (ownershipOf(rrset) !== 'discovered') return false;
  return namespaces.length === 0 || rrset.mark?.account === accountOf(ownerID);
}

/** Whether an RRset's ExternalDNS is gone, as that of a namespace that was taken out of the list. */
export function isOrphaned(discovery: DeclaredDiscovery, rrset: RRset): boolean {
  return (
    ownershipOf(rrset) === 'discovered' && !scopesOf(discovery).some((scope) => isOwnedBy(scope, discovery, rrset))
  );
}

const accountOf = (ownerID: string) => discoveredMark(ownerID, '').account;
