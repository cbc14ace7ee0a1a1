import { isCounted } from '../../../contract/verdict.ts';
import { printable } from '../../lib/printable.ts';
import type { Overview, TrackedName } from '../../names/overview.ts';
import type { Found } from './search.ts';

/** How many names are made into text at once: what waits for a slow reader stays small. */
const batch = 250;

/** The names as JSON, in pieces: one name a line, so that it can be searched with `grep` too. */
export function* jsonOf({ instance, zones, discovery, resolution, names }: Overview, found: Found): Generator<string> {
  const { names: listed, hint } = found;
  const head = {
    instance,
    zones,
    discovery,
    ...(resolution && { resolution }),
    ...countsOf(names),
    ...(hint && { hint }),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"names":[`;
  for (let i = 0; i < listed.length; i += batch) {
    const lines = listed.slice(i, i + batch).map((name) => JSON.stringify(rowOf(name)));
    yield `${i === 0 ? '\n' : ',\n'}${lines.join(',\n')}`;
  }
  yield '\n]}\n';
}

export const countsOf = (names: readonly TrackedName[]) => ({
  total: names.filter(({ verdict }) => isCounted(verdict)).length,
  resolved: names.filter(({ verdict }) => verdict === 'Resolved').length,
});

const rowOf = ({ name, resource, verdict, message, zone, answers, since, propagation }: TrackedName) => ({
  name,
  resource,
  verdict,
  message,
  ...(zone !== undefined && { zone }),
  answers,
  since: new Date(since).toISOString(),
  ...(propagation !== undefined && { propagationSeconds: propagation / 1000 }),
});

const columns = ['NAME', 'VERDICT', 'OBJECT', 'MESSAGE'] as const;
const cellsOf = ({ name, verdict, resource, message }: TrackedName) =>
  [name, verdict, resource, message].map(printable);

/** One long name must not push the rest of all lines out of sight. Characters. */
const widest = 64;

/** The names for people with a terminal, in pieces. */
export function* textOf({ names, hint }: Found): Generator<string> {
  if (hint !== undefined) yield `${printable(hint)}\n`;
  if (names.length === 0) {
    if (hint === undefined) yield 'no names\n';
    return;
  }
  const widths = columns.map((column) => column.length);
  for (const name of names) {
    cellsOf(name).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, Math.min(cell.length, widest));
    });
  }
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('   ')}\n`;
  yield line(columns);
  for (let i = 0; i < names.length; i += batch) {
    yield names
      .slice(i, i + batch)
      .map((name) => line(cellsOf(name)))
      .join('');
  }
}
