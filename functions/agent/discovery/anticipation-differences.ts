import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import { kinds } from '../sources/kind.ts';
import type { Endpoint } from './endpoint.ts';
import { kindLabelOf } from './resource-label.ts';

/** What was anticipated at an absolute name for a change of an object, and what ExternalDNS asked for. */
export interface Difference {
  name: string;
  resource: string;
  anticipated: readonly Endpoint[];
  asked: readonly Endpoint[];
}

/** So many differences of a kind within so much time leave it to ExternalDNS, until the agent restarts. */
const most = { differences: 3, withinMs: 3_600_000 };

/**
 * Counts where ExternalDNS did not ask for what was anticipated. The real one is the oracle: of a kind for which the agent
 * is wrong again and again, nothing is anticipated any more.
 */
export class AnticipationDifferences {
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();
  /** When the last ones were, by kind, in monotonic milliseconds. */
  readonly #recent = new Map<string, readonly number[]>();
  readonly #suspended = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** How many there were, by kind, such as `Ingress`. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** The kinds that are left to ExternalDNS. */
  get suspended(): ReadonlySet<string> {
    return this.#suspended;
  }

  /** @param label the kind as ExternalDNS calls it: `ingress` */
  isSuspended(label: string): boolean {
    return this.#suspended.size > 0 && this.#suspended.has(kindOf(label));
  }

  record({ name, resource, anticipated, asked }: Difference, now: number): void {
    const kind = kindOf(kindLabelOf(resource));
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const details = {
      name: withoutDot(name),
      object: resource,
      anticipated: briefly(anticipated),
      asked: briefly(asked),
    };
    this.#log.warn(details, 'ExternalDNS asks for something else than was anticipated');
    const recent = [...(this.#recent.get(kind) ?? []), now].filter((at) => now - at < most.withinMs);
    this.#recent.set(kind, recent.slice(-most.differences));
    if (recent.length < most.differences || this.#suspended.has(kind)) return;
    this.#suspended.add(kind);
    this.#log.warn({ kind }, 'changes of this kind are left to ExternalDNS until the agent restarts');
  }
}

const kindOf = (label: string): string => Object.entries(kinds).find(([, each]) => each.label === label)?.[0] ?? label;

/** The first few endpoints, as `A 192.0.2.1`. */
const briefly = (endpoints: readonly Endpoint[]): string[] =>
  endpoints
    .slice(0, 3)
    .map(({ recordType, targets }) => `${recordType} ${targets.slice(0, 3).join(' ')}`.slice(0, 200));
