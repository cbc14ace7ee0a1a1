import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReportWriter } from '../../../functions/agent/kubernetes/report-writer.ts';
import { bounds, type Report, type Resolution, report as reportSchema } from '../../../functions/contract/report.ts';

const report = (changes: Partial<Report> = {}): Report => ({
  declaration: 'one',
  zones: [{ name: 'corp.internal', state: 'Serving' }],
  discovery: { state: 'Synced' },
  ...changes,
});
const problem = { name: 'a.corp.internal', resource: 'ingress/a/web', verdict: 'Pending' as const, message: 'wait' };
const resolving = (resolved: number, total = resolved): Report =>
  report({ names: { total, resolved, problems: resolved < total ? [problem] : [] } });
const without = (name: string) => report({ names: { total: 1, resolved: 0, problems: [{ ...problem, name }] } });
const tested = (state: Resolution['state']): Partial<Report> => ({
  resolution: { state, since: '2026-01-31T12:00:00Z', ...(state !== 'Serving' && { message: 'why' }) },
});

function setUp() {
  const written: Report[] = [];
  const clock = { now: 0 };
  const state = { failure: undefined as string | undefined };
  const writer = new ReportWriter({
    write: async (text) => {
      if (state.failure) throw new Error(state.failure);
      written.push(JSON.parse(text));
    },
    now: () => clock.now,
  });
  return { writer, written, clock, state };
}

test('a report is written at once, and not again while it stays the same', async () => {
  const { writer, written, clock } = setUp();
  for (; clock.now < 59_000; clock.now += 500) await writer.update(report());
  expect(written).toEqual([report()]);
});

test('the first report is delayed for ten seconds while it is not serving', async () => {
  const starting = report({ discovery: { state: 'Waiting' } });
  const { writer, written, clock } = setUp();
  for (; clock.now < 10_000; clock.now += 500) await writer.update(starting);
  expect(written).toEqual([]);
  await writer.update(starting);
  await writer.update(report());
  expect(written).toEqual([starting, report()]);
});

test('what is to be written later waits until it is', async () => {
  const { writer, clock, state } = setUp();
  const isWaitingAfter = async (each: Report) => {
    await writer.update(each).catch(() => {});
    return writer.isWaiting;
  };
  expect(await isWaitingAfter(resolving(1))).toBe(false);
  expect(await isWaitingAfter(resolving(2))).toBe(true);
  // It is as it was.
  expect(await isWaitingAfter(resolving(1))).toBe(false);
  clock.now = 10_000;
  state.failure = 'no answer';
  expect(await isWaitingAfter(resolving(2))).toBe(true);
  state.failure = undefined;
  expect(await isWaitingAfter(resolving(2))).toBe(false);
});

describe('the first report on a new declaration', () => {
  const waiting = report({ declaration: 'two', zones: [{ name: 'corp.internal', state: 'Pending' }] });
  const good = report({ declaration: 'two' });

  test('is delayed for three seconds while it is not serving', async () => {
    const { writer, written, clock } = setUp();
    await writer.update(report());
    clock.now = 20_000;
    for (; clock.now < 23_000; clock.now += 500) await writer.update(waiting);
    expect(written).toEqual([report()]);
    await writer.update(waiting);
    expect(written).toEqual([report(), waiting]);
    await writer.update(good);
    expect(written).toEqual([report(), waiting, good]);
  });

  test('is the serving one, if it comes in time', async () => {
    const { writer, written, clock } = setUp();
    await writer.update(report());
    await writer.update(waiting);
    clock.now = 2_500;
    await writer.update(good);
    expect(written).toEqual([report(), good]);
  });

  test('is delayed again for each declaration', async () => {
    const { writer, written, clock } = setUp();
    await writer.update(report());
    await writer.update(waiting);
    clock.now = 2_500;
    const third = { ...waiting, declaration: 'three' };
    await writer.update(third);
    clock.now = 5_000;
    await writer.update(third);
    expect(written).toEqual([report()]);
    clock.now = 5_500;
    await writer.update(third);
    expect(written).toEqual([report(), third]);
  });

  test('is not delayed after a rollback', async () => {
    const { writer, written, clock } = setUp();
    await writer.update(report());
    await writer.update(waiting);
    clock.now = 1_000;
    await writer.update(report());
    expect(written).toEqual([report()]);
    // The same failure of the same declaration is written at once.
    await writer.update(report({ zones: [{ name: 'corp.internal', state: 'Failed', message: 'why' }] }));
    expect(written).toHaveLength(2);
  });
});

test('a change that is not urgent is written after ten seconds, in its latest version', async () => {
  const { writer, written, clock } = setUp();
  await writer.update(report());
  for (clock.now = 500; clock.now <= 9_500; clock.now += 500) await writer.update(without(`a${clock.now}`));
  expect(written).toHaveLength(1);
  clock.now = 10_000;
  await writer.update(without('b'));
  expect(written).toEqual([report(), without('b')]);
});

test.each<[string, Partial<Report>]>([
  ['another declaration', { declaration: 'two' }],
  ['a zone that fails', { zones: [{ name: 'corp.internal', state: 'Failed', message: 'why' }] }],
  ['another zone', { zones: [...report().zones, { name: 'b.internal', state: 'Pending' }] }],
  ['a discovery that stalls', { discovery: { state: 'Stalled' } }],
  ['a test that fails', tested('NotAnswering')],
  ['a kind that the cluster serves by now', { served: ['podmonitors.v1.monitoring.coreos.com'] }],
])('%s is urgent', async (_, changes) => {
  const { writer, written } = setUp();
  await writer.update(report());
  await writer.update(report(changes));
  expect(written).toEqual([report(), report(changes)]);
});

