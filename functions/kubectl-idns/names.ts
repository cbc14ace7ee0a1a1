import { bySeverity, isCounted, type Verdict } from '../contract/verdict.ts';
import type { Listing, NameRow } from './agent.ts';
import { type Output, table } from './output.ts';

/** Lists the names, or only those that should resolve and do not, the most severe first. */
export function names(listing: Listing, { problems = false } = {}): Output {
  const { instance, pod, total, resolved } = listing;
  const rows = problems ? listing.names.filter(isProblem).sort(compare) : listing.names;
  const none = problems ? `no problems: ${resolved} of ${total} names resolve` : 'no object requests a name';
  return {
    lines:
      rows.length === 0
        ? [none]
        : table(
            ['NAME', 'VERDICT', 'OBJECT', 'MESSAGE'],
            ...rows.map(({ name, verdict, resource, message }) => [name, verdict, resource, message]),
          ),
    json: { instance, pod, total, resolved, names: rows },
  };
}

const isProblem = ({ verdict }: NameRow) => verdict !== 'Resolved' && isCounted(verdict as Verdict);

const compare = (a: NameRow, b: NameRow) =>
  bySeverity({ verdict: a.verdict as Verdict }, { verdict: b.verdict as Verdict });
