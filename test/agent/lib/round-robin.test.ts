import { expect, test } from 'vitest';
import { roundRobin } from '../../../functions/agent/lib/round-robin.ts';

test.each<[string[], string]>([
  [[], ''],
  [['', ''], ''],
  [['abc'], 'abc'],
  [['abc', 'x', 'pq'], 'axpbqc'],
  [['abc', 'bcd'], 'abcd'],
])('of %j', (lists, expected) => {
  expect([...roundRobin(lists)].join('')).toBe(expected);
});
