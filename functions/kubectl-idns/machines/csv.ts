import type { HostList, LineFault, ListedHost } from './list.ts';

/** The columns of a list, in any order. Those with several values separate them by blanks. */
const columns = ['name', 'addresses', 'hostname', 'zone', 'aliases', 'ttl', 'reverse', 'labels'] as const;
type Column = (typeof columns)[number];

interface Row {
  line: number;
  fields: string[];
  /** Whether a quotation mark has no other end. */
  isOpen?: boolean;
}

/** Reads CSV (RFC 4180) whose first line names the columns. Spreadsheets also separate them by semicolons or tabs. */
export function parseCSV(text: string): HostList {
  const [firstLine = ''] = text.split('\n');
  const separator = ['\t', ';'].find((each) => firstLine.includes(each)) ?? ',';
  const [header, ...rows] = rowsIn(text, separator);
  const names = header?.fields.map((field) => field.trim().toLowerCase()) ?? [];
  const fault = headerFault(names);
  if (fault) return { hosts: [], faults: [{ line: header?.line ?? 1, message: fault }], skipped: [] };
  const read = rows.map((row) => hostIn(row, names as Column[]));
  return {
    hosts: read.filter((each) => 'spec' in each),
    faults: read.filter((each) => 'message' in each),
    skipped: [],
  };
}

function headerFault(names: string[]): string | undefined {
  const unknown = names.find((name) => !(columns as readonly string[]).includes(name));
  const known = columns.join(', ');
  if (!names.includes('name')) return `the first line must name the columns, one of them name: ${known}`;
  if (unknown !== undefined) return `unknown column ${JSON.stringify(unknown.slice(0, 40))}: the columns are ${known}`;
  return new Set(names).size < names.length ? 'a column is named twice' : undefined;
}

function hostIn({ line, fields, isOpen }: Row, names: Column[]): ListedHost | LineFault {
  if (isOpen) return { line, message: 'a quotation mark has no other end' };
  if (fields.length !== names.length)
    return { line, message: `has ${fields.length} fields, but there are ${names.length} columns` };
  const values = Object.fromEntries(names.map((name, index) => [name, (fields[index] ?? '').trim()])) as Record<
    Column,
    string | undefined
  >;
  const words = (column: Column) => values[column]?.split(/\s+/).filter((word) => word !== '') ?? [];
  const { name = '', hostname, zone, ttl, reverse } = values;
  const labels = words('labels').map((word) => word.split(/=(.*)/s).slice(0, 2));
  const unpaired = labels.find((pair) => pair.length < 2);
  if (unpaired) return { line, message: `a label is written key=value, not ${unpaired[0]}` };
  return {
    line,
    name,
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    spec: {
      ...(hostname && { hostname: hostname.toLowerCase() }),
      ...(zone && { zone: zone.toLowerCase() }),
      addresses: words('addresses'),
      ...(words('aliases').length > 0 && { aliases: words('aliases').map((alias) => alias.toLowerCase()) }),
      ...(ttl && { ttl: /^[0-9]+$/.test(ttl) ? Number(ttl) : ttl }),
      ...(reverse && { reverse }),
    },
  };
}

/** The rows of the text that are not empty, each with its first line. */
function rowsIn(text: string, separator: string): Row[] {
  const rows: Row[] = [];
  let [field, fields, line, start, isQuoted]: [string, string[], number, number, boolean] = ['', [], 1, 1, false];
  const end = (isOpen = false) => {
    fields.push(field);
    if (fields.some((each) => each.trim() !== '')) rows.push({ line: start, fields, ...(isOpen && { isOpen }) });
    [field, fields] = ['', []];
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '\n') line++;
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (text[at + 1] === '"') field += text[at++];
      else isQuoted = false;
    } else if (character === '"' && field.trim() === '') [field, isQuoted] = ['', true];
    else if (character === separator) {
      fields.push(field);
      field = '';
    } else if (character === '\n') {
      end();
      start = line;
    } else if (character !== '\r') field += character;
  }
  end(isQuoted);
  return rows;
}
