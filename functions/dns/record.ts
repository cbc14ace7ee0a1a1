import * as z from 'zod';
import { type Answer, answerFaults, answerFields, isDynamic } from './answer.ts';
import { parseOwner } from './rdata/domain-name.ts';
import { parseContent, recordTypes } from './rdata/rdata.ts';
import type { Entry, ZoneIssue } from './zone/rrset.ts';

/** A time to live (RFC 2181 section 8). */
export const ttl = z.int().min(0).max(2147483647);

/** An RRset as people declare it. */
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

/**
 * Each value as a record of its own. A fault names the field, such as `records[3].values[0]`. Nobody is ever answered in
 * a way that is wrong: a record with such a fault has no entries, and one with a wrong value has the others.
 */
export function entriesOfRecords(records: DeclaredRecord[], zone: string): { entries: Entry[]; faults: ZoneIssue[] } {
  const entries: Entry[] = [];
  const faults: ZoneIssue[] = [];
  const declaredAt = new Map<string, string>();
  const attempt = <T>(at: string, parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      faults.push({ at, message: (error as Error).message });
      return undefined;
    }
  };
  for (const [index, { name, type, values, ttl, ...more }] of records.entries()) {
    const at = `records[${index}]`;
    const owner = attempt(`${at}.name`, () => parseOwner(name, zone));
    const own = recordFaults({ type, values, ...more }).map((f) => ({ at: `${at}.${f.field}`, message: f.message }));
    const before = owner && declaredAt.get(`${owner} ${type}`);
    if (before) own.unshift({ at, message: `${before} has the ${type} of this name already: put every value there` });
    declaredAt.set(`${owner} ${type}`, at);
    faults.push(...own);
    const parsed = values.flatMap((value, position): Entry[] => {
      const place = `${at}.values[${position}]`;
      const content = attempt(place, () => parseContent(type, value, zone));
      if (owner === undefined || content === undefined) return [];
      return [{ name: owner, type, ttl, content, at: place, ...detailsOf(more) }];
    });
    const isWhole = parsed.length === values.length || !isDynamic(more);
    if (own.length === 0 && isWhole) entries.push(...parsed);
  }
  return { entries, faults };
}

function recordFaults(record: Pick<DeclaredRecord, 'type' | 'values' | 'ptr'> & Answer) {
  const misplaced = record.ptr && record.type !== 'A' && record.type !== 'AAAA';
  return [
    ...(misplaced ? [{ field: 'ptr', message: `${record.type} has no address to make a PTR record of` }] : []),
    ...answerFaults(record),
  ];
}

function detailsOf({ ptr, ...answer }: Pick<DeclaredRecord, 'ptr'> & Answer): Pick<Entry, 'ptr' | 'answer'> {
  return { ...(ptr && { ptr }), ...(isDynamic(answer) && { answer }) };
}
