import * as z from 'zod';
import { absolute } from '../dns/name.ts';
import { rangeOf } from '../dns/zone/reverse.ts';
import { hostLabel } from './host-rules.ts';
import { matching, type Rule, withRules } from './rules.ts';

/** Labels of a host between single dots. */
export const hostLabels = `${hostLabel}([.]${hostLabel})*`;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const labelForm = '[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?';

/** The name of a namespace (RFC 1123 section 2.1). */
export function namespaceName(field: string): z.ZodString {
  const message = `${field} must be the name of a namespace: lower case letters, digits and hyphens`;
  return withRules(z.string().min(1).max(63), matching(`^${hostLabel}$`, message));
}

/** The name of an object of most other kinds. */
export function objectName(field: string, of = 'an object'): z.ZodString {
  const message = `${field} must be the name of ${of}: lower case letters, digits, hyphens and dots`;
  return withRules(z.string().min(1).max(253), matching(`^${hostLabels}$`, message));
}

/** The path of a URL, without a query. */
export const urlPath = (field: string): z.ZodString =>
  withRules(
    z.string().min(1).max(255),
    matching('^(/[-a-zA-Z0-9._~]+)+$', `${field} must be the path of a URL, such as /dns-query`),
  );

export const domainForm = '^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?([.][a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*$';

/** A domain name (RFC 1035 section 2.3.4 for its lengths) as people write it: lower case, without the trailing dot. */
export function domainName(field: string): z.ZodString {
  return withRules(z.string().min(1).max(253), ...spelling(field), domainRule(field), labelRule(field));
}

/** The full name of a host (RFC 1123 section 2.1): PowerDNS accepts no other in NS records. */
export function hostName(field: string): z.ZodString {
  const message = `${field} must be a host name: labels of letters, digits and hyphens between single dots, such as ns1.corp.internal`;
  return withRules(
    z.string().min(1).max(253),
    ...spelling(field),
    matching(`^${hostLabels}$`, message),
    matching('[.].', inFull(field, 'ns1.corp.internal')),
    // A top-level domain is never numeric (RFC 1123 section 2.1), so this is an address.
    matching('[^0-9.][^.]*$', `${field} is a name, such as ns1.corp.internal: its address is a record of its zone`),
    labelRule(field),
  );
}

/** The message for a name of a single label where names are never relative: it would be a top-level domain. */
export const inFull = (field: string, example: string) => `${field} must be written in full, such as ${example}`;

const rangeForm = '^[0-9]{1,3}/(2[5-9]|3[0-2])([.][0-9]{1,3}){3}[.]in-addr[.]arpa$';

/**
 * A domain name, or the name of a part of a /24, which has a slash. Only the function checks that such a part exists.
 */
export function zoneName(field: string): z.ZodString {
  const domain = domainRule(field);
  return withRules(
    z.string().min(1).max(253),
    ...spelling(field),
    {
      ...domain,
      cel: `self.contains('/') || ${domain.cel}`,
      holds: (s) => s.includes('/') || domain.holds(s),
    },
    {
      cel: `!self.contains('/') || self.matches('${rangeForm}')`,
      holds: (s) => !s.includes('/') || (new RegExp(rangeForm).test(s) && rangeOf(absolute(s)) !== undefined),
      message: `${field} has a slash only where it is a part of a /24 (RFC 2317), such as 64/26.2.0.192.in-addr.arpa, whose first number is a multiple of the size of the part`,
    },
    labelRule(field),
  );
}

const spelling = (field: string): Rule<string>[] => [
  {
    cel: "!self.endsWith('.')",
    holds: (s) => !s.endsWith('.'),
    message: `${field} must be written without the trailing dot, such as corp.internal`,
  },
  {
    cel: "!self.matches('[A-Z]')",
    holds: (s) => !/[A-Z]/.test(s),
    message: `${field} must be in lower case, such as corp.internal`,
  },
];

const domainRule = (field: string): Rule<string> =>
  matching(
    domainForm,
    `${field} must be a domain name: labels of letters, digits and hyphens between single dots, such as corp.internal`,
  );

export const labelRule = (field: string): Rule<string> => ({
  cel: "!self.matches('[^.]{64}')",
  holds: (s) => !/[^.]{64}/.test(s),
  message: `${field} has a label of more than 63 characters; RFC 1035 allows 63`,
});
