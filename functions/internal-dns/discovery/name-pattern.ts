import * as z from 'zod';
import { ruled } from '../rules.ts';

const wildcard = '([*][.]|[[][*]][.])?';
const label = '[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?';
const patternForm = new RegExp(`^${wildcard}${label}([.]${label})*$`);

/**
 * Names: `www.corp.internal` itself, `*.corp.internal` for all below it, `[*].corp.internal` for the wildcard alone. The
 * CEL is a little wider than the function: the API server prices it by how long it is, and there may be thousands.
 */
export function namePattern(field: string): z.ZodString {
  return ruled(z.string().min(1).max(257), {
    cel: `self.matches('^${wildcard}[-a-z0-9_]{1,63}([.][-a-z0-9_]{1,63})*$')`,
    holds: (s) => patternForm.test(s),
    message: `${field} must be a name, *.name for every name below it, or [*].name for that wildcard alone, in lower case and without the trailing dot`,
  });
}
