import { createHash } from 'node:crypto';
import { verdicts } from '../../../contract/verdict.ts';
import type { Overview } from '../../names/overview.ts';
import { count, durationOf, percentile, plural, timeOf } from './figure.ts';
import { Html, html } from './html.ts';
import { countsOf } from './listing.ts';
import type { Found, Search } from './search.ts';
import { discoveryState, resolutionState, verdictState, zoneState } from './state.ts';
import { style } from './style.ts';
import { tableOf } from './table.ts';

/** Nothing runs on the page and nothing is fetched for it, because it shows what strangers wrote. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The status page, in pieces. Its links are relative, because it may be looked at through `kubectl proxy`.
 * @param now milliseconds since 1970
 */
export function* pageOf(overview: Overview, found: Found, search: Search, now: number): Generator<string> {
  const title = overview.instance === '' ? 'Internal DNS' : `Internal DNS ${overview.instance}`;
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${healthOf(overview)}
</header>
<main>
${zonesOf(overview)}
<section aria-labelledby="names">
<h2 id="names">Names</h2>
${formOf(search)}
${verdictsOf(found, search)}
`.toString();
  for (const part of tableOf(found, search)) yield part.toString();
  yield html`
</section>
</main>
<footer>
<p>As of ${timeOf(now)} UTC, also as <a href="names.json${queryOf(search)}">JSON</a> and <a href="names.txt${queryOf(search)}">text</a>.</p>
</footer>
</body>
</html>
`.toString();
}

function healthOf({ resolution, discovery, names }: Overview): Html {
  const { total, resolved } = countsOf(names);
  const tested = resolution && html`, since ${timeOf(Date.parse(resolution.since))} UTC`;
  const words = resolution?.message === undefined ? undefined : html`: <bdi>${resolution.message}</bdi>`;
  return html`<dl>
<dt>Names</dt><dd>${count(resolved)} of ${count(total)} resolve</dd>
<dt>Resolution</dt><dd>${resolutionState(resolution?.state)}${tested}${words}</dd>
<dt>Discovery</dt><dd>${discoveryState(discovery.state)}</dd>
<dt>Propagation</dt><dd>${propagationOf(names)}</dd>
</dl>`;
}

function propagationOf(names: Overview['names']): string {
  const times = names.flatMap(({ propagation }) => propagation ?? []);
  const [half, most] = [percentile(times, 50), percentile(times, 95)];
  if (half === undefined || most === undefined) return 'not measured yet';
  return `p50 ${durationOf(half)}, p95 ${durationOf(most)}, from the change of an object to the answer (${plural(times.length, 'name')})`;
}

/** Zones that need a word come first, each on a line of its own. */
function zonesOf({ zones }: Overview): Html {
  const items = zones
    .toSorted((a, b) => Number(a.message === undefined) - Number(b.message === undefined))
    .map(({ name, state, message }) => {
      const words = message === undefined ? undefined : html`: <bdi>${message}</bdi>`;
      return html`<li${new Html(words ? ' class="told"' : '')}><bdi class="mono">${name}</bdi> ${zoneState(state)}${words}</li>
`;
    });
  return html`<section aria-labelledby="zones">
<h2 id="zones">Zones</h2>
<ul class="zones" role="list">
${items}</ul>
</section>`;
}

/** Without an action, so that it asks for the page where that happens to be. */
const formOf = ({ host }: Search): Html => html`<form role="search">
<label for="host">Host</label>
<input id="host" name="host" type="search" value="${host}" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Search</button>
</form>`;

function verdictsOf({ matching }: Found, { host, verdict }: Search): Html {
  const counts = Map.groupBy(matching, (name) => name.verdict);
  const there = verdicts.filter((each) => counts.has(each) || each === verdict);
  const item = (link: Search, words: Html | string, number: number) => {
    const current = new Html(link.verdict === verdict ? ' aria-current="page"' : '');
    return html`<li><a href="${queryOf(link) || './'}"${current}>${words} <b>${count(number)}</b></a></li>
`;
  };
  const ofHost = host === undefined ? {} : { host };
  return html`<nav aria-label="Verdicts">
<ul class="verdicts">
${item(ofHost, 'All', matching.length)}${there.map((each) =>
  item({ ...ofHost, verdict: each }, verdictState(each), counts.get(each)?.length ?? 0),
)}</ul>
</nav>`;
}

function queryOf({ host, verdict }: Search): string {
  const query = new URLSearchParams({ ...(host !== undefined && { host }), ...(verdict !== undefined && { verdict }) });
  return query.size === 0 ? '' : `?${query}`;
}
