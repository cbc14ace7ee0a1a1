import type { Logger } from 'pino';
import { bounds } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { RejectedChange } from '../powerdns/database.ts';
import { answerOf, resourceOf, type Zone } from '../powerdns/rrset.ts';
import type { PowerDNSRejection, RejectedRecord } from './evaluate.ts';

/** Of one loop: an annotation may name thousands. */
const mostLogged = 20;

/** The wishes of an owner that are not published. Each is logged once. */
export class RejectionLog {
  readonly #log: Logger;
  /** What they would answer and why they do not. */
  #known: ReadonlySet<string> = new Set();
  /** Those of them that PowerDNS refused, by what they would answer. */
  readonly #rejections = new Map<string, PowerDNSRejection>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get rejections(): ReadonlyMap<string, PowerDNSRejection> {
    return this.#rejections;
  }

  /** Takes over what is refused, and forgets what PowerDNS refused and nobody wants any more. */
  record(refused: readonly RejectedRecord[]): void {
    const before = this.#known;
    const keys = refused.map(whatAndWhy);
    this.#known = new Set(keys);
    this.#say(refused.filter((_, index) => !before.has(keys[index] as string)));
    const answers = new Set(refused.map(({ rrset }) => answerOf(rrset)));
    for (const key of this.#rejections.keys()) if (!answers.has(key)) this.#rejections.delete(key);
  }

  /** Takes over what PowerDNS rejected of a zone's changes. */
  recordRejections(zone: Zone, rejected: readonly RejectedChange[]): void {
    for (const { change, message } of rejected) {
      if (change.action === 'delete') continue;
      const { rrset } = change;
      const beside = zone.rrsets.filter(({ name }) => name === rrset.name);
      this.#rejections.set(answerOf(rrset), { rrset, beside, message });
    }
  }

  #say(fresh: readonly RejectedRecord[]): void {
    for (const refusal of fresh.slice(0, mostLogged)) this.#log.warn(shown(refusal), 'leave a name out');
    const more = fresh.length - mostLogged;
    if (more > 0) this.#log.warn({ names: more }, 'leave more names out');
  }
}

/** Not whose: ExternalDNS names one of the objects that want the same, and not always the same one. */
const whatAndWhy = ({ rrset, message }: RejectedRecord) => `${answerOf(rrset)} ${message}`;

/** Cut as in a report: an annotation may be long. */
const shown = ({ rrset, message }: RejectedRecord) => ({
  name: withoutDot(rrset.name).slice(0, bounds.name),
  resource: resourceOf(rrset).slice(0, bounds.resource),
  message: message.slice(0, bounds.message),
});
