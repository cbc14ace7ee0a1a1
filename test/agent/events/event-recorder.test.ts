/** Which events are published, with an API server that keeps one event of each name, as Kubernetes does, and a fake clock. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventRecorder } from '../../../functions/agent/events/event-recorder.ts';
import type { EventCreation } from '../../../functions/agent/kubernetes/agent-client.ts';
import type { CoreEvent } from '../../../functions/agent/kubernetes/object.ts';
import { type NameState, verdicts } from '../../../functions/contract/verdict.ts';

const second = 1000;
const minute = 60 * second;

/** A cluster that has every object, and the events on them. */
class FakeCluster {
  now = Date.parse('2026-01-31T12:00:00Z');
  readonly events = new Map<string, CoreEvent>();
  /** Including those rejected as duplicates. */
  requests = 0;
  readonly uids = new Map<string, string | undefined>();
  /** Returned or thrown instead, by namespace. */
  readonly failures = new Map<string, EventCreation | Error>();
  readonly failureLog: string[] = [];
  /** Called before each response. */
  beforeResponse: () => void = () => {};

  recorder(reporter = 'idns-corp-0'): EventRecorder {
    return new EventRecorder({
      create: (event) => this.#create(event),
      sourceObjectOf: (resource) => {
        const uid = this.uids.has(resource) ? this.uids.get(resource) : `uid of ${resource}`;
        return uid === undefined ? undefined : { uid };
      },
      referenceOf: (resource, uid) => {
        const [kind, namespace, name = ''] = resource.split('/');
        if (kind === 'node') return { apiVersion: 'v1', kind: 'Node', name, uid };
        if (kind !== 'ingress' || namespace === undefined) return undefined;
        return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name, uid };
      },
      instance: () => 'corp',
      reporter,
      failureLog: {
        record: (action, failure, details) => {
          const line = [`cannot ${action}: ${failure}`, ...Object.values(details ?? {})].join(' in ');
          if (failure !== undefined && !this.failureLog.includes(line)) this.failureLog.push(line);
        },
      },
      now: () => this.now,
    });
  }

  async #create(event: CoreEvent): Promise<EventCreation> {
    this.requests += 1;
    this.beforeResponse();
    const { name, namespace = '' } = event.metadata;
    const failure = this.failures.get(namespace);
    if (failure instanceof Error) throw failure;
    if (failure) return failure;
    const key = `${namespace}/${name}`;
    if (this.events.has(key)) return { result: 'known', failure: `events "${name}" already exists` };
    this.events.set(key, {
      ...event,
      metadata: { ...event.metadata, creationTimestamp: new Date(this.now).toISOString() },
    });
    return { result: 'created' };
  }

  /** Reason and message of all events, the oldest first. */
  get published(): string[] {
    return [...this.events.values()].map(({ reason, message }) => `${reason} ${message}`);
  }

  /** Drains the recorders twice a second for some time. */
  async pass(milliseconds: number, ...recorders: EventRecorder[]): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; this.now += 500) {
      for (const recorder of recorders) await recorder.drain();
    }
  }
}

/** @param what the address of a resolved host, or a verdict (`Late`: Pending and late) with an optional message */
function state(name: string, what: string, resource = 'ingress/shop/web'): NameState {
  const [word = '', ...rest] = what.split(' ');
  if (word === 'Late') return { ...state(name, ['Pending', ...rest].join(' '), resource), isLate: true };
  const verdict = verdicts.find((each) => each === word);
  if (!verdict) {
    return { name, resource, verdict: 'Resolved', message: `resolves to ${what}`, answers: what.split('+') };
  }
  return { name, resource, verdict, message: rest.join(' ') || 'no idea', answers: [] };
}

const www = 'www.corp.internal';

