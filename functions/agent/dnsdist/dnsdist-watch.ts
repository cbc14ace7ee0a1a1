import type { DeclaredResolver } from '../../contract/declaration.ts';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import { monotonicNow, timeOf } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { readBackendStates } from './backend-states.ts';
import { expiryAt } from './certificate.ts';
import { type DnsdistPod, podsIn } from './pods.ts';
import { comesBack, whyUnforwarded } from './questions.ts';
import { confirmed, earliestExpiry, type PodFindings, type ResolverState, stateOf } from './state.ts';

export interface DnsdistWatchOptions {
  cluster: Pick<AgentClient, 'watchEndpoints' | 'readPod'>;
  resolver: () => DeclaredResolver | undefined;
  onState: (state: ResolverState | undefined) => void;
  failureLog: Pick<FailureLog, 'record'>;
  /** Monotonic milliseconds. */
  now?: () => number;
  /** Milliseconds since 1970. */
  today?: () => number;
}

/**
 * Between two searches for circles while every upstream answers: a router may be given this resolver any time, and dnsdist's
 * cache may answer its own question whether the router is up. Milliseconds.
 */
const circleSearchMs = 60_000;

/** Nodes of pods. */
const mostRemembered = 32;

/**
 * Looks at the pods of the resolver: what they think of their upstreams, whether they answer for names elsewhere, and their
 * certificates. Bounded by the number of pods, and by time and size of what each answers.
 */
export class DnsdistWatch {
  readonly #options: Required<DnsdistWatchOptions>;
  readonly #hostIPs = new Map<string, readonly string[]>();
  #declared: DeclaredResolver | undefined;
  #seen: readonly PodFindings[] = [];
  #confirmed: readonly PodFindings[] = [];
  /** Undefined until they are known. */
  #pods: readonly DnsdistPod[] | undefined;
  #stopWatching: () => void = () => {};
  #circles: string[] = [];
  #searchedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DnsdistWatchOptions) {
    this.#options = { now: monotonicNow, today: () => timeOf(monotonicNow()), ...options };
  }

  /** The pods to which the Services lead. */
  get pods(): readonly DnsdistPod[] {
    return this.#pods ?? [];
  }

  /**
   * When the certificates expire, in seconds since 1970, by the field of the spec that has them. Undefined for one that a
   * pod does not show. Empty while no pod is known.
   */
  get expiries(): Map<string, number | undefined> {
    const declared = this.#confirmed.length > 0 ? this.#declared?.certificates : undefined;
    return new Map(
      declared?.map(({ field }) => {
        const expiry = earliestExpiry(field, this.#confirmed);
        return [field, expiry === undefined ? undefined : expiry / 1000];
      }),
    );
  }

  /** Whether every pod answers for names elsewhere. Undefined while that is unknown, and if none is to. */
  get isForwarding(): boolean | undefined {
    if (!this.#declared?.check || this.#confirmed.length === 0) return undefined;
    return this.#confirmed.every(({ unforwarded }) => unforwarded === undefined);
  }

  /** Looks once. */
  async poll(): Promise<void> {
    const { resolver, onState, today } = this.#options;
    const declared = resolver();
    if (declared !== this.#declared) this.#adopt(declared);
    if (!declared) return;
    if (!this.#pods) return;
    const seen = await this.#lookAt(declared, this.#pods);
    const same = (pod: PodFindings) => (other: PodFindings) => other.ip === pod.ip;
    this.#confirmed = seen.map((pod) => confirmed(pod, this.#seen.find(same(pod)), this.#confirmed.find(same(pod))));
    this.#seen = seen;
    await this.#searchCircles(declared);
    onState(stateOf(declared, this.#confirmed, this.#circles, today()));
  }

  #adopt(declared: DeclaredResolver | undefined): void {
    if (declared?.service !== this.#declared?.service) this.#watchPodsOf(declared?.service);
    this.#declared = declared;
    this.#circles = [];
    this.#searchedAt = Number.NEGATIVE_INFINITY;
    if (declared) return;
    [this.#seen, this.#confirmed] = [[], []];
    this.#options.onState(undefined);
  }

  /** A watch, as only a pod that is known before its node dies can be missed. */
  #watchPodsOf(service: string | undefined): void {
    this.#stopWatching();
    this.#pods = undefined;
    this.#stopWatching =
      service === undefined
        ? () => {}
        : this.#options.cluster.watchEndpoints(
            service,
            (endpoints) => {
              this.#pods = podsIn(endpoints);
            },
            (failure) => this.#record('find the pods of the resolver', failure),
          );
  }

  /** The findings of those pods whose metrics can be read. */
  async #lookAt(declared: DeclaredResolver, pods: readonly DnsdistPod[]): Promise<PodFindings[]> {
    const failures: string[] = [];
    const findings = pods.map(async (pod) => {
      try {
        return [await this.#findingsOf(declared, pod)];
      } catch (error) {
        failures.push(`${pod.name ?? pod.ip}: ${messageOf(error)}`);
        return [];
      }
    });
    const found = (await Promise.all(findings)).flat();
    this.#record('look at the pods of the resolver', failures.sort()[0]);
    return found;
  }

  async #findingsOf(
    { ports, certificates, check, reportsNodes }: DeclaredResolver,
    pod: DnsdistPod,
  ): Promise<PodFindings> {
    const { ip } = pod;
    const backends = await readBackendStates(ip, ports.metrics);
    const [unforwarded, expiries, hostIPs] = await Promise.all([
      check && whyUnforwarded({ host: ip, port: ports.agents }, check),
      Promise.all(
        certificates.map(async ({ field, port }) => [field, await expiryAt(ip, port).catch(() => undefined)] as const),
      ),
      reportsNodes ? this.#hostIPsOf(pod) : [],
    ]);
    return { ip, backends, expiries: new Map(expiries), unforwarded, hostIPs };
  }

  /** The addresses of the pod's node, which never changes. */
  async #hostIPsOf({ name }: DnsdistPod): Promise<readonly string[]> {
    if (name === undefined) return [];
    const known = this.#hostIPs.get(name);
    if (known) return known;
    const pod = await this.#options.cluster.readPod(name).catch(() => undefined);
    const addresses = (pod?.status?.hostIPs ?? []).map(({ ip }) => ip);
    // Pods come and go: only those of the last ones are remembered.
    if (this.#hostIPs.size >= mostRemembered) this.#hostIPs.clear();
    if (addresses.length > 0) this.#hostIPs.set(name, addresses);
    return addresses;
  }

  /** Asks each upstream through one pod, at once if something is wrong. */
  async #searchCircles({ ports, upstreams }: DeclaredResolver): Promise<void> {
    const [first] = this.#confirmed;
    if (!first) return;
    const isWell =
      this.#circles.length === 0 &&
      this.#seen.every(
        ({ backends, unforwarded }) => unforwarded === undefined && ![...backends.values()].includes(false),
      );
    const { now } = this.#options;
    if (isWell && now() - this.#searchedAt < circleSearchMs) return;
    this.#searchedAt = now();
    const server = { host: first.ip, port: ports.agents };
    const found = upstreams.map(async ({ address, circle }) =>
      circle && (await comesBack(server, circle)) ? [address] : [],
    );
    this.#circles = [...new Set((await Promise.all(found)).flat())];
  }

  #record(action: string, failure?: string): void {
    this.#options.failureLog.record(action, failure);
  }
}
