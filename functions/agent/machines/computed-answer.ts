import type { Answer } from '../../dns/answer.ts';

/** How PowerDNS computes the answer of a claim's name, whichever of its addresses are published. */
export interface ComputedAnswer extends Omit<Answer, 'weights'> {
  /** By canonical address; 1 for any other. Absent if addresses have no weights. */
  weights?: ReadonlyMap<string, number>;
}

/** The answer for an RRset's records, in their order: see zones/lua.ts. */
export function answerFor(records: readonly string[], { weights, ...answer }: ComputedAnswer): Answer {
  return { ...answer, ...(weights && { weights: records.map((address) => weights.get(address) ?? 1) }) };
}
