import type { Reach } from '../../connect/guide.ts';
import type { Declaration } from '../../contract/declaration.ts';
import type { ZoneReport } from '../../contract/report.ts';
import { type WaysIn, waysIn } from '../../contract/ways-in.ts';
import { messageOf } from '../lib/error-message.ts';
import { Memo } from '../lib/memo.ts';
import { parse } from '../lib/parse.ts';

const none: WaysIn = { ways: [], notes: [] };
const noZones: Reach = { ...none, zones: [], clusterIPs: [] };

/** What clients can connect to: the declared zones, and the ways in as the function observed them. */
export class CurrentReach {
  readonly #memo = new Memo<Reach>();
  #text: string | undefined;
  #waysIn = none;

  /**
   * @param text undefined if the function told none, as one of an older version
   * @returns why it is not valid: the last ones stay then
   */
  setWaysIn(text: string | undefined): string | undefined {
    if (text === this.#text) return undefined;
    try {
      this.#waysIn = text === undefined ? none : parse(text, waysIn);
      this.#text = text;
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Returns the same object until something changes. */
  get(declaration: Declaration | undefined, reports: readonly ZoneReport[]): Reach {
    return this.#memo.get([declaration, reports, this.#waysIn], () =>
      declaration ? reachOf(declaration, reports, this.#waysIn) : noZones,
    );
  }
}

function reachOf({ zones, service }: Declaration, reports: readonly ZoneReport[], waysIn: WaysIn): Reach {
  const signatures = new Map(reports.map(({ name, dnssec }) => [name, dnssec?.ds ?? []]));
  return {
    ...waysIn,
    // A zone that will be unsigned must not be in a trust anchor any more.
    zones: zones.map(({ name, dnssec }) => ({
      name,
      ds: dnssec?.mode === 'Signed' ? (signatures.get(name) ?? []) : [],
    })),
    clusterIPs: service,
  };
}
