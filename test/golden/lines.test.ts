import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hunksOf, withHunks } from './lines.ts';

// Few letters, so that lines repeat.
const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '@@', '+a', '-a', ' a'), { maxLength: 12 });

test('hunks turn the old lines into the new ones, whichever lines repeat', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      expect(withHunks(before, hunksOf(before, after))).toEqual(after);
    }),
    { numRuns: 2000 },
  );
});

test.for<[reason: string, before: string, after: string, hunks: string[]]>([
  ['equal lines have no hunks', 'a b', 'a b', []],
  ['a unique line needs no context', 'a b c', 'a x c', ['@@', '-b', '+x']],
  ['an added line has the previous line as context', 'a b c', 'a b x c', ['@@', ' b', '+x']],
  ['an added first line has the next line as context', 'a b', 'x a b', ['@@', '+x', ' a']],
  ['an added last line has no context', 'a b', 'a b x', ['@@ end', '+x']],
  ['a line that repeats gets the context that identifies it', 'a b a c', 'a b c', ['@@', ' b', '-a']],
  ['changes that are not adjacent are separate hunks', 'a b c', 'x b y', ['@@', '-a', '+x', '@@', '-c', '+y']],
])('%s', ([, before, after, hunks]) => {
  expect(hunksOf(before.split(' '), after.split(' '))).toEqual(hunks);
});

test('lines added above do not change a hunk', () => {
  expect(hunksOf(['a', 'b', 'c'], ['a', 'b', 'x'])).toEqual(hunksOf(['new', 'y', 'b', 'c'], ['new', 'y', 'b', 'x']));
});

test('a hunk that fits nowhere, or in two places, is refused', () => {
  expect(() => withHunks(['a'], ['@@', '-b'])).toThrow('["b"] is not there');
  expect(() => withHunks(['a', 'a'], ['@@', '-a'])).toThrow('["a"] is there more than once');
});
