import { expect, test } from 'vitest';
import { areSame, Memo, MemoByKey } from '../../../functions/agent/lib/memo.ts';

test('work is done again only when an input is another object', () => {
  const memo = new Memo<object>();
  const input = { a: 1 };
  const first = memo.get([input, 'x'], () => ({}));
  expect(memo.get([input, 'x'], () => ({}))).toBe(first);
  for (const of of [[{ ...input }, 'x'], [input, 'y'], [input], []]) {
    expect(memo.get(of, () => ({}))).not.toBe(first);
    memo.get([input, 'x'], () => first);
  }
});

test('work is done again after forget, and after it threw', () => {
  const memo = new Memo<number>();
  expect(() =>
    memo.get([], () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(memo.get([], () => 1)).toBe(1);
  memo.forget();
  expect(memo.get([], () => 2)).toBe(2);
});

test('each key has a result of its own', () => {
  const memo = new MemoByKey<object, object>();
  const [one, other] = [{}, {}];
  const first = memo.get(one, ['x'], () => ({}));
  const second = memo.get(other, ['x'], () => ({}));
  expect(second).not.toBe(first);
  expect(memo.get(one, ['x'], () => ({}))).toBe(first);
  expect(memo.get(other, ['x'], () => ({}))).toBe(second);
  expect(memo.get(one, ['y'], () => ({}))).not.toBe(first);
});

test('lists with the same members are the same', () => {
  const each = {};
  expect(areSame([each, 1], [each, 1])).toBe(true);
  expect(areSame([each], [{}])).toBe(false);
  expect(areSame([each], [each, each])).toBe(false);
});
