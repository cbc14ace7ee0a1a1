import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import type { DnsdistPod } from './pods.ts';

export interface DnsdistEvictionOptions {
  /** The pods to which the Services lead. */
  pods: () => readonly DnsdistPod[];
  /** Whether the pod at an address answers; undefined if that is unknown. */
  isAnswering: (ip: string) => Promise<boolean | undefined>;
  /** Throws if the API server refuses, as it does where too few other pods would be left. */
  evict: (pod: string) => Promise<void>;
  onEviction: (pod: string) => void;
  failureLog: Pick<FailureLog, 'record'>;
  /** Monotonic milliseconds. */
  now?: () => number;
}

interface Heard {
  /** When it last answered, in monotonic milliseconds. */
  answeredAt: number;
  /** Whether it has answered since it was last evicted: a pod that ends slowly is evicted only once. */
  isExpected: boolean;
}

/** Between two attempts to evict a pod. Milliseconds. */
const retryMs = 1_000;

/**
 * Evicts a pod of the resolver that falls silent while another one answers. The cluster itself notices a dead node only when
 * its kubelet has said nothing for 40 seconds, and until then sends clients there. A pod that terminates is out of its
 * Services at once, and its Deployment replaces it. The PodDisruptionBudget sees to it that agents that do not reach the
 * same pods never evict the last one.
 */
export class DnsdistEviction {
  readonly #options: Required<DnsdistEvictionOptions>;
  /** By address. */
  readonly #heard = new Map<string, Heard>();
  readonly #triedAt = new Map<string, number>();
  readonly #asked = new SingleFlight();
  #count = 0;

  constructor(options: DnsdistEvictionOptions) {
    this.#options = { now: monotonicNow, ...options };
  }

  /** How often a pod was evicted. */
  get count(): number {
    return this.#count;
  }

  /** Asks each pod. Does not wait for the answers, and asks none twice at a time. */
  poll(): void {
    const pods = this.#options.pods();
    for (const known of [...this.#heard.keys()]) if (!pods.some(({ ip }) => ip === known)) this.#forget(known);
    for (const pod of pods) void this.#asked.run(pod.ip, () => this.#ask(pod));
  }

  #forget(ip: string): void {
    this.#heard.delete(ip);
    this.#triedAt.delete(ip);
  }

  async #ask({ name, ip }: DnsdistPod): Promise<void> {
    const { isAnswering, failureLog, now } = this.#options;
    const askedAt = now();
    const answer = await isAnswering(ip);
    if (answer) this.#heard.set(ip, { answeredAt: now(), isExpected: true });
    if (answer !== false || name === undefined || !this.#heard.get(ip)?.isExpected) return;
    const doesAnotherAnswer = [...this.#heard].some(([other, { answeredAt }]) => other !== ip && answeredAt >= askedAt);
    if (!doesAnotherAnswer || !this.#isDue(ip)) return;
    const failure = await this.#evict(name, ip).then(() => undefined, messageOf);
    failureLog.record('evict a pod of the resolver that does not answer', failure, { pod: name });
  }

  #isDue(ip: string): boolean {
    const { now } = this.#options;
    if (now() - (this.#triedAt.get(ip) ?? Number.NEGATIVE_INFINITY) < retryMs) return false;
    this.#triedAt.set(ip, now());
    return true;
  }

  async #evict(name: string, ip: string): Promise<void> {
    await this.#options.evict(name);
    this.#heard.set(ip, { answeredAt: Number.NEGATIVE_INFINITY, isExpected: false });
    this.#count++;
    this.#options.onEviction(name);
  }
}
