import { isIP } from 'node:net';
import type { Declaration } from '../../contract/declaration.ts';
import { bounds, type Report } from '../../contract/report.ts';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import type { Service } from '../kubernetes/object.ts';
import { backoff } from '../lib/backoff.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { pause, Sleeper } from '../lib/runnable.ts';
import { shortList } from '../lib/short-list.ts';
import { TailnetAPI } from './api.ts';
import { Credentials } from './credentials.ts';
import { canonical, type Entries, isSame } from './entries.ts';
import { Awaited, TailnetError } from './failure.ts';
import type { Memory, Target } from './memory.ts';
import { Session } from './session.ts';

type Declared = Pick<Declaration, 'zones' | 'splitDNS'>;
type State = NonNullable<Report['splitDNS']>;

export interface SplitDNSOptions {
  cluster: Pick<AgentClient, 'watchService' | 'readSecret'>;
  memory: Memory;
  /** Of several replicas only one writes; every one of them can remove what was written, as that has one chance only. */
  isWriter: boolean;
  onState: (state: State | undefined) => void;
  failureLog: Pick<FailureLog, 'record'>;
  createAPI?: (target: Target) => Pick<TailnetAPI, 'read' | 'change'>;
  pauses?: Partial<typeof defaultPauses>;
}

/** Milliseconds. */
const defaultPauses = {
  /** Between two looks at entries that others can change, and at those of others that are in the way. */
  settled: 60_000,
  conflict: 10_000,
  /** From one round of requests to the next at least, whatever changes. */
  least: 1_000,
  retry: { leastMs: 1_000, mostMs: 60_000 },
  /** For a Secret or an object of the instance, which are not watched. */
  awaited: 2_000,
  /** How long after SIGTERM the deletion of the declaration may become known. */
  deletion: 2_000,
  /** For the removal then: Runnables are given ten seconds in all. */
  removal: 7_000,
};

/**
 * Keeps the split DNS of a tailnet: an entry for each zone, with the addresses that the Service has in the tailnet. Removes
 * those of zones that go, and all of them when the InternalDNS goes: then the declaration is deleted before the process is
 * stopped. A restart removes nothing.
 */
export class SplitDNS {
  readonly #options: Required<Omit<SplitDNSOptions, 'pauses'>>;
  readonly #pauses: typeof defaultPauses;
  #declared: Declared | undefined;
  #session: Session | undefined;
  /** Of tailnets that the spec no longer has. */
  #former: Session[] = [];
  #service: { name: string; addresses: string[]; unwatch: () => void } | undefined;
  #isDeclared = true;
  #failures = 0;
  #notBefore = 0;
  readonly #sleeper = new Sleeper();

  constructor({ pauses, ...options }: SplitDNSOptions) {
    this.#options = { createAPI: (target) => new TailnetAPI(target), ...options };
    this.#pauses = { ...defaultPauses, ...pauses };
  }

  setDeclaration(declared: Declared): void {
    this.#declared = declared;
    const { splitDNS } = declared;
    this.#aim(splitDNS && { apiURL: splitDNS.apiURL, tailnet: splitDNS.tailnet });
    this.#watch(splitDNS?.service);
    this.#sleeper.wake();
  }

