import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { SourceChange } from '../sources/source-object.ts';
import type { Decision } from './pipeline.ts';
import { Provider, type ProviderOptions } from './provider.ts';
import { namespaceOf } from './resource-label.ts';
import { isOrphaned, type Scope, scopesOf } from './scope.ts';

/** State of one ExternalDNS. */
export interface ProviderStatus {
  /** The only namespace that it watches; absent if it watches all. */
  namespace?: string;
  state: Report['discovery']['state'];
  /** Set if the state is `Failing`. */
  failure?: string;
}

/** The providers of all ExternalDNS of an instance: one for the cluster, or one for each namespace. */
export class Providers {
  readonly #options: ProviderOptions;
  readonly #providers = new Map<string, Provider>();
  #isOwned: { of: DeclaredDiscovery; test: (rrset: RRset) => boolean } | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** Removes the providers that are no longer declared. One that is declared again starts from scratch. */
  setDiscovery(discovery: DeclaredDiscovery | undefined): void {
    const ids = new Set((discovery ? scopesOf(discovery) : []).map(({ ownerID }) => ownerID));
    for (const id of this.#providers.keys()) if (!ids.has(id)) this.#providers.delete(id);
    this.#options.hostNames?.retain(ids);
  }

  /** The provider for the ExternalDNS of a namespace, or of the cluster. Undefined unless it is declared. */
  get(declaration: Declaration | undefined, namespace: string | undefined): Provider | undefined {
    const scopes = declaration?.discovery ? scopesOf(declaration.discovery) : [];
    const scope = scopes.find((s) => s.namespace === namespace);
    return scope && this.#of(scope);
  }

  /**
   * Reports whether an RRset still belongs to a provider: not if its namespace was removed from the list. Undefined until
   * every ExternalDNS has synced, because another one may take the name over.
   */
  isStillDiscovered(discovery: DeclaredDiscovery | undefined): ((rrset: RRset) => boolean) | undefined {
    if (!discovery || discovery.namespaces.length === 0 || discovery.policy !== 'Sync') return undefined;
    if (!scopesOf(discovery).every((scope) => this.#of(scope).isSynced)) return undefined;
    // A new function makes the zones be compared again: see lib/memo.ts.
    if (this.#isOwned?.of !== discovery) {
      this.#isOwned = { of: discovery, test: (rrset) => !isOrphaned(discovery, rrset) };
    }
    return this.#isOwned.test;
  }

  /** The last decision of each that has made one. */
  decisions(discovery: DeclaredDiscovery): Decision[] {
    return scopesOf(discovery).flatMap((scope) => this.#of(scope).decision ?? []);
  }

  statuses(discovery: DeclaredDiscovery): ProviderStatus[] {
    return scopesOf(discovery).map((scope) => {
      const provider = this.#of(scope);
      const { failure } = provider.loops;
      return {
        ...(scope.namespace !== undefined && { namespace: scope.namespace }),
        state: provider.state(discovery),
        ...(failure !== undefined && { failure }),
      };
    });
  }

  /** Records that an object has changed what it asks for. */
  sourceChanged(change: SourceChange, discovery: DeclaredDiscovery): void {
    const ofObject = namespaceOf(change.resource);
    for (const scope of scopesOf(discovery)) {
      if ((scope.namespace ?? ofObject) === ofObject) this.#of(scope).sourceChanged(change, discovery);
    }
  }

  /** The number of names that the delete guards hold. */
  heldNames(discovery: DeclaredDiscovery): number {
    const held = this.decisions(discovery).map((snapshot) => new Set(snapshot.held.map(({ name }) => name)).size);
    return held.reduce((sum, count) => sum + count, 0);
  }

  /** The highest number of consecutive failed loops. */
  failedLoops(discovery: DeclaredDiscovery): number {
    return Math.max(0, ...scopesOf(discovery).map((scope) => this.#of(scope).loops.failures));
  }

  /** The oldest of their last completed loops, in monotonic milliseconds. Undefined until every one has completed a loop. */
  completedAt(discovery: DeclaredDiscovery): number | undefined {
    const times = scopesOf(discovery).map((scope) => this.#of(scope).loops.completedAt);
    return times.every((time) => time !== undefined) ? Math.min(...times) : undefined;
  }

  /** One report for all of them, with the worst state. */
  report(discovery: DeclaredDiscovery | undefined): Report['discovery'] {
    if (!discovery) return { state: 'Off' };
    const providers = scopesOf(discovery).map((scope) => this.#of(scope));
    const states = providers.map((provider) => provider.state(discovery));
    const held = providers.flatMap((provider) => provider.decision?.guardReport ?? []);
    const failure = providers.map(({ loops }) => loops.failure).find((failure) => failure !== undefined);
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
        preview: providers.flatMap(({ decision }) => decision?.preview ?? []).slice(0, bounds.preview),
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
