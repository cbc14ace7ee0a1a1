import { isIPv4 } from 'node:net';
import { absolute } from '../../dns/name.ts';
import { parseContent } from '../../dns/rdata/rdata.ts';
import type { DeclaredRecord } from '../../dns/record.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';

/** What the placeholders in a zone's records stand for. */
export interface Setting {
  composite: string;
  zone: string;
  /** Of the DNS Service; none until the cluster has given it one. */
  addresses: string[];
}

/** A record without placeholders. */
export interface FilledRecord {
  record: DeclaredRecord;
  /** Where it is among the zone's records. */
  index: number;
  /** Where each of its values is among those that are written. */
  positions: number[];
}

const placeholders: Readonly<Record<string, (setting: Setting) => string | undefined>> = {
  '{{xr.name}}': ({ composite }) => composite,
  '{{zone.name}}': ({ zone }) => zone,
  '{{service.address}}': ({ addresses }) => addresses[0],
};

const serviceAddress = '{{service.address}}';
/** Also what is only begun: it is a mistake hardly ever meant as text. */
const placeholder = /\{\{.*?(?:\}\}|$)/gs;

/**
 * A zone's records with the placeholders of names and values filled in. A value that needs an address where there is
 * none (yet), or none of its family, is left out with its weight, and a record without values, too. Several addresses
 * each have the weight of the value that stands for them, but one that is written as well has its own. Places of faults
 * are among the records as they are written.
 */
export function filledRecords(
  records: DeclaredRecord[],
  setting: Setting,
): { filled: FilledRecord[]; faults: ZoneIssue[] } {
  return {
    filled: records.flatMap((record, index) => filledRecord(record, index, setting) ?? []),
    faults: records.flatMap((record, index) =>
      unknownIn(record).map(({ at, message }) => ({ at: `records[${index}].${at}`, message })),
    ),
  };
}

function filledRecord(record: DeclaredRecord, index: number, setting: Setting): FilledRecord | undefined {
  const { values, weights } = record;
  const name = filledText(record.name, setting);
  const all = values.flatMap((value, position) =>
    valuesOf(record.type, value, setting).map((value) => ({ value, position })),
  );
  const each = withoutEqual(all, record, setting);
  if (name === undefined || each.length === 0) return undefined;
  const positions = each.map(({ position }) => position);
  // Weights that are too few or too many stay so, and are refused.
  const shares = weights?.length === values.length ? positions.map((position) => weights[position] as number) : weights;
  const filled = { ...record, name, values: each.map(({ value }) => value), ...(shares && { weights: shares }) };
  return { record: filled, index, positions };
}

interface FilledValue {
  value: string;
  position: number;
}

/**
 * Without those that stand for what is there anyway: which address a Service gets is nobody's mistake. What is written
 * twice stays, and is refused.
 */
function withoutEqual(all: FilledValue[], { type, values }: DeclaredRecord, { zone }: Setting): FilledValue[] {
  const stays = ({ position }: FilledValue) => {
    const text = values[position] as string;
    return text.search(placeholder) < 0 || values.indexOf(text) !== values.lastIndexOf(text);
  };
  if (all.every(stays)) return all;
  const contentOf = ({ value }: FilledValue) => canonical(type, value, zone);
  const there = new Set(all.filter(stays).map(contentOf));
  return all.filter((each) => {
    if (stays(each)) return true;
    const content = contentOf(each);
    if (there.has(content)) return false;
    there.add(content);
    return true;
  });
}

function canonical(type: DeclaredRecord['type'], value: string, zone: string): string {
  try {
    return parseContent(type, value, absolute(zone));
  } catch {
    // Whoever parses the record says what is wrong with it.
    return value;
  }
}

function valuesOf(type: string, value: string, setting: Setting): string[] {
  if (value.trim() === serviceAddress && (type === 'A' || type === 'AAAA')) {
    return setting.addresses.filter((address) => isIPv4(address) === (type === 'A'));
  }
  const filled = filledText(value, setting);
  return filled === undefined ? [] : [filled];
}

/** Undefined when something that it needs is not there. */
function filledText(text: string, setting: Setting): string | undefined {
  const values = (text.match(placeholder) ?? []).map((found) => placeholders[found]?.(setting));
  if (values.includes(undefined)) return undefined;
  return text.replace(placeholder, () => values.shift() as string);
}

function unknownIn({ name, values, check }: DeclaredRecord): ZoneIssue[] {
  const known = Object.keys(placeholders);
  return [
    ...unknown('name', name, known),
    ...values.flatMap((value, position) => unknown(`values[${position}]`, value, known)),
    ...unknown('check.url', check?.url ?? '', ['{{value}}']),
  ];
}

function unknown(at: string, text: string, known: string[]): ZoneIssue[] {
  const found = (text.match(placeholder) ?? []).find((each) => !known.includes(each));
  return found === undefined
    ? []
    : [{ at, message: `unknown placeholder ${found.slice(0, 80)} (known: ${known.join(', ')})` }];
}
