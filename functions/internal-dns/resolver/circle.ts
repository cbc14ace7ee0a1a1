import { shortDigest } from '../../contract/digest.ts';
import type { Servers } from './backends.ts';

/**
 * How an upstream that leads back to this resolver is found: a question of an agent for a name that nobody else answers is
 * sent to that upstream alone, and comes back. Until somebody has changed it, questions must not go round for ever: each one
 * that leaves is marked, and one that comes back is answered with SERVFAIL.
 */
export interface Circle {
  /** The name is below this domain. */
  domain: string;
  /** The TXT record that is given when it comes back. */
  answer: string;
  /** The codes of the EDNS options that are the mark. */
  marks: [number, number];
}

/**
 * The top level domain does not exist, and is none of those that forwarders keep to themselves, as they do with `.invalid`
 * (RFC 6761). The label is the resolver's own, by the addresses that it asks, and so are the marks: two that forward to each
 * other are a circle, one that forwards to another is none.
 */
export function circleOf({ own }: Pick<Servers, 'own'>): Circle {
  const answer = shortDigest(own.join());
  const mark = (from: number) => 65_001 + (Number.parseInt(answer.slice(from, from + 8), 16) % 534);
  return { domain: `${answer}.circle.internal-dns`, answer, marks: [mark(0), mark(8)] };
}
