import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hunksOf, withHunks } from './lines.ts';

// Few letters, so that lines repeat.
const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '@@', '+a', '-a', ' a'), { maxLength: 12 });

test('hunks turn the lines before into those after, whatever lines repeat', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      expect(withHunks(before, hunksOf(before, after))).toEqual(after);
    }),
    { numRuns: 2000 },
  );
});

test.for<[reason: string, before: string, after: string, hunks: string[]]>([
  ['the same lines have no hunks', 'a b', 'a b', []],
  ['a unique line needs no context', 'a b c', 'a x c', ['@@', '-b', '+x']],
  ['an added line has the one above as its context', 'a b c', 'a b x c', ['@@', ' b', '+x']],
  ['a first line has the one below', 'a b', 'x a b', ['@@', '+x', ' a']],
  ['a last line has none', 'a b', 'a b x', ['@@ end', '+x']],
  ['a line that repeats gets the context that identifies it', 'a b a c', 'a b c', ['@@', ' b', '-a']],
  ['changes that do not touch are separate hunks', 'a b c', 'x b y', ['@@', '-a', '+x', '@@', '-c', '+y']],
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
