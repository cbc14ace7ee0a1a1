import { describe, expect, test } from 'vitest';
import { Mailbox } from '../../functions/agent/mailbox.ts';
import { type Report, report as reportSchema } from '../../functions/agent/report.ts';

const report = (changes: Partial<Report> = {}): Report => ({
  declaration: 'one',
  zones: [{ name: 'corp.internal', state: 'Serving' }],
  discovery: { state: 'Synced', refused: [] },
  ...changes,
});
const refusing = (...names: string[]) =>
  report({
    discovery: { state: 'Synced', refused: names.map((name) => ({ name, resource: 'ingress/a/web', message: 'no' })) },
  });

function mailbox() {
  const written: Report[] = [];
  const clock = { now: 0 };
  const state = { failure: undefined as string | undefined };
  const box = new Mailbox({
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
  const starting = report({ discovery: { state: 'Waiting', refused: [] } });
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
  for (clock.now = 500; clock.now <= 9_500; clock.now += 500) await box.offer(refusing(`a${clock.now}`));
  expect(written).toHaveLength(1);
  clock.now = 10_000;
  await box.offer(refusing('b'));
  expect(written).toEqual([report(), refusing('b')]);
});

test.each<[string, Partial<Report>]>([
  ['another declaration', { declaration: 'two' }],
  ['a zone that fails', { zones: [{ name: 'corp.internal', state: 'Failed', message: 'why' }] }],
  ['another zone', { zones: [...report().zones, { name: 'b.internal', state: 'Pending' }] }],
  ['a discovery that stalls', { discovery: { state: 'Stalled', refused: [] } }],
])('%s is never held back', async (_, changes) => {
  const { box, written } = mailbox();
  await box.offer(report());
  await box.offer(report(changes));
  expect(written).toEqual([report(), report(changes)]);
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

test('the longest report stays below 32 KiB, and is one', async () => {
  const { box, written, clock } = mailbox();
  clock.now = 10_000;
  const long = (length: number) => 'ü'.repeat(length);
  const states = ['Serving', 'Failed', 'Retained'] as const;
  await box.offer({
    declaration: 'one',
    zones: Array.from({ length: 96 }, (_, i) => ({ name: 'z'.repeat(253), state: states[i % 3]!, message: long(500) })),
    discovery: {
      state: 'Synced',
      refused: Array.from({ length: 20 }, () => ({ name: long(255), resource: long(400), message: long(500) })),
    },
    storage: long(500),
  });
  expect(Buffer.byteLength(JSON.stringify(written[0]))).toBeLessThanOrEqual(32 * 1024);
  expect(reportSchema.parse(written[0]).zones).toHaveLength(96);
});
