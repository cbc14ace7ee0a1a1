/** Declarations with the defaults of the XRD. */
import { type Declaration, type DeclaredDiscovery, declaration } from '../../functions/contract/declaration.ts';
import { declaredDiscovery } from '../../functions/internal-dns/discovery/declaration.ts';
import { discovery } from '../../functions/internal-dns/discovery/discovery.ts';

export type DiscoveryChanges = Partial<Omit<DeclaredDiscovery, 'targets' | 'deleteGuard'>> & {
  targets?: Partial<DeclaredDiscovery['targets']>;
  deleteGuard?: Partial<DeclaredDiscovery['deleteGuard']>;
};

export type DeclarationChanges = Partial<Omit<Declaration, 'discovery'>> & { discovery?: DiscoveryChanges | undefined };

/** ExternalDNS syncs every two seconds, as it does where nothing is anticipated. */
const defaults = declaredDiscovery(discovery.parse({ sources: [], interval: '2s' }), 'corp', undefined);

export const discoveryWith = ({ targets, deleteGuard, ...changes }: DiscoveryChanges = {}): DeclaredDiscovery => ({
  ...defaults,
  ...changes,
  targets: { ...defaults.targets, ...targets },
  deleteGuard: { ...defaults.deleteGuard, ...deleteGuard },
});

/** A declaration without zones, and without discovery unless it is given. */
export const declarationWith = ({ discovery, ...changes }: DeclarationChanges = {}): Declaration =>
  declaration.parse({
    name: '',
    replicas: 1,
    zones: [],
    addresses: [],
    service: [],
    optional: [],
    storage: { size: '1Gi' },
    ...changes,
    ...(discovery && { discovery: discoveryWith(discovery) }),
  });