describe('a host publishes', () => {
  test.for<[title: string, states: string[], published: string[]]>([
    ['nothing if it resolves from the start', ['192.0.2.7'], []],
    ['nothing while it is Pending', ['Pending', 'Pending other words'], []],
    ['that it is late', ['Pending', 'Late see the log'], ['Pending www.corp.internal: see the log']],
    ['that it resolves, once it does', ['Pending', '192.0.2.7'], ['Resolved www.corp.internal resolves to 192.0.2.7']],
    ['why it does not resolve', ['Pending', 'NoAddress'], ['NoAddress www.corp.internal: no idea']],
    ['why it does not resolve, from the start', ['Held'], ['Held www.corp.internal: no idea']],
    ['another address', ['192.0.2.7', '192.0.2.8'], ['Resolved www.corp.internal resolves to 192.0.2.8']],
    ['nothing for another order of addresses', ['192.0.2.7+192.0.2.8', '192.0.2.8+192.0.2.7'], []],
    ['one address of two', ['192.0.2.7+192.0.2.8', '192.0.2.7'], ['Resolved www.corp.internal resolves to 192.0.2.7']],
    ['nothing for being Pending in between', ['192.0.2.7', 'Pending', '192.0.2.7'], []],
    [
      'another message of the same verdict',
      ['Refused one', 'Refused one', 'Refused two'],
      ['Refused www.corp.internal: one', 'Refused www.corp.internal: two'],
    ],
    [
      'every change, even within a minute',
      ['Pending', 'NoAddress', '192.0.2.7', 'Held'],
      [
        'NoAddress www.corp.internal: no idea',
        'Resolved www.corp.internal resolves to 192.0.2.7',
        'Held www.corp.internal: no idea',
      ],
    ],
  ])('%s', async ([, states, published]) => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    for (const what of states) {
      recorder.update([state(www, what)]);
      await cluster.pass(second, recorder);
    }
    expect(cluster.published).toEqual(published.map((each) => `${each} (InternalDNS corp)`));
    expect(recorder.pending).toBe(0);
    expect(recorder.counts).toEqual({ created: published.length, known: 0, dropped: 0, failed: 0 });
  });

  test('one event for each host of an object', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, 'NoAddress'), state('api.corp.internal', 'NoAddress')]);
    await cluster.pass(second, recorder);
    expect(cluster.published.map((each) => each.split(' ')[1])).toEqual(['www.corp.internal:', 'api.corp.internal:']);
  });

  test('the same state again for a new object of the same name', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    for (const uid of ['one', 'one', 'two']) {
      cluster.uids.set('ingress/shop/web', uid);
      recorder.update([state(www, 'NoAddress')]);
      await cluster.pass(second, recorder);
    }
    expect([...cluster.events.values()].map(({ involvedObject }) => involvedObject.uid)).toEqual(['one', 'two']);
  });

  test('nothing until the uid of its object is known, by which kubectl finds the event', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    cluster.uids.set('ingress/shop/web', undefined);
    recorder.update([state(www, 'NoAddress')]);
    await cluster.pass(second, recorder);
    expect(cluster.published).toEqual([]);
    cluster.uids.clear();
    recorder.update([state(www, 'NoAddress')]);
    await cluster.pass(second, recorder);
    expect(cluster.published).toHaveLength(1);
  });

  test('nothing for an object of an unknown kind', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, 'NoAddress', 'tlsroute/shop/web')]);
    await cluster.pass(second, recorder);
    expect([cluster.requests, recorder.pending, recorder.counts.dropped]).toEqual([0, 0, 1]);
  });

  test('nothing if the host is removed first', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, 'NoAddress')]);
    recorder.update([]);
    await cluster.pass(second, recorder);
    expect([cluster.requests, recorder.pending, recorder.counts.dropped]).toEqual([0, 0, 1]);
  });

  test.each([[[state(www, '192.0.2.7')]], [[]]])('changes since the first list: %j', async (first) => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update(first);
    recorder.update([...first, state('api.corp.internal', '192.0.2.7')]);
    await cluster.pass(second, recorder);
    expect(cluster.published).toEqual(['Resolved api.corp.internal resolves to 192.0.2.7 (InternalDNS corp)']);
  });
});

