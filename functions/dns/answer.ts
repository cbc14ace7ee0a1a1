import * as z from 'zod';
import { checkTimes, forbiddenTarget, urlIssue, wholeSeconds } from './health-check.ts';
import { parseIPv4, parseIPv6 } from './rdata/address.ts';

export const maxCheckedValues = 64;

export const check = z
  .object({
    port: z.int().min(1).max(65_535).optional().describe('TCP port that must accept a connection.'),
    url: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe(
        'URL of the page that must answer, such as https://{{value}}/healthz, where {{value}} is replaced by each address. Mutually exclusive with port. If its host is a name, each address is requested under that name. Certificates are not verified, and redirects are followed.',
      ),
    contains: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Text that the first 64 KiB of the page must contain. Printable ASCII, case-sensitive.'),
    status: z.int().min(200).max(599).optional().describe('HTTP status that the page must have. Defaults to 200.'),
    interval: z
      .string()
      .max(32)
      .optional()
      .describe('Interval at which each address is checked, in whole seconds from 1s to 10m. Defaults to 5s.'),
    timeout: z
      .string()
      .max(32)
      .optional()
      .describe('Timeout of a check: at most 5s, and no longer than interval. Defaults to 2s.'),
  })
  .describe(
    'Health check of the values, made from the pod of the DNS server: only values that pass it are in answers. Only for A and AAAA.',
  );

/**
 * The fields of A and AAAA records that choose how they are answered. They have no defaults: other types have none of
 * them.
 */
export const answerFields = {
  check: check.optional(),
  answer: z
    .enum(['All', 'Random', 'Sticky', 'Weighted', 'Closest'])
    .optional()
    .describe(
      'Which values an answer contains. Only for A and AAAA. All: all of them; Random: one, chosen randomly for each answer; Sticky: one, always the same for the same client; Weighted: one, chosen randomly by weights; Closest: those whose addresses share the longest prefix with the client. The client is the sender of the query, such as a resolver. Defaults to All.',
    ),
  weights: z
    .array(z.int().min(1).max(1000))
    .max(maxCheckedValues)
    .optional()
    .describe('Weight of each value, in the order of values. Only with answer Weighted or Sticky.'),
  backup: z
    .array(z.string().max(45))
    .max(maxCheckedValues)
    .optional()
    .describe('Addresses to answer with if no value passes the check. Only with whenAllDown Backup.'),
  whenAllDown: z
    .enum(['All', 'Backup', 'None'])
    .optional()
    .describe(
      'What to answer if no value passes the check. All: all values; Backup: the backup addresses that pass the check or, if none does, all of them; None: no address. Only with check. Defaults to All.',
    ),
};

export type Answer = z.output<z.ZodObject<typeof answerFields>>;

export interface AnswerIssue {
  /** Such as `check.url` or `backup[0]`. */
  field: string;
  message: string;
}

type AddressRecord = { type: string; values: string[] } & Answer;

/**
 * The issue of `whenAllDown: None` in a signed zone: NSEC and NSEC3 list a name's types regardless of its checks, so a
 * validating resolver takes an empty answer for forged.
 */
export const undeniable =
  'a signed zone cannot answer without addresses whose type its NSEC records list (RFC 4035 section 5.4): use All or Backup';

/** Reports whether PowerDNS has to compute the answer, which takes a LUA record. */
export function isDynamic({ check, answer, weights }: Answer): boolean {
  return check !== undefined || (answer ?? 'All') !== 'All' || weights !== undefined;
}

/** The issues of fields that the schema has accepted already. */
export function answerIssues(record: AddressRecord): AnswerIssue[] {
  const fields = Object.keys(answerFields) as (keyof Answer)[];
  if (record.type !== 'A' && record.type !== 'AAAA') {
    const message = `${record.type} is always answered with all of its values: this is for A and AAAA`;
    return fields.filter((field) => record[field] !== undefined).map((field) => ({ field, message }));
  }
  const broken = rules.flatMap(([field, rule]) => rule(record).map((message) => ({ field, message })));
  return [...broken, ...addressIssues(record)];
}

