import * as z from 'zod';
import { answerFields, check, maxCheckedValues } from '../../dns/answer.ts';
import { durationForms } from '../../dns/duration.ts';
import { placeholder, urlIssue, wholeSeconds } from '../../dns/health-check.ts';
import { hostLabels, hostName } from '../name-form.ts';
import { matching, type Rule, uniqueList, withRules } from '../rules.ts';
import { labelKey, labelSelector } from '../selector-schema.ts';
import { hostAddress } from './address.ts';
import { statusBounds, statusOfInstances } from './instance-status.ts';

/** Replaced with each address of a member. */
export const addressPlaceholder = '{{machine.ip}}';
/** Replaced with the name of a member. */
export const namePlaceholder = '{{machine.name}}';

/** A URL of a claim as one of `spec.zones[].records`. */
export const recordURL = (url: string) => url.replaceAll(addressPlaceholder, placeholder);

/** The contrary of `matching`. */
const never = (form: string, message: string): Rule<string> => ({
  cel: `!self.matches('${form}')`,
  holds: (text) => !new RegExp(form).test(text),
  message,
});

const unknownPlaceholder = (known: string, field: string): Rule<string> => ({
  cel: `!self.replace('${known}', '').contains('{{') && !self.replace('${known}', '').contains('}}')`,
  holds: (text) => !/\{\{|\}\}/.test(text.replaceAll(known, '')),
  message: `${field} has an unknown placeholder: the only one is ${known}`,
});

const authority = '^https?://[^/?#]*';
const nameOfHost = '[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?';
const hostOfURL = `^https?://([{][{]machine[.]ip[}][}]|${nameOfHost}([.]${nameOfHost})*)(:[0-9]{1,5})?([/?#]|$)`;
const wrongPort = '0*|6553[6-9]|655[4-9][0-9]|65[6-9][0-9]{2}|6[6-9][0-9]{3}|[7-9][0-9]{4}';

