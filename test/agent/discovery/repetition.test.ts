import { expect, test } from 'vitest';
import { Repetition } from '../../../functions/agent/discovery/wish/repetition.ts';
import { want } from '../make.ts';

const [a, b] = [
  want('ingress/shop/a', 'a.corp.internal', 'A', '192.0.2.1'),
  want('ingress/shop/b', 'b.corp.internal', 'A', '192.0.2.2'),
];

test('the same endpoints are the same list, in whatever order they come', () => {
  const repetition = new Repetition();
  const first = repetition.read(JSON.stringify([a, b]));
  expect(first).toEqual([a, b]);
  expect(repetition.read(JSON.stringify([b, a]))).toBe(first);
  expect(repetition.read(JSON.stringify([a, b]))).toBe(first);
});

test.each([
  ['one more', [a, b, want('ingress/shop/c', 'c.corp.internal', 'A', '192.0.2.3')]],
  ['one fewer', [a]],
  ['none', []],
  ['another target', [a, { ...b, targets: ['192.0.2.3'] }]],
  ['another time to live', [a, { ...b, recordTTL: 5 }]],
  ['another object', [a, { ...b, labels: { resource: 'ingress/shop/c' } }]],
])('%s is another list', (_, other) => {
  const repetition = new Repetition();
  const first = repetition.read(JSON.stringify([a, b]));
  const second = repetition.read(JSON.stringify(other));
  expect(second).not.toBe(first);
  expect(second).toEqual(other);
  expect(repetition.read(JSON.stringify([a, b]))).toEqual([a, b]);
});

test('what Go writes for an empty list is one', () => {
  expect(new Repetition().read('null')).toEqual([]);
});

test('what is no list of endpoints is refused each time, and forgets nothing', () => {
  const repetition = new Repetition();
  const first = repetition.read(JSON.stringify([a]));
  for (const bad of ['{', '{}', '[1]', '[{"targets":1}]']) {
    expect(() => repetition.read(bad)).toThrow();
    expect(() => repetition.read(bad)).toThrow();
  }
  expect(repetition.read(JSON.stringify([a]))).toBe(first);
});
