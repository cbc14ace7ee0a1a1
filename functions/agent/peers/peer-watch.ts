import type { Pod } from '../kubernetes/pod.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { type Pods, removeFromServices } from './removal.ts';
import { afterAnswer, afterRemoval, afterSilence, type Suspicion, unknown } from './suspicion.ts';

export interface PeerWatchOptions {
  /** The pod of this agent, whose name ends in its ordinal. */
  self: string;
  replicas: () => number;
  pods: Pods;
  /** Whether the server of a pod answers; undefined if that is unknown. Without an address, that of this pod. */
  isAnswering: (ip?: string) => Promise<boolean | undefined>;
  onRemoval: (pod: Pod) => void;
  failureLog: Pick<FailureLog, 'record'>;
  now?: () => number;
}

/**
 * Between two looks at the pod of a replica that stays silent. Only who has answered can fall silent, so a new pod is looked
 * for more often: it is to be known before it is ready. Milliseconds.
 */
const lookMs = { known: 5_000, unknown: 1_000 };

/**
 * Asks the other replicas, and takes one that falls silent out of its Services: the cluster itself notices a dead node only
 * when its kubelet has said nothing for 40 seconds, and until then sends clients there. Writes nothing while all answer.
 */
export class PeerWatch {
  readonly #options: Required<PeerWatchOptions>;
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #lookedAt = new Map<string, number>();
  readonly #asked = new SingleFlight();
  #removals = 0;

  constructor(options: PeerWatchOptions) {
    this.#options = { now: monotonicNow, ...options };
  }

  /** The silent replicas, and how often one was taken out. */
  get counts(): { silent: number; removed: number } {
    return { silent: this.#lookedAt.size, removed: this.#removals };
  }

  /** Asks each of the others. Does not wait for the answers, and asks nobody twice at a time. */
  poll(): void {
    const peers = this.#peers();
    for (const known of this.#suspicions.keys()) if (!peers.includes(known)) this.#forget(known);
    for (const peer of peers) void this.#asked.run(peer, () => this.#ask(peer));
  }

  #peers(): string[] {
    const { self, replicas } = this.#options;
    const server = self.replace(/-\d+$/, '');
    const pods = Array.from({ length: replicas() }, (_, ordinal) => `${server}-${ordinal}`);
    return pods.filter((pod) => pod !== self);
  }

  #forget(peer: string): void {
    this.#suspicions.delete(peer);
    this.#lookedAt.delete(peer);
  }

  async #ask(peer: string): Promise<void> {
    const { isAnswering, failureLog } = this.#options;
    const suspicion = this.#suspicions.get(peer) ?? unknown;
    const answer = suspicion.ip === undefined ? false : await isAnswering(suspicion.ip);
    if (answer) {
      this.#suspicions.set(peer, afterAnswer(suspicion));
      this.#lookedAt.delete(peer);
    }
    if (answer !== false || !this.#isLookDue(peer, suspicion)) return;
    const failure = await this.#look(peer, suspicion).then(() => undefined, messageOf);
    failureLog.record('take a replica that does not answer out of its Services', failure, { pod: peer });
  }

  #isLookDue(peer: string, { hasAnswered }: Suspicion): boolean {
    const { now } = this.#options;
    const pause = hasAnswered ? lookMs.known : lookMs.unknown;
    if (now() - (this.#lookedAt.get(peer) ?? Number.NEGATIVE_INFINITY) < pause) return false;
    this.#lookedAt.set(peer, now());
    return true;
  }

  /** Looks at the pod of a silent replica, and takes it out if its Services still send clients there. */
  async #look(peer: string, before: Suspicion): Promise<void> {
    const { self, pods, isAnswering, onRemoval, now } = this.#options;
    const pod = await pods.read(peer);
    const { suspicion, silent } = afterSilence(before, pod, now());
    this.#suspicions.set(peer, suspicion);
    // Who gets no answer even from itself tells nothing about others.
    if (!silent || !(await isAnswering())) return;
    if (await removeFromServices({ pods, self, silent })) {
      this.#removals++;
      this.#suspicions.set(peer, afterRemoval(suspicion, now()));
      onRemoval(silent);
    } else {
      // Again at once: it may still be there.
      this.#lookedAt.set(peer, Number.NEGATIVE_INFINITY);
    }
  }
}