test('a failing self-test and its recovery are urgent, another reason for the failure is not', async () => {
  const { writer, written } = setUp();
  const offers = [tested('Serving'), tested('NotUpdating'), tested('Stalled'), tested('Serving')].map(report);
  for (const each of offers) await writer.update(each);
  expect(written).toEqual([offers[0], offers[1], offers[3]]);
});

test('neither the first self-test that passes nor the first names are urgent', async () => {
  const { writer, written, clock } = setUp();
  await writer.update(report());
  clock.now = 1_000;
  await writer.update({ ...resolving(1), ...tested('Serving') });
  expect(written).toEqual([report()]);
  clock.now = 10_000;
  await writer.update({ ...resolving(2), ...tested('Serving') });
  expect(written.at(-1)?.names?.total).toBe(2);
});

describe('with any changes of the names', () => {
  const names = fc.record({ resolved: fc.nat(40), total: fc.integer({ min: 40, max: 60 }) });
  const seconds = fc.array(names, { minLength: 301, maxLength: 301 });

  /** The times of all writes in five minutes in which the names change every second. */
  async function writesOf(everySecond: { resolved: number; total: number }[], replicas?: number): Promise<number[]> {
    const { writer, written, clock } = setUp();
    const times: number[] = [];
    for (const { resolved, total } of everySecond) {
      const before = written.length;
      await writer.update(resolving(resolved, total), replicas);
      if (written.length > before) times.push(clock.now);
      clock.now += 1_000;
    }
    return times;
  }

  test('a report is written at most every ten seconds: 31 times in five minutes', async () => {
    await fc.assert(
      fc.asyncProperty(seconds, async (everySecond) => {
        const times = await writesOf(everySecond);
        expect(times.length).toBeLessThanOrEqual(31);
        for (const [i, time] of times.entries()) if (i > 0) expect(time - times[i - 1]!).toBeGreaterThanOrEqual(10_000);
      }),
    );
  });

  test.for([1, 2, 5])('%i replicas together write no more often than one does', async (replicas) => {
    const changing = Array.from({ length: 300 }, (_, i) => ({ resolved: i, total: i + 1 }));
    const times = await writesOf(changing, replicas);
    expect(times).toEqual(Array.from({ length: 30 / replicas }, (_, i) => i * 10_000 * replicas));
  });
});

test('a failed write is retried', async () => {
  const { writer, written, state } = setUp();
  state.failure = 'away';
  await expect(writer.update(report())).rejects.toThrow('away');
  state.failure = undefined;
  await writer.update(report());
  expect(written).toEqual([report()]);
});

test('a deleted report is written again', async () => {
  const { writer, written, clock } = setUp();
  await writer.update(report());
  clock.now = 60_000;
  await writer.update(report());
  expect(written).toHaveLength(2);
});

describe('a report that is too long', () => {
  const long = (length: number) => 'ü'.repeat(length);
  const states = ['Serving', 'Failed', 'Retained'] as const;
  const zonesOf = (count: number, message: string): Report['zones'] =>
    Array.from({ length: count }, (_, i) => ({ name: 'z'.repeat(253), state: states[i % 3]!, message }));
  const wordsOf = (length: number) => ({ resource: long(length), name: long(bounds.name), message: long(length) });
  const full = (length: number): Partial<Report> => ({
    discovery: {
      state: 'Synced',
      preview: Array.from({ length: bounds.preview }, () => ({
        action: 'Create' as const,
        name: long(bounds.name),
        type: 'TXT',
        values: Array.from({ length: bounds.values }, () => long(bounds.value)),
      })),
    },
    names: {
      total: 5000,
      resolved: 1000,
      problems: Array.from({ length: bounds.problems }, () => ({ ...wordsOf(length), verdict: 'Held' as const })),
    },
    storage: long(500),
  });

  async function writtenOf(changes: Partial<Report>): Promise<Report> {
    const { writer, written, clock } = setUp();
    clock.now = 10_000;
    await writer.update(report(changes));
    expect(Buffer.byteLength(JSON.stringify(written[0]))).toBeLessThanOrEqual(32 * 1024);
    return reportSchema.parse(written[0]);
  }
  const countsOf = ({ discovery, names }: Report) => [discovery.preview?.length, names?.problems.length];

  test('is complete if it fits', async () => {
    const { discovery: _, ...names } = full(100);
    expect(await writtenOf(names)).toEqual(report(names));
  });

  test('keeps the counts and the first few names', async () => {
    const { names, ...rest } = await writtenOf({ ...full(400), zones: zonesOf(8, 'why') });
    expect(countsOf({ names, ...rest })).toEqual([3, 3]);
    expect(names).toMatchObject({ total: 5000, resolved: 1000 });
    expect(rest.zones[0]?.message).toBe('why');
  });

  test('keeps at least the states of all zones', async () => {
    const written = await writtenOf({ ...full(400), zones: zonesOf(96, long(500)) });
    expect(countsOf(written)).toEqual([0, 0]);
    expect(written.names).toEqual({ total: 5000, resolved: 1000, problems: [] });
    expect(written.zones.map(({ state }) => state)).toEqual(Array.from({ length: 96 }, (_, i) => states[i % 3]));
  });
});
