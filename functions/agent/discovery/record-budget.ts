import { compare } from '../lib/compare.ts';
import { haveSameAnswer, type RRset, resourceOf, totalCost } from '../powerdns/rrset.ts';
import type { RejectedRecord } from './evaluation.ts';
import { namespaceOf } from './resource-label.ts';

export interface RecordBudgetOptions {
  /** The provider's RRsets, as ExternalDNS finds them. */
  current: readonly RRset[];
  /** Reports whether a current RRset stays if those that would replace it exceed the budget. */
  stays: (rrset: RRset, instead: readonly RRset[]) => boolean;
  /** The budget, in usual records: see `totalCost`. */
  budget: number;
}

/** A name that costs more than before. */
interface Growth {
  desired: RRset[];
  /** The current RRsets that stay if the name exceeds the budget. */
  kept: RRset[];
  /** The difference between the two. */
  cost: number;
}

/**
 * Returns the part of an answer that is within the budget, and rejects the rest: a rejected name stays as it is. Current
 * records keep their part of the budget. From the rest each namespace gets one name in turn, so that a namespace with
 * very many takes nothing from the others.
 */
export function withinBudget(
  answer: RRset[],
  { current, stays, budget }: RecordBudgetOptions,
): { answer: RRset[]; refused: RejectedRecord[] } {
  let remaining = budget - totalCost(answer);
  if (remaining >= 0) return { answer, refused: [] };
  const currentByName = Map.groupBy(current, ({ name }) => name);
  const growing = [...Map.groupBy(answer, ({ name }) => name)]
    .map(([name, desired]) => growthOf(desired, currentByName.get(name) ?? [], stays))
    .filter(({ cost }) => cost > 0);
  remaining += growing.reduce((sum, { cost }) => sum + cost, 0);
  const rejected = new Map<string, Growth>();
  for (const growth of inTurn(growing)) {
    if (growth.cost > remaining) rejected.set(nameOf(growth), growth);
    else remaining -= growth.cost;
  }
  const growths = [...rejected.values()];
  return {
    answer: [...answer.filter(({ name }) => !rejected.has(name)), ...growths.flatMap(({ kept }) => kept)],
    refused: growths.flatMap(rejectionsOf),
  };
}

function growthOf(desired: RRset[], current: RRset[], stays: RecordBudgetOptions['stays']): Growth {
  const kept = current.filter((r) => desired.some((each) => haveSameAnswer(each, r)) || stays(r, desired));
  return { desired, kept, cost: totalCost(desired) - totalCost(kept) };
}

function rejectionsOf({ desired, kept, cost }: Growth): RejectedRecord[] {
  const rejected = desired.filter((rrset) => !kept.some((each) => haveSameAnswer(each, rrset)));
  return rejected.map((rrset) => ({ rrset, verdict: 'Refused', message: overBudget(resourceOf(rrset), cost) }));
}

const overBudget = (object: string, cost: number) =>
  `cannot add ${cost} more ${cost === 1 ? 'record' : 'records'}: the memory limit of the server is reached: raise resources.agent.limits.memory, or give ${object || 'the object'} fewer hosts and targets`;

/** Sorts the names: the first of each namespace, then the second of each, and so on. */
function inTurn(growing: readonly Growth[]): Growth[] {
  const namespaces = Map.groupBy(growing, ({ desired: [first] }) => namespaceOf(resourceOf(first as RRset)));
  return [...namespaces.values()]
    .flatMap((own) => own.toSorted((a, b) => compare(nameOf(a), nameOf(b))).map((growth, turn) => ({ growth, turn })))
    .sort((a, b) => a.turn - b.turn || compare(nameOf(a.growth), nameOf(b.growth)))
    .map(({ growth }) => growth);
}

const nameOf = ({ desired: [first] }: Growth) => first?.name ?? '';
