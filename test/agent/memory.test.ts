import { expect, test } from 'vitest';
import { availableMemory, mostRecordsIn } from '../../functions/agent/memory.ts';

test('the records that fit grow with the memory', () => {
  const [usual, twice] = [256, 512].map((MiB) => mostRecordsIn(MiB * 2 ** 20));
  // What one $GENERATE may make, and the rest of a zone.
  expect(usual).toBeGreaterThan(65_536 + 1000);
  expect(twice).toBeGreaterThan(2 * usual!);
  expect(mostRecordsIn(16 * 2 ** 20)).toBe(1000);
});

test('a process knows how much memory it has', () => {
  expect(availableMemory()).toBeGreaterThan(16 * 2 ** 20);
  expect(availableMemory()).toBeLessThan(2 ** 60);
});
