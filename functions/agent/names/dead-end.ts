import type { Reason } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { type Chain, isEndless, whyEndless } from '../../dns/zone/cname-chain.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { OutOfZoneState } from '../resolver/out-of-zone-resolver.ts';

/**
 * Why nobody who follows a chain finds an address at its end; undefined where somebody does, and where that is not known.
 * @param outside what is known of a name that is in none of the zones
 */
export function deadEndOf(
  chain: Chain<RRset>,
  outside: (name: string) => OutOfZoneState | undefined,
): Reason | undefined {
  if (isEndless(chain))
    return { verdict: 'Refused', message: `it leads in a circle: ${whyEndless(chain)}${elsewhere}` };
  const end = chain.names.at(-1) as string;
  const lack = chain.end === 'Outside' ? outsideLacks[outside(end) ?? 'Addresses'] : lacks[chain.end];
  if (lack === undefined) return undefined;
  return { verdict: 'NoAddress', message: `it leads to ${withoutDot(end)}, ${lack}` };
}

const elsewhere = ': give the object another target';
const absent = 'which does not exist';
const addressless = 'which has no address';

const lacks: Partial<Record<Chain<RRset>['end'], string>> = {
  Absent: `${absent}: declare it, or give the object another target`,
  NoAddress: `${addressless}: declare one, or give the object another target`,
};

const seen = "to the pod's resolver";
const outsideLacks: Partial<Record<OutOfZoneState, string>> = {
  Absent: `${absent} ${seen}${elsewhere}, or correct that name`,
  NoAddress: `${addressless} ${seen}${elsewhere}, or correct that name`,
  Failed: `of which the pod's resolver only says SERVFAIL${elsewhere}, or see why with dig`,
};
