/** The state of the whole chain, from fake results and times. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QueryFailure, QueryResult, TestResult } from '../../../functions/agent/self-test/canary.ts';
import { type HealthInputs, ResolutionState } from '../../../functions/agent/self-test/resolution.ts';
import { report } from '../../../functions/contract/report.ts';

const pod = { namespace: 'internal-dns', pod: 'idns-corp-0' };
const synced: HealthInputs = { discovery: 'Synced', replicas: 1 };
const silent: QueryFailure = { kind: 'Timeout', message: 'no answer within 1000 ms' };
const failed: QueryFailure = { kind: 'Error', message: 'connection refused' };
const wrong: QueryFailure = { kind: 'WrongAnswer', message: 'REFUSED' };
const outdated: QueryFailure = { kind: 'Outdated', message: 'an outdated record' };

const resultsAt = (address: string, udp?: QueryFailure, tcp?: QueryFailure): QueryResult[] => [
  { address, transport: 'UDP', ...(udp && { failure: udp }) },
  { address, transport: 'TCP', ...(tcp && { failure: tcp }) },
];
const healthyPod = resultsAt('127.0.0.1');
const healthyService = resultsAt('10.96.0.10');
const healthy: TestResult = { pod: healthyPod, service: healthyService };
const unanswered: TestResult = { pod: resultsAt('127.0.0.1', silent, silent), service: healthyService };
const refusing: TestResult = { ...healthy, writeError: 'Unauthorized' };
const through = (...service: QueryResult[][]): TestResult => ({ pod: healthyPod, service: service.flat() });
const unreachable = through(resultsAt('10.96.0.10', silent, silent));

/** After the grace period for the start, at 2026-11-03T10:00:00Z. */
function started(...results: TestResult[]) {
  const clock = { now: Date.UTC(2026, 10, 3, 10) - 10_000 };
  const state = new ResolutionState({ pod, now: () => clock.now });
  clock.now += 10_000;
  const record = (...results: TestResult[]) => {
    for (const result of results) state.record(result, synced);
  };
  record(...results);
  return {
    clock,
    state,
    record,
    reported: (more: Partial<HealthInputs> = {}) => state.resolution({ ...synced, ...more }),
  };
}