describe('a published state', () => {
  const problems = [state(www, 'NoAddress'), state('api.corp.internal', 'OutsideZones')];

  test('is not published again by another replica or after a restart', async () => {
    const cluster = new FakeCluster();
    const recorders = [cluster.recorder('idns-corp-0'), cluster.recorder('idns-corp-1')];
    for (const recorder of recorders) recorder.update(problems);
    await cluster.pass(second, ...recorders);
    cluster.now += 20 * minute;
    const restarted = cluster.recorder();
    restarted.update(problems);
    await cluster.pass(second, restarted);
    expect(cluster.events.size).toBe(2);
    expect([...recorders, restarted].map(({ counts }) => [counts.created, counts.known])).toEqual([
      [2, 0],
      [0, 2],
      [0, 2],
    ]);
  });

  test('is published again when it returns in another minute', async () => {
    const cluster = new FakeCluster();
    const recorders = [cluster.recorder('idns-corp-0'), cluster.recorder('idns-corp-1')];
    for (const what of ['Held', '192.0.2.7', 'Held', '192.0.2.7']) {
      for (const recorder of recorders) recorder.update([state(www, what)]);
      await cluster.pass(minute, ...recorders);
    }
    expect(cluster.published.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved', 'Held', 'Resolved']);
  });

  test('is published once a minute while it flaps, and the last event has the current state', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, '192.0.2.7')]);
    for (let i = 0; i < 30; i++) {
      recorder.update([state(www, i % 2 ? '192.0.2.7' : 'Held')]);
      await cluster.pass(second, recorder);
    }
    expect(cluster.published).toHaveLength(2);
    recorder.update([state(www, 'Held')]);
    await cluster.pass(2 * minute, recorder);
    expect(cluster.published.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved', 'Held']);
  });
});

describe('an unresolved host is published again', () => {
  const eventTTL = 60 * minute;

  /** When events were published, and whether the object had one all the time. */
  const eventTimes = (cluster: FakeCluster, from: number) => {
    const times = [...cluster.events.values()].map(({ eventTime, metadata: { creationTimestamp } }) =>
      Date.parse(creationTimestamp ?? eventTime),
    );
    const ends = [...times.slice(1), cluster.now];
    return {
      times: times.map((time) => (time - from) / minute),
      isCovered: times.every((t, i) => ends[i]! - t < eventTTL),
    };
  };

  test('before Kubernetes deletes the event, once in 45 minutes, whatever the number of replicas', async () => {
    for (const offset of [0, 7, 44]) {
      const cluster = new FakeCluster();
      cluster.now += offset * minute;
      const from = cluster.now;
      const recorders = [cluster.recorder('idns-corp-0'), cluster.recorder('idns-corp-1')];
      for (const recorder of recorders) recorder.update([state(www, 'Pending')]);
      await cluster.pass(5 * minute, ...recorders);
      for (const recorder of recorders) recorder.update([state(www, 'NoAddress')]);
      await cluster.pass(240 * minute, ...recorders);
      const { times, isCovered } = eventTimes(cluster, from);
      expect(isCovered).toBe(true);
      expect(times.length).toBe(6);
      for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(44.9);
    }
  });

  test('also if the agent is restarted at any time', async () => {
    for (const after of [1, 20, 40, 50]) {
      const cluster = new FakeCluster();
      const from = cluster.now;
      const first = cluster.recorder();
      first.update([state(www, 'NoAddress')]);
      await cluster.pass(after * minute, first);
      const restarted = cluster.recorder();
      restarted.update([state(www, 'NoAddress')]);
      await cluster.pass(180 * minute, restarted);
      const { times, isCovered } = eventTimes(cluster, from);
      expect(isCovered).toBe(true);
      expect(times.length).toBeLessThanOrEqual(6);
    }
  });

  test('with one event for all hosts of an object', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update(['a', 'b', 'c'].map((name) => state(`${name}.corp.internal`, 'NoAddress')));
    await cluster.pass(50 * minute, recorder);
    expect(cluster.published).toHaveLength(4);
    expect(cluster.published[3]).toBe(
      'NoAddress a.corp.internal: no idea (InternalDNS corp; 2 more hosts of this object do not resolve)',
    );
  });

  test.each(['192.0.2.7', 'Filtered', 'OutsideZones', 'Pending'])('but not %s', async (what) => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, 'NoAddress')]);
    await cluster.pass(minute, recorder);
    recorder.update([state(www, what)]);
    const { length } = cluster.published;
    await cluster.pass(180 * minute, recorder);
    expect(cluster.published.length - length).toBeLessThanOrEqual(1);
  });

  test('after it resolved, and the recorder was restarted', async () => {
    const cluster = new FakeCluster();
    const first = cluster.recorder();
    first.update([state(www, 'NoAddress')]);
    await cluster.pass(minute, first);
    first.update([state(www, '192.0.2.7')]);
    await cluster.pass(10 * minute, first);
    const restarted = cluster.recorder();
    restarted.update([state(www, 'Pending')]);
    await cluster.pass(minute, restarted);
    restarted.update([state(www, 'NoAddress')]);
    await cluster.pass(45 * minute, restarted);
    expect(cluster.published.at(-1)).toMatch(/^NoAddress/);
  });
});

