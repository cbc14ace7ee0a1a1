import { isIP } from 'node:net';
import * as z from 'zod';
import { durationForms, parseDuration } from '../dns/duration.ts';

/**
 * A rule for a value, stated twice because it is applied twice: as CEL by the API server, which rejects a bad object at
 * `kubectl apply`, and as a predicate by the function, which also renders objects that no API server has seen.
 */
export interface Rule<T> {
  cel: string;
  holds: (value: T) => boolean;
  message: string;
}

/** Attaches rules to a schema. Kubernetes reports the first sentence of `message` beside the field's path. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: Rule<z.output<S>>[]): S {
  const checked = rules.reduce<z.ZodType>(
    (s, { holds, message }) => s.refine((value) => holds(value as z.output<S>), { error: message, when: isBounded }),
    schema,
  );
  return withCEL(checked, ...rules.map(({ cel, message }) => ({ rule: cel, message }))) as S;
}

/** Skips the rules for values that are too long: none is meant for a text of any length. */
const isBounded = ({ issues }: z.core.ParsePayload): boolean =>
  issues.every((issue) => issue.continue === true && (issue.code !== 'too_big' || (issue.path ?? []).length > 0));

/** Attaches rules that only an API server evaluates, such as those that compare with the previous value (`oldSelf`). */
export function withCEL<S extends z.ZodType>(schema: S, ...rules: { rule: string; message: string }[]): S {
  const earlier = (schema.meta()?.['x-kubernetes-validations'] ?? []) as object[];
  return schema.meta({ ...schema.meta(), 'x-kubernetes-validations': [...earlier, ...rules] }) as S;
}

/**
 * Requires a text to match a regular expression, which must mean the same in RE2 and JavaScript, without a single
 * quote.
 */
export const matching = (form: string, message: string): Rule<string> => ({
  cel: `self.matches('${form}')`,
  holds: (s) => new RegExp(form).test(s),
  message,
});

/** Makes a field immutable, for what Kubernetes itself cannot change. For optional fields see `immutableOptional`. */
export function immutable<S extends z.ZodType>(schema: S, field: string): S {
  return withCEL(schema, { rule: 'self == oldSelf', message: `${field} is immutable` });
}

/** The parent's half of an optional field's immutability: a field set to null escapes `self == oldSelf`. */
export function immutableOptional(...fields: string[]): { rule: string; message: string }[] {
  return fields.map((f) => ({
    rule: `has(self.${f}) == has(oldSelf.${f}) && (!has(self.${f}) || self.${f} == oldSelf.${f})`,
    message: `${f} is immutable: it cannot be set, changed or removed later`,
  }));
}

export const octet = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
export const ipForm = `^(${octet}([.]${octet}){3}|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*)$`;

/** An IPv4 or IPv6 address. The CEL accepts a little more than the function: `isIP` needs Kubernetes 1.30. */
export function ipAddress(field: string): z.ZodString {
  return withRules(z.string().max(45), {
    cel: `self.matches('${ipForm}')`,
    holds: (s) => new RegExp(ipForm).test(s) && isIP(s) !== 0,
    message: `${field} must be an IPv4 or IPv6 address, such as 192.0.2.7 or 2001:db8::7`,
  });
}

const networkForm = `^(${octet}([.]${octet}){3}/(3[0-2]|[12]?[0-9])|[0-9a-fA-F]*:[0-9a-fA-F:.]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$`;

/** A CIDR. The CEL accepts a little more than the function: `isCIDR` needs Kubernetes 1.31. */
export const network = withRules(z.string().min(1).max(49), {
  cel: `self.matches('${networkForm}')`,
  holds: (s) => new RegExp(networkForm).test(s) && isIP(s.split('/')[0] ?? '') !== 0,
  message: 'a network must be an address with the length of its prefix, such as 192.0.2.0/24 or 2001:db8::/32',
});

/** A list without duplicates, of `min` to `max` members. */
export function uniqueList<S extends z.ZodType>(member: S, max: number, min = 0): z.ZodArray<S> {
  const list = z.array(member).max(max);
  return (min > 0 ? list.min(min) : list)
    .refine((all) => new Set(all).size === all.length, 'must not contain duplicates')
    .meta({ 'x-kubernetes-list-type': 'set' });
}

/** A Go duration in seconds; NaN if the text is not one. */
export const seconds = (duration: string) => parseDuration(duration, 'field', 's');

/** A Go duration of at least `min` and, if given, at most `max`. */
export function durationOf(field: string, min: string, max?: string): z.ZodString {
  const bound = max === undefined ? '' : ` && duration(self) <= duration('${max}')`;
  return withRules(z.string().max(32), {
    cel: `self.matches('${durationForms.field}') && duration(self) >= duration('${min}')${bound}`,
    holds: (s) => seconds(s) >= seconds(min) && (max === undefined || seconds(s) <= seconds(max)),
    message: `${field} must be a duration of at least ${min}${max === undefined ? '' : ` and at most ${max}`}, such as 2s or 1m30s`,
  });
}

/** A positive Kubernetes quantity. */
const quantityForm = /^\+?([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$/;

const suffixes: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** A Kubernetes quantity as a number, such as of bytes; NaN if it is invalid. */
export function numberOf(quantity: string | number): number {
  if (typeof quantity === 'number') return quantity;
  const [, digits, , suffix = ''] = quantityForm.exec(quantity) ?? [];
  if (digits === undefined) return Number.NaN;
  const factor = suffixes[suffix];
  // Otherwise the suffix is an exponent, in the same form as in JavaScript.
  return factor === undefined ? Number(`${digits}${suffix}`) : Number(digits) * factor;
}

/** A Kubernetes quantity such as 1Gi. */
export function quantity(field: string): z.ZodString {
  return withRules(z.string().max(32), {
    cel: 'isQuantity(self) && quantity(self).isGreaterThan(quantity("0"))',
    holds: (s) => quantityForm.test(s) && Number.parseFloat(s) > 0,
    message: `${field} must be a quantity above zero, such as 1Gi`,
  });
}

/** An amount of CPU or memory, which can also be a plain number in YAML. */
export const amount = z
  .union([z.int(), z.string().max(32)])
  .refine((v) => typeof v === 'number' || quantityForm.test(v), 'must be a quantity, such as 100m or 128Mi')
  .meta({ 'x-kubernetes-int-or-string': true });
