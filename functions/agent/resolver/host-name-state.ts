/** The types of addresses. */
export const families = ['A', 'AAAA'] as const;

export type Family = (typeof families)[number];

/** Why a host name has no address. */
export type Absence =
  /** NXDOMAIN */
  | 'Absent'
  /** NODATA */
  | 'NoAddress'
  /** All its addresses are loopback addresses or the like. */
  | 'Unusable';

/** What a resolver answers for one type. */
export type FamilyAnswer =
  | {
      addresses: readonly string[];
      /** Seconds; undefined without addresses. */
      ttl?: number;
      absence?: Absence;
    }
  /** Such as SERVFAIL: nothing is known. */
  | { failure: string };

export type HostNameAnswer = Readonly<Record<Family, FamilyAnswer>>;

interface FamilyState {
  /** How many answers in a row lacked an address. */
  missing: ReadonlyMap<string, number>;
  /** Answers so far, without failures. */
  answers: number;
  /** Why the last query failed. */
  failure?: string;
}

/** What is known of a host name. */
export interface HostNameState extends Readonly<Record<Family, FamilyState>> {
  absence?: Absence;
  /** Queries in a row that gave no address, and failed. */
  failures: number;
}

/** What a target that is a host name stands for. */
export interface HostNameAddresses extends Readonly<Record<Family, readonly string[]>> {
  /** The types of which so little is known that the records published before are kept, too. */
  unsettled: readonly Family[];
  /** Why there is no address, or why there are only old ones. */
  fault?: Absence | 'Unknown' | { failure: string };
}

/** Of each type. The rest could not be answered in one packet anyway. */
const mostAddresses = 32;

/**
 * An address is dropped when this many answers in a row lack it: some names are answered with a few of their addresses,
 * other ones each time.
 */
const mostMissing = 3;

/** Milliseconds until a name is resolved again. */
const intervals = {
  least: 5_000,
  most: 300_000,
  /** Without an address: the TTL of a negative answer is not known. A load balancer's name appears after it is announced. */
  negative: 15_000,
  /** The most after failures. */
  failed: 60_000,
};

const unknownFamily: FamilyState = { missing: new Map(), answers: 0 };

export const unknownHostName: HostNameState = { A: unknownFamily, AAAA: unknownFamily, failures: 0 };

/** The state after one more answer. */
export function afterAnswer(state: HostNameState, answer: HostNameAnswer): HostNameState {
  const absence = absenceIn(answer);
  return {
    A: familyAfter(state.A, answer.A),
    AAAA: familyAfter(state.AAAA, answer.AAAA),
    failures: isFailed(answer) ? state.failures + 1 : 0,
    ...(absence && { absence }),
  };
}

/** Milliseconds from an answer to the next query. `state` is the one after it. */
export function intervalAfter({ failures }: HostNameState, answer: HostNameAnswer): number {
  if (isFailed(answer)) return Math.min(intervals.failed, intervals.least * 2 ** Math.max(0, failures - 1));
  const ttls = families.flatMap((family) => {
    const each = answer[family];
    return 'failure' in each || each.ttl === undefined ? [] : [each.ttl * 1000];
  });
  const ttl = ttls.length > 0 ? Math.min(...ttls) : intervals.negative;
  return Math.min(intervals.most, Math.max(intervals.least, ttl));
}

/**
 * What a state stands for.
 * @param isInherited whether records may have been published for the name before it was resolved for the first time, by an
 * agent before this one. One answer need not have all of their addresses.
 */
export function addressesOf(state: HostNameState, isInherited: boolean): HostNameAddresses {
  const [A, AAAA] = families.map((family) => [...state[family].missing.keys()].sort()) as [string[], string[]];
  const enough = isInherited ? mostMissing : 1;
  const unsettled = families.filter((family) => state[family].answers < enough);
  const fault = faultOf(state, A.length + AAAA.length > 0);
  return { A, AAAA, unsettled, ...(fault !== undefined && { fault }) };
}

function faultOf(state: HostNameState, hasAddresses: boolean): HostNameAddresses['fault'] {
  // A server that fails for IPv6 alone is common, and of no matter unless it has answered before.
  const failed = families.find(
    (each) => state[each].failure !== undefined && (!hasAddresses || state[each].missing.size),
  );
  if (failed) return { failure: state[failed].failure as string };
  if (hasAddresses) return undefined;
  return state.absence ?? 'Unknown';
}

/** No address, and it is not known whether there is one. */
const isFailed = (answer: HostNameAnswer) =>
  families.some((family) => 'failure' in answer[family]) &&
  families.every((family) => 'failure' in answer[family] || answer[family].addresses.length === 0);

function absenceIn(answer: HostNameAnswer): Absence | undefined {
  const absences = families.map((family) => ('failure' in answer[family] ? undefined : answer[family].absence));
  return (['Unusable', 'Absent', 'NoAddress'] as const).find((each) => absences.includes(each));
}

function familyAfter(state: FamilyState, answer: FamilyAnswer): FamilyState {
  if ('failure' in answer) return { ...state, failure: answer.failure };
  const present = new Set(answer.addresses);
  const known = [...state.missing].map(
    ([address, missing]) => [address, present.has(address) ? 0 : missing + 1] as const,
  );
  const kept = new Map(known.filter(([, missing]) => missing < mostMissing));
  for (const address of [...present].sort()) {
    if (kept.size >= mostAddresses) break;
    if (!kept.has(address)) kept.set(address, 0);
  }
  return { missing: kept, answers: Math.min(mostMissing, state.answers + 1) };
}
