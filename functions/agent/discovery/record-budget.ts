import { compare } from '../lib/compare.ts';
import { haveSameAnswer, type RRset, resourceOf, totalCost } from '../powerdns/rrset.ts';
import type { RejectedRecord } from './conflict.ts';
import { namespaceOf } from './resource-label.ts';

export interface RecordBudgetOptions {
  /** What ExternalDNS finds. */
  current: readonly RRset[];
  /** Whether an RRset of those stays where there is no room for what would come in its place. */
  stays: (rrset: RRset, instead: readonly RRset[]) => boolean;
  /** For how many usual records there is room. */
  most: number;
}

/** The RRsets of a name as they are to be, and those that stay if they cannot be. */
interface Growth {
  wanted: RRset[];
  present: RRset[];
  /** How much more room it takes. */
  room: number;
}

/**
 * Of an answer what there is room for, and a refusal of the rest: a name that is refused stays as it is. What stands
 * keeps its room; of what is left each namespace has one name in turn, so that one that asks for very much takes nothing
 * from the others.
 */
export function withinBudget(
  answer: RRset[],
  { current, stays, most }: RecordBudgetOptions,
): { answer: RRset[]; refused: RejectedRecord[] } {
  let room = most - totalCost(answer);
  if (room >= 0) return { answer, refused: [] };
  const there = Map.groupBy(current, ({ name }) => name);
  const growing = [...Map.groupBy(answer, ({ name }) => name)]
    .map(([name, wanted]) => growthOf(wanted, there.get(name) ?? [], stays))
    .filter((growth) => growth.room > 0);
  room += growing.reduce((sum, growth) => sum + growth.room, 0);
  const left = new Map<string, Growth>();
  for (const growth of inTurn(growing)) {
    if (growth.room > room) left.set(nameOf(growth), growth);
    else room -= growth.room;
  }
  const refusals = [...left.values()];
  return {
    answer: [...answer.filter(({ name }) => !left.has(name)), ...refusals.flatMap(({ present }) => present)],
    refused: refusals.flatMap(refusedOf),
  };
}

function growthOf(wanted: RRset[], current: RRset[], stays: RecordBudgetOptions['stays']): Growth {
  const present = current.filter((r) => wanted.some((w) => haveSameAnswer(w, r)) || stays(r, wanted));
  return { wanted, present, room: totalCost(wanted) - totalCost(present) };
}

function refusedOf({ wanted, present, room }: Growth): RejectedRecord[] {
  const beyond = wanted.filter((rrset) => !present.some((p) => haveSameAnswer(p, rrset)));
  return beyond.map((rrset) => ({ rrset, verdict: 'Refused', message: noRoom(resourceOf(rrset), room) }));
}

const noRoom = (object: string, room: number) =>
  `no room for ${room} more ${room === 1 ? 'record' : 'records'}: the server has as many as its memory bears: raise resources.agent.limits.memory, or give ${object || 'the object'} fewer hosts and targets`;

/** The first of each namespace, then the second of each, and so on. */
function inTurn(growing: readonly Growth[]): Growth[] {
  const namespaces = Map.groupBy(growing, ({ wanted: [first] }) => namespaceOf(resourceOf(first as RRset)));
  return [...namespaces.values()]
    .flatMap((own) => own.toSorted((a, b) => compare(nameOf(a), nameOf(b))).map((growth, turn) => ({ growth, turn })))
    .sort((a, b) => a.turn - b.turn || compare(nameOf(a.growth), nameOf(b.growth)))
    .map(({ growth }) => growth);
}

const nameOf = ({ wanted: [first] }: Growth) => first?.name ?? '';
