import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unmetIn } from '../../../../functions/agent/sources/kinds/unmet-selector.ts';
import { type LabelSelector, matchesSelector, printedSelector } from '../../../../functions/contract/label-selector.ts';

const key = fc.constantFrom('a', 'b', 'in', 'example.com/a', 'constructor');
const value = fc.constantFrom('', '1', '2', 'in', 'a.b-c_d');
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const labels = fc.dictionary(key, value, { noNullPrototype: true });
const selector = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(expression, { maxLength: 3 }),
}) as fc.Arbitrary<LabelSelector>;

/** A selector for each of its requirements. */
const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): LabelSelector[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ matchLabels: { [key]: value } })),
  ...matchExpressions.map((expression) => ({ matchExpressions: [expression] })),
];

test('there is a requirement that is not met just where the whole does not match', () => {
  fc.assert(
    fc.property(selector, labels, (all, there) => {
      expect(unmetIn(all, there) === undefined).toBe(matchesSelector(all, there));
    }),
  );
});

test('it does not match by itself, and is printed as it is for ExternalDNS', () => {
  fc.assert(
    fc.property(selector, labels, (all, there) => {
      const unmet = requirementsOf(all).filter((requirement) => !matchesSelector(requirement, there));
      expect(unmetIn(all, there)).toBe(unmet.map(printedSelector)[0]);
    }),
  );
});

describe('the first requirement that is not met is', () => {
  const teamAndTier: LabelSelector = { matchLabels: { team: 'a', tier: 'edge' } };
  const notInTest: LabelSelector = {
    matchLabels: { team: 'a' },
    matchExpressions: [{ key: 'stage', operator: 'NotIn', values: ['test', 'canary'] }],
  };
  const inEdge: LabelSelector = {
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['edge'] },
      { key: 'owner', operator: 'Exists' },
    ],
  };
  const ownedAndPrivate: LabelSelector = {
    matchExpressions: [
      { key: 'owner', operator: 'Exists' },
      { key: 'public', operator: 'DoesNotExist' },
    ],
  };

  test.each<[string, LabelSelector, Record<string, string>]>([
    ['team=a', teamAndTier, { tier: 'core' }],
    ['tier=edge', teamAndTier, { team: 'a' }],
    ['stage notin (test,canary)', notInTest, { team: 'a', stage: 'test' }],
    ['tier in (edge)', inEdge, {}],
    ['owner', ownedAndPrivate, { public: '' }],
    ['!public', ownedAndPrivate, { owner: '', public: '' }],
  ])('%s', (unmet, all, there) => {
    expect(unmetIn(all, there)).toBe(unmet);
  });

  test('cut where it is long', () => {
    expect(unmetIn({ matchLabels: { [`${'a'.repeat(250)}/b`]: 'c' } }, {})).toHaveLength(101);
  });
});
