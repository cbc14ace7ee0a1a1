/** What is said of the chain, from tests whose results and times are made up. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding, QueryFailure, Result } from '../../../functions/agent/self-test/canary.ts';
import { type HealthInputs, ResolutionState } from '../../../functions/agent/self-test/resolution.ts';
import { report } from '../../../functions/contract/report.ts';

const place = { namespace: 'internal-dns', pod: 'idns-corp-0' };
const synced: HealthInputs = { discovery: 'Synced', replicas: 1 };
const silent: QueryFailure = { kind: 'Silent', message: 'no answer within 1000 ms' };
const failed: QueryFailure = { kind: 'Failed', message: 'nobody listens there' };
const other: QueryFailure = { kind: 'Other', message: 'REFUSED' };
const old: QueryFailure = { kind: 'Old', message: 'an old record' };

const asked = (address: string, udp?: QueryFailure, tcp?: QueryFailure): Finding[] => [
  { address, transport: 'UDP', ...(udp && { fault: udp }) },
  { address, transport: 'TCP', ...(tcp && { fault: tcp }) },
];
const wellPod = asked('127.0.0.1');
const wellService = asked('10.96.0.10');
const well: Result = { pod: wellPod, service: wellService };
const unheard: Result = { pod: asked('127.0.0.1', silent, silent), service: wellService };
const refusing: Result = { ...well, write: 'Unauthorized' };
const through = (...service: Finding[][]): Result => ({ pod: wellPod, service: service.flat() });
const unreached = through(asked('10.96.0.10', silent, silent));

/** One who has had time to start, at 2026-11-03T10:00:00Z. */
function settled(...results: Result[]) {
  const clock = { now: Date.UTC(2026, 10, 3, 10) - 10_000 };
  const state = new ResolutionState({ place, now: () => clock.now });
  clock.now += 10_000;
  const note = (...results: Result[]) => {
    for (const result of results) state.note(result, synced);
  };
  note(...results);
  return { clock, state, note, said: (more: Partial<HealthInputs> = {}) => state.resolution({ ...synced, ...more }) };
}

