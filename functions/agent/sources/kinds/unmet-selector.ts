import { type LabelSelector, matchesSelector } from '../../../contract/label-selector.ts';
import { listed } from '../../lib/sentence.ts';

/** The first requirement that labels, or annotations, do not meet, as it is printed; undefined if they meet all. */
export function unmetIn(selector: LabelSelector, labels: Readonly<Record<string, string>>): string | undefined {
  if (matchesSelector(selector, labels)) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const label = Object.entries(matchLabels).find(
    ([key, value]) => !matchesSelector({ matchLabels: { [key]: value } }, labels),
  );
  if (label) return listed([label.join('=')]);
  const expression = matchExpressions.find((one) => !matchesSelector({ matchExpressions: [one] }, labels));
  return expression && listed([printed(expression)]);
}

/** As kubectl's `-l` and ExternalDNS's flags take it. */
function printed({ key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number]): string {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
}
