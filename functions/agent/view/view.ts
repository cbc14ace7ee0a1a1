import type { Complaints } from '../complaints.ts';
import type { DeclaredDiscovery } from '../declaration.ts';
import type { Client } from '../kubernetes/client.ts';
import type { Report } from '../report.ts';
import { Objects } from './objects.ts';
import { Reach, type ReachOptions } from './reach.ts';
import { type Resources, Served, type ServedOptions } from './served.ts';

export interface ViewOptions {
  client: Client;
  complaints: Pick<Complaints, 'note'>;
  onMissing: (missing: NonNullable<Report['discovery']['missing']>) => void;
  /** Those of the optional resources that the cluster serves, once there is an answer for each of them. */
  onServed?: (served: string[]) => void;
  /** Why the API server cannot be asked or, without an argument, that it can again. */
  onReach?: (failure?: string) => void;
  /** How often the API server is asked. */
  pace?: { served?: Pick<ServedOptions, 'every' | 'soon'>; reach?: Pick<ReachOptions, 'every' | 'soon' | 'timeout'> };
}

/** What the agent itself sees of the cluster: the objects that want names, and which kinds of them there are at all. */
export class View {
  readonly claims: Objects;
  readonly #options: ViewOptions;
  readonly #served: Served;
  readonly #reach: Reach;
  #discovery: DeclaredDiscovery | undefined;
  #optional: readonly string[] = [];
  #resources: Resources = { served: [], missing: [] };
  #toldKinds = JSON.stringify(this.#resources);
  #toldOptional: string | undefined;

  constructor(options: ViewOptions) {
    const { client, complaints, onReach, pace = {} } = options;
    this.#options = options;
    this.claims = new Objects({
      client,
      onFailure: (action, failure) => complaints.note(action, failure),
      onRemoval: (resources) => this.#served.check(resources),
    });
    this.#served = new Served({
      client,
      ...pace.served,
      onChange: (resources) => {
        this.#resources = resources;
        this.#tell();
      },
      onAnswer: (names) => this.claims.settle(names),
      onFailure: (failure) => complaints.note('ask which kinds the cluster serves', failure),
    });
    this.#reach = new Reach({
      client,
      ...pace.reach,
      onReach: (failure) => {
        complaints.note('reach Kubernetes', failure);
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
    this.claims.follow(discovery);
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
    this.claims.takeServed(resources.served);
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