/** What CEL can tell of a URL as dns/health-check.ts does, which has the last word. */
const url = withRules(
  z.string().min(1).max(512),
  matching('^https?://', `url must be one of http or https, such as https://${addressPlaceholder}/healthz`),
  unknownPlaceholder(addressPlaceholder, 'url'),
  // A monitor elsewhere, as records can have, would let a stranger make the server ask any address.
  {
    cel: `!self.matches('^https?://([0-9.]+|[[][^]]*[]]?|([^/?#:]*[.])?(0[xX][0-9a-fA-F]*|[0-9]+))(:[0-9]*)?([/?#]|$)')`,
    holds: (text) =>
      !/^https?:\/\/([0-9.]+|\[[^\]]*\]?|([^/?#:]*[.])?(0x[0-9a-f]*|[0-9]+))(:[0-9]*)?([/?#]|$)/i.test(text),
    message: `url must not have an address as its host: write ${addressPlaceholder}, or a name under which every member is asked`,
  },
  never(`${authority}@`, 'url must have no credentials: anyone who may read the object could read them'),
  {
    cel: `self.matches('${authority}@|^https?://[[]') || self.matches('${hostOfURL}')`,
    holds: (text) => new RegExp(`${authority}@|^https?://[[]`).test(text) || new RegExp(hostOfURL).test(text),
    message: `url must have ${addressPlaceholder} or a name as its host, and a port of digits if any, such as https://${addressPlaceholder}:8443/healthz`,
  },
  never(`${authority}:(${wrongPort})([/?#]|$)`, 'url must have a port from 1 to 65535, or none'),
  never(
    '^https?://(?i:([^/?#:]*[.])?localhost|metadata([.]google[.]internal)?)([:/?#]|$)',
    `url must have the host of a member: localhost and metadata services are never asked, so write ${addressPlaceholder}`,
  ),
  never(
    '^https?://[^/?#{]*[/?#].*[{][{]machine[.]ip[}][}]',
    `url must have ${addressPlaceholder} as its host or not at all: under a name every member is asked`,
  ),
  {
    cel: `!self.replace('${addressPlaceholder}', '').matches('[^!#-;=?-_a-z~]|%([^0-9a-fA-F]|.[^0-9a-fA-F]|.?$)') && !self.contains('^') && !self.contains('\\\\')`,
    holds: (text) =>
      !/[^!#-;=?-_a-z~]|%([^0-9a-fA-F]|.[^0-9a-fA-F]|.?$)|[\^\\]/.test(text.replaceAll(addressPlaceholder, '')),
    message: 'url must have only characters of RFC 3986: percent-encode any other as %XX',
  },
).superRefine((text, context) => {
  const message = urlIssue(recordURL(text));
  if (message !== undefined) {
    context.addIssue({ code: 'custom', message: message.replaceAll(placeholder, addressPlaceholder) });
  }
});

/** A Go duration in whole seconds: PowerDNS knows no others. */
const wholeSecondsOf = (field: string, least: string, most: string) =>
  withRules(z.string().max(32), {
    cel: `self.matches('${durationForms.whole}') && duration(self) >= duration('${least}') && duration(self) <= duration('${most}') && duration(self).getMilliseconds() % 1000 == 0`,
    holds: (text) => wholeSeconds(text) >= wholeSeconds(least) && wholeSeconds(text) <= wholeSeconds(most),
    message: `${field} must be whole seconds from ${least} to ${most}, such as 5s`,
  });

const claimCheck = withRules(
  check.extend({
    url: url
      .optional()
      .describe(
        `URL of the page that must answer, such as https://${addressPlaceholder}/healthz, where ${addressPlaceholder} is replaced by each address. Needs a tenant with checks: URL. Mutually exclusive with port. If its host is a name, each address is requested under that name. Certificates are not verified, and redirects are followed.`,
      ),
    contains: withRules(
      z.string().min(1).max(256),
      matching('^[ -~]*$', 'contains must be printable ASCII, such as a word of the page'),
    )
      .optional()
      .describe('Text that the first 64 KiB of the page must contain. Printable ASCII, case-sensitive.'),
    interval: wholeSecondsOf('interval', '1s', '10m')
      .optional()
      .describe('Interval at which each address is checked, in whole seconds from 1s to 10m. Defaults to 5s.'),
    timeout: wholeSecondsOf('timeout', '1s', '5s')
      .optional()
      .describe('Timeout of a check: at most 5s, and no longer than interval. Defaults to 2s.'),
  }),
  {
    cel: 'has(self.port) != has(self.url)',
    holds: ({ port, url }) => (port === undefined) !== (url === undefined),
    message: 'check has either port or url',
  },
  {
    cel: 'has(self.url) || (!has(self.contains) && !has(self.status))',
    holds: ({ url, contains, status }) => url !== undefined || (contains === undefined && status === undefined),
    message: 'contains and status need url',
  },
  {
    cel: `!has(self.timeout) || !self.timeout.matches('${durationForms.whole}') || (has(self.interval) && !self.interval.matches('${durationForms.whole}')) || duration(self.timeout) <= duration(has(self.interval) ? self.interval : '5s')`,
    holds: ({ timeout, interval = '5s' }) => timeout === undefined || !(wholeSeconds(timeout) > wholeSeconds(interval)),
    message: 'timeout must be no longer than interval, which is 5s by default',
  },
).describe(
  'Health check of the addresses, made from the pod of the DNS server: only addresses that pass it are in answers.',
);

/** CEL: a template with a name in it. */
const rendered = `self.replace('${namePlaceholder}', 'x')`;

const template = withRules(
  z.string().min(1).max(253),
  unknownPlaceholder(namePlaceholder, 'template'),
  {
    cel: `self.contains('${namePlaceholder}')`,
    holds: (text) => text.includes(namePlaceholder),
    message: `template must contain ${namePlaceholder}: otherwise all members would have the same name`,
  },
  {
    cel: `${rendered}.contains('.') && ${rendered}.matches('^${hostLabels}$') && ${rendered}.matches('[^0-9.][^.]*$')`,
    holds: (text) => {
      const name = text.replaceAll(namePlaceholder, 'x');
      return name.includes('.') && new RegExp(`^${hostLabels}$`).test(name) && /[^0-9.][^.]*$/.test(name);
    },
    message: `template must be a host name in full, such as ${namePlaceholder}.mail.corp.internal`,
  },
  {
    cel: `!${rendered}.matches('[^.]{64}')`,
    holds: (text) => !/[^.]{64}/.test(text.replaceAll(namePlaceholder, 'x')),
    message: `template has a label of more than 63 characters beside ${namePlaceholder}; RFC 1035 allows 63 in all`,
  },
);

const fields = z.object({
  name: withRules(hostName('name'), {
    cel: "!self.startsWith('*')",
    holds: (s) => !s.startsWith('*'),
    message: 'name must not be a wildcard: a claim is for a single name',
  })
    .optional()
    .describe('Name that all members share, in full, such as mail.corp.internal.'),
  selector: labelSelector
    .optional()
    .describe(
      'Selects the Machines that are members by their labels. {} selects all. If unset, only addresses are answered.',
    ),
  namespaceSelector: labelSelector
    .optional()
    .describe(
      "Selects the namespaces of the Machines by their labels. Other namespaces' Machines are members only if the tenant of their namespace lets them be, with machines. Defaults to the namespace of the claim.",
    ),
  addresses: uniqueList(hostAddress('an address'), maxCheckedValues)
    .default([])
    .describe('Addresses to answer with besides those of the Machines.'),
  check: claimCheck.optional(),
  answer: answerFields.answer.describe(
    'Which addresses an answer contains. All: all of them; Random: one, chosen randomly for each answer; Sticky: one, always the same for the same client; Weighted: one, chosen randomly by weights; Closest: those that share the longest prefix with the client. The client is the sender of the query, such as a resolver. Defaults to All.',
  ),
  weightLabel: labelKey('weightLabel')
    .optional()
    .describe(
      'Label of Machines with their weight, from 1 to 1000. Only with answer Weighted or Sticky. Without the label a Machine weighs 1, as do addresses.',
    ),
  backup: uniqueList(hostAddress('an address in backup'), maxCheckedValues)
    .optional()
    .describe('Addresses to answer with if no member passes the check. Only with whenAllDown Backup.'),
  whenAllDown: answerFields.whenAllDown.describe(
    'What to answer if no member passes the check. All: all addresses; Backup: the backup addresses that pass the check or, if none does, all of them; None: no address. Only with check. Defaults to All.',
  ),
  template: template
    .optional()
    .describe(
      `Name that each member has for itself, besides name or instead of it, such as ${namePlaceholder}.mail.corp.internal, where ${namePlaceholder} is replaced by the name of the Machine. It is answered with the addresses of the Machine, whatever its check says.`,
    ),
});

/** The spec of a NameClaim: a name that several hosts share. */
export const nameClaimSpec = withRules(
  fields,
  {
    cel: 'has(self.name) || has(self.template)',
    holds: ({ name, template }) => name !== undefined || template !== undefined,
    message: 'a claim needs name, template or both',
  },
  {
    cel: 'has(self.selector) || (has(self.addresses) && size(self.addresses) > 0)',
    holds: ({ selector, addresses }) => selector !== undefined || addresses.length > 0,
    message: 'a claim needs selector, addresses or both: selector: {} selects all Machines of the namespace',
  },
  {
    cel: 'has(self.selector) || (!has(self.namespaceSelector) && !has(self.template))',
    holds: ({ selector, namespaceSelector, template }) =>
      selector !== undefined || (namespaceSelector === undefined && template === undefined),
    message: 'namespaceSelector and template are about Machines, so they need selector',
  },
  {
    cel: "!has(self.weightLabel) || (has(self.answer) && self.answer in ['Weighted', 'Sticky'])",
    holds: ({ weightLabel, answer }) => weightLabel === undefined || answer === 'Weighted' || answer === 'Sticky',
    message: 'weightLabel needs answer: Weighted or Sticky',
  },
  {
    cel: "!has(self.answer) || self.answer != 'Weighted' || has(self.weightLabel)",
    holds: ({ weightLabel, answer }) => answer !== 'Weighted' || weightLabel !== undefined,
    message: 'answer: Weighted needs weightLabel, the label of Machines with their weight',
  },
  {
    cel: '!has(self.whenAllDown) || has(self.check)',
    holds: ({ whenAllDown, check }) => whenAllDown === undefined || check !== undefined,
    message: 'whenAllDown needs check',
  },
  {
    cel: "(has(self.backup) && size(self.backup) > 0) == (has(self.whenAllDown) && self.whenAllDown == 'Backup')",
    holds: ({ backup = [], whenAllDown }) => backup.length > 0 === (whenAllDown === 'Backup'),
    message: 'backup, with at least one address, and whenAllDown: Backup need each other',
  },
  {
    cel: 'has(self.name) || (!has(self.check) && !has(self.answer))',
    holds: ({ name, check, answer }) => name !== undefined || (check === undefined && answer === undefined),
    message: 'check and answer are about the name that members share, so they need name',
  },
  {
    cel: 'has(self.name) || !has(self.addresses) || size(self.addresses) == 0',
    holds: ({ name, addresses }) => name !== undefined || addresses.length === 0,
    message: 'addresses are answered under the name that members share, so they need name',
  },
);

export type NameClaimSpec = z.output<typeof nameClaimSpec>;

export const nameClaimStatus = statusOfInstances({
  members: z
    .array(
      z.object({
        machine: z.string().max(317).optional().describe('Machine, as namespace/name. Unset for spec.addresses.'),
        addresses: z.array(z.string().max(45)).max(maxCheckedValues).describe('Addresses of the member.'),
        name: z.string().max(253).optional().describe('Name that the member has by the template.'),
        state: z
          .enum(['Up', 'Down', 'Unknown'])
          .optional()
          .describe("State by the last checks, as PowerDNS sees it: Down if none of the member's addresses passes."),
        since: z
          .string()
          .max(64)
          .meta({ format: 'date-time' })
          .optional()
          .describe('Time since which the member is down.'),
      }),
    )
    .max(statusBounds.members)
    .optional()
    .describe('Members of the claim, the oldest Machines first. Not all of them if there are many.'),
  membersUp: z.string().max(16).optional().describe('Number of members that are not down, out of all, such as 2/3.'),
  answers: z
    .array(z.string().max(45))
    .max(2 * maxCheckedValues)
    .optional()
    .describe('Addresses with which the shared name is answered now.'),
});
