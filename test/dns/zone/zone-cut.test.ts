import { expect, test } from 'vitest';
import { cutAbove, cutAt, cutsOf } from '../../../functions/dns/zone/zone-cut.ts';

const zone = 'corp.internal.';
const cuts = cutsOf(zone, [
  { name: 'corp.internal.', type: 'NS' },
  { name: 'www.corp.internal.', type: 'A' },
  { name: 'dev.corp.internal.', type: 'NS' },
  { name: 'old.corp.internal.', type: 'DNAME' },
  { name: 'both.corp.internal.', type: 'NS' },
  { name: 'both.corp.internal.', type: 'DNAME' },
  { name: 'a.dev.corp.internal.', type: 'NS' },
]);

test('the cuts of a zone are its delegations and DNAMEs, and a delegation takes precedence', () => {
  expect([...cuts].map(([name, { type }]) => `${name} ${type}`)).toEqual([
    'dev.corp.internal. NS',
    'old.corp.internal. DNAME',
    'both.corp.internal. NS',
    'a.dev.corp.internal. NS',
  ]);
});

test.each([
  ['corp.internal.', undefined, undefined],
  ['www.corp.internal.', undefined, undefined],
  ['xdev.corp.internal.', undefined, undefined],
  ['dev.corp.internal.', 'dev.corp.internal.', undefined],
  ['x.dev.corp.internal.', 'dev.corp.internal.', 'dev.corp.internal.'],
  ['x.y.dev.corp.internal.', 'dev.corp.internal.', 'dev.corp.internal.'],
  ['*.dev.corp.internal.', 'dev.corp.internal.', 'dev.corp.internal.'],
  ['x.a.dev.corp.internal.', 'a.dev.corp.internal.', 'a.dev.corp.internal.'],
  // A DNAME affects only names below it.
  ['old.corp.internal.', undefined, undefined],
  ['x.old.corp.internal.', 'old.corp.internal.', 'old.corp.internal.'],
  ['dev.example.com.', undefined, undefined],
])('%s is at %s, and below %s', (name, at, above) => {
  expect(cutAt(name, zone, cuts)?.name).toBe(at);
  expect(cutAbove(name, zone, cuts)?.name).toBe(above);
});

test('a DNAME at the apex covers every name of the zone but the apex', () => {
  const top = cutsOf(zone, [{ name: zone, type: 'DNAME' }]);
  expect(cutAt('x.corp.internal.', zone, top)?.name).toBe(zone);
  expect(cutAt(zone, zone, top)).toBeUndefined();
});
