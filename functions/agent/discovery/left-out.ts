import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import type { Rejected } from '../database.ts';
import { bounds, type Report } from '../report.ts';
import { answerOf, claimantOf, type Zone } from '../zone.ts';
import type { Refusal, Refused } from './verdict/judge.ts';

/** Of one loop: an annotation may name thousands. */
const mostLogged = 20;

/** The wishes of an owner that are not published. Each is logged once. */
export class LeftOut {
  readonly #log: Logger;
  /** By what they would answer and why they do not. */
  #refused = new Map<string, Refused>();
  /** Those of them that PowerDNS refused, by what they would answer. */
  readonly #refusals = new Map<string, Refusal>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get refused(): Iterable<Refused> {
    return this.#refused.values();
  }

  get refusals(): ReadonlyMap<string, Refusal> {
    return this.#refusals;
  }

  /** Takes over what is refused, and forgets what PowerDNS refused and nobody wants any more. */
  take(refused: readonly Refused[]): void {
    const before = this.#refused;
    this.#refused = new Map();
    const fresh: Refused[] = [];
    for (const refusal of refused) {
      const key = `${answerOf(refusal.rrset)} ${refusal.message}`;
      // ExternalDNS names one of the objects that want the same, and not always the same one: the first stays.
      const known = before.get(key);
      this.#refused.set(key, known ?? refusal);
      if (!known) fresh.push(refusal);
    }
    this.#say(fresh);
    const answers = new Set(refused.map(({ rrset }) => answerOf(rrset)));
    for (const key of this.#refusals.keys()) if (!answers.has(key)) this.#refusals.delete(key);
  }

  /** Takes over what PowerDNS rejected of a zone's changes. */
  reject(zone: Zone, rejected: readonly Rejected[]): void {
    for (const { change, message } of rejected) {
      if (change.action === 'delete') continue;
      const { rrset } = change;
      const beside = zone.rrsets.filter(({ name }) => name === rrset.name);
      this.#refusals.set(answerOf(rrset), { rrset, beside, message });
    }
  }

  #say(fresh: readonly Refused[]): void {
    for (const refusal of fresh.slice(0, mostLogged)) this.#log.warn(toldOf(refusal), 'leave a name out');
    const more = fresh.length - mostLogged;
    if (more > 0) this.#log.warn({ names: more }, 'leave more names out');
  }
}

/** A refusal as people are told of it, cut to what a report takes: an annotation may be long. */
export const toldOf = ({ rrset, message }: Refused): Report['discovery']['refused'][number] => ({
  name: withoutDot(rrset.name).slice(0, bounds.name),
  resource: claimantOf(rrset).slice(0, bounds.resource),
  message: message.slice(0, bounds.message),
});
