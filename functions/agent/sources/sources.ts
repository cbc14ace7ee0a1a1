import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { mayCheck, resourceName } from '../../contract/source-kinds.ts';
import { ApiDiscovery, type ApiDiscoveryOptions, type Resources } from '../kubernetes/api-discovery.ts';
import { ApiHealth, type ApiHealthOptions } from '../kubernetes/api-health.ts';
import type { Client } from '../kubernetes/client.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { serviceCIDRs } from './service-ranges.ts';
import { SourceCache, type SourceCacheOptions } from './source-cache.ts';

export interface SourcesOptions {
  client: Client;
  failureLog: Pick<FailureLog, 'record'>;
  onMissing: (missing: NonNullable<Report['discovery']['missing']>) => void;
  /** The optional resources that the cluster serves, once API discovery has answered for all of them. */
  onServed?: (served: string[]) => void;
  /** Why the API server is unhealthy; without an argument, that it is healthy again. */
  onHealth?: (failure?: string) => void;
  onChange?: SourceCacheOptions['onChange'] | undefined;
  seen?: SourceCacheOptions['seen'];
  /** How often the API server is polled. */
  pace?: {
    discovery?: Pick<ApiDiscoveryOptions, 'intervalMs' | 'retryMs'>;
    health?: Pick<ApiHealthOptions, 'intervalMs' | 'retryMs' | 'timeoutMs'>;
  };
}

/** Everything that the agent watches in the cluster for discovery: source objects, API discovery, and API health. */
export class Sources {
  readonly cache: SourceCache;
  readonly #options: SourcesOptions;
  readonly #apiDiscovery: ApiDiscovery;
  readonly #apiHealth: ApiHealth;
  #discovery: DeclaredDiscovery | undefined;
  #optional: readonly string[] = [];
  #resources: Resources = { served: [], missing: [] };
  #reportedRequired = JSON.stringify(this.#resources);
  #reportedOptional: string | undefined;

  constructor(options: SourcesOptions) {
    const { client, failureLog, onHealth, onChange, seen, pace = {} } = options;
    this.#options = options;
    this.cache = new SourceCache({
      client,
      onFailure: (action, failure) => failureLog.record(action, failure),
      onRemoval: (resources) => this.#apiDiscovery.refresh(resources),
      ...(onChange && { onChange }),
      seen,
    });
    this.#apiDiscovery = new ApiDiscovery({
      client,
      ...pace.discovery,
      onChange: (resources) => {
        this.#resources = resources;
        this.#report();
      },
      onAnswer: (names) => this.cache.confirm(names),
      onFailure: (failure) => failureLog.record('discover the resources of the cluster', failure),
    });
    this.#apiHealth = new ApiHealth({
      client,
      ...pace.health,
      onChange: (failure) => {
        failureLog.record('reach Kubernetes', failure);
        onHealth?.(failure);
      },
    });
  }

  /**
   * Watches the sources of a declaration, and no others.
   * @param optional further resources to discover, as `plural.version.group`; never reported as missing
   */
  setDiscovery(discovery: DeclaredDiscovery | undefined, optional: readonly string[] = []): void {
    this.#discovery = discovery;
    this.#optional = optional;
    this.cache.setDiscovery(discovery);
    const ranges = mayCheck(discovery?.sources ?? []) ? [serviceCIDRsName] : [];
    this.#apiDiscovery.setResources([...this.#required(), ...optional, ...ranges]);
    this.#report();
  }

  stop(): void {
    this.setDiscovery(undefined);
    this.#apiHealth.stop();
  }

  #report(): void {
    this.#reportRequired(among(this.#resources, this.#required()));
    this.#reportOptional(among(this.#resources, this.#optional));
    this.#reportRanges(this.#resources);
  }

  #reportRequired(resources: Resources): void {
    const text = JSON.stringify(resources);
    if (text === this.#reportedRequired) return;
    this.#reportedRequired = text;
    this.cache.setServedResources(resources.served);
    this.#options.onMissing(resources.missing.map((resource) => ({ kind: this.#kindOf(resource), resource })));
  }

  /** Waits for all answers: composed objects would otherwise be deleted for a moment when an agent starts. */
  #reportOptional({ served, missing }: Resources): void {
    const { size } = new Set(this.#optional);
    if (served.length + missing.length < size || (size === 0 && this.#reportedOptional === undefined)) return;
    const text = JSON.stringify(served);
    if (text === this.#reportedOptional) return;
    this.#reportedOptional = text;
    this.#options.onServed?.([...served]);
  }

  #reportRanges({ served, missing }: Resources): void {
    const isKnown = [...served, ...missing].includes(serviceCIDRsName);
    this.cache.setServesRanges(isKnown ? served.includes(serviceCIDRsName) : undefined);
  }

  #required(): string[] {
    return this.#discovery?.sources.flatMap(({ resources = [] }) => resources) ?? [];
  }

  #kindOf(resource: string): string {
    return this.#discovery?.sources.find(({ resources }) => resources?.includes(resource))?.kind ?? resource;
  }
}

const serviceCIDRsName = resourceName(serviceCIDRs);

const among = ({ served, missing }: Resources, names: readonly string[]): Resources => ({
  served: served.filter((name) => names.includes(name)),
  missing: missing.filter((name) => names.includes(name)),
});
