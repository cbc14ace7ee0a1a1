import type { TrackedName } from '../../names/overview.ts';
import { formatDuration, formatNumber, formatTime, pluralize } from './format.ts';
import { type Html, html } from './html.ts';
import type { Search, SearchResult } from './search.ts';
import { verdictState } from './state.ts';

/** A browser lays all rows out at once. */
export const maxRows = 500;

/** Rows per chunk. */
const batchSize = 50;

/** Yields the names that were found, or why there are none, in chunks. */
export function* namesTable({ names, hint }: SearchResult, search: Search): Generator<Html> {
  if (hint !== undefined) yield html`<p class="hint">${hint}</p>`;
  if (names.length === 0) {
    if (hint === undefined) yield html`<p>${caption(0, search)}</p>`;
    return;
  }
  const rows = Math.min(names.length, maxRows);
  const rest = names.length - rows;
  // On narrow screens the table is laid out as blocks, which some screen readers recognize as a table by its roles only:
  // https://adrianroselli.com/2018/02/tables-css-display-properties-and-aria.html
  yield html`
<table role="table">
<caption>${caption(names.length, search)}${rest === 0 ? '' : `; the first ${formatNumber(rows)} are shown`}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
`;
  for (let i = 0; i < rows; i += batchSize) yield html`${names.slice(i, Math.min(i + batchSize, rows)).map(tableRow)}`;
  yield html`</tbody>
</table>
`;
  if (rest === 0) return;
  yield html`<p class="more">${pluralize(rest, 'more name')} ${rest === 1 ? 'is' : 'are'} not shown: search for a host, or choose a verdict.</p>`;
}

const columns = ['Name and object', 'Verdict', 'Reason', 'Answers', 'Since (UTC)', 'Propagation'] as const;
type Column = (typeof columns)[number];

/** The heading includes the object, because several objects may request the same name. */
function tableRow({ name, verdict, message, resource, answers, since, propagation }: TrackedName): Html {
  const heading = html`<div><bdi>${name}</bdi></div><div class="object"><bdi>${resource}</bdi></div>`;
  return html`<tr role="row"><th scope="row" role="rowheader" class="mono">${heading}</th>${[
    cell('Verdict', verdictState(verdict)),
    cell('Reason', html`<bdi>${message}</bdi>`),
    cell('Answers', ...answerList(answers)),
    cell('Since (UTC)', formatTime(since)),
    cell(
      'Propagation',
      ...(propagation === undefined ? [] : [html`<span class="number">${formatDuration(propagation)}</span>`]),
    ),
  ]}</tr>
`;
}

const answerList = (answers: readonly string[]): Html[] =>
  answers.length === 0
    ? []
    : [html`<ul class="mono" role="list">${answers.map((answer) => html`<li><bdi>${answer}</bdi></li>`)}</ul>`];

const cell = (column: Column, ...content: Html[]) => html`<td role="cell" data-label="${column}">${content}</td>`;

function caption(found: number, { host, verdict }: Search): string {
  const matching = host === undefined ? '' : ` matching ${host}`;
  const withVerdict = verdict === undefined ? '' : ` with verdict ${verdict}`;
  const names = found === 0 ? 'No names' : pluralize(found, 'name');
  return `${names}${matching}${withVerdict}`;
}
