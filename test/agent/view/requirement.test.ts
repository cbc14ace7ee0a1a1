import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LabelSelector } from '../../../functions/agent/declaration.ts';
import { matches } from '../../../functions/agent/selector.ts';
import { selectorIn, unmetIn } from '../../../functions/agent/view/requirement.ts';
import { printedSelector } from '../../../functions/internal-dns/discovery/label-selector.ts';

test.each<[string, LabelSelector]>([
  ['', {}],
  ['team=a', { matchLabels: { team: 'a' } }],
  ['tier=', { matchLabels: { tier: '' } }],
  ['tier=,team=a', { matchLabels: { tier: '', team: 'a' } }],
  ['example.com/team=a.b_c-d', { matchLabels: { 'example.com/team': 'a.b_c-d' } }],
  ['owner', { matchExpressions: [{ key: 'owner', operator: 'Exists' }] }],
  ['!public', { matchExpressions: [{ key: 'public', operator: 'DoesNotExist' }] }],
  ['tier in (edge)', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['edge'] }] }],
  ['stage notin (a,,b)', { matchExpressions: [{ key: 'stage', operator: 'NotIn', values: ['a', '', 'b'] }] }],
  ['stage in ()', { matchExpressions: [{ key: 'stage', operator: 'In', values: [''] }] }],
  ['in in (in,notin)', { matchExpressions: [{ key: 'in', operator: 'In', values: ['in', 'notin'] }] }],
  [
    'team=a,tier in (x,y),!public,owner,stage notin (z)',
    {
      matchLabels: { team: 'a' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['x', 'y'] },
        { key: 'public', operator: 'DoesNotExist' },
        { key: 'owner', operator: 'Exists' },
        { key: 'stage', operator: 'NotIn', values: ['z'] },
      ],
    },
  ],
])('%j is read', (text, selector) => {
  expect(selectorIn(text)).toEqual({ matchLabels: {}, matchExpressions: [], ...selector });
});

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

test('what is printed for ExternalDNS is read as what it was', () => {
  fc.assert(
    fc.property(selector, ({ matchLabels = {}, matchExpressions = [] }) => {
      expect(selectorIn(printedSelector({ matchLabels, matchExpressions }))).toEqual({ matchLabels, matchExpressions });
    }),
  );
});

test('there is a requirement that is not met just where the whole does not match, and it does not match by itself', () => {
  fc.assert(
    fc.property(selector, labels, (all, there) => {
      const unmet = unmetIn(all, there);
      expect(unmet === undefined).toBe(matches(all, there));
      if (unmet !== undefined) expect(matches(selectorIn(unmet), there)).toBe(false);
    }),
  );
});

describe('the first requirement that is not met is', () => {
  test.each<[string, string, Record<string, string>]>([
    ['team=a', 'team=a,tier=edge', { tier: 'core' }],
    ['tier=edge', 'team=a,tier=edge', { team: 'a' }],
    ['stage notin (test,canary)', 'team=a,stage notin (test,canary)', { team: 'a', stage: 'test' }],
    ['tier in (edge)', 'tier in (edge),owner', {}],
    ['owner', 'owner,!public', { public: '' }],
    ['!public', 'owner,!public', { owner: '', public: '' }],
  ])('%s of %s', (unmet, text, there) => {
    expect(unmetIn(selectorIn(text), there)).toBe(unmet);
  });

  test('cut where it is long', () => {
    expect(unmetIn({ matchLabels: { [`${'a'.repeat(250)}/b`]: 'c' } }, {})).toHaveLength(101);
  });
});
