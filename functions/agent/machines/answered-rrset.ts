import { absolute } from '../../dns/name.ts';
import { keyOf, type RRset } from '../powerdns/rrset.ts';
import { luaContent } from '../zones/lua.ts';
import { answerFor } from './computed-answer.ts';
import type { Translated } from './translated.ts';

/**
 * Returns an RRset of an object with the answer that the object wants computed, if any: that of a merged RRset has the
 * addresses of others as well. What the object does not ask for is only kept, and stays as it is.
 */
export function withAnswer(rrset: RRset, { answers, endpoints }: Pick<Translated, 'answers' | 'endpoints'>): RRset {
  const { computed: before, ...plain } = rrset;
  const { name, type, records } = rrset;
  const answer = answers.get(keyOf(rrset));
  if (!answer) {
    const isKept = () => !endpoints.some((each) => each.recordType === type && absolute(each.dnsName) === name);
    return before === undefined || isKept() ? rrset : plain;
  }
  const computed = luaContent(type as 'A' | 'AAAA', records, answerFor(records, answer));
  return computed === before ? rrset : { ...plain, computed };
}
