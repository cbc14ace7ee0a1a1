import { expect, test } from 'vitest';
import { availableMemory, mostCharactersIn, mostRecordsIn } from '../../../functions/agent/lib/memory.ts';

test('the records that fit grow with the memory', () => {
  const [usual, twice] = [256, 512].map((MiB) => mostRecordsIn(MiB * 2 ** 20));
  // The records of one $GENERATE and the rest of a zone.
  expect(usual).toBeGreaterThan(65_536 + 1000);
  expect(twice).toBeGreaterThan(2 * usual!);
  expect(mostRecordsIn(16 * 2 ** 20)).toBe(1000);
});

test('the characters that fit grow with the memory', () => {
  expect([64, 256, 512].map((MiB) => mostCharactersIn(MiB * 2 ** 20) / 2 ** 20)).toEqual([4, 16, 32]);
  expect(mostCharactersIn(2 ** 20)).toBe(2 ** 20);
});

test('a process knows its memory limit', () => {
  expect(availableMemory()).toBeGreaterThan(16 * 2 ** 20);
  expect(availableMemory()).toBeLessThan(2 ** 60);
});
