import * as z from 'zod';
import { timesOf, wholeSeconds, whyNoTarget, whyNoURL } from './health-check.ts';
import { parseIPv4, parseIPv6 } from './rdata/address.ts';

const mostChecked = 64;

const check = z
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

/** What a record of type A or AAAA may say about how it is answered. No field has a default: none belongs on other types. */
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
    .max(mostChecked)
    .optional()
    .describe('Weight of each value, in the order of values. Only with answer Weighted or Sticky.'),
  backup: z
    .array(z.string().max(45))
    .max(mostChecked)
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

/** Where it is wrong, such as `check.url` or `backup[0]`, and why. */
export interface AnswerFault {
  field: string;
  message: string;
}

type AnsweredRecord = { type: string; values: string[] } & Answer;

/** Whether PowerDNS has to work the answer out, so that it takes a LUA record. */
export function isDynamic({ check, answer, weights }: Answer): boolean {
  return check !== undefined || (answer ?? 'All') !== 'All' || weights !== undefined;
}

/** Every rule that the fields break; those of the schema hold already. */
export function answerFaults(record: AnsweredRecord): AnswerFault[] {
  const fields = Object.keys(answerFields) as (keyof Answer)[];
  if (record.type !== 'A' && record.type !== 'AAAA') {
    const message = `${record.type} is always answered with all of its values: this is for A and AAAA`;
    return fields.filter((field) => record[field] !== undefined).map((field) => ({ field, message }));
  }
  const broken = rules.flatMap(([field, rule]) => rule(record).map((message) => ({ field, message })));
  return [...broken, ...addressFaults(record)];
}

/** Messages, none if the rule holds. */
type Rule = [field: string, rule: (record: AnsweredRecord) => string[]];

const rules: Rule[] = [
  [
    'weights',
    ({ weights, answer, values }) => {
      if (!weights) return answer === 'Weighted' ? ['Weighted needs weights, one for each value'] : [];
      if (answer !== 'Weighted' && answer !== 'Sticky') return ['weights need answer: Weighted or Sticky'];
      if (weights.length === values.length) return [];
      return [`one weight for each value: there are ${weights.length} and ${values.length}`];
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
      if (values.length === 0) return ['one value at least'];
      return check && values.length > mostChecked ? [`at most ${mostChecked} values with check: ${values.length}`] : [];
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
  ['check.url', ({ check }) => [check?.url && whyNoURL(check.url)].filter((message) => message !== undefined)],
  [
    'check.contains',
    ({ check }) => (/^[ -~]*$/.test(check?.contains ?? '') ? [] : ['only printable ASCII can be looked for']),
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
    // PowerDNS starts no check before all that it has started are done, so one that takes long would delay every other.
    ({ check }) => {
      if (check?.timeout === undefined) return [];
      const { interval, timeout } = timesOf(check);
      if (!isBetween(timeout, 1, 5)) return [`not whole seconds from 1s to 5s: ${check.timeout}`];
      return timeout > interval ? [`longer than interval: ${check.timeout}`] : [];
    },
  ],
];

const isBetween = (value: number, least: number, most: number) => value >= least && value <= most;

function addressFaults({ type, check, values, backup = [] }: AnsweredRecord): AnswerFault[] {
  if (!check) return [];
  const faults = (field: string, addresses: string[], whyNot: (address: string) => string | undefined) =>
    addresses.flatMap((address, index) => {
      const message = whyNot(address);
      return message === undefined ? [] : [{ field: `${field}[${index}]`, message }];
    });
  return [
    // Whether they are addresses at all is asked of the values of every record.
    ...faults('values', values, whyNotChecked),
    ...faults('backup', backup, (address) => whyNoAddress(type, address) ?? whyNotChecked(address)),
  ];
}

function whyNotChecked(address: string): string | undefined {
  const what = whyNoTarget(address);
  return what && `${address} is ${what}, and is not checked`;
}

function whyNoAddress(type: string, text: string): string | undefined {
  try {
    (type === 'A' ? parseIPv4 : parseIPv6)(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
