import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entries, entriesSchema, isSame, objectOf } from '../../../functions/agent/tailnet/entries.ts';
import { type PlanInput, planOf } from '../../../functions/agent/tailnet/plan.ts';

const [old, now, foreign] = ['100.64.0.1', '100.64.0.2', '192.0.2.1'];

interface Case {
  reason: string;
  zones?: string[];
  addresses?: string[];
  written?: Record<string, string[]>;
  current?: Record<string, string[]>;
  expected: { changes?: object; after?: object; conflicts?: object };
}

const cases: Case[] = [
  {
    reason: 'a new zone gets an entry',
    expected: { changes: { 'a.internal': [now] }, after: { 'a.internal': [now] } },
  },
  {
    reason: 'an entry that is as it should be is not written',
    written: { 'a.internal': [now] },
    current: { 'a.internal': [now], 'others.example': [foreign] },
    expected: { after: { 'a.internal': [now] } },
  },
  {
    reason: 'the order of the addresses does not matter',
    addresses: [now, 'fd7a::1'],
    current: { 'a.internal': ['fd7a::1', now] },
    expected: { after: { 'a.internal': [now, 'fd7a::1'] } },
  },
  {
    reason: 'an entry that a person has made as it should be is taken over',
    current: { 'a.internal': [now] },
    expected: { after: { 'a.internal': [now] } },
  },
  {
    reason: 'an address that changed is followed',
    written: { 'a.internal': [old] },
    current: { 'a.internal': [old] },
    expected: { changes: { 'a.internal': [now] }, after: { 'a.internal': [now] } },
  },
  {
    reason: 'an entry that somebody has removed is written again',
    written: { 'a.internal': [now] },
    expected: { changes: { 'a.internal': [now] }, after: { 'a.internal': [now] } },
  },
  {
    reason: 'an entry without addresses is nobody’s',
    current: { 'a.internal': [] },
    expected: { changes: { 'a.internal': [now] }, after: { 'a.internal': [now] } },
  },
  {
    reason: 'an entry with an address of others stays',
    written: { 'a.internal': [old] },
    current: { 'a.internal': [old, foreign] },
    expected: { after: { 'a.internal': [old] }, conflicts: { 'a.internal': [old, foreign] } },
  },
  {
    reason: 'a zone that goes is removed, and forgotten',
    zones: [],
    written: { 'a.internal': [now] },
    current: { 'a.internal': [now] },
    expected: { changes: { 'a.internal': null }, after: {} },
  },
  {
    reason: 'a zone that goes is left to the others that have changed it, and forgotten',
    zones: [],
    written: { 'a.internal': [now] },
    current: { 'a.internal': [foreign] },
    expected: { after: {} },
  },
  {
    reason: 'without an address entries stay, but those of zones that go',
    zones: ['a.internal'],
    addresses: [],
    written: { 'a.internal': [old], 'b.internal': [old] },
    current: { 'a.internal': [old], 'b.internal': [old] },
    expected: { changes: { 'b.internal': null }, after: { 'a.internal': [old] } },
  },
];

test.each(cases)('$reason', ({ zones = ['a.internal'], addresses = [now], written = {}, current = {}, expected }) => {
  const plan = planOf({ zones, addresses, written: entries(written), current: entries(current) });
  expect({
    changes: objectOf(plan.changes),
    after: objectOf(plan.after),
    conflicts: objectOf(plan.conflicts),
  }).toEqual({ changes: {}, after: {}, conflicts: {}, ...expected });
});

const entries = (object: Record<string, string[]>): Entries => new Map(Object.entries(object));

test('zones and IPv6 addresses of an answer are compared in one form', () => {
  expect(objectOf(entriesSchema.parse({ 'Corp.Internal.': ['FD7A:0::1', '100.64.0.1'], 'a.internal': null }))).toEqual({
    'a.internal': [],
    'corp.internal': ['fd7a::1', '100.64.0.1'],
  });
});

describe('for any history', () => {
  const zone = fc.constantFrom('a.internal', 'b.internal', 'c.internal');
  const own = fc.subarray([old, now, 'fd7a::1']);
  const some = (addresses: fc.Arbitrary<string[]>) =>
    fc.array(fc.tuple(zone, addresses), { maxLength: 4 }).map((list): Entries => new Map(list));
  const input: fc.Arbitrary<PlanInput> = fc.record({
    zones: fc.uniqueArray(zone, { maxLength: 3 }),
    addresses: own,
    written: some(own),
    current: some(fc.subarray([old, now, 'fd7a::1', foreign])),
  });
  const applied = ({ changes }: ReturnType<typeof planOf>, current: Entries): Entries => {
    const result = new Map(current);
    for (const [zone, addresses] of changes) {
      if (addresses) result.set(zone, addresses);
      else result.delete(zone);
    }
    return result;
  };

  test('what others have written stays', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { changes } = planOf(given);
        for (const zone of changes.keys()) {
          const written = given.written.get(zone) ?? [];
          expect((given.current.get(zone) ?? []).every((address) => written.includes(address))).toBe(true);
        }
      }),
    );
  });

  test('afterwards nothing is left to do, whether or not the memory of it was lost in between', () => {
    fc.assert(
      fc.property(input, (given) => {
        const plan = planOf(given);
        const current = applied(plan, given.current);
        for (const written of [plan.before, plan.after]) {
          expect(planOf({ ...given, written, current }).changes).toEqual(new Map());
        }
      }),
    );
  });

  test('every zone has its entry, or is in conflict', () => {
    fc.assert(
      fc.property(
        input.filter(({ addresses }) => addresses.length > 0),
        (given) => {
          const plan = planOf(given);
          const current = applied(plan, given.current);
          for (const zone of given.zones) {
            expect(isSame(current.get(zone) ?? [], given.addresses) !== plan.conflicts.has(zone)).toBe(true);
          }
        },
      ),
    );
  });

  test('in the end nothing of this server is left', () => {
    fc.assert(
      fc.property(input, (given) => {
        const first = planOf(given);
        const current = applied(first, given.current);
        for (const written of [first.before, first.after]) {
          const last = planOf({ zones: [], addresses: [], written, current });
          expect(last.after).toEqual(new Map());
          for (const [zone, addresses] of applied(last, current)) {
            const isOthers = addresses.some((address) => !(written.get(zone) ?? []).includes(address));
            expect(addresses.length === 0 || isOthers).toBe(true);
          }
        }
      }),
    );
  });
});
