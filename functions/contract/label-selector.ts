import * as z from 'zod';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
export const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

export type LabelSelector = z.infer<typeof labelSelector>;

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** Reports whether labels, or annotations, match a selector. An empty selector matches everything. */
export function matchesSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every((requirement) => meets(labels, requirement))
  );
}

function meets(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = labelOf(labels, key);
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isIn = value !== undefined && values.includes(value);
  // NotIn also matches objects without the label.
  return operator === 'In' ? isIn : !isIn;
}

/** Only own properties: a label may be called `constructor`. */
const labelOf = (labels: Labels, key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);

const print = { In: 'in', NotIn: 'notin' } as const;

/** A selector as kubectl's `-l` takes it; empty if it selects everything. */
export function printedSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${print[operator]} (${values.join(',')})`;
  });
  return [...labels.sort(), ...expressions].join(',');
}
