import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Family, families, wholeFamilies } from './guide.ts';
import { lines, type Program, type Target } from './program.ts';
import { wrapped } from './text.ts';

const zones: Target['zones'] = [
  { name: 'corp.internal', ds: [] },
  { name: '2.0.192.in-addr.arpa', ds: [] },
];

/** What the examples ask, by who asks. */
const servers: Record<Family['are'], Target['servers']> = {
  Pods: [{ address: '10.96.0.53', port: 53 }],
  Members: [{ address: '100.64.0.53', port: 53 }],
  Others: [{ address: '192.0.2.53', port: 53 }],
};

/** Characters of a line. */
const width = 120;

const [begin, end] = [
  '<!-- Written by `make generate`; the source is functions/connect. -->',
  '<!-- The end of it. -->',
];

/** A page with the present reference between its two marks. Throws if it has none. */
export function withReference(page: string): string {
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`cannot write the reference: no lines ${begin} and ${end}`);
  return `${before}${begin}\n\n${[...wholeFamilies, ...families].map(section).join('\n')}\n${end}${after}`;
}

const section = ({ name, are, programs }: Family): string =>
  `### ${name}\n\n${programs.map((program) => entry(program, { zones, servers: servers[are] })).join('\n')}`;

function entry({ name, ports, steps }: Program, target: Target): string {
  const port = ports === '53' ? [{ text: 'Only on port 53.' }] : [];
  const parts = [...port, ...steps(target)].flatMap(({ text, code }: { text: string; code?: string }) => [
    lines([...wrapped(text, width)]),
    ...(code === undefined ? [] : [code.replaceAll(/^(?=.)/gm, '    ')]),
  ]);
  return `#### ${name}\n\n${parts.join('\n\n')}\n`;
}

const path = join(import.meta.dirname, '../../docs/clients.md');

if (import.meta.main) writeFileSync(path, withReference(readFileSync(path, 'utf8')));
