import type { KubeConfig } from '@kubernetes/client-node';
import type { Complaints } from '../complaints.ts';
import type { DeclaredDiscovery } from '../declaration.ts';
import type { Report } from '../report.ts';
import { Objects } from './objects.ts';
import { Served } from './served.ts';

export interface ViewOptions {
  config: KubeConfig;
  complaints: Complaints;
  onMissing: (missing: NonNullable<Report['discovery']['missing']>) => void;
}

/** What the agent itself sees of the cluster: the objects that want names, and which kinds of them there are at all. */
export class View {
  readonly claims: Objects;
  readonly #served: Served;
  #discovery: DeclaredDiscovery | undefined;

  constructor({ config, complaints, onMissing }: ViewOptions) {
    const claims = new Objects({ config, onFailure: (action, failure) => complaints.note(action, failure) });
    this.claims = claims;
    this.#served = new Served({
      config,
      onChange: ({ served, missing }) => {
        claims.takeServed(served);
        onMissing(missing.map((resource) => ({ kind: this.#kindOf(resource), resource })));
      },
      onFailure: (failure) => complaints.note('ask which kinds the cluster serves', failure),
    });
  }

  /** Looks at what this declaration looks at. */
  follow(discovery: DeclaredDiscovery | undefined): void {
    this.#discovery = discovery;
    this.claims.follow(discovery);
    this.#served.follow(discovery?.sources.flatMap(({ resources = [] }) => resources) ?? []);
  }

  #kindOf(resource: string): string {
    return this.#discovery?.sources.find(({ resources }) => resources?.includes(resource))?.kind ?? resource;
  }
}