/** Returns a message for each violation. */
type Rule = [field: string, rule: (record: AddressRecord) => string[]];

const rules: Rule[] = [
  [
    'weights',
    ({ weights, answer, values }) => {
      if (!weights) return answer === 'Weighted' ? ['Weighted needs weights, one for each value'] : [];
      if (answer !== 'Weighted' && answer !== 'Sticky') return ['weights need answer: Weighted or Sticky'];
      if (weights.length === values.length) return [];
      return [`one weight for each value: weights has ${weights.length}, values has ${values.length}`];
    },
  ],
  ['whenAllDown', ({ whenAllDown, check }) => (whenAllDown && !check ? ['whenAllDown needs check'] : [])],
  [
    'backup',
    ({ whenAllDown, backup, check }) => {
      if (whenAllDown === 'Backup' && !backup?.length)
        return ['whenAllDown: Backup needs backup, one or more addresses'];
      if (!backup || whenAllDown === 'Backup') return [];
      return [check ? 'backup is for whenAllDown: Backup' : 'backup needs check and whenAllDown: Backup'];
    },
  ],
  [
    'values',
    ({ values, check }) => {
      if (values.length === 0) return ['at least one value'];
      return check && values.length > maxCheckedValues
        ? [`at most ${maxCheckedValues} values with check: ${values.length}`]
        : [];
    },
  ],
  [
    'check',
    ({ check }) => {
      if (!check || (check.port === undefined) !== (check.url === undefined)) return [];
      return [check.port === undefined ? 'check needs port or url' : 'check has either port or url, not both'];
    },
  ],
  ...(['contains', 'status'] as const).map(
    (name): Rule => [
      `check.${name}`,
      ({ check }) => (check && check.url === undefined && check[name] !== undefined ? [`${name} needs url`] : []),
    ],
  ),
  ['check.url', ({ check }) => [check?.url && urlIssue(check.url)].filter((message) => message !== undefined)],
  [
    'check.contains',
    ({ check }) => (/^[ -~]*$/.test(check?.contains ?? '') ? [] : ['only printable ASCII is supported']),
  ],
  [
    'check.interval',
    ({ check }) => {
      if (check?.interval === undefined || isBetween(wholeSeconds(check.interval), 1, 600)) return [];
      return [`not whole seconds from 1s to 10m: ${check.interval}`];
    },
  ],
  [
    'check.timeout',
    // PowerDNS waits for all running checks before it starts new ones, so a slow check would delay every other.
    ({ check }) => {
      if (check?.timeout === undefined) return [];
      const { interval, timeout } = checkTimes(check);
      if (!isBetween(timeout, 1, 5)) return [`not whole seconds from 1s to 5s: ${check.timeout}`];
      return timeout > interval ? [`longer than interval: ${check.timeout}`] : [];
    },
  ],
];

const isBetween = (value: number, least: number, most: number) => value >= least && value <= most;

function addressIssues({ type, check, values, backup = [] }: AddressRecord): AnswerIssue[] {
  if (!check) return [];
  const issuesOf = (field: string, addresses: string[], issueOf: (address: string) => string | undefined) =>
    addresses.flatMap((address, index) => {
      const message = issueOf(address);
      return message === undefined ? [] : [{ field: `${field}[${index}]`, message }];
    });
  return [
    // parseContent validates the addresses themselves, for records of every kind.
    ...issuesOf('values', values, targetIssue),
    ...issuesOf('backup', backup, (address) => addressIssue(type, address) ?? targetIssue(address)),
  ];
}

function targetIssue(address: string): string | undefined {
  const what = forbiddenTarget(address);
  return what && `${address} is ${what}, which is never checked`;
}

function addressIssue(type: string, text: string): string | undefined {
  try {
    (type === 'A' ? parseIPv4 : parseIPv6)(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
