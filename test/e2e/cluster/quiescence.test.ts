import { describe, expect, test } from 'vitest';
import { type Change, type PodLog, writesWithoutCause } from './quiescence.ts';

/** A pod that was started at second 0, with seconds since 1970 for times. */
function podWith({
  loops,
  writes,
}: {
  loops: Record<string, number[]>;
  writes: [second: number, what: string][];
}): PodLog {
  const inMs = Object.entries(loops).map(([name, seconds]) => [name, seconds.map((second) => second * 1000)]);
  return {
    pod: 'idns-corp-0',
    starts: [0],
    loops: Object.fromEntries(inMs),
    writes: writes.map(([second, what]) => ({ at: second * 1000, what })),
  };
}

const change = (from: number, to = from): Change => ({ from: from * 1000, to: to * 1000, what: 'ingresses shop/web' });
const zone = 'change zone corp.internal';
const every = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

describe('a write has a cause', () => {
  test.each<{ reason: string; changes: Change[]; write: number }>([
    { reason: 'right after a change', changes: [change(100)], write: 101 },
    { reason: 'while ExternalDNS has not rested since', changes: [change(100)], write: 104 },
    { reason: 'while something goes on', changes: [change(50, 200)], write: 150 },
    { reason: 'when the watcher hears of the change a moment later', changes: [change(100)], write: 97 },
  ])('$reason', ({ changes, write }) => {
    const log = podWith({ loops: { 'external-dns': every(2, 300, 2) }, writes: [[write, zone]] });
    expect(writesWithoutCause(log, changes)).toEqual([]);
  });
});

test('a write after loops that had nothing to do is told, with the last change before it', () => {
  const log = podWith({ loops: { 'external-dns': every(2, 300, 2) }, writes: [[120, zone]] });
  expect(writesWithoutCause(log, [change(10), change(100), change(200)])).toEqual([
    '1970-01-01T00:02:00.000Z idns-corp-0: "change zone corp.internal" after 9 loops of ExternalDNS that had nothing to do since the last change (ingresses shop/web, 20.0 s before)',
  ]);
});

test('every ExternalDNS of the pod must have rested', () => {
  const writes: [number, string][] = [[120, zone]];
  const rested = podWith({
    loops: { 'external-dns-a': every(2, 300, 2), 'external-dns-b': every(101, 119, 2) },
    writes,
  });
  expect(writesWithoutCause(rested, [change(100)])).toHaveLength(1);
  const restless = podWith({ loops: { 'external-dns-a': every(2, 300, 2), 'external-dns-b': [50] }, writes });
  expect(writesWithoutCause(restless, [change(100)])).toEqual([]);
});

test('a write in every loop is told once, though no loop is without anything to do', () => {
  const writes = every(102, 200, 2).map((second): [number, string] => [second, zone]);
  const told = writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), [change(100)]);
  expect(told).toEqual([expect.stringContaining('"change zone corp.internal" for the 5th time since the last change')]);
});

test('each change may be followed by writes of its own', () => {
  const writes = every(102, 200, 2).map((second): [number, string] => [second, zone]);
  const changes = every(101, 201, 8).map((second) => change(second));
  expect(writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), changes)).toEqual([]);
});

test('several zones may be written for one change', () => {
  const writes = every(101, 120, 1).map((second): [number, string] => [second, `create zone ${second}.internal`]);
  expect(writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), [change(100)])).toEqual([]);
});
