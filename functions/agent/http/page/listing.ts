import { printable } from '../../../contract/printable.ts';
import { isCounted } from '../../../contract/verdict.ts';
import type { Overview, TrackedName } from '../../names/overview.ts';
import type { SearchResult } from './search.ts';

/** Names per chunk: little is buffered for a slow reader. */
const batchSize = 250;

/** Yields JSON in chunks, with one name per line for `grep`. */
export function* namesAsJson(
  { instance, zones, discovery, resolution, names }: Overview,
  found: SearchResult,
): Generator<string> {
  const { names: listed, hint } = found;
  const head = {
    instance,
    zones,
    discovery,
    ...(resolution && { resolution }),
    ...nameCounts(names),
    ...(hint && { hint }),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"names":[`;
  for (let i = 0; i < listed.length; i += batchSize) {
    const lines = listed.slice(i, i + batchSize).map((name) => JSON.stringify(jsonRow(name)));
    yield `${i === 0 ? '\n' : ',\n'}${lines.join(',\n')}`;
  }
  yield '\n]}\n';
}

export const nameCounts = (names: readonly TrackedName[]) => ({
  total: names.filter(({ verdict }) => isCounted(verdict)).length,
  resolved: names.filter(({ verdict }) => verdict === 'Resolved').length,
});

const jsonRow = ({ name, resource, verdict, message, zone, answers, since, propagation }: TrackedName) => ({
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

/** Characters: one long name must not widen the column of all lines. */
const maxColumnWidth = 64;

/** Yields a table for terminals, in chunks. */
export function* namesAsText({ names, hint }: SearchResult): Generator<string> {
  if (hint !== undefined) yield `${printable(hint)}\n`;
  if (names.length === 0) {
    if (hint === undefined) yield 'no names\n';
    return;
  }
  const widths = columns.map((column) => column.length);
  for (const name of names) {
    cellsOf(name).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, Math.min(cell.length, maxColumnWidth));
    });
  }
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('   ')}\n`;
  yield line(columns);
  for (let i = 0; i < names.length; i += batchSize) {
    yield names
      .slice(i, i + batchSize)
      .map((name) => line(cellsOf(name)))
      .join('');
  }
}
