import type { Guide } from '../../../connect/guide.ts';
import { hostAndPort } from '../../../connect/program.ts';
import { allNames } from '../../../connect/text.ts';
import { Html, html } from './html.ts';
import { documentHead, titleOf } from './page.ts';
import { wayList } from './ways-in.ts';

/**
 * Yields the page that says what to paste where, in chunks.
 * @param service the way in that was asked for
 */
export function* connectPage(guide: Guide, service: string | undefined): Generator<string> {
  const { instance, ways, families, answersAll } = guide;
  const title = `Connect to ${titleOf(instance)}`;
  yield html`${documentHead(title)}
<body>
<header>
<h1>${title}</h1>
<p>${
    answersAll
      ? html`${allNames} The zones are ${zonesOf(guide)}.`
      : html`Resolvers keep what they do, and forward ${zonesOf(guide)} to this server, which refuses everything else.`
  }
Without lines that are meant for it, a resolver may also drop private addresses (protection against rebinding), or take
an unsigned zone for a forged one (DNSSEC).</p>
</header>
<main>
<section aria-labelledby="ways-in">
<h2 id="ways-in">Ways in</h2>
${wayList(guide)}
${wayLinks(ways, service)}
</section>
`.toString();
  if (families.length === 0) yield html`<p>There is nothing to connect to yet: no zone, or no way in.</p>`.toString();
  for (const family of families) yield familySection(family).toString();
  const query = service === undefined ? '' : `?${new URLSearchParams({ way: service })}`;
  yield html`
</main>
<footer>
<p><a href="./">Status</a>; this page also as <a href="connect.json${query}">JSON</a> and <a href="connect.txt${query}">text</a>.</p>
</footer>
</body>
</html>
`.toString();
}

const zonesOf = ({ zones }: Guide): Html =>
  zones.length === 0
    ? html`the zones`
    : html`${zones.map(({ name }, i) => html`${i === 0 ? '' : ', '}<bdi class="mono">${name}</bdi>`)}`;

/** Each family takes the best way in, unless one is chosen. */
function wayLinks(ways: Guide['ways'], chosen: string | undefined): Html {
  if (ways.length < 2) return html``;
  const item = (label: string, href: string, isCurrent: boolean) =>
    html`<li><a href="${href}"${new Html(isCurrent ? ' aria-current="page"' : '')}>${label}</a></li>
`;
  return html`<nav aria-label="Way in">
<ul class="verdicts">
${item('Best for each', 'connect', chosen === undefined)}${ways.map(({ service }) =>
  item(service, `connect?${new URLSearchParams({ way: service })}`, service === chosen),
)}</ul>
</nav>`;
}

function familySection({ name, service, servers, caution, programs }: Guide['families'][number]): Html {
  const id = name.toLowerCase().replaceAll(' ', '-');
  const through =
    servers.length === 0 ? '' : html` <span class="object">${service}: ${servers.map(hostAndPort).join(' ')}</span>`;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${name}${through}</h2>
${caution === undefined ? '' : html`<p>Caution: <bdi>${caution}</bdi>.</p>`}
${programs.map(programEntry)}</section>
`;
}

/** Closed at first: most people look for one program. */
const programEntry = ({
  id,
  name,
  steps,
}: Guide['families'][number]['programs'][number]): Html => html`<details id="${id}">
<summary>${name}</summary>
${steps.map(
  ({ text, code }) => html`<p>${text}</p>
${
  code === undefined
    ? ''
    : html`<pre class="mono">${code.split('\n').map((line, i) => html`${i === 0 ? '' : new Html('\n')}${line}`)}</pre>
`
}`,
)}</details>
`;