  /** Whether the declaration exists in the cluster. */
  setDeclared(isDeclared: boolean): void {
    if (isDeclared === this.#isDeclared) return;
    this.#isDeclared = isDeclared;
    this.#sleeper.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#sleeper.forget();
    while (!signal.aborted) {
      this.#notBefore = monotonicNow() + this.#pauses.least;
      const ms = await this.#next(signal);
      const leastMs = Math.max(0, this.#notBefore - monotonicNow());
      await this.#sleeper.sleep({ leastMs, mostMs: Math.max(leastMs, ms) }, signal);
    }
    await this.#end();
  }

  /** Returns the milliseconds to wait afterwards. */
  async #next(signal: AbortSignal): Promise<number> {
    const { settled, conflict, awaited, retry } = this.#pauses;
    await this.#leaveFormer(signal);
    try {
      const state = await this.#reconcile(signal);
      this.#report(state);
      this.#failures = 0;
      return state?.state === 'Conflict' || this.#former.length > 0 ? conflict : settled;
    } catch (error) {
      if (signal.aborted) return 0;
      if (error instanceof Awaited) {
        this.#report({ state: 'Pending', message: error.message });
        return awaited;
      }
      this.#failures += 1;
      this.#report({ state: 'Failed', message: messageOf(error) });
      if (error instanceof TailnetError) this.#notBefore = monotonicNow() + error.retryAfterMs;
      return backoff(this.#failures, retry);
    }
  }

  async #reconcile(signal: AbortSignal): Promise<State | undefined> {
    const { cluster, isWriter } = this.#options;
    const [session, { splitDNS, zones } = { zones: [] }] = [this.#session, this.#declared];
    if (!session || !splitDNS) return undefined;
    session.credentials = Credentials.from(await cluster.readSecret(splitDNS.secret), splitDNS.secret);
    if (!isWriter) {
      await session.recall();
      return undefined;
    }
    const addresses =
      splitDNS.addresses.length > 0 ? splitDNS.addresses.map(canonical) : (this.#service?.addresses ?? []);
    const conflicts = await session.reconcile(
      zones.map(({ name }) => name),
      addresses,
      signal,
    );
    if (conflicts.size > 0) return { state: 'Conflict', message: conflictMessage(conflicts) };
    if (addresses.length > 0) return { state: 'Synced' };
    return { state: 'Pending', message: `Service ${splitDNS.service} has no address in the tailnet yet` };
  }

  #report(state: State | undefined): void {
    const { onState, failureLog, isWriter } = this.#options;
    const message = state?.message?.slice(0, bounds.message);
    failureLog.record('keep the split DNS of the tailnet', message);
    onState(isWriter && state ? { ...state, ...(message && { message }) } : undefined);
  }

  /** Starts to work on another split DNS. */
  #aim(target: Target | undefined): void {
    const session = this.#session;
    if (session?.target.apiURL === target?.apiURL && session?.target.tailnet === target?.tailnet) return;
    if (session && this.#options.isWriter) this.#former.push(session);
    const { createAPI, memory } = this.#options;
    this.#session = target && new Session({ target, memory, api: createAPI(target) });
  }

  #watch(name: string | undefined): void {
    if (this.#service?.name === name) return;
    this.#service?.unwatch();
    this.#service = undefined;
    if (name === undefined) return;
    const { cluster, failureLog } = this.#options;
    const onChange = (service: Service | undefined) => {
      const addresses = addressesOf(service);
      if (!this.#service || isSame(addresses, this.#service.addresses)) return;
      this.#service.addresses = addresses;
      this.#sleeper.wake();
    };
    const onFailure = (failure?: string) => failureLog.record(`watch Service ${name}`, failure);
    this.#service = { name, addresses: [], unwatch: () => {} };
    this.#service.unwatch = cluster.watchService(name, onChange, onFailure);
  }

  async #leaveFormer(signal: AbortSignal): Promise<void> {
    for (const session of this.#former) {
      const failure = await session.remove(signal).then(() => undefined, messageOf);
      this.#options.failureLog.record('leave the former split DNS', failure, session.target);
      if (!failure) this.#former = this.#former.filter((each) => each !== session);
    }
  }

  /** After SIGTERM: removes everything if the InternalDNS is deleted. */
  async #end(): Promise<void> {
    const sessions = [...this.#former, ...(this.#session ? [this.#session] : [])].filter(
      ({ hasWritten }) => hasWritten,
    );
    if (sessions.length === 0 || !(await this.#isDeleted())) return;
    const { removal, retry } = this.#pauses;
    const signal = AbortSignal.timeout(removal);
    for (let failures = 1; !signal.aborted; failures++) {
      const failure = await Promise.all(sessions.map((session) => session.remove(signal))).then(
        () => undefined,
        messageOf,
      );
      this.#options.failureLog.record('remove the split DNS of the tailnet', failure);
      if (!failure) return;
      await pause(backoff(failures, retry), signal);
    }
  }

  /** The watch may tell of the deletion only after the signal. */
  async #isDeleted(): Promise<boolean> {
    const signal = AbortSignal.timeout(this.#pauses.deletion);
    const pace = { leastMs: 0, mostMs: this.#pauses.deletion };
    while (this.#isDeclared && !signal.aborted) await this.#sleeper.sleep(pace, signal);
    return !this.#isDeclared;
  }
}

/** The addresses that the operator has given the Service. Those of a proxy group are in one entry with its hostname. */
export const addressesOf = (service: Service | undefined): string[] =>
  (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip && isIP(ip) ? [canonical(ip)] : []));

function conflictMessage(conflicts: Entries): string {
  const each = [...conflicts].sort().map(([zone, addresses]) => {
    const known = addresses.filter((address) => isIP(address));
    return `${zone} (${known.length > 0 ? shortList(known) : 'no address'})`;
  });
  return `the split DNS of the tailnet has entries that were not written here, for ${shortList(each)}: remove them in the admin console, or these zones from the spec`;
}