describe('the rate of events', () => {
  const hosts = (count: number, what: string, resourceOf = (_: number) => 'ingress/shop/web') =>
    Array.from({ length: count }, (_, i) => state(`h${i}.corp.internal`, what, resourceOf(i)));

  test('is limited per object and type to a burst of 25, then one in five minutes', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update(hosts(40, 'NoAddress'));
    await cluster.pass(minute, recorder);
    expect([cluster.published.length, recorder.pending]).toEqual([25, 15]);
    await cluster.pass(10 * minute, recorder);
    expect([cluster.published.length, recorder.pending]).toEqual([27, 13]);
    recorder.update(hosts(40, 'Filtered'));
    await cluster.pass(minute, recorder);
    expect([cluster.published.length, recorder.pending]).toEqual([52, 15]);
  });

  test('is limited overall to a burst of 100, then fifty a second, with the latest state of each host', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update(hosts(1000, 'NoAddress', (i) => `ingress/shop/web-${i}`));
    await recorder.drain();
    expect(cluster.requests).toBe(100);
    const before = cluster.now;
    recorder.update(hosts(1000, '192.0.2.7', (i) => `ingress/shop/web-${i}`));
    await cluster.pass(20 * second, recorder);
    expect(cluster.requests).toBeLessThanOrEqual(100 + 50 * ((cluster.now - before) / second));
    await cluster.pass(100 * second, recorder);
    const counts = Map.groupBy(cluster.published, (each) => each.split(' ')[0]);
    expect([counts.get('NoAddress')?.length, counts.get('Resolved')?.length, recorder.pending]).toEqual([100, 1000, 0]);
  });

  test('is not spent on states that need no event', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    const list = hosts(30, '192.0.2.7');
    for (let i = 0; i < 10; i++) recorder.update(list.map((each) => ({ ...each })));
    await cluster.pass(minute, recorder);
    expect([cluster.requests, recorder.pending]).toEqual([0, 0]);
  });

  test('is not spent after a restart on events that exist', async () => {
    const cluster = new FakeCluster();
    const first = cluster.recorder();
    first.update(hosts(25, 'NoAddress'));
    await cluster.pass(minute, first);
    cluster.now += 20 * minute;
    const restarted = cluster.recorder();
    restarted.update(hosts(25, 'NoAddress'));
    await cluster.pass(minute, restarted);
    restarted.update(hosts(25, 'Held'));
    await cluster.pass(minute, restarted);
    expect(cluster.published.filter((each) => each.startsWith('Held'))).toHaveLength(25);
  });
});

