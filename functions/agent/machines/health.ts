import { type Answer, isDynamic } from '../../dns/answer.ts';
import { checkTimes } from '../../dns/health-check.ts';
import type { ClaimEntry, Health } from './status-entry.ts';

export type Check = NonNullable<Answer['check']>;

/** The addresses of one family with which a claim's name is published, in canonical form, and how it is answered. */
export interface PublishedAnswer {
  type: 'A' | 'AAAA';
  values: readonly string[];
  answer: Answer;
}

/**
 * What is known of checked addresses. PowerDNS has no view of its checks, neither in its API nor in its statistics: it logs
 * changes (https://github.com/PowerDNS/pdns/issues/15998). So what is known is what it answers. The answer of a claim's
 * name says too little: it is all addresses both when all pass and when none does, and with Random a single one. A record
 * of the agent has the same checks, which PowerDNS runs once for all records, and is answered with what passes.
 */
export interface Looks {
  /** When missing addresses began to be doubtful: their check may not have run yet. Milliseconds since 1970, as all times. */
  doubtAt: number;
  /** Whether the last answer had an address. */
  hadAny: boolean;
  addresses: ReadonlyMap<string, Seen>;
}

interface Seen {
  /** Undefined until it has passed once, or has had the time to. */
  isUp: boolean | undefined;
  since: number;
}

/** The addresses that are checked for an answer: backups, too, since they are checked when no value passes. */
export const checkedIn = ({ values, answer: { backup = [] } }: PublishedAnswer): string[] => [
  ...new Set([...values, ...backup]),
];

/**
 * PowerDNS reports a check that has not run yet as failed. It has run after the checks that were running when it was first
 * queried, 5 seconds at most, another second and its own timeout.
 */
const firstRunMs = (check: Check) => (5 + 1 + checkTimes(check).timeout) * 1_000;

/** What is known after an answer. Returns `before` itself if nothing is new. */
export function afterAnswer(
  before: Looks | undefined,
  {
    checked,
    passing,
    check,
    at,
  }: { checked: readonly string[]; passing: ReadonlySet<string>; check: Check; at: number },
): Looks {
  const hadAny = checked.some((address) => passing.has(address));
  // All at once is also what a PowerDNS that has started anew answers.
  const doubtAt = before && (hadAny || !before.hadAny) ? before.doubtAt : at;
  const isDoubtful = at - doubtAt < firstRunMs(check);
  const addresses = new Map(
    checked.map((address) => [address, seen(before?.addresses.get(address), passing.has(address), isDoubtful, at)]),
  );
  const isSame =
    before?.doubtAt === doubtAt &&
    before.hadAny === hadAny &&
    before.addresses.size === addresses.size &&
    addresses.entries().every(([address, each]) => before.addresses.get(address) === each);
  return isSame ? before : { doubtAt, hadAny, addresses };
}

function seen(before: Seen | undefined, passes: boolean, isDoubtful: boolean, at: number): Seen {
  const isUp = passes || (isDoubtful ? before?.isUp : false);
  if (before && before.isUp === isUp) return before;
  return { isUp, since: at };
}

/** What is known when there is no answer, or other addresses are asked for: some checks may not have run yet. */
export const inDoubt = (before: Looks | undefined, at: number): Looks | undefined =>
  before && { ...before, doubtAt: at, hadAny: true };

/** What an entry says that this InternalDNS wrote before the agent started. */
export function looksIn(entry: ClaimEntry | undefined, at: number): Looks | undefined {
  const known = (entry?.members ?? []).filter(({ state }) => state === 'Up' || state === 'Down');
  if (known.length === 0) return undefined;
  const addresses = new Map(
    known.flatMap(({ addresses, state, since = '' }) =>
      addresses.map((address): [string, Seen] => [address, { isUp: state === 'Up', since: Date.parse(since) || at }]),
    ),
  );
  return { doubtAt: at, hadAny: true, addresses };
}

/** Undefined for an address that is not checked, or not yet. */
export function healthOf(address: string, looks: Looks | undefined): Health | undefined {
  const { isUp, since } = looks?.addresses.get(address) ?? {};
  return isUp === undefined || since === undefined ? undefined : { isUp, since: new Date(since).toISOString() };
}

/** The addresses that an answer is chosen from now, as zones/lua.ts chooses. */
export function answeredNow({ values, answer }: PublishedAnswer, looks: Looks | undefined): readonly string[] {
  if (!isDynamic(answer) || answer.check === undefined || !looks) return values;
  const upIn = (addresses: readonly string[]) => addresses.filter((address) => looks.addresses.get(address)?.isUp);
  const up = upIn(values);
  if (up.length > 0) return up;
  const { whenAllDown = 'All', backup = [] } = answer;
  const isUnknown = values.some((address) => looks.addresses.get(address)?.isUp === undefined);
  if (isUnknown || whenAllDown === 'All') return values;
  if (whenAllDown === 'None') return [];
  const upBackup = upIn(backup);
  return upBackup.length > 0 ? upBackup : backup;
}