describe('two failed tests in a row are reported by their worst failure', () => {
  const log = 'see kubectl -n internal-dns logs idns-corp-0 -c powerdns';
  const checks = 'see kubectl -n internal-dns get endpointslices, then check NetworkPolicies and kube-proxy';
  const cases: [string, TestResult, string, string][] = [
    [
      'everything at once',
      {
        writeError: 'fetch failed',
        pod: resultsAt('127.0.0.1', silent, failed),
        service: resultsAt('10.96.0.10', outdated, silent),
      },
      'NotAnswering',
      `PowerDNS does not answer over UDP and TCP (no answer within 1000 ms, connection refused): ${log}`,
    ],
    [
      'a database that cannot be read',
      { ...healthy, pod: resultsAt('127.0.0.1', { kind: 'Error', message: 'SERVFAIL' }) },
      'NotAnswering',
      `PowerDNS does not answer over UDP (SERVFAIL): ${log}`,
    ],
    [
      'no writes, and no Service',
      { ...unreachable, writeError: 'database is locked' },
      'NotUpdating',
      `PowerDNS gives old answers and accepts no changes (database is locked): ${log}`,
    ],
    [
      'outdated answers',
      { ...unreachable, pod: resultsAt('127.0.0.1', outdated, outdated) },
      'NotUpdating',
      `PowerDNS accepts changes, but does not serve them over UDP and TCP (an outdated record): ${log}`,
    ],
    [
      'no record',
      { ...healthy, pod: resultsAt('127.0.0.1', undefined, wrong) },
      'NotUpdating',
      `PowerDNS accepts changes, but does not serve them over TCP (REFUSED): ${log}`,
    ],
    [
      'an outdated replica',
      through(resultsAt('10.96.0.10', silent, outdated)),
      'NotUpdating',
      'the Service gives old answers at 10.96.0.10 over TCP (an outdated record): another replica is not updated, or the clocks of the nodes differ: see the log of the container agent of each pod',
    ],
    [
      'one family',
      through(healthyService, resultsAt('fd00::10', silent, silent)),
      'Unreachable',
      `PowerDNS answers, but its Service does not at fd00::10 over UDP and TCP (no answer within 1000 ms): ${checks}`,
    ],
    [
      'both families, each with its own failures',
      through(resultsAt('10.96.0.10', silent), resultsAt('fd00::10', failed, wrong)),
      'Unreachable',
      `PowerDNS answers, but its Service does not at 10.96.0.10 over UDP (no answer within 1000 ms) and at fd00::10 over UDP and TCP (connection refused, REFUSED): ${checks}`,
    ],
  ];
  test.each(cases)('%s', (_, result, state, message) => {
    const { record, reported } = started(healthy);
    record(result);
    expect(reported()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:00Z' });
    record(result);
    expect(reported({ discovery: 'Stalled', apiFailure: 'gone' })).toEqual({
      state,
      since: '2026-11-03T10:00:00Z',
      message,
    });
  });

  test('a failing discovery is reported with its own error', () => {
    const { reported } = started(healthy);
    expect(reported({ discovery: 'Failing', failure: 'too many' })).toMatchObject({
      state: 'Stalled',
      message: expect.stringMatching(
        /^the agent cannot answer ExternalDNS \(too many\), so names stay as they were: see /,
      ),
    });
  });

  test('without a cluster, messages name the container instead of a command', () => {
    const state = new ResolutionState({ now: () => 0 });
    for (const result of [healthy, unanswered, unanswered]) state.record(result, synced);
    expect(state.resolution(synced)?.message).toMatch(/: see the log of the container powerdns$/);
  });
});

describe('a Service that never answered the pod', () => {
  const untested = {
    state: 'Serving',
    since: '2026-11-03T10:00:00Z',
    message:
      'PowerDNS answers, but its Service could not be tested from inside the pod (not every cluster lets a pod reach a Service that it is behind): try dig @10.96.0.10 canary.internal-dns.invalid TXT from another pod',
  };
  const minuteOf = (of: ReturnType<typeof started>, result: TestResult, replicas = 1) => {
    for (let i = 0; i < 14; i++) {
      of.state.record(result, { replicas });
      of.clock.now += 5_000;
    }
  };

  test('is still Serving if the only pod gets no answer, with a message about it', () => {
    const one = started(unreachable);
    // The Service may not be ready yet.
    expect(one.reported()).toEqual({ state: 'Serving', since: untested.since });
    one.record(unreachable);
    expect(one.reported()).toEqual(untested);
    minuteOf(one, unreachable);
    expect(one.reported()).toEqual(untested);
    expect(one.state.intervalMs).toBe(30_000);
    one.record(healthy);
    expect(one.reported()).toEqual({ state: 'Serving', since: untested.since });
    one.record(unreachable, unreachable);
    expect(one.reported()).toMatchObject({ state: 'Unreachable' });
  });

  test.each([
    ['refuses, as without endpoints', through(resultsAt('10.96.0.10', failed, failed)), 1],
    ['leads to another server', through(resultsAt('10.96.0.10', wrong, wrong)), 1],
    ['times out despite wrong pods', unreachable, 2],
  ])('is Unreachable after a minute if it %s', (_, result, replicas) => {
    const one = started();
    for (let i = 0; i < 12; i++) {
      one.state.record(result, { replicas });
      expect(one.reported()).toMatchObject({ state: 'Serving', since: untested.since });
      one.clock.now += 5_000;
    }
    one.state.record(result, { replicas });
    one.state.record(result, { replicas });
    expect(one.reported()).toMatchObject({ state: 'Unreachable', since: '2026-11-03T10:01:00Z' });
  });

  test('is Unreachable after a minute if it leads to the resolver, to which no pod is itself the way', () => {
    const one = started();
    for (let i = 0; i < 14; i++) {
      one.state.record(unreachable, { replicas: 1, hasResolver: true });
      one.clock.now += 5_000;
    }
    expect(one.reported()).toMatchObject({
      state: 'Unreachable',
      message: expect.stringMatching(
        /^PowerDNS answers, but not through the resolver at 10\.96\.0\.10 over UDP and TCP \(.*\): see its pods and kubectl/,
      ),
    });
  });

  test('is Unreachable if its other address family answers', () => {
    const one = started(through(healthyService, resultsAt('fd00::10', silent, silent)));
    one.record(through(healthyService, resultsAt('fd00::10', silent, silent)));
    expect(one.reported()).toMatchObject({ state: 'Unreachable' });
  });

  test('does not hide failures of PowerDNS', () => {
    const one = started(unreachable, { ...unreachable, writeError: 'no' }, { ...unreachable, writeError: 'no' });
    expect(one.reported()).toMatchObject({ state: 'NotUpdating' });
  });
});

describe('a state that tests do not show', () => {
  const external = 'see kubectl -n internal-dns logs idns-corp-0 -c external-dns';

  test('ExternalDNS that stopped reporting is Stalled', () => {
    const { reported } = started(healthy);
    const message = `ExternalDNS has stopped reporting, so names stay as they were: ${external}`;
    expect(reported({ discovery: 'Stalled' })).toEqual({ state: 'Stalled', since: '2026-11-03T10:00:00Z', message });
    expect(reported({ discovery: 'Stalled', apiFailure: 'ECONNREFUSED' })?.message).toBe(
      `ExternalDNS has stopped reporting, so names stay as they were, and the API server is unreachable (ECONNREFUSED): ${external}`,
    );
    expect(reported()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:00Z' });
  });

  test('ExternalDNS that never finishes a loop is Stalled after the grace period', () => {
    const { clock, reported } = started(healthy);
    expect(reported({ discovery: 'Waiting' })?.state).toBe('Serving');
    clock.now += 44_999;
    expect(reported({ discovery: 'Waiting' })?.state).toBe('Serving');
    clock.now += 1;
    expect(reported({ discovery: 'Waiting' })).toEqual({
      state: 'Stalled',
      since: '2026-11-03T10:00:45Z',
      message: `ExternalDNS has not finished a loop since the agent started, so names stay as they were: ${external}`,
    });
    expect(reported()?.state).toBe('Serving');
    expect(reported({ discovery: 'Waiting' })?.state).toBe('Serving');
  });

  test('an API server that stays unreachable is Blind after the grace period', () => {
    const { clock, reported } = started(healthy);
    const away = { apiFailure: 'connect ECONNREFUSED' };
    expect(reported(away)?.state).toBe('Serving');
    clock.now += 14_999;
    expect(reported(away)?.state).toBe('Serving');
    expect(reported()?.state).toBe('Serving');
    expect(reported(away)?.state).toBe('Serving');
    clock.now += 15_000;
    expect(reported(away)).toEqual({
      state: 'Blind',
      since: '2026-11-03T10:00:29Z',
      message:
        'the API server is unreachable (connect ECONNREFUSED), so names stay as they were: see kubectl -n internal-dns logs idns-corp-0 -c agent',
    });
    expect(reported()).toEqual({ state: 'Serving', since: '2026-11-03T10:00:29Z' });
  });
});

test('there is no state before the first test, and no bad one while PowerDNS starts', () => {
  const clock = { now: 0 };
  const state = new ResolutionState({ now: () => clock.now });
  const reported = () => state.resolution(synced)?.state;
  expect(reported()).toBeUndefined();
  for (const at of [0, 5_000, 9_999]) {
    clock.now = at;
    state.record(unanswered, synced);
    expect([reported(), state.intervalMs]).toEqual([undefined, 5_000]);
  }
  clock.now = 10_000;
  state.record(unanswered, synced);
  expect(reported()).toBeUndefined();
  clock.now = 15_000;
  state.record(unanswered, synced);
  expect(reported()).toBe('NotAnswering');
});

test('a cause that alternates from test to test is reported once, one that stays is reported', () => {
  const { record, reported } = started(healthy, refusing, refusing);
  const first = reported();
  const both: TestResult = { ...refusing, writeError: 'database is locked' };
  record(both, refusing, both, refusing, both);
  expect(reported()).toEqual(first);
  record(both);
  expect(reported()).toEqual({ ...first, message: expect.stringContaining('database is locked') });
  record(unanswered);
  expect(reported()?.state).toBe('NotUpdating');
  record(unanswered);
  expect(reported()?.state).toBe('NotAnswering');
});

const failure = fc.option(fc.constantFrom(silent, failed, wrong, outdated), { nil: undefined });
const results = (address: string) => fc.tuple(failure, failure).map(([udp, tcp]) => resultsAt(address, udp, tcp));
const result: fc.Arbitrary<TestResult> = fc.oneof(
  fc.constant(healthy),
  fc.constant(unanswered),
  fc.record({ pod: results('127.0.0.1'), service: fc.oneof(results('10.96.0.10'), fc.constant([])) }),
  fc.constantFrom(refusing, { ...unreachable, writeError: 'x'.repeat(2000) }),
);
const inputs: fc.Arbitrary<HealthInputs> = fc.record({
  discovery: fc.constantFrom('Off', 'Waiting', 'Synced', 'Stalled'),
  apiFailure: fc.constantFrom(undefined, undefined, 'ECONNREFUSED', 'y'.repeat(2000)),
  replicas: fc.constantFrom(1, 3),
});
const isHealthy = ({ writeError, pod, service }: TestResult) =>
  !writeError && [...pod, ...service].every(({ failure }) => !failure);
const isFromTests = (state: string) => ['NotAnswering', 'NotUpdating', 'Unreachable'].includes(state);

test('in any sequence, the state is bad only after two failures, good after one success, and since is stable', () => {
  const step = fc.record({ result, inputs, ms: fc.constantFrom(1, 500, 5_000, 30_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, state } = started();
      let previous: TestResult | undefined;
      let reported = state.resolution(synced);
      for (const { result, inputs, ms } of steps) {
        clock.now += ms;
        state.record(result, inputs);
        const now = state.resolution(inputs);
        if (isHealthy(result)) expect(['Serving', 'Stalled', 'Blind']).toContain(now?.state);
        const failedTwice = previous && !isHealthy(previous) && !isHealthy(result);
        if (now && isFromTests(now.state)) expect(failedTwice).toBe(true);
        const isAnswered = ({ pod }: TestResult) =>
          pod.every(({ failure }) => !failure || ['WrongAnswer', 'Outdated'].includes(failure.kind));
        if (previous && !isAnswered(previous) && !isAnswered(result)) expect(isFromTests(now?.state ?? '')).toBe(true);
        if (now?.state === 'Serving') expect(inputs.discovery).not.toBe('Stalled');
        if (isHealthy(result)) expect(state.intervalMs).toBe(30_000);
        if (isFromTests(now?.state ?? '')) expect(state.intervalMs).toBe(5_000);

        const moment = new Date(clock.now).toISOString().replace(/\.\d+/, '');
        if (now) expect(now.since).toBe(now.state === reported?.state ? reported.since : moment);
        expect(report.shape.resolution.parse(now)).toEqual(now);
        expect(now?.message ?? '').not.toMatch(/\.$/);
        // A second call returns the same.
        expect(state.resolution(inputs)).toEqual(now);
        [previous, reported] = [result, now];
      }
    }),
    { numRuns: 2000 },
  );
});

test('a failure is reported within a minute and its end within sixteen seconds, at any phase', () => {
  // A test takes at most a write that times out after five seconds, and three attempts of a second each.
  const duration = fc.integer({ min: 1, max: 8_000 });
  const scenario = fc.record({
    durations: fc.array(duration, { minLength: 40, maxLength: 40 }),
    from: fc.integer({ min: 0, max: 90_000 }),
    lasts: fc.integer({ min: 60_000, max: 120_000 }),
  });
  const longest = { reported: 0, over: 0 };
  fc.assert(
    fc.property(scenario, ({ durations, from, lasts }) => {
      const { clock, state } = started();
      const zero = clock.now;
      const isAway = (at: number) => at >= from && at < from + lasts;
      let reportedAt: number | undefined;
      let overAt: number | undefined;
      for (const ms of durations) {
        const began = clock.now;
        const wasAway = isAway(began - zero);
        clock.now += ms;
        state.record(wasAway ? unanswered : healthy, synced);
        const at = clock.now - zero;
        const isBad = state.resolution(synced)?.state === 'NotAnswering';
        if (isBad) reportedAt ??= at;
        if (reportedAt !== undefined && !isBad) overAt ??= at;
        clock.now = Math.max(clock.now, began + state.intervalMs);
      }
      expect(reportedAt).toBeLessThanOrEqual(from + 60_000);
      expect(reportedAt).toBeGreaterThan(from);
      expect(overAt).toBeLessThanOrEqual(from + lasts + 16_000);
      longest.reported = Math.max(longest.reported, (reportedAt ?? 0) - from);
      longest.over = Math.max(longest.over, (overAt ?? 0) - from - lasts);
    }),
    { numRuns: 1000 },
  );
  console.log(`at the latest reported after ${longest.reported / 1000} s, and over after ${longest.over / 1000} s`);
});