describe('when the API server does not accept an event', () => {
  const failing = async (answer: EventCreation | Error, milliseconds: number) => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    cluster.failures.set('shop', answer);
    const resource = 'ingress/other/web';
    recorder.update([state(www, 'NoAddress'), state('api.corp.internal', 'NoAddress'), state(www, 'Held', resource)]);
    await cluster.pass(milliseconds, recorder);
    return { cluster, recorder };
  };

  test('because it is unreachable, requests back off and the latest state is published', async () => {
    const { cluster, recorder } = await failing(new Error('connect ECONNREFUSED'), 10 * minute);
    expect(cluster.failureLog).toEqual(['cannot create events: connect ECONNREFUSED']);
    expect(recorder.counts.failed).toBe(cluster.requests);
    // 24 without jitter, which halves the delays at most.
    expect(cluster.requests).toBeGreaterThanOrEqual(24);
    expect(cluster.requests).toBeLessThanOrEqual(48);
    expect(recorder.pending).toBe(3);
    cluster.failures.clear();
    recorder.update([state(www, '192.0.2.7'), state('api.corp.internal', 'Pending')]);
    await cluster.pass(minute, recorder);
    expect(cluster.published).toEqual(['Resolved www.corp.internal resolves to 192.0.2.7 (InternalDNS corp)']);
    expect([recorder.pending, recorder.counts.dropped]).toEqual([0, 2]);
  });

  test('because it is forbidden, the failure is logged once and only that namespace pauses', async () => {
    const { cluster, recorder } = await failing({ result: 'forbidden', failure: 'events is forbidden' }, 4 * minute);
    expect(cluster.failureLog).toEqual(['cannot create events: events is forbidden in shop']);
    expect([cluster.requests, recorder.pending, recorder.counts.failed]).toEqual([2, 2, 1]);
    expect(cluster.published).toHaveLength(1);
    await cluster.pass(2 * minute, recorder);
    expect(cluster.requests).toBe(3);
    cluster.failures.clear();
    await cluster.pass(5 * minute, recorder);
    expect([cluster.published.length, recorder.pending]).toEqual([3, 0]);
  });

  test.each<[EventCreation['result'], Partial<EventRecorder['counts']>]>([
    ['gone', { dropped: 2 }],
    ['invalid', { failed: 2 }],
  ])('because it is %s, it is not retried', async (result, counts) => {
    const { cluster, recorder } = await failing({ result, failure: 'no' }, 10 * minute);
    expect([cluster.requests, recorder.pending]).toEqual([3, 0]);
    expect(recorder.counts).toEqual({ created: 1, known: 0, dropped: 0, failed: 0, ...counts });
    expect(cluster.failureLog).toEqual(result === 'invalid' ? ['cannot create events: no'] : []);
  });

  test('a state that changes during the request is published as well', async () => {
    const cluster = new FakeCluster();
    const recorder = cluster.recorder();
    recorder.update([state(www, '192.0.2.7')]);
    const back = [state(www, '192.0.2.7')];
    cluster.beforeResponse = () => recorder.update(back);
    recorder.update([state(www, 'Held')]);
    await cluster.pass(second, recorder);
    expect(cluster.published.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved']);
  });
});

const whats = ['Pending', 'Late see the log', 'Held', 'NoAddress', 'Refused one', '192.0.2.7', '192.0.2.8'];
const step = fc.record({
  /** Of each host. */
  whats: fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(...whats))),
  seconds: fc.integer({ min: 0, max: 90 }),
  isAway: fc.boolean(),
});

test('after any history, the last event of a host has its current state', {
  tags: ['history'],
}, async () => {
  const hostOf = (index: number, what: string) =>
    state(`h${index}.corp.internal`, what, `ingress/shop/web-${index % 2}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, n) => {
        const cluster = new FakeCluster();
        const recorders = Array.from({ length: n }, (_, i) => cluster.recorder(`idns-corp-${i}`));
        for (const { whats, seconds, isAway } of steps) {
          if (isAway) cluster.failures.set('shop', new Error('away'));
          else cluster.failures.clear();
          for (const recorder of recorders) recorder.update(whats.map((what, i) => hostOf(i, what)));
          await cluster.pass(seconds * second, ...recorders);
        }
        cluster.failures.clear();
        await cluster.pass(5 * minute, ...recorders);
        for (const recorder of recorders) expect(recorder.pending).toBe(0);
        const events = [...cluster.events.values()];
        const pending = events.filter(
          ({ reason, message = '' }) => reason === 'Pending' && !/see the log/.test(message),
        );
        expect(pending).toEqual([]);
        for (const i of [0, 1, 2, 3]) {
          const [first, last] = [steps[0], steps.at(-1)].map((each) => hostOf(i, each?.whats[i] as string));
          if (!first || !last || (last.verdict === 'Pending' && !last.isLate)) continue;
          const seen = events.findLast(({ message = '' }) => message.startsWith(last.name));
          const isKnown = first.verdict === 'Resolved' && first.message === last.message;
          if (!isKnown || seen)
            expect([seen?.reason, seen?.message]).toEqual([last.verdict, expect.stringContaining(last.message)]);
        }
      },
    ),
    { numRuns: 200 },
  );
});
