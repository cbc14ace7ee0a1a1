import { describe, expect, test } from 'vitest';
import { type Change, type PodLog, writesWithoutCause } from './quiescence.ts';

/** The log of a pod that started at second 0; times are seconds since 1970. */
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

describe('a write is not reported', () => {
  test.each<{ reason: string; changes: Change[]; write: number }>([
    { reason: 'right after a change', changes: [change(100)], write: 101 },
    { reason: 'before ExternalDNS has been idle for three loops', changes: [change(100)], write: 104 },
    { reason: 'during a disturbance', changes: [change(50, 200)], write: 150 },
    { reason: 'if the watcher sees the change a moment later', changes: [change(100)], write: 97 },
  ])('$reason', ({ changes, write }) => {
    const log = podWith({ loops: { 'external-dns': every(2, 300, 2) }, writes: [[write, zone]] });
    expect(writesWithoutCause(log, changes)).toEqual([]);
  });
});

test('a write after idle loops is reported with the last change before it', () => {
  const log = podWith({ loops: { 'external-dns': every(2, 300, 2) }, writes: [[120, zone]] });
  expect(writesWithoutCause(log, [change(10), change(100), change(200)])).toEqual([
    '1970-01-01T00:02:00.000Z idns-corp-0: "change zone corp.internal" after 9 idle loops of ExternalDNS since the last change (ingresses shop/web, 20.0 s before)',
  ]);
});

test('a write is only reported after every ExternalDNS of the pod has been idle', () => {
  const writes: [number, string][] = [[120, zone]];
  const idle = podWith({
    loops: { 'external-dns-a': every(2, 300, 2), 'external-dns-b': every(101, 119, 2) },
    writes,
  });
  expect(writesWithoutCause(idle, [change(100)])).toHaveLength(1);
  const busy = podWith({ loops: { 'external-dns-a': every(2, 300, 2), 'external-dns-b': [50] }, writes });
  expect(writesWithoutCause(busy, [change(100)])).toEqual([]);
});

test('a write in every loop is reported once, although no loop is idle', () => {
  const writes = every(102, 200, 2).map((second): [number, string] => [second, zone]);
  const found = writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), [change(100)]);
  expect(found).toEqual([
    expect.stringContaining('"change zone corp.internal" for the 5th time since the last change'),
  ]);
});

test('writes after each of several changes are not reported', () => {
  const writes = every(102, 200, 2).map((second): [number, string] => [second, zone]);
  const changes = every(101, 201, 8).map((second) => change(second));
  expect(writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), changes)).toEqual([]);
});

test('writes to several zones after one change are not reported', () => {
  const writes = every(101, 120, 1).map((second): [number, string] => [second, `create zone ${second}.internal`]);
  expect(writesWithoutCause(podWith({ loops: { 'external-dns': [] }, writes }), [change(100)])).toEqual([]);
});
