import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesAsJson, namesAsText } from '../../../../functions/agent/http/page/listing.ts';
import { findNames, parseSearch } from '../../../../functions/agent/http/page/search.ts';
import type { Overview } from '../../../../functions/agent/names/overview.ts';
import { printable } from '../../../../functions/contract/printable.ts';
import { verdicts } from '../../../../functions/contract/verdict.ts';
import { hostile, known, longest, many, overviewOf } from './overview.ts';

const parse = (query: string) => parseSearch(new URLSearchParams(query));
const resultsOf = (query: string, overview: Overview = overviewOf()) => findNames(overview, parse(query));
const json = (query = '', overview: Overview = overviewOf()) =>
  JSON.parse([...namesAsJson(overview, resultsOf(query, overview))].join(''));
const text = (query = '', overview: Overview = overviewOf()) => [...namesAsText(resultsOf(query, overview))].join('');
const named = (...names: string[]) => overviewOf(names.map((name) => known(name)));

describe('a search', () => {
  test.each([
    ['', {}],
    ['host=&verdict=', {}],
    ['host=+Shop.Corp.Internal.+', { host: 'shop.corp.internal' }],
    ['host=.', {}],
    ['verdict=Held', { verdict: 'Held' }],
    ['host=a&host=b&verdict=Resolved&x=y', { host: 'a', verdict: 'Resolved' }],
  ])('%j is %j', (query, search) => {
    expect(parse(query)).toEqual(search);
  });

  test.each(['held', 'Nonsense', 'constructor'])('an unknown verdict is rejected: %s', (verdict) => {
    expect(() => parse(`verdict=${verdict}`)).toThrow(`unknown verdict ${verdict}: use one of Resolved, Pending, `);
  });

  const all = named('*.corp.internal', 'shop.corp.internal', 'www.shop.corp.internal', 'a.lab.internal');
  test.each([
    ['', ['*.corp.internal', 'shop.corp.internal', 'www.shop.corp.internal', 'a.lab.internal']],
    ['host=SHOP', ['shop.corp.internal', 'www.shop.corp.internal']],
    ['host=shop.corp.internal.', ['shop.corp.internal', '*.corp.internal', 'www.shop.corp.internal']],
    ['host=www.shop.corp.internal', ['www.shop.corp.internal', '*.corp.internal']],
    ['host=cart.corp.internal', ['*.corp.internal']],
    ['host=internal&verdict=Held', []],
    ['host=nothing', []],
  ])('%j finds the host first, then wildcards that cover it, then names that contain it', (query, names) => {
    expect(resultsOf(query, all).names.map(({ name }) => name)).toEqual(names);
  });

  test('a verdict limits the names, not the counts of the host', () => {
    const { matching, names } = resultsOf('host=shop.corp.internal&verdict=Duplicate');
    expect(names.map(({ resource }) => resource)).toEqual(['ingress/staging/web']);
    expect(matching.map(({ verdict }) => verdict)).toEqual(['Resolved', 'Duplicate']);
  });
});

