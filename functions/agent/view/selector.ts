import type { LabelSelector } from '../declaration.ts';

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/**
 * A selector as a request to the API server has it; empty for one that selects everything.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement
 */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => textOf({ key, operator: 'In', values: [value] }));
  return [...labels, ...matchExpressions.map(textOf)].join(',');
}

function textOf({ key, operator, values = [] }: Requirement): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
