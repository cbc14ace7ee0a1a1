/** What a host name stands for after a series of answers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressesOf,
  afterAnswer,
  type FamilyAnswer,
  families,
  type HostNameAnswer,
  type HostNameState,
  intervalAfter,
  unknownHostName,
} from '../../../functions/agent/resolver/host-name-state.ts';

const a = (...addresses: string[]) => ({ addresses, ttl: 60 });
const nodata: FamilyAnswer = { addresses: [], absence: 'NoAddress' };
const nxdomain: FamilyAnswer = { addresses: [], absence: 'Absent' };
const servfail: FamilyAnswer = { failure: 'SERVFAIL' };
const only = (A: FamilyAnswer, AAAA: FamilyAnswer = nodata): HostNameAnswer => ({ A, AAAA });
const none: HostNameAnswer = { A: nxdomain, AAAA: nxdomain };
const failed: HostNameAnswer = { A: servfail, AAAA: servfail };

const after = (answers: HostNameAnswer[]): HostNameState => answers.reduce(afterAnswer, unknownHostName);
const times = (count: number, answer: HostNameAnswer) => Array<HostNameAnswer>(count).fill(answer);

interface Case {
  answers: HostNameAnswer[];
  A?: string[];
  AAAA?: string[];
  fault?: unknown;
  unsettled?: string[];
}

test.each<[string, Case]>([
  ['nothing is known before the first answer', { answers: [], fault: 'Unknown', unsettled: ['A', 'AAAA'] }],
  ['an answer counts at once', { answers: [only(a('1'))], A: ['1'] }],
  ['both families count', { answers: [only(a('1'), a('::1'))], A: ['1'], AAAA: ['::1'] }],
  ['the order of addresses is none of their own', { answers: [only(a('2', '1'))], A: ['1', '2'] }],
  ['rotation over two answers keeps both', { answers: [only(a('1')), only(a('2'))], A: ['1', '2'] }],
  [
    'an address is kept while two answers lack it',
    { answers: [only(a('1')), ...times(2, only(a('2')))], A: ['1', '2'] },
  ],
  ['an address goes with the third', { answers: [only(a('1')), ...times(3, only(a('2')))], A: ['2'] }],
  [
    'only answers in a row count',
    { answers: [only(a('1')), ...times(2, only(a('2'))), only(a('1')), ...times(2, only(a('2')))], A: ['1', '2'] },
  ],
  ['all addresses are kept while two answers are NXDOMAIN', { answers: [only(a('1')), ...times(2, none)], A: ['1'] }],
  ['and go with the third', { answers: [only(a('1')), ...times(3, none)], fault: 'Absent' }],
  ['a name without any has none at once', { answers: [none], fault: 'Absent' }],
  ['NODATA is told from NXDOMAIN', { answers: [only(nodata)], fault: 'NoAddress' }],
  [
    'addresses that lead nowhere are told',
    { answers: [only({ addresses: [], absence: 'Unusable' })], fault: 'Unusable' },
  ],
  [
    'failures are no answers: the last addresses are kept',
    { answers: [only(a('1')), ...times(9, failed)], A: ['1'], fault: { failure: 'SERVFAIL' } },
  ],
  [
    'failures in between do not interrupt a row',
    { answers: [only(a('1')), none, failed, none, failed, none], fault: 'Absent' },
  ],
  ['one that never answered', { answers: [failed], fault: { failure: 'SERVFAIL' }, unsettled: ['A', 'AAAA'] }],
  ['a failure for IPv6 alone is of no matter', { answers: [only(a('1'), servfail)], A: ['1'], unsettled: ['AAAA'] }],
  [
    'unless there were addresses',
    {
      answers: [only(a('1'), a('::1')), only(a('1'), servfail)],
      A: ['1'],
      AAAA: ['::1'],
      fault: { failure: 'SERVFAIL' },
    },
  ],
])('%s', (_, { answers, A = [], AAAA = [], fault, unsettled = [] }) => {
  expect(addressesOf(after(answers), false)).toEqual({ A, AAAA, unsettled, ...(fault !== undefined && { fault }) });
});

test('what an agent has inherited is settled by three answers of a family', () => {
  const unsettledAfter = (...answers: HostNameAnswer[]) => addressesOf(after(answers), true).unsettled;
  expect(unsettledAfter(...times(2, only(a('1'))))).toEqual(['A', 'AAAA']);
  expect(unsettledAfter(...times(3, only(a('1'))))).toEqual([]);
  expect(unsettledAfter(...times(3, only(a('1'), servfail)))).toEqual(['AAAA']);
  expect(unsettledAfter(...times(9, failed))).toEqual(['A', 'AAAA']);
});

test.each<[string, HostNameAnswer[], number]>([
  ['a TTL of 0', [only({ addresses: ['1'], ttl: 0 })], 5_000],
  ['the TTL', [only({ addresses: ['1'], ttl: 60 })], 60_000],
  ['the lower of two TTLs', [only({ addresses: ['1'], ttl: 60 }, { addresses: ['::1'], ttl: 20 })], 20_000],
  ['a TTL of a day', [only({ addresses: ['1'], ttl: 86_400 })], 300_000],
  ['no address', [none], 15_000],
  ['a failure', [failed], 5_000],
  ['three failures', times(3, failed), 20_000],
  ['many failures', times(1_000, failed), 60_000],
  ['a failure for one family', [only({ addresses: ['1'], ttl: 60 }, servfail)], 60_000],
  ['an answer after failures', [...times(9, failed), only({ addresses: ['1'], ttl: 30 })], 30_000],
])('the next query after %s', (_, answers, milliseconds) => {
  expect(intervalAfter(after(answers), answers.at(-1)!)).toBe(milliseconds);
});

const addresses = fc.uniqueArray(fc.integer({ min: 0, max: 99 }).map(String), { maxLength: 50 });
const familyAnswer = fc.oneof(
  fc.record({ addresses: fc.uniqueArray(fc.constantFrom('1', '2', '3', '4')), ttl: fc.nat(100_000) }),
  fc.record({ addresses, ttl: fc.nat(100_000) }),
  fc.constant(nxdomain),
  fc.constant(servfail),
);
const answer: fc.Arbitrary<HostNameAnswer> = fc.record({ A: familyAnswer, AAAA: familyAnswer });
const history = fc.array(answer, { maxLength: 12 });

test('an address stands exactly while one of the last three answers has it, but for the limit', () => {
  fc.assert(
    fc.property(history, (answers) => {
      const state = addressesOf(after(answers), false);
      for (const family of families) {
        const answered = answers.map((each) => each[family]).filter((each) => !('failure' in each));
        const last = new Set(answered.slice(-3).flatMap((each) => [...(each as { addresses: string[] }).addresses]));
        expect(state[family].length).toBeLessThanOrEqual(32);
        expect(last).toEqual(last.union(new Set(state[family])));
        const few = answered.every((each) => (each as { addresses: string[] }).addresses.length <= 4);
        if (few) expect(new Set(state[family])).toEqual(last);
      }
    }),
  );
});

test('the order of the addresses in an answer changes nothing, and each interval is within its bounds', () => {
  fc.assert(
    fc.property(history, (answers) => {
      const reversed = answers.map(({ A, AAAA }) => ({ A: inReverse(A), AAAA: inReverse(AAAA) }));
      expect(addressesOf(after(reversed), true)).toEqual(addressesOf(after(answers), true));
      const last = answers.at(-1);
      if (!last) return;
      const interval = intervalAfter(after(answers), last);
      expect(interval).toBeGreaterThanOrEqual(5_000);
      expect(interval).toBeLessThanOrEqual(300_000);
    }),
  );
});

const inReverse = (each: FamilyAnswer): FamilyAnswer =>
  'failure' in each ? each : { ...each, addresses: each.addresses.toReversed() };