describe('a host that no object requests', () => {
  const advice =
    'add the host to an Ingress, a Service or a route, and check existing ones, for example with kubectl get ingress -A; records from the spec are not listed here';
  const nested = (overview: Overview) => ({
    ...overview,
    zones: [...overview.zones, { name: 'eu.corp.internal', state: 'Serving' as const }],
  });
  const cases: [host: string, hint: string | undefined, overview?: Overview][] = [
    ['shop.corp.internal', undefined],
    ['shop', undefined],
    ['corp.internal', undefined],
    [
      'cart.corp.internal',
      `no object requests cart.corp.internal, which would be in the zone corp.internal: ${advice}`,
    ],
    ['op.corp.internal', `no object requests op.corp.internal, which would be in the zone corp.internal: ${advice}`],
    [
      'cart.eu.corp.internal',
      `no object requests cart.eu.corp.internal, which would be in the zone eu.corp.internal: ${advice}`,
      nested(overviewOf()),
    ],
    ['lab.internal', `no object requests lab.internal, which would be in the zone lab.internal: ${advice}`],
    ['cart', `no object requests a name that contains cart: ${advice}`],
    [
      'cart.crop.internal',
      'no object requests cart.crop.internal, and it would be outside the zones corp.internal, lab.internal, 2.0.192.in-addr.arpa; the nearest is corp.internal: use a name in a zone, or declare its zone in spec.zones',
    ],
    [
      'a.old.internal',
      'no object requests a.old.internal, and it would be outside the zone corp.internal: use a name in a zone, or declare its zone in spec.zones',
      overviewOf([], {
        zones: [
          { name: 'corp.internal', state: 'Serving' },
          { name: 'old.internal', state: 'Retained' },
        ],
      }),
    ],
    ['a.corp.internal', `no object requests a.corp.internal: ${advice}`, overviewOf([], { zones: [] })],
    [
      'a.corp.internal',
      'no object requests a.corp.internal, which would be in the zone corp.internal: discovery is off, and only records from the spec are served',
      overviewOf([], { discovery: { state: 'Off' } }),
    ],
    [
      'a.apps.corp.internal',
      'no object requests a.apps.corp.internal itself, but ingress/shop/web requests *.apps.corp.internal',
      named('*.apps.corp.internal'),
    ],
  ];
  test.each(cases)('%s', (host, hint, overview = overviewOf()) => {
    expect(resultsOf(`host=${host}`, overview).hint).toBe(hint);
  });

  test('is not one that only the verdict excludes', () => {
    const { names, hint } = resultsOf('host=shop.corp.internal&verdict=Held');
    expect([names, hint]).toEqual([[], undefined]);
  });

  test('is truncated in the hint', () => {
    expect(resultsOf(`host=${'x'.repeat(10_000)}.corp.internal`).hint?.length).toBeLessThan(600);
  });
});

describe('as JSON', () => {
  test('everything, with one name per line', () => {
    const overview = overviewOf(overviewOf().names.slice(0, 2));
    expect([...namesAsJson(overview, findNames(overview, {}))].join('').split('\n')).toEqual([
      '{"instance":"corp","zones":[{"name":"corp.internal","state":"Serving"},{"name":"lab.internal","state":"Serving"},{"name":"2.0.192.in-addr.arpa","state":"Serving"}],"discovery":{"state":"Synced"},"resolution":{"state":"Serving","since":"2026-10-30T06:12:05Z"},"total":2,"resolved":1,"names":[',
      '{"name":"api.corp.internal","resource":"ingress/payments/api","verdict":"NoAddress","message":"no address yet: its controller has not written one to its status: check the log of the ingress controller or load balancer, or set discovery.targets.default","zone":"corp.internal","answers":[],"since":"2026-11-02T13:55:31.000Z"},',
      '{"name":"auth.corp.internal","resource":"ingress/identity/keycloak","verdict":"Resolved","message":"resolves to 192.0.2.7","zone":"corp.internal","answers":["A 192.0.2.7"],"since":"2026-10-30T14:17:31.000Z","propagationSeconds":1.84}',
      ']}',
      '',
    ]);
  });

  test('no names are an empty list', () => {
    expect(json('', overviewOf([]))).toMatchObject({ total: 0, resolved: 0, names: [] });
    expect(json('host=cart.corp.internal')).toMatchObject({
      hint: expect.stringMatching(/^no object requests cart/),
      names: [],
    });
  });

  test('resolution is absent before the first self-test', () => {
    const { resolution: _, ...untested } = overviewOf();
    expect(json('', untested)).not.toHaveProperty('resolution');
  });

  test('totals are of all names, without Filtered and OutsideZones', () => {
    expect(json()).toMatchObject({ total: 11, resolved: 5 });
    expect(json('host=shop.corp.internal')).toMatchObject({ total: 11, resolved: 5, names: [{}, {}] });
  });

  test.each([0, 1, 249, 250, 251, 500, 1_001])('%i names are complete, regardless of chunks', (count) => {
    const names = json('', overviewOf(many(count))).names as { name: string }[];
    expect(names.map(({ name }) => name)).toEqual(many(count).map(({ name }) => name));
  });

  test('any text survives the round trip', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (names) => {
        const listed = json('', named(...names, ...hostile)).names as { name: string }[];
        expect(listed.map(({ name }) => name)).toEqual([...names, ...hostile]);
      }),
    );
  });
});

