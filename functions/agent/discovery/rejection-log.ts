import type { Logger } from 'pino';
import { bounds } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { RejectedChange } from '../powerdns/database.ts';
import { answerOf, resourceOf, type Zone } from '../powerdns/rrset.ts';
import type { PowerDNSRejection, RejectedRecord } from './evaluation.ts';

/** In one loop: an annotation may have thousands of hosts. */
const mostLogged = 20;

/** Logs each rejected record of one ExternalDNS once, and keeps what PowerDNS rejected. */
export class RejectionLog {
  readonly #log: Logger;
  /** What was rejected last, and why. */
  #logged: ReadonlySet<string> = new Set();
  /** By what the record would have answered. */
  readonly #rejections = new Map<string, PowerDNSRejection>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get rejections(): ReadonlyMap<string, PowerDNSRejection> {
    return this.#rejections;
  }

  /**
   * Logs what was not rejected in the last loop, and drops PowerDNS's rejections of records that are no longer desired.
   */
  record(rejected: readonly RejectedRecord[]): void {
    const before = this.#logged;
    const keys = rejected.map(keyOf);
    this.#logged = new Set(keys);
    this.#write(rejected.filter((_, index) => !before.has(keys[index] as string)));
    const answers = new Set(rejected.map(({ rrset }) => answerOf(rrset)));
    for (const key of this.#rejections.keys()) if (!answers.has(key)) this.#rejections.delete(key);
  }

  /** Keeps what PowerDNS rejected of a zone's changes. */
  recordRejections(zone: Zone, rejected: readonly RejectedChange[]): void {
    for (const { change, message } of rejected) {
      if (change.action === 'delete') continue;
      const { rrset } = change;
      const beside = zone.rrsets.filter(({ name }) => name === rrset.name);
      this.#rejections.set(answerOf(rrset), { rrset, beside, message });
    }
  }

  #write(added: readonly RejectedRecord[]): void {
    for (const each of added.slice(0, mostLogged)) this.#log.warn(fieldsOf(each), 'rejected name');
    const more = added.length - mostLogged;
    if (more > 0) this.#log.warn({ names: more }, 'rejected more names');
  }
}

/** Without the object: ExternalDNS labels an endpoint with one of several objects, not always the same one. */
const keyOf = ({ rrset, message }: RejectedRecord) => `${answerOf(rrset)} ${message}`;

/** Cut as in a report: an annotation may be long. */
const fieldsOf = ({ rrset, message }: RejectedRecord) => ({
  name: withoutDot(rrset.name).slice(0, bounds.name),
  resource: resourceOf(rrset).slice(0, bounds.resource),
  message: message.slice(0, bounds.message),
});
