import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceFilters } from '../../../../functions/agent/sources/kinds/annotation.ts';
import { selectorReason, unmetRequirement } from '../../../../functions/agent/sources/kinds/filter.ts';
import { type LabelSelector, matchesSelector, printedSelector } from '../../../../functions/contract/label-selector.ts';
import { both, metadata } from './object.ts';

const key = fc.constantFrom('a', 'b', 'in', 'example.com/a', 'constructor');
const value = fc.constantFrom('', '1', '2', 'in', 'a.b-c_d');
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const anyLabels = fc.dictionary(key, value, { noNullPrototype: true });
const selector = fc.record({
  matchLabels: anyLabels,
  matchExpressions: fc.array(expression, { maxLength: 3 }),
}) as fc.Arbitrary<LabelSelector>;

/** A selector for each of its requirements. */
const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): LabelSelector[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ matchLabels: { [key]: value } })),
  ...matchExpressions.map((expression) => ({ matchExpressions: [expression] })),
];

test('returns a requirement exactly if the selector does not match', () => {
  fc.assert(
    fc.property(selector, anyLabels, (all, labels) => {
      expect(unmetRequirement(all, labels) === undefined).toBe(matchesSelector(all, labels));
    }),
  );
});

test('returns the first requirement that does not match, in the syntax of ExternalDNS', () => {
  fc.assert(
    fc.property(selector, anyLabels, (all, labels) => {
      const unmet = requirementsOf(all).filter((requirement) => !matchesSelector(requirement, labels));
      expect(unmetRequirement(all, labels)).toBe(unmet.map(printedSelector)[0]);
    }),
  );
});

describe('the first unmet requirement is', () => {
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
  ])('%s', (unmet, all, labels) => {
    expect(unmetRequirement(all, labels)).toBe(unmet);
  });

  test('truncated if it is long', () => {
    expect(unmetRequirement({ matchLabels: { [`${'a'.repeat(250)}/b`]: 'c' } }, {})).toHaveLength(101);
  });
});

const [own, old, mine] = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/', 'dns.corp.example/'];
const isSelected = (...of: Parameters<typeof selectorReason>) => selectorReason(...of) === undefined;
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
    'an inherited key',
    { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    [{ constructor: '1' } as unknown as Record<string, string>],
    [{}],
  ],
];

test.each(selectors)(
  'an annotation selector with %s selects like a label selector',
  (_, annotationSelector, matching, others) => {
    const filters: SourceFilters = { ...both, annotationSelector };
    for (const annotations of matching) expect(isSelected(metadata(annotations), filters)).toBe(true);
    for (const annotations of others) expect(isSelected(metadata(annotations), filters)).toBe(false);
    expect(isSelected({ name: 'web' }, filters)).toBe(isSelected(metadata({}), filters));
  },
);

test('an annotation selector matches legacy annotations under the default prefix, unless a prefix is declared', () => {
  const annotationSelector = { matchLabels: { [`${own}zone`]: 'inside' } };
  const object = metadata({ [`${old}zone`]: 'inside' });
  expect(isSelected(object, { ...both, annotationSelector })).toBe(true);
  expect(isSelected(object, { ...both, annotationSelector, annotationPrefix: mine })).toBe(false);
  expect(
    isSelected(metadata({ [`${old}zone`]: 'inside', [`${own}zone`]: 'outside' }), { ...both, annotationSelector }),
  ).toBe(false);
});
