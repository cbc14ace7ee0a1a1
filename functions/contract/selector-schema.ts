import * as z from 'zod';
import { hostLabels, labelForm } from './name-form.ts';
import { matching, withRules } from './rules.ts';

const keyForm = `^(${hostLabels}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`;

/** Key of a label or an annotation. */
export const labelKey = (field: string): z.ZodString =>
  withRules(
    z.string().min(1).max(317),
    matching(keyForm, `${field} must be that of a label or annotation, such as team or example.com/team`),
  );

const value = withRules(
  z.string().max(63),
  matching(
    `^(${labelForm})?$`,
    'a selector compares with letters, digits, hyphens, underscores and dots only, as in the value of a label',
  ),
);

const expression = withRules(
  z.object({
    key: labelKey('key').describe('Key of the label or annotation.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('Relation of the key to the values.'),
    values: z
      .array(value)
      .max(16)
      .optional()
      .describe('Values. Required for In and NotIn; must be unset for Exists and DoesNotExist.'),
  }),
  {
    cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    holds: ({ operator, values = [] }) => operator.endsWith('In') === values.length > 0,
    message: 'values belong to In and NotIn, which need at least one; Exists and DoesNotExist have none',
  },
);

const maxLabels = 16;

/** A map of required labels. */
export function labelsOf(field: string): z.ZodType<Record<string, string>> {
  const labels = z
    .record(z.string(), value)
    .meta({ maxProperties: maxLabels })
    .refine((map) => Object.keys(map).length <= maxLabels, `${field} must have at most ${maxLabels} labels`);
  return withRules(labels, {
    cel: `self.all(k, size(k) <= 317 && k.matches('${keyForm}'))`,
    holds: (map) => Object.keys(map).every((k) => k.length <= 317 && new RegExp(keyForm).test(k)),
    message: `${field} must have keys of labels, such as team or example.com/team`,
  });
}

/** The schema of a label selector. Its semantics are in label-selector.ts. */
export const labelSelector = z.object({
  matchLabels: labelsOf('matchLabels').optional().describe('Map of keys to the value that each must have.'),
  matchExpressions: z
    .array(expression)
    .max(16)
    .optional()
    .describe('List of requirements. All of them must be met.')
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
});
