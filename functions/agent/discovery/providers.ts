import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import type { RRset } from '../powerdns/rrset.ts';
import { Provider, type ProviderOptions, type ProviderSnapshot } from './provider.ts';
import { isOrphaned, type Scope, scopesOf } from './scope.ts';

/** How one is who discovers. */
export interface ProviderStatus {
  /** The only one that it sees; absent for all. */
  namespace?: string;
  state: Report['discovery']['state'];
  /** Why it is `Failing`. */
  failure?: string;
}

/** Everybody who discovers. */
export class Providers {
  readonly #options: ProviderOptions;
  readonly #providers = new Map<string, Provider>();
  #ofSomebody: { of: DeclaredDiscovery; holds: (rrset: RRset) => boolean } | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** Forgets those that are no longer declared: one that comes back has everything to say anew. */
  setDiscovery(discovery: DeclaredDiscovery | undefined): void {
    const ids = new Set((discovery ? scopesOf(discovery) : []).map(({ ownerID }) => ownerID));
    for (const id of this.#providers.keys()) if (!ids.has(id)) this.#providers.delete(id);
  }

  /** The declared one that sees a namespace only, or everything; none if no such is declared. */
  get(declaration: Declaration | undefined, namespace: string | undefined): Provider | undefined {
    const scopes = declaration?.discovery ? scopesOf(declaration.discovery) : [];
    const scope = scopes.find((s) => s.namespace === namespace);
    return scope && this.#of(scope);
  }

  /**
   * Whether somebody still discovers an RRset, which nobody does for a namespace that is no longer in the list. Undefined
   * until everybody has had his say: a name may have found a new owner.
   */
  isStillDiscovered(discovery: DeclaredDiscovery | undefined): ((rrset: RRset) => boolean) | undefined {
    if (!discovery || discovery.namespaces.length === 0 || discovery.policy !== 'Sync') return undefined;
    if (!scopesOf(discovery).every((scope) => this.#of(scope).isSynced)) return undefined;
    // The same function for the same declaration: the zones are compared anew with another one.
    if (this.#ofSomebody?.of !== discovery) {
      this.#ofSomebody = { of: discovery, holds: (rrset) => !isOrphaned(discovery, rrset) };
    }
    return this.#ofSomebody.holds;
  }

  /** What each has last decided. */
  snapshots(discovery: DeclaredDiscovery): ProviderSnapshot[] {
    return scopesOf(discovery).flatMap((scope) => this.#of(scope).snapshot ?? []);
  }

  /** How each is. */
  statuses(discovery: DeclaredDiscovery): ProviderStatus[] {
    return scopesOf(discovery).map((scope) => {
      const provider = this.#of(scope);
      const { failure } = provider.loops;
      return {
        ...(scope.namespace !== undefined && { namespace: scope.namespace }),
        state: provider.state(discovery.intervalSeconds),
        ...(failure !== undefined && { failure }),
      };
    });
  }

  /** How many names the delete guard holds. */
  heldNames(discovery: DeclaredDiscovery): number {
    const held = this.snapshots(discovery).map((snapshot) => new Set(snapshot.held.map(({ name }) => name)).size);
    return held.reduce((sum, count) => sum + count, 0);
  }

  /** How many loops in a row have failed, of the one where that is the most. */
  failedLoops(discovery: DeclaredDiscovery): number {
    return Math.max(0, ...scopesOf(discovery).map((scope) => this.#of(scope).loops.failures));
  }

  /** When the last of them to do so finished a loop, on the agent's clock; undefined while one has not. */
  completedAt(discovery: DeclaredDiscovery): number | undefined {
    const times = scopesOf(discovery).map((scope) => this.#of(scope).loops.completedAt);
    return times.every((time) => time !== undefined) ? Math.min(...times) : undefined;
  }

  /** What to say of them together: the state is that of the worst. */
  report(discovery: DeclaredDiscovery | undefined): Report['discovery'] {
    if (!discovery) return { state: 'Off' };
    const providers = scopesOf(discovery).map((scope) => this.#of(scope));
    const states = providers.map((provider) => provider.state(discovery.intervalSeconds));
    const held = providers.flatMap((provider) => provider.held ?? []);
    const failure = providers.map(({ loops }) => loops.failure).find((words) => words !== undefined);
    const state = (['Stalled', 'Failing', 'Waiting'] as const).find((each) => states.includes(each)) ?? 'Synced';
    return {
      state,
      ...(state === 'Failing' && failure !== undefined && { failure }),
      ...(held.length > 0 && {
        held: {
          since: held.map(({ since }) => since).sort()[0] ?? '',
          names: held.flatMap(({ names }) => names).slice(0, bounds.held),
        },
      }),
      ...(discovery.policy === 'Preview' && {
        preview: providers.flatMap(({ preview = [] }) => preview).slice(0, bounds.preview),
      }),
    };
  }

  #of(scope: Scope): Provider {
    const known = this.#providers.get(scope.ownerID);
    if (known) return known;
    const provider = new Provider(scope, this.#options);
    this.#providers.set(scope.ownerID, provider);
    return provider;
  }
}
