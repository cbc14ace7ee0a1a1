import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Json, patched, patchFrom } from './merge-patch.ts';

// https://www.rfc-editor.org/rfc/rfc7386#appendix-A
test.for<[target: Json, patch: Json, result: Json]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('as in RFC 7386, %j patched with %j is %j', ([target, patch, result]) => {
  expect(patched(target, patch)).toEqual(result);
});

describe('a patch', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '- a', ''), { maxLength: 8 }).map((lines) => lines.join('\n'));
  // Few names, so that both values have some in common.
  const name = fc.constantFrom('a', 'b', 'c', '1', 'Off', '__proto__');
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.boolean(), fc.integer(), fc.string(), text),
      fc.dictionary(fc.oneof(name, fc.constantFrom('name', 'type')), tie('json'), { maxKeys: 4 }),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.array(fc.oneof(name, text), { maxLength: 6 }),
      fc
        .uniqueArray(fc.tuple(name, tie('json')), { selector: ([name]) => name, maxLength: 4 })
        .map((items) => items.map(([name, value]) => ({ name, value }))),
    ),
  }));

  test('turns one value into the other, after a round trip through YAML', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const patch = patchFrom(before, after);
        const options = { version: '1.1', sortMapEntries: true } as const;
        const read = patch === undefined ? undefined : parse(stringify(patch, options), options);
        expect(read === undefined ? before : patched(before, read)).toEqual(after);
      }),
      { numRuns: 500 },
    );
  });

  const container = (name: string, ...args: string[]) => ({ name, image: 'x', args });

  test('has only the list items that differ, by name', () => {
    const before = [container('a', '-1'), container('b'), container('c')];
    const after = [container('a', '-1'), { ...container('b'), image: 'y' }, container('d')];
    expect(patchFrom(before, after)).toEqual({ $by: 'name', b: { image: 'y' }, c: null, d: container('d') });
  });

  test('has the order of a list unless new items are last', () => {
    const [a, b] = [{ name: 'a' }, { name: 'b' }];
    expect(patchFrom([a, b], [b, a])).toEqual({ $by: 'name', $order: ['b', 'a'] });
    expect(patchFrom([a], [b, a])).toEqual({ $by: 'name', b, $order: ['b', 'a'] });
    expect(patchFrom([a], [a, b])).toEqual({ $by: 'name', b });
  });

  test('has only the differing lines of a text, a list of strings or any other list', () => {
    expect(patchFrom('a\nb\nc\nd\n', 'a\nb\nc\nx\n')).toEqual({ $lines: '@@\n-d\n+x\n' });
    expect(patchFrom(['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'x'])).toEqual({ $lines: '@@\n-d\n+x\n' });
    const rule = (...names: string[]) => ({ verbs: ['get', 'list'], names });
    expect(patchFrom([rule('x'), rule('y')], [rule('x'), rule('y', 'z')])).toEqual({ $lines: '@@\n   - y\n+  - z\n' });
  });

  test('has the whole value if a diff would not be shorter', () => {
    expect(patchFrom('a\nb\n', 'a\nx\n')).toBe('a\nx\n');
    expect(patchFrom(['a', 'b'], ['x'])).toEqual(['x']);
  });

  test('is refused for a value that it cannot express', () => {
    expect(() => patchFrom({}, { a: [{ b: null }] })).toThrow('cannot write a merge patch: a null');
    expect(() => patchFrom({}, { $by: 'name' })).toThrow('cannot write a merge patch: $by would be a directive');
  });
});