describe('two tests in a row that fail are said, the gravest failure first', () => {
  const log = 'see kubectl -n internal-dns logs idns-corp-0 -c powerdns';
  const ways =
    'see kubectl -n internal-dns get endpointslices, and whether a NetworkPolicy or kube-proxy is in the way';
  const cases: [string, Result, string, string][] = [
    [
      'everything at once',
      { write: 'fetch failed', pod: asked('127.0.0.1', silent, failed), service: asked('10.96.0.10', old, silent) },
      'NotAnswering',
      `PowerDNS does not answer over UDP and TCP (no answer within 1000 ms, nobody listens there): ${log}`,
    ],
    [
      'a database that cannot be read',
      { ...well, pod: asked('127.0.0.1', { kind: 'Failed', message: 'SERVFAIL' }) },
      'NotAnswering',
      `PowerDNS does not answer over UDP (SERVFAIL): ${log}`,
    ],
    [
      'no writes, and no Service',
      { ...unreached, write: 'database is locked' },
      'NotUpdating',
      `PowerDNS answers with what it had before, and takes no change (database is locked): ${log}`,
    ],
    [
      'old answers',
      { ...unreached, pod: asked('127.0.0.1', old, old) },
      'NotUpdating',
      `PowerDNS takes changes, and does not answer with them over UDP and TCP (an old record): ${log}`,
    ],
    [
      'no record',
      { ...well, pod: asked('127.0.0.1', undefined, other) },
      'NotUpdating',
      `PowerDNS takes changes, and does not answer with them over TCP (REFUSED): ${log}`,
    ],
    [
      'an old replica',
      through(asked('10.96.0.10', silent, old)),
      'NotUpdating',
      'the Service gives old answers at 10.96.0.10 over TCP (an old record): another replica is not updated, or the clocks of the nodes differ; see the log of the container agent of each pod',
    ],
    [
      'one family',
      through(wellService, asked('fd00::10', silent, silent)),
      'Unreachable',
      `PowerDNS answers, and its Service does not at fd00::10 over UDP and TCP (no answer within 1000 ms): ${ways}`,
    ],
    [
      'both families, each in its way',
      through(asked('10.96.0.10', silent), asked('fd00::10', failed, other)),
      'Unreachable',
      `PowerDNS answers, and its Service does not at 10.96.0.10 over UDP (no answer within 1000 ms) and at fd00::10 over UDP and TCP (nobody listens there, REFUSED): ${ways}`,
    ],
  ];
  test.each(cases)('%s', (_, result, state, message) => {
    const { note, said } = settled(well);
    note(result);
    expect(said()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:00Z' });
    note(result);
    expect(said({ discovery: 'Stalled', reach: 'gone' })).toEqual({ state, since: '2026-11-03T10:00:00Z', message });
  });

  test('a failing discovery is one, in its own words', () => {
    const { said } = settled(well);
    expect(said({ discovery: 'Failing', failure: 'too many' })).toMatchObject({
      state: 'Stalled',
      message: expect.stringMatching(
        /^the agent cannot answer ExternalDNS \(too many\), so names stay as they were: see /,
      ),
    });
  });

  test('without a cluster the commands are left out', () => {
    const state = new ResolutionState({ now: () => 0 });
    for (const result of [well, unheard, unheard]) state.note(result, synced);
    expect(state.resolution(synced)?.message).toMatch(/: see the log of the container powerdns$/);
  });
});

describe('a Service that never answered the pod', () => {
  const untested = {
    state: 'Serving',
    since: '2026-11-03T10:00:00Z',
    message:
      'PowerDNS answers, and its Service could not be tested from inside the pod (a pod that is behind a Service cannot reach it in every cluster): try dig @10.96.0.10 canary.internal-dns.invalid TXT from another pod',
  };
  const minute = (of: ReturnType<typeof settled>, result: Result, replicas = 1) => {
    for (let i = 0; i < 14; i++) {
      of.state.note(result, { replicas });
      of.clock.now += 5_000;
    }
  };

  test('is no alarm where a pod is alone behind it and its questions vanish: that is said', () => {
    const one = settled(unreached);
    // The first time it may only be early.
    expect(one.said()).toEqual({ state: 'Serving', since: untested.since });
    one.note(unreached);
    expect(one.said()).toEqual(untested);
    minute(one, unreached);
    expect(one.said()).toEqual(untested);
    expect(one.state.pauseMs).toBe(30_000);
    one.note(well);
    expect(one.said()).toEqual({ state: 'Serving', since: untested.since });
    one.note(unreached, unreached);
    expect(one.said()).toMatchObject({ state: 'Unreachable' });
  });

  test.each([
    ['refuses, as without endpoints', through(asked('10.96.0.10', failed, failed)), 1],
    ['leads elsewhere', through(asked('10.96.0.10', other, other)), 1],
    ['has other pods behind it', unreached, 2],
  ])('is one after a minute where it %s', (_, result, replicas) => {
    const one = settled();
    for (let i = 0; i < 12; i++) {
      one.state.note(result, { replicas });
      expect(one.said()).toMatchObject({ state: 'Serving', since: untested.since });
      one.clock.now += 5_000;
    }
    one.state.note(result, { replicas });
    one.state.note(result, { replicas });
    expect(one.said()).toMatchObject({ state: 'Unreachable', since: '2026-11-03T10:01:00Z' });
  });

  test('is one where the other family answers', () => {
    const one = settled(through(wellService, asked('fd00::10', silent, silent)));
    one.note(through(wellService, asked('fd00::10', silent, silent)));
    expect(one.said()).toMatchObject({ state: 'Unreachable' });
  });

  test('hides nothing of PowerDNS', () => {
    const one = settled(unreached, { ...unreached, write: 'no' }, { ...unreached, write: 'no' });
    expect(one.said()).toMatchObject({ state: 'NotUpdating' });
  });
});

describe('what the test does not see', () => {
  const external = 'see kubectl -n internal-dns logs idns-corp-0 -c external-dns';

  test('ExternalDNS that is silent', () => {
    const { said } = settled(well);
    const message = `ExternalDNS is no longer heard of, so names stay as they were: ${external}`;
    expect(said({ discovery: 'Stalled' })).toEqual({ state: 'Stalled', since: '2026-11-03T10:00:00Z', message });
    expect(said({ discovery: 'Stalled', reach: 'ECONNREFUSED' })?.message).toBe(
      `ExternalDNS is no longer heard of, so names stay as they were, and the API server cannot be asked (ECONNREFUSED): ${external}`,
    );
    expect(said()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:00Z' });
  });

  test('ExternalDNS that does not come up', () => {
    const { clock, said } = settled(well);
    expect(said({ discovery: 'Waiting' })?.state).toBe('Serving');
    clock.now += 44_999;
    expect(said({ discovery: 'Waiting' })?.state).toBe('Serving');
    clock.now += 1;
    expect(said({ discovery: 'Waiting' })).toEqual({
      state: 'Stalled',
      since: '2026-11-03T10:00:45Z',
      message: `ExternalDNS has not finished a loop since the agent started, so names stay as they were: ${external}`,
    });
    expect(said()?.state).toBe('Serving');
    expect(said({ discovery: 'Waiting' })?.state).toBe('Serving');
  });

  test('an API server that stays away', () => {
    const { clock, said } = settled(well);
    const away = { reach: 'connect ECONNREFUSED' };
    expect(said(away)?.state).toBe('Serving');
    clock.now += 14_999;
    expect(said(away)?.state).toBe('Serving');
    expect(said()?.state).toBe('Serving');
    expect(said(away)?.state).toBe('Serving');
    clock.now += 15_000;
    expect(said(away)).toEqual({
      state: 'Blind',
      since: '2026-11-03T10:00:29Z',
      message:
        'the API server cannot be asked (connect ECONNREFUSED), so names stay as they were: see kubectl -n internal-dns logs idns-corp-0 -c agent',
    });
    expect(said()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:29Z' });
  });
});

test('nothing is said before a test has said anything, and nothing bad while PowerDNS starts', () => {
  const clock = { now: 0 };
  const state = new ResolutionState({ now: () => clock.now });
  const said = () => state.resolution(synced)?.state;
  expect(said()).toBeUndefined();
  for (const at of [0, 5_000, 9_999]) {
    clock.now = at;
    state.note(unheard, synced);
    expect([said(), state.pauseMs]).toEqual([undefined, 5_000]);
  }
  clock.now = 10_000;
  state.note(unheard, synced);
  expect(said()).toBeUndefined();
  clock.now = 15_000;
  state.note(unheard, synced);
  expect(said()).toBe('NotAnswering');
});

test('a cause that changes from test to test is told once, and one that stays is told', () => {
  const { note, said } = settled(well, refusing, refusing);
  const first = said();
  const both: Result = { ...refusing, write: 'database is locked' };
  note(both, refusing, both, refusing, both);
  expect(said()).toEqual(first);
  note(both);
  expect(said()).toEqual({ ...first, message: expect.stringContaining('database is locked') });
  note(unheard);
  expect(said()?.state).toBe('NotUpdating');
  note(unheard);
  expect(said()?.state).toBe('NotAnswering');
});

const fault = fc.option(fc.constantFrom(silent, failed, other, old), { nil: undefined });
const findings = (address: string) => fc.tuple(fault, fault).map(([udp, tcp]) => asked(address, udp, tcp));
const result: fc.Arbitrary<Result> = fc.oneof(
  fc.constant(well),
  fc.constant(unheard),
  fc.record({ pod: findings('127.0.0.1'), service: fc.oneof(findings('10.96.0.10'), fc.constant([])) }),
  fc.constantFrom(refusing, { ...unreached, write: 'x'.repeat(2000) }),
);
const circumstances: fc.Arbitrary<HealthInputs> = fc.record({
  discovery: fc.constantFrom('Off', 'Waiting', 'Synced', 'Stalled'),
  reach: fc.constantFrom(undefined, undefined, 'ECONNREFUSED', 'y'.repeat(2000)),
  replicas: fc.constantFrom(1, 3),
});
const isWell = ({ write, pod, service }: Result) => !write && [...pod, ...service].every(({ fault }) => !fault);
const isOfTests = (state: string) => ['NotAnswering', 'NotUpdating', 'Unreachable'].includes(state);

test('whatever happens: bad after two failures only, good after one success, and since when holds still', () => {
  const step = fc.record({ result, circumstances, ms: fc.constantFrom(1, 500, 5_000, 30_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, state } = settled();
      let previous: Result | undefined;
      let said = state.resolution(synced);
      for (const { result, circumstances, ms } of steps) {
        clock.now += ms;
        state.note(result, circumstances);
        const now = state.resolution(circumstances);
        if (isWell(result)) expect(['Serving', 'Stalled', 'Blind']).toContain(now?.state);
        const failedTwice = previous && !isWell(previous) && !isWell(result);
        if (now && isOfTests(now.state)) expect(failedTwice).toBe(true);
        const isAnswered = ({ pod }: Result) =>
          pod.every(({ fault }) => !fault || ['Other', 'Old'].includes(fault.kind));
        if (previous && !isAnswered(previous) && !isAnswered(result)) expect(isOfTests(now?.state ?? '')).toBe(true);
        if (now?.state === 'Serving') expect(circumstances.discovery).not.toBe('Stalled');
        if (isWell(result)) expect(state.pauseMs).toBe(30_000);
        if (isOfTests(now?.state ?? '')) expect(state.pauseMs).toBe(5_000);

        const moment = new Date(clock.now).toISOString().replace(/\.\d+/, '');
        if (now) expect(now.since).toBe(now.state === said?.state ? said.since : moment);
        expect(report.shape.resolution.parse(now)).toEqual(now);
        expect(now?.message ?? '').not.toMatch(/\.$/);
        // Asked again, it says the same.
        expect(state.resolution(circumstances)).toEqual(now);
        [previous, said] = [result, now];
      }
    }),
    { numRuns: 2000 },
  );
});

test('a failure is said within a minute and its end within sixteen seconds, however it falls', () => {
  // A test takes no longer than a write that is given up after five seconds and three tries of a second each.
  const duration = fc.integer({ min: 1, max: 8_000 });
  const scenario = fc.record({
    durations: fc.array(duration, { minLength: 40, maxLength: 40 }),
    from: fc.integer({ min: 0, max: 90_000 }),
    lasts: fc.integer({ min: 60_000, max: 120_000 }),
  });
  const longest = { said: 0, over: 0 };
  fc.assert(
    fc.property(scenario, ({ durations, from, lasts }) => {
      const { clock, state } = settled();
      const zero = clock.now;
      const isAway = (at: number) => at >= from && at < from + lasts;
      let saidAt: number | undefined;
      let overAt: number | undefined;
      for (const ms of durations) {
        const began = clock.now;
        const wasAway = isAway(began - zero);
        clock.now += ms;
        state.note(wasAway ? unheard : well, synced);
        const at = clock.now - zero;
        const isBad = state.resolution(synced)?.state === 'NotAnswering';
        if (isBad) saidAt ??= at;
        if (saidAt !== undefined && !isBad) overAt ??= at;
        clock.now = Math.max(clock.now, began + state.pauseMs);
      }
      expect(saidAt).toBeLessThanOrEqual(from + 60_000);
      expect(saidAt).toBeGreaterThan(from);
      expect(overAt).toBeLessThanOrEqual(from + lasts + 16_000);
      longest.said = Math.max(longest.said, (saidAt ?? 0) - from);
      longest.over = Math.max(longest.over, (overAt ?? 0) - from - lasts);
    }),
    { numRuns: 1000 },
  );
  console.log(`at the latest said after ${longest.said / 1000} s, and over after ${longest.over / 1000} s`);
});
