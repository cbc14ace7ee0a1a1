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

function mailbox() {
  const written: Report[] = [];
  const clock = { now: 0 };
  const state = { failure: undefined as string | undefined };
  const box = new ReportWriter({
    write: async (text) => {
      if (state.failure) throw new Error(state.failure);
      written.push(JSON.parse(text));
    },
    now: () => clock.now,
  });
  return { box, written, clock, state };
}

test('the first report is written at once, and the same one not again', async () => {
  const { box, written, clock } = mailbox();
  for (; clock.now < 59_000; clock.now += 500) await box.offer(report());
  expect(written).toEqual([report()]);
});

test('a first report waits ten seconds for a good one', async () => {
  const starting = report({ discovery: { state: 'Waiting' } });
  const { box, written, clock } = mailbox();
  for (; clock.now < 10_000; clock.now += 500) await box.offer(starting);
  expect(written).toEqual([]);
  await box.offer(starting);
  await box.offer(report());
  expect(written).toEqual([starting, report()]);
});

describe('the first report on another declaration', () => {
  const waiting = report({ declaration: 'two', zones: [{ name: 'corp.internal', state: 'Pending' }] });
  const good = report({ declaration: 'two' });

  test('waits three seconds for a good one', async () => {
    const { box, written, clock } = mailbox();
    await box.offer(report());
    clock.now = 20_000;
    for (; clock.now < 23_000; clock.now += 500) await box.offer(waiting);
    expect(written).toEqual([report()]);
    await box.offer(waiting);
    expect(written).toEqual([report(), waiting]);
    await box.offer(good);
    expect(written).toEqual([report(), waiting, good]);
  });

  test('is the good one, if that comes in time', async () => {
    const { box, written, clock } = mailbox();
    await box.offer(report());
    await box.offer(waiting);
    clock.now = 2_500;
    await box.offer(good);
    expect(written).toEqual([report(), good]);
  });

  test('waits anew for each declaration', async () => {
    const { box, written, clock } = mailbox();
    await box.offer(report());
    await box.offer(waiting);
    clock.now = 2_500;
    const third = { ...waiting, declaration: 'three' };
    await box.offer(third);
    clock.now = 5_000;
    await box.offer(third);
    expect(written).toEqual([report()]);
    clock.now = 5_500;
    await box.offer(third);
    expect(written).toEqual([report(), third]);
  });

  test('waits no longer for a declaration that came back', async () => {
    const { box, written, clock } = mailbox();
    await box.offer(report());
    await box.offer(waiting);
    clock.now = 1_000;
    await box.offer(report());
    expect(written).toEqual([report()]);
    // The same failure of the same declaration is news at once.
    await box.offer(report({ zones: [{ name: 'corp.internal', state: 'Failed', message: 'why' }] }));
    expect(written).toHaveLength(2);
  });
});

test('what nobody waits for is held back for ten seconds, and then written as it is by then', async () => {
  const { box, written, clock } = mailbox();
  await box.offer(report());
  for (clock.now = 500; clock.now <= 9_500; clock.now += 500) await box.offer(without(`a${clock.now}`));
  expect(written).toHaveLength(1);
  clock.now = 10_000;
  await box.offer(without('b'));
  expect(written).toEqual([report(), without('b')]);
});

test.each<[string, Partial<Report>]>([
  ['another declaration', { declaration: 'two' }],
  ['a zone that fails', { zones: [{ name: 'corp.internal', state: 'Failed', message: 'why' }] }],
  ['another zone', { zones: [...report().zones, { name: 'b.internal', state: 'Pending' }] }],
  ['a discovery that stalls', { discovery: { state: 'Stalled' } }],
  ['a test that fails', tested('NotAnswering')],
  ['a kind that the cluster serves by now', { served: ['podmonitors.v1.monitoring.coreos.com'] }],
])('%s is never held back', async (_, changes) => {
  const { box, written } = mailbox();
  await box.offer(report());
  await box.offer(report(changes));
  expect(written).toEqual([report(), report(changes)]);
});

test('a test that fails and passes again is never held back, and another reason of the same failure is', async () => {
  const { box, written } = mailbox();
  const offers = [tested('Serving'), tested('NotUpdating'), tested('Stalled'), tested('Serving')].map(report);
  for (const each of offers) await box.offer(each);
  expect(written).toEqual([offers[0], offers[1], offers[3]]);
});

test('the first test that passes is no news, nor are the first names', async () => {
  const { box, written, clock } = mailbox();
  await box.offer(report());
  clock.now = 1_000;
  await box.offer({ ...resolving(1), ...tested('Serving') });
  expect(written).toEqual([report()]);
  clock.now = 10_000;
  await box.offer({ ...resolving(2), ...tested('Serving') });
  expect(written.at(-1)?.names?.total).toBe(2);
});

describe('whatever becomes of the names', () => {
  const names = fc.record({ resolved: fc.nat(40), total: fc.integer({ min: 40, max: 60 }) });
  const seconds = fc.array(names, { minLength: 301, maxLength: 301 });

  /** The times of all writes when each second of five minutes brings other names. */
  async function writesOf(everySecond: { resolved: number; total: number }[], replicas?: number): Promise<number[]> {
    const { box, written, clock } = mailbox();
    const times: number[] = [];
    for (const { resolved, total } of everySecond) {
      const before = written.length;
      await box.offer(resolving(resolved, total), replicas);
      if (written.length > before) times.push(clock.now);
      clock.now += 1_000;
    }
    return times;
  }

  test('they are written at most once in ten seconds: 31 times in five minutes', async () => {
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

test('a write that failed is tried again', async () => {
  const { box, written, state } = mailbox();
  state.failure = 'away';
  await expect(box.offer(report())).rejects.toThrow('away');
  state.failure = undefined;
  await box.offer(report());
  expect(written).toEqual([report()]);
});

test('a mailbox that somebody emptied is filled again', async () => {
  const { box, written, clock } = mailbox();
  await box.offer(report());
  clock.now = 60_000;
  await box.offer(report());
  expect(written).toHaveLength(2);
});

describe('of a report that is too long', () => {
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
    const { box, written, clock } = mailbox();
    clock.now = 10_000;
    await box.offer(report(changes));
    expect(Buffer.byteLength(JSON.stringify(written[0]))).toBeLessThanOrEqual(32 * 1024);
    return reportSchema.parse(written[0]);
  }
  const countsOf = ({ discovery, names }: Report) => [discovery.preview?.length, names?.problems.length];

  test('everything is left that fits', async () => {
    const { discovery: _, ...names } = full(100);
    expect(await writtenOf(names)).toEqual(report(names));
  });

  test('the first few of what objects bring are left, and the counts', async () => {
    const { names, ...rest } = await writtenOf({ ...full(400), zones: zonesOf(8, 'why') });
    expect(countsOf({ names, ...rest })).toEqual([3, 3]);
    expect(names).toMatchObject({ total: 5000, resolved: 1000 });
    expect(rest.zones[0]?.message).toBe('why');
  });

  test('the states of all zones are left at least', async () => {
    const written = await writtenOf({ ...full(400), zones: zonesOf(96, long(500)) });
    expect(countsOf(written)).toEqual([0, 0]);
    expect(written.names).toEqual({ total: 5000, resolved: 1000, problems: [] });
    expect(written.zones.map(({ state }) => state)).toEqual(Array.from({ length: 96 }, (_, i) => states[i % 3]));
  });
});
