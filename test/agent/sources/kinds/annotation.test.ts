import { expect, test } from 'vitest';
import { annotatedTTL, parseTTL } from '../../../../functions/agent/sources/kinds/annotation.ts';
import { fromIngress } from '../../../../functions/agent/sources/kinds/ingress.ts';
import { cpuTimeOf } from '../../../cpu.ts';
import { both, lineOf, metadata } from './object.ts';

const [own, old, mine] = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/', 'dns.corp.example/'];
const read = (annotations: Record<string, string>, annotationPrefix?: string) =>
  lineOf(fromIngress({ metadata: metadata(annotations) }, { ...both, annotationPrefix }));

test.each<[string, Record<string, string>, string | undefined, string]>([
  ['the default prefix', { [`${own}hostname`]: 'a' }, undefined, 'a. > none'],
  ['the legacy prefix', { [`${old}hostname`]: 'b', [`${old}target`]: '192.0.2.1' }, undefined, 'b. > 192.0.2.1'],
  [
    'the default prefix over the legacy one',
    { [`${old}hostname`]: 'b', [`${own}hostname`]: 'a' },
    undefined,
    'a. > none',
  ],
  [
    'each annotation under either prefix',
    { [`${old}hostname`]: 'b', [`${own}target`]: '192.0.2.1' },
    undefined,
    'b. > 192.0.2.1',
  ],
  [
    'an empty annotation over the legacy one',
    { [`${old}hostname`]: 'b', [`${own}hostname`]: '' },
    undefined,
    'no claim',
  ],
  ['no other prefix', { [`${mine}hostname`]: 'c' }, undefined, 'no claim'],
  ['a declared prefix', { [`${mine}hostname`]: 'c' }, mine, 'c. > none'],
  ['a declared prefix only', { [`${own}hostname`]: 'a', [`${old}hostname`]: 'b' }, mine, 'no claim'],
  ['the controller', { [`${own}hostname`]: 'a', [`${own}controller`]: 'dns-controller' }, undefined, 'a. > none'],
  [
    'the controller under the legacy prefix',
    { [`${own}hostname`]: 'a', [`${old}controller`]: 'x' },
    undefined,
    `a. left out: the annotation ${old}controller assigns it to another controller: remove it, or set it to dns-controller`,
  ],
  [
    'the controller under a declared prefix',
    { [`${mine}hostname`]: 'c', [`${mine}controller`]: 'x', [`${own}controller`]: 'dns-controller' },
    mine,
    `c. left out: the annotation ${mine}controller assigns it to another controller: remove it, or set it to dns-controller`,
  ],
  [
    'the controller under the default prefix over the legacy one',
    { [`${own}hostname`]: 'a', [`${own}controller`]: 'dns-controller', [`${old}controller`]: 'x' },
    undefined,
    'a. > none',
  ],
])('reads %s', (_, annotations, prefix, line) => {
  expect(read(annotations, prefix)).toBe(line);
});

test.each<[string, Record<string, string>]>([
  ['blanks', { hostname: ' a.corp , b.corp\t' }],
  ['U+0085, which Go trims', { hostname: 'a.corp,b.corp\u0085' }],
  ['two trailing dots, which ExternalDNS trims', { hostname: 'a.corp..,b.corp.' }],
  ['capitals', { hostname: 'A.corp,B.CORP' }],
  [
    'a dotted capital I, which Go maps to i',
    { hostname: 'a.corp,b.corp', 'ingress-hostname-source': 'Annotat\u0130on-Only' },
  ],
])('reads the hosts that ExternalDNS reads despite %s', (_, values) => {
  const annotations = Object.fromEntries(Object.entries(values).map(([key, value]) => [own + key, value]));
  expect(read(annotations)).toBe('a.corp. b.corp. > none');
});

test('drops a host that is too long for a domain name', () => {
  const fits = `${'a.'.repeat(126)}a`;
  expect(read({ [`${own}hostname`]: `${fits},${fits}b,${'a.'.repeat(1e5)}` })).toBe(`${fits}. > none`);
});

test.each<[string, number | undefined]>([
  ['300', 300],
  ['+5', 5],
  ['5m', 300],
  ['1h30m', 5400],
  ['1.5s', 1],
  ['.5m', 30],
  ['1h1m1s1ms1us1µs1μs1ns', 3661],
  ['2147483647', 2 ** 31 - 1],
  // ExternalDNS ignores these.
  ['2147483648', undefined],
  ['600000h', undefined],
  ['0', undefined],
  ['999ms', undefined],
  ['-5', undefined],
  ['-5m', undefined],
  ['', undefined],
  ['5 m', undefined],
  ['5d', undefined],
  ['0x10', undefined],
  ['1e3', undefined],
  ['1_000', undefined],
  ['1'.repeat(1e5), undefined],
])('the TTL %j is %j seconds', (text, ttl) => {
  expect(parseTTL(text)).toBe(ttl);
});

test.each(['1', '1.', '1m', '.1'])('a TTL of many %j is parsed in linear time', async (piece) => {
  const parse = (length: number) => {
    const text = `${piece.repeat(length)}x`;
    return () => expect(parseTTL(text)).toBeUndefined();
  };
  const [short, long] = [await cpuTimeOf(parse(2 ** 15)), await cpuTimeOf(parse(2 ** 18))];
  // Linear time takes eight times as long, quadratic time 64 times. A few milliseconds are noise.
  expect(long / Math.max(short, 5)).toBeLessThan(30);
});

test.each<[string | undefined, object]>([
  [undefined, {}],
  ['5m', { ttl: 300 }],
  ['1d', { invalidTTL: '1d' }],
  ['300 ', { invalidTTL: '300 ' }],
  ['0', { invalidTTL: '0' }],
  ['', { invalidTTL: '' }],
  ['x'.repeat(100), { invalidTTL: `${'x'.repeat(80)}…` }],
])('the ttl annotation %j yields %j', (text, ttl) => {
  expect(annotatedTTL((name) => (name === 'ttl' ? text : undefined))).toEqual(ttl);
});
