import { canaryZone } from '../../contract/canary-zone.ts';
import { withoutDot } from '../../dns/name.ts';
import { messageOf } from '../lib/error-message.ts';
import type { PowerDNS } from '../powerdns/powerdns.ts';
import { slotAt, slotIn, writeCanary } from './canary-record.ts';
import { QueryTimeout, query, ResponseCodeError, type ServerAddress, type Transport, transports } from './dns-query.ts';

/** Which way a query goes: to PowerDNS in the pod itself, or through the Service to any replica. */
export type QueryTarget = 'pod' | 'service';

export interface CanaryOptions {
  powerdns: Pick<PowerDNS, 'create' | 'patch'>;
  /** PowerDNS in the pod itself. */
  dns: ServerAddress;
  /** Each address of the Service; empty until it has one. */
  service: () => readonly ServerAddress[];
  /** The protocols of the Service. */
  serviceTransports?: () => readonly Transport[];
  /** Called for each right answer; the time includes retries. */
  onAnswer?: (transport: Transport, seconds: number, target: QueryTarget) => void;
  onFailure?: (transport: Transport, target: QueryTarget) => void;
  /** Of one attempt. */
  timeoutMs?: number;
  now?: () => number;
}

/**
 * `Timeout`: no answer. `Error`: the query was not delivered, or the server failed to process it. `WrongAnswer`: an answer
 * without the canary. `Outdated`: an answer with a canary that should have been replaced.
 */
export interface QueryFailure {
  kind: 'Timeout' | 'Error' | 'WrongAnswer' | 'Outdated';
  message: string;
}

export interface QueryResult {
  address: string;
  transport: Transport;
  failure?: QueryFailure;
}

export interface TestResult {
  /** Why the canary could not be written. */
  writeError?: string;
  pod: readonly QueryResult[];
  service: readonly QueryResult[];
}

/** Replicas do not write in step, their clocks differ, and a write may fail once. */
const toleratedSlots = 3;

/** The end-to-end test: writes a record as any other is written, and queries it as clients do. */
export class Canary {
  readonly #options: Required<CanaryOptions>;

  constructor(options: CanaryOptions) {
    this.#options = {
      serviceTransports: () => transports,
      onAnswer: () => {},
      onFailure: () => {},
      timeoutMs: 1000,
      now: Date.now,
      ...options,
    };
  }

  async test(): Promise<TestResult> {
    const { powerdns, dns, service, serviceTransports, now } = this.#options;
    const slot = slotAt(now());
    const writeError = await writeCanary(powerdns, slot).then(() => undefined, messageOf);
    const [podResults, serviceResults] = await Promise.all([
      this.#queryAll('pod', [dns], transports, (answered) => answered === slot),
      this.#queryAll('service', service(), serviceTransports(), (answered) => answered >= slot - toleratedSlots),
    ]);
    return { ...(writeError !== undefined && { writeError }), pod: podResults, service: serviceResults };
  }

  #queryAll(
    target: QueryTarget,
    servers: readonly ServerAddress[],
    over: readonly Transport[],
    isCurrent: (slot: number) => boolean,
  ): Promise<QueryResult[]> {
    const queries = servers.flatMap((server) => over.map((transport) => ({ server, transport })));
    return Promise.all(queries.map(({ server, transport }) => this.#query(target, server, transport, isCurrent)));
  }

  async #query(
    target: QueryTarget,
    server: ServerAddress,
    transport: Transport,
    isCurrent: (slot: number) => boolean,
  ): Promise<QueryResult> {
    const { timeoutMs, onAnswer, onFailure } = this.#options;
    const started = performance.now();
    const result = { address: server.host, transport };
    try {
      const answers = await query({ server, name: withoutDot(canaryZone), type: 'TXT', transport, timeoutMs });
      const slot = slotIn(answers);
      if (slot !== undefined && isCurrent(slot)) {
        onAnswer(transport, (performance.now() - started) / 1000, target);
        return result;
      }
      onFailure(transport, target);
      return { ...result, failure: slot === undefined ? noRecord : outdatedRecord };
    } catch (error) {
      onFailure(transport, target);
      return { ...result, failure: { kind: kindOf(error), message: messageOf(error) } };
    }
  }
}

// Without numbers: a message with a count would change at every test.
const noRecord: QueryFailure = { kind: 'WrongAnswer', message: 'no such record' };
const outdatedRecord: QueryFailure = { kind: 'Outdated', message: 'outdated record' };

function kindOf(error: unknown): QueryFailure['kind'] {
  if (error instanceof QueryTimeout) return 'Timeout';
  // SERVFAIL: PowerDNS cannot read its database.
  return error instanceof ResponseCodeError && error.message !== 'SERVFAIL' ? 'WrongAnswer' : 'Error';
}
