import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectPage } from '../../../../functions/agent/http/page/connect.ts';
import { formatDuration, percentile } from '../../../../functions/agent/http/page/format.ts';
import { html } from '../../../../functions/agent/http/page/html.ts';
import { contentSecurityPolicy, statusPage } from '../../../../functions/agent/http/page/page.ts';
import { findNames, type Search } from '../../../../functions/agent/http/page/search.ts';
import type { Overview } from '../../../../functions/agent/names/overview.ts';
import { families, guideOf } from '../../../../functions/connect/guide.ts';
import { printable } from '../../../../functions/contract/printable.ts';
import { verdicts } from '../../../../functions/contract/verdict.ts';
import { hostile, known, longest, many, now, overviewOf } from './overview.ts';

interface Element {
  tag: string;
  attributes: Record<string, string>;
  /** Texts and elements. */
  children: (Element | string)[];
}

const nothingInside = new Set(['meta', 'input']);

/** A strict parser: throws on unescaped or unclosed markup. */
function parse(markup: string): Element {
  const root: Element = { tag: '', attributes: {}, children: [] };
  const open = [root];
  const [doctype] = /^<!doctype html>\n/.exec(markup) ?? [''];
  for (const token of markup.slice(doctype.length).match(/<[^>]*>|[^<]+/g) ?? []) {
    const parent = open.at(-1) as Element;
    const { tag, rest = '' } = /^<(?<tag>\/?[a-z][a-z0-9]*)(?<rest>[^>]*)>$/.exec(token)?.groups ?? {};
    if (tag === undefined) {
      if (/[<>"]/.test(token) && parent.tag !== 'style') throw new Error(`not escaped: ${token}`);
      parent.children.push(unescaped(token));
    } else if (tag.startsWith('/')) {
      if (open.pop()?.tag !== tag.slice(1) || rest !== '') throw new Error(`not open: ${token}`);
    } else {
      const element: Element = { tag, attributes: attributesIn(rest), children: [] };
      parent.children.push(element);
      if (!nothingInside.has(tag)) open.push(element);
    }
  }
  if (open.length !== 1 || doctype === '') throw new Error(`not closed: ${open.map(({ tag }) => tag)}`);
  return root;
}

function attributesIn(text: string): Record<string, string> {
  const all = [...text.matchAll(/ ([a-z-]+)="([^"<>]*)"/g)];
  if (all.map(([whole]) => whole).join('') !== text) throw new Error(`not attributes: ${text}`);
  return Object.fromEntries(all.map(([, name, value = '']) => [name, unescaped(value)]));
}

const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescaped(text: string): string {
  return text.replace(/&([^;]*;)?/g, (entity, name = '') => {
    const character = characters[name.slice(0, -1)];
    if (character === undefined) throw new Error(`not an entity: ${entity} in ${text}`);
    return character;
  });
}

const textOf = (node: Element | string): string =>
  typeof node === 'string' ? node : node.children.map(textOf).join('');
const all = (tag: string, { children }: Element): Element[] =>
  children.flatMap((child) =>
    typeof child === 'string' ? [] : [...(child.tag === tag ? [child] : []), ...all(tag, child)],
  );
const textsOf = (tag: string, element: Element) => all(tag, element).map(textOf);
const page = (overview: Overview, search: Search) =>
  [...statusPage(overview, findNames(overview, search), search, now)].join('');
const shown = (overview: Overview = overviewOf(), search: Search = {}) => parse(page(overview, search));
/** The rows of the table: the name, the object, and the texts of the other cells. */
const rows = (document: Element) =>
  all('tbody', document).flatMap((body) =>
    all('tr', body).map((row) => [...all('th', row).flatMap((cell) => textsOf('div', cell)), ...textsOf('td', row)]),
  );

test('the page shows the instance, its health, and a row per name', () => {
  const document = shown();
  expect(textsOf('title', document)).toEqual(['Internal DNS corp']);
  expect(textsOf('h1', document)).toEqual(['Internal DNS corp']);
  expect(textsOf('dt', document)).toEqual(['Names', 'Resolution', 'Discovery', 'Propagation']);
  expect(textsOf('dd', document)).toEqual([
    '5 of 11 resolve',
    'Serving, since 2026-10-30 06:12:05 UTC',
    'Synced',
    'p50 2.0 s, p95 3.1 s, from the change of an object to the answer (5 names)',
  ]);
  expect(textsOf('footer', document).join().trim()).toBe('As of 2026-11-02 14:07:31 UTC, also as JSON and text.');
  expect(textsOf('caption', document)).toEqual(['13 names']);
  expect(textsOf('th', all('thead', document)[0] as Element)).toEqual([
    'Name and object',
    'Verdict',
    'Reason',
    'Answers',
    'Since (UTC)',
    'Propagation',
  ]);
  expect(rows(document)).toHaveLength(13);
  expect(rows(document)[1]).toEqual([
    'auth.corp.internal',
    'ingress/identity/keycloak',
    'Resolved',
    'resolves to 192.0.2.7',
    'A 192.0.2.7',
    '2026-10-30 14:17:31',
    '1.8 s',
  ]);
  expect(rows(document)[0]?.slice(4)).toEqual(['', '2026-11-02 13:55:31', '']);
});

test('messages are shown, and zones with one come first', () => {
  const document = shown(
    overviewOf([], {
      instance: '',
      zones: [
        { name: 'corp.internal', state: 'Serving' },
        { name: 'lab.internal', state: 'Failed', message: 'line 12: not an IPv4 address: 192.0.2.256' },
        { name: 'old.internal', state: 'Retained', message: 'not declared' },
      ],
      discovery: { state: 'Stalled' },
      resolution: { state: 'Stalled', since: '2026-11-02T14:06:00Z', message: 'ExternalDNS has stopped reporting' },
    }),
  );
  expect(textsOf('h1', document)).toEqual(['Internal DNS']);
  expect(textsOf('dd', document)).toEqual([
    '0 of 0 resolve',
    'Stalled, since 2026-11-02 14:06:00 UTC: ExternalDNS has stopped reporting',
    'Stalled',
    'not measured yet',
  ]);
  const [zones] = all('ul', document);
  expect(textsOf('li', zones as Element)).toEqual([
    'lab.internal Failed: line 12: not an IPv4 address: 192.0.2.256',
    'old.internal Retained: not declared',
    'corp.internal Serving',
  ]);
  expect(textsOf('section', document).at(-1)).toMatch(/No names\s*$/);
});

test('ways in are shown with their addresses, and with what is missing', () => {
  const [, ways] = all('section', shown());
  expect(textsOf('li', ways as Element)).toEqual([
    'service ClusterIP: 10.96.0.53 fd00::53',
    'lan NodePort: 192.0.2.53:30053',
    'tailnet LoadBalancer: no address yet',
    "Incomplete: Tailscale's operator has given Service idns-corp-tailnet no address: install it, see its log, or remove additionalServices[tailnet]",
  ]);
  expect(all('a', ways as Element).map(({ attributes }) => attributes.href)).toEqual(['connect']);
});

test('resolution is Unknown before the first self-test', () => {
  const { resolution: _, ...untested } = overviewOf();
  expect(textsOf('dd', shown(untested))[1]).toBe('Unknown');
});

describe('verdicts', () => {
  const links = (document: Element) =>
    all('nav', document).flatMap((nav) =>
      all('a', nav).map((a) => [a.attributes.href, textOf(a), a.attributes['aria-current']]),
    );

  test('are links in the order of the verdicts, with their counts', () => {
    expect(links(shown())).toEqual([
      ['./', 'All 13', 'page'],
      ...verdicts
        .filter((verdict) => verdict !== 'Held')
        .map((verdict) => [`?verdict=${verdict}`, `${verdict} ${verdict === 'Resolved' ? 5 : 1}`, undefined]),
    ]);
  });

  test('count the names that match the host', () => {
    const document = shown(overviewOf(), { host: 'shop.corp.internal', verdict: 'Duplicate' });
    expect(links(document)).toEqual([
      ['?host=shop.corp.internal', 'All 2', undefined],
      ['?host=shop.corp.internal&verdict=Resolved', 'Resolved 1', undefined],
      ['?host=shop.corp.internal&verdict=Duplicate', 'Duplicate 1', 'page'],
    ]);
    expect(rows(document).map(([, , verdict]) => verdict)).toEqual(['Duplicate']);
    expect(textsOf('caption', document)).toEqual(['1 name matching shop.corp.internal with verdict Duplicate']);
    expect(all('input', document)[0]?.attributes).toMatchObject({ name: 'host', value: 'shop.corp.internal' });
    const more = all('footer', document).flatMap((footer) => all('a', footer).map((a) => a.attributes.href));
    expect(more).toEqual(
      ['names.json', 'names.txt'].map((path) => `${path}?host=shop.corp.internal&verdict=Duplicate`),
    );
  });

  test('without names are listed only when selected', () => {
    const document = shown(overviewOf(), { verdict: 'Held' });
    expect(links(document)).toContainEqual(['?verdict=Held', 'Held 0', 'page']);
    expect(textsOf('section', document).at(-1)).toMatch(/No names with verdict Held\s*$/);
  });

  test('have a word and a symbol, not only a colour', () => {
    const document = shown(overviewOf(verdicts.map((verdict) => known('a.corp.internal', { verdict }))));
    const states = all('tbody', document).flatMap((body) =>
      all('span', body).filter((s) => s.attributes.class?.startsWith('state')),
    );
    expect(states.map((state) => [textOf(state), state.attributes.class])).toEqual([
      ['Resolved', 'state good'],
      ['Pending', 'state waiting'],
      ...verdicts.slice(2, -2).map((verdict) => [verdict, 'state bad']),
      ['Filtered', 'state neutral'],
      ['OutsideZones', 'state neutral'],
    ]);
  });
});

describe('a host that no object requests', () => {
  test('has a hint instead of a table', () => {
    const document = shown(overviewOf(), { host: 'cart.corp.internal' });
    expect(textsOf('p', document)[0]).toMatch(/^no object requests cart\.corp\.internal, which would be in the zone /);
    expect(all('table', document)).toEqual([]);
  });

  test('has a hint above the names that contain it', () => {
    const document = shown(overviewOf(), { host: 'op.corp.internal' });
    expect(textsOf('p', document)[0]).toMatch(/^no object requests op\.corp\.internal, /);
    expect(rows(document)).toHaveLength(2);
  });
});

test.each([
  [499, 499, '499 names', undefined],
  [500, 500, '500 names', undefined],
  [501, 500, '501 names; the first 500 are shown', '1 more name is not shown: search for a host, or choose a verdict.'],
  [
    5_000,
    500,
    '5,000 names; the first 500 are shown',
    '4,500 more names are not shown: search for a host, or choose a verdict.',
  ],
])('of %i names, %i have a row', (count, shownRows, caption, more) => {
  const document = shown(overviewOf(many(count)));
  expect(rows(document)).toHaveLength(shownRows);
  expect(textsOf('caption', document)).toEqual([caption]);
  expect(textsOf('p', document)).toEqual([...(more ? [more] : []), expect.stringMatching(/^As of /)]);
});

test('the policy allows only this style sheet, which loads nothing', () => {
  const document = shown();
  const [style] = textsOf('style', document);
  const hash = createHash('sha256')
    .update(style as string)
    .digest('base64');
  expect(contentSecurityPolicy).toContain(`style-src 'sha256-${hash}'`);
  expect(style).not.toMatch(/url\(|@import|@font-face/);
});

// Chromium does not need them, others do: https://adrianroselli.com/2018/02/tables-css-display-properties-and-aria.html
test('the table has explicit roles, for when it is laid out as blocks', () => {
  const document = shown();
  const roles = { table: 'table', thead: 'rowgroup', tbody: 'rowgroup', tr: 'row', td: 'cell' };
  for (const [tag, role] of Object.entries(roles)) {
    expect(new Set(all(tag, document).map(({ attributes }) => attributes.role))).toEqual(new Set([role]));
  }
  const headers = all('th', document).map(({ attributes: { role, scope } }) => `${role} ${scope}`);
  expect(new Set(headers)).toEqual(new Set(['columnheader col', 'rowheader row']));
});

/** Everything that the page consists of: no script, image, frame, event handler or link to another server. */
const tags = new Set(
  'html head meta title style body header h1 dl dt dd main section h2 ul li bdi span time form label input button nav a b p pre details summary table caption thead tbody tr th td div footer'.split(
    ' ',
  ),
);
const attributes = new Set(
  'lang charset name content class datetime id for type value autocomplete autocapitalize spellcheck role href scope aria-current aria-label aria-labelledby data-label'.split(
    ' ',
  ),
);

function expectHarmless(element: Element): void {
  for (const child of element.children) {
    if (typeof child === 'string') continue;
    expect(tags).toContain(child.tag);
    for (const name of Object.keys(child.attributes)) expect(attributes).toContain(name);
    if (child.attributes.href !== undefined)
      expect(child.attributes.href).toMatch(/^(\.\/|names\.json|names\.txt|connect(\.json|\.txt)?)?(\?[\x21-\x7e]+)?$/);
    expectHarmless(child);
  }
}

test('names, objects, zones and searches cannot inject markup', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...hostile, longest),
    fc.stringMatching(/^[<>&"'/=\-! .a-z;#0-9]{0,40}$/),
  );
  const name = fc.record({
    name: anything,
    resource: anything,
    message: anything,
    zone: anything,
    answers: fc.array(anything, { maxLength: 3 }),
    verdict: fc.constantFrom(...verdicts),
  });
  const zone = fc.record({ name: anything, state: fc.constantFrom('Serving', 'Failed'), message: anything });
  fc.assert(
    fc.property(fc.array(name), fc.array(zone), anything, anything, (names, zones, instance, host) => {
      const resolution = { state: 'Blind', since: '2026-11-02T14:00:00Z', message: host } as const;
      const overview = overviewOf(
        names.map((each) => known('', each)),
        { instance, zones, resolution },
      );
      const document = shown(overview);
      expectHarmless(document);
      const expected = names.map((each) =>
        [each.name, each.resource, each.verdict, each.message, each.answers.map(printable).join('')].map(printable),
      );
      expect(rows(document).map((cells) => cells.slice(0, 5))).toEqual(expected);
      expect(textsOf('dd', document)[1]).toBe(`Blind, since 2026-11-02 14:00:00 UTC: ${printable(host)}`);

      const searched = shown(overview, { host });
      expectHarmless(searched);
      expect(all('input', searched)[0]?.attributes.value).toBe(printable(host));
    }),
    { numRuns: 200 },
  );
});

describe('what to paste where', () => {
  const guided = (overview = overviewOf(), way?: string) =>
    parse([...connectPage(guideOf(overview.instance, overview.reach, way), way)].join(''));

  test('has every program, each closed, with the code as it is to be pasted', () => {
    const entries = all('details', guided());
    const programs = families.flatMap(({ programs }) => programs);
    expect(entries.map(({ attributes }) => attributes.id)).toEqual(programs.map(({ id }) => id));
    expect(entries.map(({ attributes }) => attributes.open)).toEqual(programs.map(() => undefined));
    const [coredns] = entries;
    expect(textsOf('summary', coredns as Element)).toEqual(['CoreDNS']);
    expect(textsOf('pre', coredns as Element)).toEqual([
      'corp.internal:53 lab.internal:53 2.0.192.in-addr.arpa:53 {\n    errors\n    cache 30\n    forward . 10.96.0.53 fd00::53 {\n        max_fails 1\n    }\n}',
    ]);
  });

  test('says if the server answers all names, and what can have it as its only one', () => {
    const overview = overviewOf();
    const introduction = (reach: typeof overview.reach) => textsOf('header', guided({ ...overview, reach })).join(' ');
    expect(introduction(overview.reach)).toContain('which refuses everything else');
    const reach = { ...overview.reach, answersAll: true as const };
    expect(introduction(reach)).toContain('it can be the only DNS server of a network or tailnet');
    expect(introduction(reach)).not.toContain('refuses everything else');
    const [first] = all('details', guided({ ...overview, reach }));
    expect(first?.attributes.id).toBe('dhcp');
  });

  test('has a link for each way in, and a caution at one without an address', () => {
    const document = guided(overviewOf(), 'tailnet');
    const links = all('nav', document).flatMap((nav) => all('a', nav));
    expect(links.map((a) => [a.attributes.href, a.attributes['aria-current']])).toEqual([
      ['connect', undefined],
      ['connect?way=service', undefined],
      ['connect?way=lan', undefined],
      ['connect?way=tailnet', 'page'],
    ]);
    expect(textsOf('p', document)).toContain('Caution: the way in tailnet has no address yet.');
  });

  test('cannot be injected with markup', () => {
    for (const text of [...hostile, longest]) {
      const servers = [{ address: text, port: 53 }];
      const ways = [{ service: text, type: text, servers, hostname: text }];
      const reach = { zones: [{ name: text, ds: [text] }], clusterIPs: [text], ways, notes: [text] };
      expectHarmless(guided(overviewOf([], { instance: text, reach })));
    }
  });
});

test.each([
  ['a text', html`<p title="${'"\'<&>'}">${'</p>'}</p>`, '<p title="&quot;&#39;&lt;&amp;&gt;">&lt;/p&gt;</p>'],
  ['markup', html`<p>${html`<b>${'<'}</b>`}</p>`, '<p><b>&lt;</b></p>'],
  ['a list', html`${[html`<i>`, html`</i>`]}`, '<i></i>'],
  ['a number and nothing', html`${0}${undefined}${''}`, '0'],
  ['a backslash', html`\n${'\\'}`, '\n\\'],
])('%s is escaped once', (_, markup, text) => {
  expect(markup.toString()).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [1_849, '1.8 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [119_499, '119 s'],
  [119_500, '2 min'],
  [86_400_000, '1,440 min'],
])('%i ms are shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [[], 50, undefined],
  [[3], 95, 3],
  [[2, 1], 50, 1],
  [[5, 1, 4, 2, 3], 50, 3],
  [Array.from({ length: 100 }, (_, i) => 100 - i), 95, 95],
  [[1, 2], 0, 1],
  [[1, 2], 100, 2],
])('percentile of %j at %i: %s', (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected);
});
