import type { TrackedName } from '../../names/overview.ts';
import { count, durationOf, plural, timeOf } from './figure.ts';
import { type Html, html } from './html.ts';
import type { Found, Search } from './search.ts';
import { verdictState } from './state.ts';

/** The rows that a page has at most: a browser lays them all out at once. */
export const mostRows = 500;

/** How many rows are made at once. */
const batch = 50;

/** The names that were found, or why there are none; in pieces. */
export function* tableOf({ names, hint }: Found, search: Search): Generator<Html> {
  if (hint !== undefined) yield html`<p class="hint">${hint}</p>`;
  if (names.length === 0) {
    if (hint === undefined) yield html`<p>${captionOf(0, search)}</p>`;
    return;
  }
  const rows = Math.min(names.length, mostRows);
  const rest = names.length - rows;
  // A table that is laid out as blocks, on a narrow screen, is none to some screen readers without its roles:
  // https://adrianroselli.com/2018/02/tables-css-display-properties-and-aria.html
  yield html`
<table role="table">
<caption>${captionOf(names.length, search)}${rest === 0 ? '' : `; the first ${count(rows)} are shown`}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">
`;
  for (let i = 0; i < rows; i += batch) yield html`${names.slice(i, Math.min(i + batch, rows)).map(rowOf)}`;
  yield html`</tbody>
</table>
`;
  if (rest === 0) return;
  yield html`<p class="more">${plural(rest, 'more name')} ${rest === 1 ? 'is' : 'are'} not shown: search for a host, or choose a verdict.</p>`;
}

const columns = ['Name and object', 'Verdict', 'Reason', 'Answers', 'Since (UTC)', 'Propagation'] as const;
type Column = (typeof columns)[number];

/** A name alone does not say which row it is: several objects may ask for it. */
function rowOf({ name, verdict, message, resource, answers, since, propagation }: TrackedName): Html {
  const heading = html`<div><bdi>${name}</bdi></div><div class="object"><bdi>${resource}</bdi></div>`;
  return html`<tr role="row"><th scope="row" role="rowheader" class="mono">${heading}</th>${[
    cell('Verdict', verdictState(verdict)),
    cell('Reason', html`<bdi>${message}</bdi>`),
    cell('Answers', ...answersOf(answers)),
    cell('Since (UTC)', timeOf(since)),
    cell(
      'Propagation',
      ...(propagation === undefined ? [] : [html`<span class="number">${durationOf(propagation)}</span>`]),
    ),
  ]}</tr>
`;
}

/** One a line. */
const answersOf = (answers: readonly string[]): Html[] =>
  answers.length === 0
    ? []
    : [html`<ul class="mono" role="list">${answers.map((answer) => html`<li><bdi>${answer}</bdi></li>`)}</ul>`];

const cell = (column: Column, ...content: Html[]) => html`<td role="cell" data-label="${column}">${content}</td>`;

function captionOf(found: number, { host, verdict }: Search): string {
  const which = [
    ...(verdict === undefined ? [] : [`the verdict ${verdict}`]),
    ...(host === undefined ? [] : [`${host} in ${found === 1 ? 'it' : 'them'}`]),
  ];
  const names = found === 0 ? 'No names' : plural(found, 'name');
  return which.length === 0 ? names : `${names} with ${which.join(' and ')}`;
}