describe('as text', () => {
  test('columns for people', () => {
    expect(text('host=shop')).toBe(
      [
        'NAME                 VERDICT        OBJECT                MESSAGE',
        'shop.corp.internal   Resolved       ingress/shop/web      resolves to 192.0.2.7',
        'shop.corp.internal   Duplicate      ingress/staging/web   already used by ingress/shop/web, which is older: give one of them another host, or see discovery.sharedHosts',
        'shop.crop.internal   OutsideZones   ingress/shop/typo     outside the zones corp.internal, lab.internal, 2.0.192.in-addr.arpa; the nearest is corp.internal: use a name in a zone, or declare its zone in spec.zones',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['', overviewOf([]), 'no names\n'],
    ['verdict=Held', overviewOf(), 'no names\n'],
  ])('%j finds none', (query, overview, expected) => {
    expect(text(query, overview)).toBe(expected);
  });

  test('a hint is alone, or above the names that contain the host', () => {
    expect(text('host=cart.corp.internal')).toMatch(/^no object requests cart\.corp\.internal, [^\n]*\n$/);
    expect(text('host=op.corp.internal')).toMatch(/^no object requests op\.[^\n]*\nNAME [^\n]*\nshop\.[^\n]*\nshop\./);
  });

  test('a long name shifts only its own line', () => {
    const lines = text('', named('a.corp.internal', longest)).split('\n');
    expect(lines[0]?.indexOf('VERDICT')).toBe(64 + 3);
    expect(lines[1]?.indexOf('Resolved')).toBe(64 + 3);
    expect(lines[2]).toMatch(new RegExp(`^${longest}   Resolved `));
  });

  test.each([0, 1, 250, 251, 1_001])('%i names have a line each', (count) => {
    expect(text('', overviewOf(many(count))).split('\n')).toHaveLength(count === 0 ? 2 : count + 2);
  });

  test('only printable text reaches a terminal, one line per name', () => {
    const anything = fc.record({
      name: fc.string({ unit: 'binary' }),
      resource: fc.string({ unit: 'binary' }),
      message: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile)),
      verdict: fc.constantFrom(...verdicts),
    });
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1 }), fc.string({ unit: 'binary' }), (all, host) => {
        const overview = overviewOf(all.map(({ name, ...rest }) => known(name, rest)));
        const lines = text('', overview).split('\n');
        expect(lines).toHaveLength(all.length + 2);
        const printed = [...lines, ...text(`host=${encodeURIComponent(host.toWellFormed())}`, overview).split('\n')];
        for (const line of printed) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

test.each([
  ['shop.corp.internal', 'shop.corp.internal'],
  ['a\r\n\tb', 'a b'],
  ['a\u2028b\u2029c', 'a b c'],
  ['\u001b[31m\u0007\u009b1m\u007f', '\ufffd[31m\ufffd\ufffd1m\ufffd'],
  ['\u202eab\u2066\u200f\ufeff', '\ufffdab\ufffd\ufffd\ufffd'],
  ['\ud800x', '\ufffdx'],
  ['例え.موقع 😀', '例え.موقع 😀'],
])('%j is shown as %j', (raw, shown) => {
  expect(printable(raw)).toBe(shown);
});

test('5,000 names are listed in many short chunks', () => {
  const overview = overviewOf(many(5_000).map((name) => ({ ...name, name: longest, message: 'x'.repeat(500) })));
  for (const pieces of [namesAsJson(overview, findNames(overview, {})), namesAsText(findNames(overview, {}))]) {
    let [count, most] = [0, 0];
    for (const piece of pieces) {
      count++;
      most = Math.max(most, piece.length);
    }
    expect(count).toBeGreaterThan(20);
    expect(most).toBeLessThan(512 * 1024);
  }
});
