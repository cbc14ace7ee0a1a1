import type { ZoneReport } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { Signature } from '../signing/signer.ts';
import type { ZonesPlan } from './plan.ts';

/** How long PowerDNS may be silent, as during a restart, before a zone counts as failed. Milliseconds. */
export const graceMs = 10_000;

const mostMessage = 500;
const mostRetained = 32;

export interface ZoneProbeOptions {
  /** Reports whether a zone's SOA is answered over DNS. */
  answers: (zone: string) => Promise<boolean>;
  now: () => number;
}

/** What is known of a declared zone. */
export interface ZoneState {
  name: string;
  /** Why it failed. */
  failure: string | undefined;
  /** What it waits for. */
  pending: string | undefined;
  signature: Signature | undefined;
  /** Whether the last report said so. */
  wasServing: boolean;
}

/** Determines the statuses of zones, and probes those that should be served. */
export class ZoneProbe {
  readonly #options: ZoneProbeOptions;
  readonly #silentSince = new Map<string, number>();

  constructor(options: ZoneProbeOptions) {
    this.#options = options;
  }

  async status({ failure, pending, signature, ...zone }: ZoneState): Promise<ZoneReport> {
    const { name } = zone;
    const dnssec = signature && { dnssec: signature };
    if (failure) return { name, state: 'Failed', message: failure.slice(0, mostMessage), ...dnssec };
    if (pending) return { name, state: 'Pending', message: pending.slice(0, mostMessage), ...dnssec };
    return { ...(await this.#probe(zone)), ...dnssec };
  }

  /** Forgets all other zones. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#silentSince.keys()) if (!names.has(name)) this.#silentSince.delete(name);
  }

  async #probe({ name, wasServing }: Pick<ZoneState, 'name' | 'wasServing'>): Promise<ZoneReport> {
    if (await this.#options.answers(name)) {
      this.#silentSince.delete(name);
      return { name, state: 'Serving' };
    }
    const now = this.#options.now();
    const since = this.#silentSince.get(name) ?? now;
    this.#silentSince.set(name, since);
    if (now - since >= graceMs) {
      const message =
        'PowerDNS has the zone, but does not answer queries for it: see the log of the container powerdns';
      return { name, state: 'Failed', message };
    }
    return { name, state: wasServing ? 'Serving' : 'Pending' };
  }
}

/** The status of a zone while PowerDNS is unavailable. */
export function unavailable(name: string, failure: string, signature: Signature | undefined): ZoneReport {
  const message = `PowerDNS cannot be used (${failure}): see the log of the container powerdns`.slice(0, mostMessage);
  return { name, state: 'Failed', message, ...(signature && { dnssec: signature }) };
}

/** The statuses of undeclared zones that stay. */
export const retainedStatuses = (retained: ZonesPlan['retained']): ZoneReport[] =>
  retained
    .slice(0, mostRetained)
    .map(({ name, message }): ZoneReport => ({ name: withoutDot(name), state: 'Retained', message }));

/** Why a zone with the first LUA records waits: enabling them takes a restart. */
export const luaIsOff = 'PowerDNS restarts once to enable the first record with a health check';

/** Why a zone that was to be removed stays: the next plan finds what somebody has just added to it. */
export const changedMeanwhile = 'somebody has just added records to it: it stays for them';
