import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { ApiDiscovery, type ApiDiscoveryOptions, type Resources } from '../kubernetes/api-discovery.ts';
import { ApiHealth, type ApiHealthOptions } from '../kubernetes/api-health.ts';
import type { Client } from '../kubernetes/client.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { SourceCache } from './source-cache.ts';

export interface SourcesOptions {
  client: Client;
  failureLog: Pick<FailureLog, 'record'>;
  onMissing: (missing: NonNullable<Report['discovery']['missing']>) => void;
  /** Those of the optional resources that the cluster serves, once there is an answer for each of them. */
  onServed?: (served: string[]) => void;
  /** Why the API server cannot be asked or, without an argument, that it can again. */
  onReach?: (failure?: string) => void;
  /** How often the API server is asked. */
  pace?: {
    served?: Pick<ApiDiscoveryOptions, 'every' | 'soon'>;
    reach?: Pick<ApiHealthOptions, 'every' | 'soon' | 'timeout'>;
  };
}

/** What the agent itself sees of the cluster: the objects that want names, and which kinds of them there are at all. */
export class Sources {
  readonly cache: SourceCache;
  readonly #options: SourcesOptions;
  readonly #served: ApiDiscovery;
  readonly #reach: ApiHealth;
  #discovery: DeclaredDiscovery | undefined;
  #optional: readonly string[] = [];
  #resources: Resources = { served: [], missing: [] };
  #toldKinds = JSON.stringify(this.#resources);
  #toldOptional: string | undefined;

  constructor(options: SourcesOptions) {
    const { client, failureLog, onReach, pace = {} } = options;
    this.#options = options;
    this.cache = new SourceCache({
      client,
      onFailure: (action, failure) => failureLog.record(action, failure),
      onRemoval: (resources) => this.#served.check(resources),
    });
    this.#served = new ApiDiscovery({
      client,
      ...pace.served,
      onChange: (resources) => {
        this.#resources = resources;
        this.#tell();
      },
      onAnswer: (names) => this.cache.settle(names),
      onFailure: (failure) => failureLog.record('ask which kinds the cluster serves', failure),
    });
    this.#reach = new ApiHealth({
      client,
      ...pace.reach,
      onReach: (failure) => {
        failureLog.record('reach Kubernetes', failure);
        onReach?.(failure);
      },
    });
  }

  /**
   * Looks at what this declaration looks at.
   * @param optional further resources to ask for, `plural.version.group`: nobody misses them
   */
  follow(discovery: DeclaredDiscovery | undefined, optional: readonly string[] = []): void {
    this.#discovery = discovery;
    this.#optional = optional;
    this.cache.follow(discovery);
    this.#served.follow([...this.#needed(), ...optional]);
    this.#tell();
  }

  stop(): void {
    this.follow(undefined);
    this.#reach.stop();
  }

  #tell(): void {
    this.#tellKinds(among(this.#resources, this.#needed()));
    this.#tellOptional(among(this.#resources, this.#optional));
  }

  #tellKinds(resources: Resources): void {
    const text = JSON.stringify(resources);
    if (text === this.#toldKinds) return;
    this.#toldKinds = text;
    this.cache.takeServed(resources.served);
    this.#options.onMissing(resources.missing.map((resource) => ({ kind: this.#kindOf(resource), resource })));
  }

  /** Not before there is an answer for each: what is composed would go for a moment when an agent starts. */
  #tellOptional({ served, missing }: Resources): void {
    const { size } = new Set(this.#optional);
    if (served.length + missing.length < size || (size === 0 && this.#toldOptional === undefined)) return;
    const text = JSON.stringify(served);
    if (text === this.#toldOptional) return;
    this.#toldOptional = text;
    this.#options.onServed?.([...served]);
  }

  #needed(): string[] {
    return this.#discovery?.sources.flatMap(({ resources = [] }) => resources) ?? [];
  }

  #kindOf(resource: string): string {
    return this.#discovery?.sources.find(({ resources }) => resources?.includes(resource))?.kind ?? resource;
  }
}

const among = ({ served, missing }: Resources, names: readonly string[]): Resources => ({
  served: served.filter((name) => names.includes(name)),
  missing: missing.filter((name) => names.includes(name)),
});
