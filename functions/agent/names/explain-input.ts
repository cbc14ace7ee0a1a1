import type { Declaration } from '../../contract/declaration.ts';
import type { NameState } from '../../contract/verdict.ts';
import type { Decision } from '../discovery/pipeline.ts';
import type { ProviderStatus } from '../discovery/providers.ts';
import type { Zone } from '../powerdns/rrset.ts';
import type { OutOfZoneState } from '../resolver/out-of-zone-resolver.ts';
import type { SourceLister } from '../sources/source-object.ts';

/** A name, without the trailing dot, and the object that requests it. */
export type HostRef = Pick<NameState, 'name' | 'resource'>;

/** Everything that the verdicts on names depend on. */
export interface ExplainInput {
  declaration: Declaration;
  /** As PowerDNS serves them. */
  zones: readonly Zone[];
  lister: SourceLister;
  /** The last evaluation of each provider. */
  decisions: readonly Decision[];
  providers: readonly ProviderStatus[];
  /** Undefined for a name of which nothing is known. */
  outOfZone?: (name: string) => OutOfZoneState | undefined;
  /** Whether a name was first requested so recently that its object may still get an address. */
  isNew: (host: HostRef) => boolean;
  /** Whether a name, its object or the spec changed so recently that ExternalDNS may not have synced since. */
  isRecentlyChanged: (host: HostRef) => boolean;
}
