import * as z from 'zod';
import { type Answer, answerFields, answerIssues, isDynamic } from './answer.ts';
import { parseOwner } from './rdata/domain-name.ts';
import { parseContent } from './rdata/rdata.ts';
import { recordTypes } from './rdata/record-type.ts';
import type { Entry, ZoneIssue } from './zone/rrset.ts';

/** A time to live (RFC 2181 section 8). */
export const ttl = z.int().min(0).max(2147483647);

/** An RRset of `spec.zones[].records`. */
export const record = z.object({
  name: z
    .string()
    .min(1)
    .max(255)
    .describe('Name of the record, relative to the zone. "@" is the zone itself, "*.dev" every name below dev.'),
  type: z.enum(recordTypes).describe('Type of the record.'),
  ttl: ttl.optional().describe('TTL in seconds. Defaults to the defaultTTL of the zone.'),
  values: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(100)
    .describe('Values of the record, as in a zone file. Names without a trailing dot are relative to the zone.'),
  ptr: z
    .boolean()
    .optional()
    .describe(
      'Whether to create PTR records for the addresses if their reverse zone is declared. Only for A and AAAA.',
    ),
  ...answerFields,
});

export type DeclaredRecord = z.output<typeof record>;

type Checked = Pick<DeclaredRecord, 'values'> & Answer;

/** The addresses of a record that are checked. */
export const checkedValues = ({ check, values, backup = [] }: Checked): string[] =>
  check ? [...values, ...backup] : [];

/** The number of addresses that are checked for records: see `maxChecks`. */
export const checkCount = (records: readonly Checked[]): number =>
  records.reduce((sum, record) => sum + checkedValues(record).length, 0);

/**
 * Turns each value into a record of its own. Issues name the field, such as `records[3].values[0]`. A record whose way
 * of answering has an issue yields no entries, since it would be answered wrongly; of one with an invalid value the
 * other values are kept.
 */
export function entriesOfRecords(records: DeclaredRecord[], zone: string): { entries: Entry[]; issues: ZoneIssue[] } {
  const entries: Entry[] = [];
  const issues: ZoneIssue[] = [];
  const declaredAt = new Map<string, string>();
  const attempt = <T>(at: string, parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      issues.push({ at, message: (error as Error).message });
      return undefined;
    }
  };
  for (const [index, { name, type, values, ttl, ...more }] of records.entries()) {
    const at = `records[${index}]`;
    const owner = attempt(`${at}.name`, () => parseOwner(name, zone));
    const ownIssues = recordIssues({ type, values, ...more }).map((f) => ({
      at: `${at}.${f.field}`,
      message: f.message,
    }));
    const before = owner && declaredAt.get(`${owner} ${type}`);
    if (before)
      ownIssues.unshift({
        at,
        message: `${before} already has the ${type} records of this name: put all values there`,
      });
    declaredAt.set(`${owner} ${type}`, at);
    issues.push(...ownIssues);
    const parsed = values.flatMap((value, position): Entry[] => {
      const place = `${at}.values[${position}]`;
      const content = attempt(place, () => parseContent(type, value, zone));
      if (owner === undefined || content === undefined) return [];
      return [{ name: owner, type, ttl, content, at: place, ...answerOptionsOf(more) }];
    });
    const isWhole = parsed.length === values.length || !isDynamic(more);
    if (ownIssues.length === 0 && isWhole) entries.push(...parsed);
  }
  return { entries, issues };
}

function recordIssues(record: Pick<DeclaredRecord, 'type' | 'values' | 'ptr'> & Answer) {
  const misplaced = record.ptr && record.type !== 'A' && record.type !== 'AAAA';
  return [
    ...(misplaced ? [{ field: 'ptr', message: `${record.type} has no address for a PTR record` }] : []),
    ...answerIssues(record),
  ];
}

function answerOptionsOf({ ptr, ...answer }: Pick<DeclaredRecord, 'ptr'> & Answer): Pick<Entry, 'ptr' | 'answer'> {
  return { ...(ptr && { ptr }), ...(isDynamic(answer) && { answer }) };
}
