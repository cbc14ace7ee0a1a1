import { withoutDot } from '../../dns/name.ts';
import { messageOf } from '../lib/error-message.ts';
import type { PowerDNS } from '../powerdns/powerdns.ts';
import { canaryZone, slotAt, slotIn, writeCanary } from './canary-record.ts';
import { ask, ResponseCode, type Server, Silence, type Transport, transports } from './dns-query.ts';

/** Whom a question went to: the pod's own PowerDNS, or whoever is behind the Service. */
export type Way = 'pod' | 'service';

export interface CanaryOptions {
  powerdns: Pick<PowerDNS, 'create' | 'patch'>;
  /** The pod's own. */
  dns: Server;
  /** The Service, at each of its addresses; none while it has none. */
  service: () => readonly Server[];
  /** A question was answered rightly; how long that took, what got lost included. */
  onAnswer?: (transport: Transport, seconds: number, way: Way) => void;
  onFailure?: (transport: Transport, way: Way) => void;
  /** Of one try. */
  timeoutMs?: number;
  now?: () => number;
}

/**
 * `Silent`: nothing came. `Failed`: the question did not get there, or the server has a problem of its own. `Other`: an
 * answer without the canary. `Old`: with one that should have been replaced.
 */
export interface QueryFailure {
  kind: 'Silent' | 'Failed' | 'Other' | 'Old';
  message: string;
}

/** What became of one question. */
export interface Finding {
  address: string;
  transport: Transport;
  fault?: QueryFailure;
}

/** What became of one test. */
export interface Result {
  /** Why the canary could not be written. */
  write?: string;
  pod: readonly Finding[];
  service: readonly Finding[];
}

/** Other replicas do not write in step, their clocks differ, and a write may fail now and then. */
const toleratedSlots = 3;

/** A record that is written like every other one and asked for as clients ask, to see whether that still works. */
export class Canary {
  readonly #options: Required<CanaryOptions>;

  constructor(options: CanaryOptions) {
    this.#options = { onAnswer: () => {}, onFailure: () => {}, timeoutMs: 1000, now: Date.now, ...options };
  }

  async test(): Promise<Result> {
    const { powerdns, dns, service, now } = this.#options;
    const slot = slotAt(now());
    const write = await writeCanary(powerdns, slot).then(() => undefined, messageOf);
    const [pod, through] = await Promise.all([
      this.#look('pod', [dns], (answered) => answered === slot),
      this.#look('service', service(), (answered) => answered >= slot - toleratedSlots),
    ]);
    return { ...(write !== undefined && { write }), pod, service: through };
  }

  #look(way: Way, servers: readonly Server[], isRight: (slot: number) => boolean): Promise<Finding[]> {
    const questions = servers.flatMap((server) => transports.map((transport) => ({ server, transport })));
    return Promise.all(questions.map(({ server, transport }) => this.#ask(way, server, transport, isRight)));
  }

  async #ask(way: Way, server: Server, transport: Transport, isRight: (slot: number) => boolean): Promise<Finding> {
    const { timeoutMs, onAnswer, onFailure } = this.#options;
    const began = performance.now();
    const finding = { address: server.host, transport };
    try {
      const answers = await ask({ server, name: withoutDot(canaryZone), type: 'TXT', transport, timeoutMs });
      const slot = slotIn(answers);
      if (slot !== undefined && isRight(slot)) {
        onAnswer(transport, (performance.now() - began) / 1000, way);
        return finding;
      }
      onFailure(transport, way);
      return { ...finding, fault: slot === undefined ? noRecord : oldRecord };
    } catch (error) {
      onFailure(transport, way);
      return { ...finding, fault: { kind: kindOf(error), message: messageOf(error) } };
    }
  }
}

// Without numbers: a message that counts would be another one all the time.
const noRecord: QueryFailure = { kind: 'Other', message: 'no such record' };
const oldRecord: QueryFailure = { kind: 'Old', message: 'an old record' };

function kindOf(error: unknown): QueryFailure['kind'] {
  if (error instanceof Silence) return 'Silent';
  // SERVFAIL: PowerDNS cannot read its database.
  return error instanceof ResponseCode && error.message !== 'SERVFAIL' ? 'Other' : 'Failed';
}
