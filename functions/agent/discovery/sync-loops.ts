import { bounds, failedLoops } from '../../contract/report.ts';

/** A restart of PowerDNS takes no longer, and is nothing to tell. Milliseconds. */
const patienceMs = 10_000;
/** How long it may take until there is a first verdict: until then zones are made and objects listed. Milliseconds. */
const startMs = 30_000;

/**
 * The loops of one ExternalDNS. Each begins by asking for the records, and has ended well when it got its own verdict
 * and what it changed was made: it says nothing itself, but begins the next one.
 */
export class SyncLoops {
  readonly #now: () => number;
  #heardAt: number | undefined;
  #firstHeardAt: number | undefined;
  #finishedAt: number | undefined;
  /** How many have begun. */
  #count = 0;
  #isOpen = false;
  #isEvaluated = false;
  #isChanging = false;
  #failed = 0;
  /** Since when they fail, and why the first of them did that said so. */
  #failingSince = 0;
  #failure: string | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that ExternalDNS is there. */
  touch(): void {
    this.#heardAt = this.#now();
    this.#firstHeardAt ??= this.#heardAt;
  }

  /** Notes that a loop begins: the one before has ended, and needed no change unless it sent one. */
  start(): void {
    if (this.#isEvaluated && !this.#isChanging) this.complete();
    else if (this.#isOpen) this.#failed++;
    if (this.#failed === 0) this.#failingSince = this.#now();
    this.#count++;
    this.#isOpen = true;
    this.#isEvaluated = false;
    this.#isChanging = false;
  }

  /** Notes that a verdict is given, to the loop that asked for it: `current` as it was then. */
  evaluated(loop: number): void {
    if (loop === this.#count) this.#isEvaluated = true;
  }

  /** Identifies the loop that goes on. */
  get current(): number {
    return this.#count;
  }

  /** Notes that a change comes. It counts as made when it is: see `finish`. */
  startChanges(): void {
    this.#isChanging = true;
  }

  /** Notes that ExternalDNS was told that something failed: what comes of it later is not for this loop. */
  fail(failure: string): void {
    if (this.#failed < failedLoops) this.#failure ??= failure.slice(0, bounds.message);
    this.#isEvaluated = false;
    this.#count++;
  }

  /** Notes that a loop has ended well. */
  complete(): void {
    this.#finishedAt = this.#now();
    this.#isOpen = false;
    this.#isChanging = false;
    this.#failed = 0;
    this.#failure = undefined;
  }

  /** How many in a row did not end well. */
  get failures(): number {
    return this.#failed;
  }

  /** Why they do not, once it is told. */
  get failure(): string | undefined {
    return this.isFailing ? (this.#failure ?? 'no verdict was asked for') : undefined;
  }

  get isFailing(): boolean {
    const now = this.#now();
    if (this.#failed < failedLoops || now - this.#failingSince < patienceMs) return false;
    return this.#finishedAt !== undefined || now - (this.#firstHeardAt ?? now) >= startMs;
  }

  /** Milliseconds since ExternalDNS was heard of; undefined before that. */
  get silentMs(): number | undefined {
    return this.#heardAt === undefined ? undefined : this.#now() - this.#heardAt;
  }

  /** When one last ended well, on the same clock. */
  get completedAt(): number | undefined {
    return this.#finishedAt;
  }
}
