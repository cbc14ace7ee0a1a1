import type { LabelSelector } from '../declaration.ts';
import { listed } from '../names/sentence.ts';
import { matches } from '../selector.ts';

/** What is between the commas of a selector: those within parentheses separate values. */
const separator = /,(?![^(]*\))/;
const ofSet = /^(.+) (in|notin) \((.*)\)$/;

/**
 * A selector as it is printed for ExternalDNS's flags and for kubectl's `-l`: `team=a,!public,stage notin (test,canary)`.
 * An empty one selects everything. Pure.
 */
export function selectorIn(text: string): LabelSelector {
  const matchLabels: Record<string, string> = {};
  const matchExpressions: NonNullable<LabelSelector['matchExpressions']> = [];
  for (const part of text.split(separator)) {
    const [, key = '', operator, values = ''] = ofSet.exec(part) ?? [];
    const equals = part.indexOf('=');
    if (operator) {
      matchExpressions.push({ key, operator: operator === 'in' ? 'In' : 'NotIn', values: values.split(',') });
    } else if (equals >= 0) matchLabels[part.slice(0, equals)] = part.slice(equals + 1);
    else if (part.startsWith('!')) matchExpressions.push({ key: part.slice(1), operator: 'DoesNotExist' });
    else if (part !== '') matchExpressions.push({ key: part, operator: 'Exists' });
  }
  return { matchLabels, matchExpressions };
}

/** The first requirement that labels, or annotations, do not meet, as it is printed; undefined if they meet all. */
export function unmetIn(selector: LabelSelector, labels: Readonly<Record<string, string>>): string | undefined {
  if (matches(selector, labels)) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const label = Object.entries(matchLabels).find(([key, value]) => !matches({ matchLabels: { [key]: value } }, labels));
  if (label) return listed([label.join('=')]);
  const expression = matchExpressions.find((one) => !matches({ matchExpressions: [one] }, labels));
  return expression && listed([printed(expression)]);
}

function printed({ key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number]): string {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
}
