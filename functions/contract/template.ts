import { isIPv4 } from 'node:net';
import { absolute } from '../dns/name.ts';
import { parseContent } from '../dns/rdata/rdata.ts';
import type { DeclaredRecord } from '../dns/record.ts';
import type { ZoneIssue } from '../dns/zone/rrset.ts';

/** What the placeholders in a zone's records are replaced with. */
export interface TemplateValues {
  composite: string;
  zone: string;
  /** Those of the DNS Service; empty until the cluster has assigned one. */
  addresses: string[];
}

/** A record without placeholders. */
export interface FilledRecord {
  record: DeclaredRecord;
  /** Its index among the zone's records. */
  index: number;
  /** The index of each of its values among the written ones. */
  positions: number[];
}

const placeholders: Readonly<Record<string, (template: TemplateValues) => string | undefined>> = {
  '{{xr.name}}': ({ composite }) => composite,
  '{{zone.name}}': ({ zone }) => zone,
  '{{service.address}}': ({ addresses }) => addresses[0],
};

const serviceAddress = '{{service.address}}';
/** Matches unterminated ones, too: they are hardly ever meant as text. */
const placeholder = /\{\{.*?(?:\}\}|$)/gs;

/**
 * Fills in the placeholders in the names and values of a zone's records. Omits a value, with its weight, that needs an
 * address if the Service has none (yet), or none of the family, and records that are left without values. Several
 * addresses each get the weight of the placeholder, but an address that is also written out keeps its own. Issues have
 * the locations of the written records.
 */
export function filledRecords(
  records: DeclaredRecord[],
  template: TemplateValues,
): { filled: FilledRecord[]; issues: ZoneIssue[] } {
  return {
    filled: records.flatMap((record, index) => filledRecord(record, index, template) ?? []),
    issues: records.flatMap((record, index) =>
      placeholderIssues(record).map(({ at, message }) => ({ at: `records[${index}].${at}`, message })),
    ),
  };
}

function filledRecord(record: DeclaredRecord, index: number, template: TemplateValues): FilledRecord | undefined {
  const { values, weights } = record;
  const name = filledText(record.name, template);
  const all = values.flatMap((value, position) =>
    valuesOf(record.type, value, template).map((value) => ({ value, position })),
  );
  const each = withoutDuplicates(all, record, template);
  if (name === undefined || each.length === 0) return undefined;
  const positions = each.map(({ position }) => position);
  // A wrong number of weights is kept, so that the validation rejects it.
  const filledWeights =
    weights?.length === values.length ? positions.map((position) => weights[position] as number) : weights;
  const filled = {
    ...record,
    name,
    values: each.map(({ value }) => value),
    ...(filledWeights && { weights: filledWeights }),
  };
  return { record: filled, index, positions };
}

interface FilledValue {
  value: string;
  position: number;
}

/**
 * Omits filled-in values that duplicate others: which address a Service gets is not a mistake in the spec. Values that
 * are written twice are kept, so that the validation rejects them.
 */
function withoutDuplicates(
  all: FilledValue[],
  { type, values }: DeclaredRecord,
  { zone }: TemplateValues,
): FilledValue[] {
  const isKept = ({ position }: FilledValue) => {
    const text = values[position] as string;
    return text.search(placeholder) < 0 || values.indexOf(text) !== values.lastIndexOf(text);
  };
  if (all.every(isKept)) return all;
  const contentOf = ({ value }: FilledValue) => canonical(type, value, zone);
  const seen = new Set(all.filter(isKept).map(contentOf));
  return all.filter((each) => {
    if (isKept(each)) return true;
    const content = contentOf(each);
    if (seen.has(content)) return false;
    seen.add(content);
    return true;
  });
}

function canonical(type: DeclaredRecord['type'], value: string, zone: string): string {
  try {
    return parseContent(type, value, absolute(zone));
  } catch {
    // Parsing the record reports the issue.
    return value;
  }
}

function valuesOf(type: string, value: string, template: TemplateValues): string[] {
  if (value.trim() === serviceAddress && (type === 'A' || type === 'AAAA')) {
    return template.addresses.filter((address) => isIPv4(address) === (type === 'A'));
  }
  const filled = filledText(value, template);
  return filled === undefined ? [] : [filled];
}

/** Undefined if a placeholder has no value (yet). */
function filledText(text: string, template: TemplateValues): string | undefined {
  const values = (text.match(placeholder) ?? []).map((found) => placeholders[found]?.(template));
  if (values.includes(undefined)) return undefined;
  return text.replace(placeholder, () => values.shift() as string);
}

function placeholderIssues({ name, values, check }: DeclaredRecord): ZoneIssue[] {
  const known = Object.keys(placeholders);
  return [
    ...unknownPlaceholder('name', name, known),
    ...values.flatMap((value, position) => unknownPlaceholder(`values[${position}]`, value, known)),
    ...unknownPlaceholder('check.url', check?.url ?? '', ['{{value}}']),
  ];
}

function unknownPlaceholder(at: string, text: string, known: string[]): ZoneIssue[] {
  const found = (text.match(placeholder) ?? []).find((each) => !known.includes(each));
  return found === undefined
    ? []
    : [{ at, message: `unknown placeholder ${found.slice(0, 80)} (known: ${known.join(', ')})` }];
}
