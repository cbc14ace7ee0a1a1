import { isIPv4 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import { type KindCondition, statusBounds } from '../../contract/kinds/instance-status.ts';
import type { machineStatus } from '../../contract/kinds/machine.ts';
import type { nameClaimStatus } from '../../contract/kinds/name-claim.ts';
import type { zoneStatus } from '../../contract/kinds/zone.ts';
import { printable } from '../../contract/printable.ts';
import { bySeverity, type NameState } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import type { ReverseFinding } from './reverse.ts';
import type { Translated } from './translated.ts';

type Instances<S extends z.ZodType<{ instances?: unknown }>> = NonNullable<z.output<S>['instances']>;
export type MachineEntry = Instances<typeof machineStatus> extends (infer E)[] ? E : never;
export type ClaimEntry = Instances<typeof nameClaimStatus> extends (infer E)[] ? E : never;
export type ZoneEntry = Instances<typeof zoneStatus> extends (infer E)[] ? E : never;
export type Entry = MachineEntry | ClaimEntry | ZoneEntry;

/** What became of an object's names. */
interface Outcome {
  /** The name of the InternalDNS. */
  instance: string;
  /** Of its hosts; of those of other objects none. */
  states: readonly NameState[];
  /** RFC 3339. */
  now: string;
}

/** PowerDNS's view of an address of a claim. */
export interface Health {
  isUp: boolean;
  /** RFC 3339. */
  since?: string;
}

/** The entry of an InternalDNS in a Machine's status. Returns `before` itself if there is nothing new: nothing is written. */
export function machineEntry(
  { object, endpoints, finding }: Translated,
  { reverse = [], ...outcome }: Outcome & { reverse?: readonly ReverseFinding[] | undefined },
  before?: MachineEntry,
): MachineEntry {
  const { fqdn, claims = [] } = finding;
  return unlessSame(before, {
    name: outcome.instance,
    observedAt: outcome.now,
    ...(fqdn !== undefined && { fqdn }),
    records: endpoints.map(({ dnsName, recordType, targets }) => ({
      name: dnsName,
      type: recordType,
      values: targets,
    })),
    reverse: reverse.map(({ message, ...each }) => ({ ...each, ...(message && { message: brief(message) }) })),
    claims: claims.slice(0, statusBounds.claims),
    conditions: [readyOf({ object, finding }, outcome, before)],
  });
}

/** The same in a claim's status. @param healthOf undefined for an address that is not checked, or not yet */
export function claimEntry(
  { object, finding }: Translated,
  {
    healthOf,
    answers = [],
    ...outcome
  }: Outcome & { healthOf: (address: string) => Health | undefined; answers?: readonly string[] },
  before?: ClaimEntry,
): ClaimEntry {
  const members = (finding.members ?? []).map(({ addresses, ...member }) => ({
    ...member,
    addresses: addresses.slice(0, 64),
    ...stateOf(addresses.map(healthOf)),
  }));
  const up = members.filter(({ state }) => state !== 'Down').length;
  return unlessSame(before, {
    name: outcome.instance,
    observedAt: outcome.now,
    members: members.slice(0, statusBounds.members),
    membersUp: `${up}/${members.length}`,
    answers: [...answers].sort((a, b) => Number(isIPv4(b)) - Number(isIPv4(a)) || (a < b ? -1 : 1)).slice(0, 128),
    conditions: [readyOf({ object, finding }, outcome, before)],
  });
}

/** A member is down if none of its addresses passes, since the last of them went down. */
function stateOf(health: readonly (Health | undefined)[]): { state?: 'Up' | 'Down' | 'Unknown'; since?: string } {
  const known = health.filter((each) => each !== undefined);
  if (known.length === 0) return {};
  if (known.some(({ isUp }) => isUp)) return { state: 'Up' };
  const since = known
    .flatMap((each) => each.since ?? [])
    .sort()
    .at(-1);
  return { state: known.length < health.length ? 'Unknown' : 'Down', ...(since !== undefined && { since }) };
}

function readyOf(
  { object, finding }: Pick<Translated, 'object' | 'finding'>,
  { states, now }: Outcome,
  before?: Entry,
): KindCondition {
  return readyCondition(judge(finding, states), object, now, before);
}

type Judgement = Pick<KindCondition, 'status' | 'reason' | 'message'>;

/** The condition Ready, which keeps the time of `before` while its status is the same. */
export function readyCondition(
  judged: Judgement,
  { generation }: Translated['object'],
  now: string,
  before?: Entry,
): KindCondition {
  const last = before?.conditions?.find(({ type }) => type === 'Ready');
  return {
    type: 'Ready',
    ...judged,
    observedGeneration: generation,
    lastTransitionTime: last?.status === judged.status ? last.lastTransitionTime : now,
  };
}

/** An object is ready when all its names resolve. What it asks for and does not get is told in any case. */
function judge({ refusal, isTemporary, notes }: Translated['finding'], states: readonly NameState[]) {
  const told = (...sentences: string[]) => brief(printable([...sentences, ...notes].join('; ')), 1024);
  if (refusal !== undefined) {
    return {
      status: isTemporary ? ('Unknown' as const) : ('False' as const),
      reason: isTemporary ? 'Pending' : 'Refused',
      message: told(refusal),
    };
  }
  const [worst] = states.filter(({ verdict }) => verdict !== 'Resolved').sort(bySeverity);
  if (worst)
    return { status: 'False' as const, reason: worst.verdict, message: told(`${worst.name}: ${worst.message}`) };
  if (states.length === 0)
    return { status: 'False' as const, reason: 'NoAddress', message: told('it has no member with an address') };
  return {
    status: 'True' as const,
    reason: 'Resolved',
    message: told(...states.slice(0, 3).map(({ name, message }) => `${withoutDot(name)} ${message}`)),
  };
}

export const brief = (text: string, most: number = statusBounds.text) =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** Returns `before` itself if there is nothing new. */
export const unlessSame = <E extends Entry>(before: E | undefined, entry: E): E =>
  before && isSameEntry(before, entry) ? before : entry;

/** Reports whether two entries differ in nothing but their time. The API server returns their fields in an order of its own. */
export const isSameEntry = (one: Entry, other: Entry): boolean =>
  isDeepStrictEqual({ ...one, observedAt: undefined }, { ...other, observedAt: undefined });
