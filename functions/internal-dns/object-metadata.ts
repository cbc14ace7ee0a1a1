import * as z from 'zod';
import { hostLabels, labelForm } from '../contract/name-form.ts';
import { withRules } from '../contract/rules.ts';

/**
 * The API server's rules for labels and annotations: an invalid one would keep Crossplane from applying all resources.
 */

const nameForm = new RegExp(`^${labelForm}$`);
const prefixForm = new RegExp(`^${hostLabels}$`);

const isName = (text: string) => text.length <= 63 && nameForm.test(text);

/** Whether a text is a qualified name, as keys of labels and annotations are. */
export function isKey(key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  if (more.length > 0 || !isName(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && prefixForm.test(prefix));
}

const isValue = (value: string) => value === '' || isName(value);

const keyMessage = (key: string, of: string) =>
  `not the key of ${of}: ${JSON.stringify(key.slice(0, 80))} (at most 63 letters, digits, hyphens, underscores and dots, such as team; optionally after a domain and a slash, such as example.com/team)`;
const valueMessage = (value: string) =>
  `not the value of a label: ${JSON.stringify(value.slice(0, 80))} (at most 63 letters, digits, hyphens, underscores and dots, the first and the last a letter or digit; it can also be empty)`;

/** Refines a map of labels. */
export function checkLabels(labels: Record<string, string>, context: z.RefinementCtx): void {
  for (const [key, value] of Object.entries(labels)) {
    const message = isKey(key) ? (isValue(value) ? undefined : valueMessage(value)) : keyMessage(key, 'a label');
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: [key] });
  }
}

/** A map of labels beside those of the instance, which selectors use. */
// Bounded, because the API server estimates the cost of a rule by the maximum size of its input.
export const additionalLabels = (field: string) =>
  withRules(z.record(z.string(), z.string().max(63)).meta({ maxProperties: 64 }), {
    cel: "self.all(k, !k.startsWith('app.kubernetes.io/'))",
    holds: (labels) => Object.keys(labels).every((k) => !k.startsWith('app.kubernetes.io/')),
    message: `${field} must not use app.kubernetes.io/*: the selectors use it`,
  })
    .refine((labels) => Object.keys(labels).length <= 64, `${field} must have at most 64 labels`)
    .superRefine(checkLabels)
    .default({});

/** https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/api/validation/objectmeta.go#L36 */
const maxBytes = 256 * 1024;

/** A map of annotations. Keys are validated in lower case, as by the API server; values can be anything. */
export const annotations = () =>
  z.record(z.string(), z.string()).superRefine((all, context) => {
    for (const key of Object.keys(all)) {
      if (isKey(key.toLowerCase())) continue;
      context.addIssue({ code: 'custom', message: keyMessage(key, 'an annotation'), path: [key] });
    }
    const bytes = Object.entries(all).reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v), 0);
    if (bytes > maxBytes) {
      context.addIssue({
        code: 'custom',
        message: `annotations of more than ${maxBytes} bytes together: shorten them`,
      });
    }
  });
