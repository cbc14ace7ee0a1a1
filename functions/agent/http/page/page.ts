import { createHash } from 'node:crypto';
import { verdicts } from '../../../contract/verdict.ts';
import type { Overview } from '../../names/overview.ts';
import { formatDuration, formatNumber, formatTime, percentile, pluralize } from './format.ts';
import { Html, html } from './html.ts';
import { nameCounts } from './listing.ts';
import type { Search, SearchResult } from './search.ts';
import { discoveryState, resolutionState, verdictState, zoneState } from './state.ts';
import { style } from './style.ts';
import { namesTable } from './table.ts';
import { wayList } from './ways-in.ts';

/** No scripts and no external resources: the page shows text from any user of the cluster. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const titleOf = (instance: string) => (instance === '' ? 'Internal DNS' : `Internal DNS ${instance}`);

/** The beginning of a page, up to its body. */
export const documentHead = (title: string): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>`;

/**
 * Yields the status page in chunks. Links are relative, so that they work through `kubectl proxy`.
 * @param now milliseconds since 1970
 */
export function* statusPage(overview: Overview, found: SearchResult, search: Search, now: number): Generator<string> {
  const title = titleOf(overview.instance);
  yield html`${documentHead(title)}
<body>
<header>
<h1>${title}</h1>
${healthSummary(overview)}
</header>
<main>
${zoneList(overview)}
<section aria-labelledby="ways-in">
<h2 id="ways-in">Ways in</h2>
${wayList(overview.reach)}
<div><a href="connect">What to paste where</a>, so that resolvers and clients ask here</div>
</section>
<section aria-labelledby="names">
<h2 id="names">Names</h2>
${searchForm(search)}
${verdictLinks(found, search)}
`.toString();
  for (const part of namesTable(found, search)) yield part.toString();
  yield html`
</section>
</main>
<footer>
<p>As of ${formatTime(now)} UTC, also as <a href="names.json${queryString(search)}">JSON</a> and <a href="names.txt${queryString(search)}">text</a>.</p>
</footer>
</body>
</html>
`.toString();
}

function healthSummary({ resolution, discovery, names }: Overview): Html {
  const { total, resolved } = nameCounts(names);
  const since = resolution && html`, since ${formatTime(Date.parse(resolution.since))} UTC`;
  const text = resolution?.message === undefined ? undefined : html`: <bdi>${resolution.message}</bdi>`;
  return html`<dl>
<dt>Names</dt><dd>${formatNumber(resolved)} of ${formatNumber(total)} resolve</dd>
<dt>Resolution</dt><dd>${resolutionState(resolution?.state)}${since}${text}</dd>
<dt>Discovery</dt><dd>${discoveryState(discovery.state)}</dd>
<dt>Propagation</dt><dd>${propagationSummary(names)}</dd>
</dl>`;
}

function propagationSummary(names: Overview['names']): string {
  const times = names.flatMap(({ propagation }) => propagation ?? []);
  const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
  if (p50 === undefined || p95 === undefined) return 'not measured yet';
  return `p50 ${formatDuration(p50)}, p95 ${formatDuration(p95)}, from the change of an object to the answer (${pluralize(times.length, 'name')})`;
}

/** Zones with a message come first, each on its own line. */
function zoneList({ zones }: Overview): Html {
  const items = zones
    .toSorted((a, b) => Number(a.message === undefined) - Number(b.message === undefined))
    .map(({ name, state, message }) => {
      const text = message === undefined ? undefined : html`: <bdi>${message}</bdi>`;
      return html`<li${new Html(text ? ' class="with-message"' : '')}><bdi class="mono">${name}</bdi> ${zoneState(state)}${text}</li>
`;
    });
  return html`<section aria-labelledby="zones">
<h2 id="zones">Zones</h2>
<ul class="zones" role="list">
${items}</ul>
</section>`;
}

/** Without an action, so that it works below any path. */
const searchForm = ({ host }: Search): Html => html`<form role="search">
<label for="host">Host</label>
<input id="host" name="host" type="search" value="${host}" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Search</button>
</form>`;

function verdictLinks({ matching }: SearchResult, { host, verdict }: Search): Html {
  const counts = Map.groupBy(matching, (name) => name.verdict);
  const shown = verdicts.filter((each) => counts.has(each) || each === verdict);
  const item = (link: Search, label: Html | string, count: number) => {
    const current = new Html(link.verdict === verdict ? ' aria-current="page"' : '');
    return html`<li><a href="${queryString(link) || './'}"${current}>${label} <b>${formatNumber(count)}</b></a></li>
`;
  };
  const ofHost = host === undefined ? {} : { host };
  return html`<nav aria-label="Verdicts">
<ul class="verdicts">
${item(ofHost, 'All', matching.length)}${shown.map((each) =>
  item({ ...ofHost, verdict: each }, verdictState(each), counts.get(each)?.length ?? 0),
)}</ul>
</nav>`;
}

function queryString({ host, verdict }: Search): string {
  const query = new URLSearchParams({ ...(host !== undefined && { host }), ...(verdict !== undefined && { verdict }) });
  return query.size === 0 ? '' : `?${query}`;
}
