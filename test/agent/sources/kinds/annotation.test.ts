import { expect, test } from 'vitest';
import type { SourceFilters } from '../../../../functions/agent/sources/kinds/annotation.ts';
import { unselected } from '../../../../functions/agent/sources/kinds/filter.ts';
import { fromIngress } from '../../../../functions/agent/sources/kinds/ingress.ts';
import type { LabelSelector } from '../../../../functions/contract/label-selector.ts';
import { both, lineOf, metadata } from './object.ts';

const [own, old, mine] = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/', 'dns.corp.example/'];
const read = (annotations: Record<string, string>, annotationPrefix?: string) =>
  lineOf(fromIngress({ metadata: metadata(annotations) }, { ...both, annotationPrefix }));

test.each<[string, Record<string, string>, string | undefined, string]>([
  ['the usual prefix', { [`${own}hostname`]: 'a' }, undefined, 'a. > none'],
  [
    'the one of older versions',
    { [`${old}hostname`]: 'b', [`${old}target`]: '192.0.2.1' },
    undefined,
    'b. > 192.0.2.1',
  ],
  ['the usual one where both are there', { [`${old}hostname`]: 'b', [`${own}hostname`]: 'a' }, undefined, 'a. > none'],
  [
    'each annotation by itself',
    { [`${old}hostname`]: 'b', [`${own}target`]: '192.0.2.1' },
    undefined,
    'b. > 192.0.2.1',
  ],
  [
    'an empty one rather than the older one',
    { [`${old}hostname`]: 'b', [`${own}hostname`]: '' },
    undefined,
    'no claim',
  ],
  ['no other', { [`${mine}hostname`]: 'c' }, undefined, 'no claim'],
  ['an own prefix', { [`${mine}hostname`]: 'c' }, mine, 'c. > none'],
  ['an own prefix alone', { [`${own}hostname`]: 'a', [`${old}hostname`]: 'b' }, mine, 'no claim'],
  [
    'whose controller it is',
    { [`${own}hostname`]: 'a', [`${own}controller`]: 'dns-controller' },
    undefined,
    'a. > none',
  ],
  [
    'whose controller it is, under the older prefix',
    { [`${own}hostname`]: 'a', [`${old}controller`]: 'x' },
    undefined,
    `a. left out: the annotation ${old}controller gives it to another controller: remove it, or set it to dns-controller`,
  ],
  [
    'whose controller it is, under an own prefix',
    { [`${mine}hostname`]: 'c', [`${mine}controller`]: 'x', [`${own}controller`]: 'dns-controller' },
    mine,
    `c. left out: the annotation ${mine}controller gives it to another controller: remove it, or set it to dns-controller`,
  ],
  [
    'whose controller it is, first under the usual prefix',
    { [`${own}hostname`]: 'a', [`${own}controller`]: 'dns-controller', [`${old}controller`]: 'x' },
    undefined,
    'a. > none',
  ],
])('read: %s', (_, annotations, prefix, line) => {
  expect(read(annotations, prefix)).toBe(line);
});

test.each<[string, Record<string, string>]>([
  ['blanks', { hostname: ' a.corp , b.corp\t' }],
  ['the next line of EBCDIC, which Go trims', { hostname: 'a.corp,b.corp\u0085' }],
  ['two dots at the end, which ExternalDNS cuts off', { hostname: 'a.corp..,b.corp.' }],
  ['capitals', { hostname: 'A.corp,B.CORP' }],
  [
    'a dotted capital I, of which Go makes a small one',
    { hostname: 'a.corp,b.corp', 'ingress-hostname-source': 'Annotat\u0130on-Only' },
  ],
])('no host that ExternalDNS reads is hidden by %s', (_, values) => {
  const annotations = Object.fromEntries(Object.entries(values).map(([key, value]) => [own + key, value]));
  expect(read(annotations)).toBe('a.corp. b.corp. > none');
});

test('a host that is too long for a name is none', () => {
  const fits = `${'a.'.repeat(126)}a`;
  expect(read({ [`${own}hostname`]: `${fits},${fits}b,${'a.'.repeat(1e5)}` })).toBe(`${fits}. > none`);
});

const isRead = (...of: Parameters<typeof unselected>) => unselected(...of) === undefined;
const selectors: [string, LabelSelector, Record<string, string>[], Record<string, string>[]][] = [
  ['nothing', {}, [{}, { a: '1' }], []],
  ['a value', { matchLabels: { a: '1' } }, [{ a: '1' }], [{}, { a: '2' }]],
  ['two', { matchLabels: { a: '1', b: '2' } }, [{ a: '1', b: '2' }], [{ a: '1' }, { b: '2' }]],
  ['In', { matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, [{ a: '2' }], [{}, { a: '3' }]],
  [
    'NotIn',
    { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1', '2'] }] },
    [{}, { a: '3' }],
    [{ a: '1' }],
  ],
  ['Exists', { matchExpressions: [{ key: 'a', operator: 'Exists' }] }, [{ a: '' }], [{}]],
  ['DoesNotExist', { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, [{ b: '1' }], [{ a: '' }]],
  [
    'a key that every object inherits',
    { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    [{ constructor: '1' } as unknown as Record<string, string>],
    [{}],
  ],
];

test.each(selectors)('a selector of %s takes annotations', (_, annotationSelector, taken, left) => {
  const filters: SourceFilters = { ...both, annotationSelector };
  for (const annotations of taken) expect(isRead(metadata(annotations), filters)).toBe(true);
  for (const annotations of left) expect(isRead(metadata(annotations), filters)).toBe(false);
  expect(isRead({ name: 'web' }, filters)).toBe(isRead(metadata({}), filters));
});

test('to a selector the older prefix is the usual one, as long as no own prefix is declared', () => {
  const annotationSelector = { matchLabels: { [`${own}zone`]: 'inside' } };
  const object = metadata({ [`${old}zone`]: 'inside' });
  expect(isRead(object, { ...both, annotationSelector })).toBe(true);
  expect(isRead(object, { ...both, annotationSelector, annotationPrefix: mine })).toBe(false);
  expect(
    isRead(metadata({ [`${old}zone`]: 'inside', [`${own}zone`]: 'outside' }), { ...both, annotationSelector }),
  ).toBe(false);
});
