import { expect, test } from 'vitest';
import { statedTTL, ttlIn } from '../../../../functions/agent/sources/kinds/ttl.ts';
import { cpuTimeOf } from '../../../cpu.ts';

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['300', 300],
  ['+5', 5],
  ['5m', 300],
  ['1h30m', 5400],
  ['1.5s', 1],
  ['.5m', 30],
  ['1h1m1s1ms1us1µs1μs1ns', 3661],
  ['2147483647', 2 ** 31 - 1],
  // What is none to ExternalDNS.
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
])('%j is %j', (text, ttl) => {
  expect(ttlIn(text)).toBe(ttl);
});

test.each(['1', '1.', '1m', '.1'])('a long run of %j is read in linear time', async (piece) => {
  const filters = (length: number) => {
    const text = `${piece.repeat(length)}x`;
    return () => expect(ttlIn(text)).toBeUndefined();
  };
  const [short, long] = [await cpuTimeOf(filters(2 ** 15)), await cpuTimeOf(filters(2 ** 18))];
  // Eight times as much in proportion, 64 times in quadratic time, which is seconds. Below some milliseconds all is noise.
  expect(long / Math.max(short, 5)).toBeLessThan(30);
});

test.each([
  [undefined, {}],
  ['5m', { ttl: 300 }],
  ['1d', { unreadTTL: '1d' }],
  ['300 ', { unreadTTL: '300 ' }],
  ['0', { unreadTTL: '0' }],
  ['', { unreadTTL: '' }],
  ['x'.repeat(100), { unreadTTL: `${'x'.repeat(80)}…` }],
])('an annotation %j says %j', (text, stated) => {
  expect(statedTTL(text)).toEqual(stated);
});
