/** Who hears what of a host, against an API server that keeps each name once, as Kubernetes does, and a clock of our own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Events } from '../../../functions/agent/events/events.ts';
import type { EventCreation } from '../../../functions/agent/kubernetes/agent-client.ts';
import type { CoreEvent } from '../../../functions/agent/kubernetes/object.ts';
import { type NameState, verdicts } from '../../../functions/contract/verdict.ts';

const second = 1000;
const minute = 60 * second;

/** A cluster with any object, and what has been told on them. */
class World {
  now = Date.parse('2026-01-31T12:00:00Z');
  readonly events = new Map<string, CoreEvent>();
  /** Those that are not the first of their name, too. */
  requests = 0;
  readonly uids = new Map<string, string | undefined>();
  /** What is answered instead, by namespace. */
  readonly failures = new Map<string, EventCreation | Error>();
  readonly failureLog: string[] = [];
  /** Called before an answer. */
  meanwhile: () => void = () => {};

  agent(reporter = 'idns-corp-0'): Events {
    return new Events({
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
    this.meanwhile();
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

  /** What `kubectl describe` would show of all objects, the oldest first. */
  get said(): string[] {
    return [...this.events.values()].map(({ reason, message }) => `${reason} ${message}`);
  }

  /** Lets an agent work for a while, as often as it would be let. */
  async pass(milliseconds: number, ...agents: Events[]): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; this.now += 500) {
      for (const agent of agents) await agent.drain();
    }
  }
}

/** @param what an address of a host that resolves, a verdict (`Late` is Pending for too long), or a verdict and what is said of it */
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

describe('what is told of a host', () => {
  test.for<[title: string, life: string[], said: string[]]>([
    ['nothing, when it resolves from the start', ['192.0.2.7'], []],
    ['nothing, while it is on its way', ['Pending', 'Pending other words'], []],
    ['that it will not come by itself', ['Pending', 'Late see the log'], ['Pending www.corp.internal: see the log']],
    ['that it resolves, once it does', ['Pending', '192.0.2.7'], ['Resolved www.corp.internal resolves to 192.0.2.7']],
    ['why it does not', ['Pending', 'NoAddress'], ['NoAddress www.corp.internal: no idea']],
    ['why it does not, from the start', ['Held'], ['Held www.corp.internal: no idea']],
    ['another address', ['192.0.2.7', '192.0.2.8'], ['Resolved www.corp.internal resolves to 192.0.2.8']],
    ['no other order of addresses', ['192.0.2.7+192.0.2.8', '192.0.2.8+192.0.2.7'], []],
    ['one address of two', ['192.0.2.7+192.0.2.8', '192.0.2.7'], ['Resolved www.corp.internal resolves to 192.0.2.7']],
    ['nothing of a rest between', ['192.0.2.7', 'Pending', '192.0.2.7'], []],
    [
      'another reason of the same kind',
      ['Refused one', 'Refused one', 'Refused two'],
      ['Refused www.corp.internal: one', 'Refused www.corp.internal: two'],
    ],
    [
      'each turn, when all of it is within a minute',
      ['Pending', 'NoAddress', '192.0.2.7', 'Held'],
      [
        'NoAddress www.corp.internal: no idea',
        'Resolved www.corp.internal resolves to 192.0.2.7',
        'Held www.corp.internal: no idea',
      ],
    ],
  ])('is %s', async ([, life, said]) => {
    const world = new World();
    const agent = world.agent();
    for (const what of life) {
      agent.announce([state(www, what)]);
      await world.pass(second, agent);
    }
    expect(world.said).toEqual(said.map((each) => `${each} (InternalDNS corp)`));
    expect(agent.waiting).toBe(0);
    expect(agent.counts).toEqual({ created: said.length, known: 0, dropped: 0, failed: 0 });
  });

  test('is an event each, on an object with several', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, 'NoAddress'), state('api.corp.internal', 'NoAddress')]);
    await world.pass(second, agent);
    expect(world.said.map((each) => each.split(' ')[1])).toEqual(['www.corp.internal:', 'api.corp.internal:']);
  });

  test('is told anew of another object of the same name', async () => {
    const world = new World();
    const agent = world.agent();
    for (const uid of ['one', 'one', 'two']) {
      world.uids.set('ingress/shop/web', uid);
      agent.announce([state(www, 'NoAddress')]);
      await world.pass(second, agent);
    }
    expect([...world.events.values()].map(({ involvedObject }) => involvedObject.uid)).toEqual(['one', 'two']);
  });

  test('waits until the uid of its object is known, by which kubectl finds it', async () => {
    const world = new World();
    const agent = world.agent();
    world.uids.set('ingress/shop/web', undefined);
    agent.announce([state(www, 'NoAddress')]);
    await world.pass(second, agent);
    expect(world.said).toEqual([]);
    world.uids.clear();
    agent.announce([state(www, 'NoAddress')]);
    await world.pass(second, agent);
    expect(world.said).toHaveLength(1);
  });

  test('is nothing on a kind that nothing more is known of', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, 'NoAddress', 'tlsroute/shop/web')]);
    await world.pass(second, agent);
    expect([world.requests, agent.waiting, agent.counts.dropped]).toEqual([0, 0, 1]);
  });

  test('is nothing when the host is gone', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, 'NoAddress')]);
    agent.announce([]);
    await world.pass(second, agent);
    expect([world.requests, agent.waiting, agent.counts.dropped]).toEqual([0, 0, 1]);
  });

  test('is compared with the first list that has any', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([]);
    agent.announce([]);
    agent.announce([state(www, '192.0.2.7')]);
    agent.announce([state(www, '192.0.2.7'), state('api.corp.internal', '192.0.2.7')]);
    await world.pass(second, agent);
    expect(world.said).toEqual(['Resolved api.corp.internal resolves to 192.0.2.7 (InternalDNS corp)']);
  });
});

describe('what has been told', () => {
  const problems = [state(www, 'NoAddress'), state('api.corp.internal', 'OutsideZones')];

  test('is not told again by another replica, nor after a restart', async () => {
    const world = new World();
    const agents = [world.agent('idns-corp-0'), world.agent('idns-corp-1')];
    for (const agent of agents) agent.announce(problems);
    await world.pass(second, ...agents);
    world.now += 20 * minute;
    const restarted = world.agent();
    restarted.announce(problems);
    await world.pass(second, restarted);
    expect(world.events.size).toBe(2);
    expect([...agents, restarted].map(({ counts }) => [counts.created, counts.known])).toEqual([
      [2, 0],
      [0, 2],
      [0, 2],
    ]);
  });

  test('is told again when it has come back, in another minute', async () => {
    const world = new World();
    const agents = [world.agent('idns-corp-0'), world.agent('idns-corp-1')];
    for (const what of ['Held', '192.0.2.7', 'Held', '192.0.2.7']) {
      for (const agent of agents) agent.announce([state(www, what)]);
      await world.pass(minute, ...agents);
    }
    expect(world.said.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved', 'Held', 'Resolved']);
  });

  test('is told once a minute while it comes and goes, and the last is what holds', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, '192.0.2.7')]);
    for (let i = 0; i < 30; i++) {
      agent.announce([state(www, i % 2 ? '192.0.2.7' : 'Held')]);
      await world.pass(second, agent);
    }
    expect(world.said).toHaveLength(2);
    agent.announce([state(www, 'Held')]);
    await world.pass(2 * minute, agent);
    expect(world.said.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved', 'Held']);
  });
});

describe('what does not resolve is told again', () => {
  const forgotten = 60 * minute;

  /** Whether people saw something on the object all the time, and how often they were told. */
  const told = (world: World, from: number) => {
    const times = [...world.events.values()].map(({ eventTime, metadata: { creationTimestamp } }) =>
      Date.parse(creationTimestamp ?? eventTime),
    );
    const ends = [...times.slice(1), world.now];
    return {
      times: times.map((time) => (time - from) / minute),
      isSeen: times.every((t, i) => ends[i]! - t < forgotten),
    };
  };

  test('before Kubernetes forgets it, once in 45 minutes, whatever the number of replicas', async () => {
    for (const offset of [0, 7, 44]) {
      const world = new World();
      world.now += offset * minute;
      const from = world.now;
      const agents = [world.agent('idns-corp-0'), world.agent('idns-corp-1')];
      for (const agent of agents) agent.announce([state(www, 'Pending')]);
      await world.pass(5 * minute, ...agents);
      for (const agent of agents) agent.announce([state(www, 'NoAddress')]);
      await world.pass(240 * minute, ...agents);
      const { times, isSeen } = told(world, from);
      expect(isSeen).toBe(true);
      expect(times.length).toBe(6);
      for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(44.9);
    }
  });

  test('also when the agent is restarted at any time', async () => {
    for (const after of [1, 20, 40, 50]) {
      const world = new World();
      const from = world.now;
      const first = world.agent();
      first.announce([state(www, 'NoAddress')]);
      await world.pass(after * minute, first);
      const restarted = world.agent();
      restarted.announce([state(www, 'NoAddress')]);
      await world.pass(180 * minute, restarted);
      const { times, isSeen } = told(world, from);
      expect(isSeen).toBe(true);
      expect(times.length).toBeLessThanOrEqual(6);
    }
  });

  test('in one event for all hosts of an object', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce(['a', 'b', 'c'].map((name) => state(`${name}.corp.internal`, 'NoAddress')));
    await world.pass(50 * minute, agent);
    expect(world.said).toHaveLength(4);
    expect(world.said[3]).toBe(
      'NoAddress a.corp.internal: no idea (InternalDNS corp; 2 more of its hosts do not resolve)',
    );
  });

  test.each(['192.0.2.7', 'Filtered', 'OutsideZones', 'Pending'])('but not %s', async (what) => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, 'NoAddress')]);
    await world.pass(minute, agent);
    agent.announce([state(www, what)]);
    const { length } = world.said;
    await world.pass(180 * minute, agent);
    expect(world.said.length - length).toBeLessThanOrEqual(1);
  });

  test('after it resolved, and the agent was restarted', async () => {
    const world = new World();
    const first = world.agent();
    first.announce([state(www, 'NoAddress')]);
    await world.pass(minute, first);
    first.announce([state(www, '192.0.2.7')]);
    await world.pass(10 * minute, first);
    const restarted = world.agent();
    restarted.announce([state(www, 'Pending')]);
    await world.pass(minute, restarted);
    restarted.announce([state(www, 'NoAddress')]);
    await world.pass(45 * minute, restarted);
    expect(world.said.at(-1)).toMatch(/^NoAddress/);
  });
});

describe('how much is told', () => {
  const hosts = (count: number, what: string, resourceOf = (_: number) => 'ingress/shop/web') =>
    Array.from({ length: count }, (_, i) => state(`h${i}.corp.internal`, what, resourceOf(i)));

  test('on one object is 25 of a type at once, then one in five minutes', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce(hosts(40, 'NoAddress'));
    await world.pass(minute, agent);
    expect([world.said.length, agent.waiting]).toEqual([25, 15]);
    await world.pass(10 * minute, agent);
    expect([world.said.length, agent.waiting]).toEqual([27, 13]);
    agent.announce(hosts(40, 'Filtered'));
    await world.pass(minute, agent);
    expect([world.said.length, agent.waiting]).toEqual([52, 15]);
  });

  test('of all objects is 100 at once, then fifty a second, of each host the latest', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce(hosts(1000, 'NoAddress', (i) => `ingress/shop/web-${i}`));
    await agent.drain();
    expect(world.requests).toBe(100);
    const before = world.now;
    agent.announce(hosts(1000, '192.0.2.7', (i) => `ingress/shop/web-${i}`));
    await world.pass(20 * second, agent);
    expect(world.requests).toBeLessThanOrEqual(100 + 50 * ((world.now - before) / second));
    await world.pass(100 * second, agent);
    const counts = Map.groupBy(world.said, (each) => each.split(' ')[0]);
    expect([counts.get('NoAddress')?.length, counts.get('Resolved')?.length, agent.waiting]).toEqual([100, 1000, 0]);
  });

  test('does not wait when nothing is to be told', async () => {
    const world = new World();
    const agent = world.agent();
    const list = hosts(30, '192.0.2.7');
    for (let i = 0; i < 10; i++) agent.announce(list.map((each) => ({ ...each })));
    await world.pass(minute, agent);
    expect([world.requests, agent.waiting]).toEqual([0, 0]);
  });

  test('after a restart is not less for what was told before it', async () => {
    const world = new World();
    const first = world.agent();
    first.announce(hosts(25, 'NoAddress'));
    await world.pass(minute, first);
    world.now += 20 * minute;
    const restarted = world.agent();
    restarted.announce(hosts(25, 'NoAddress'));
    await world.pass(minute, restarted);
    restarted.announce(hosts(25, 'Held'));
    await world.pass(minute, restarted);
    expect(world.said.filter((each) => each.startsWith('Held'))).toHaveLength(25);
  });
});

describe('when Kubernetes does not take it', () => {
  const failing = async (answer: EventCreation | Error, milliseconds: number) => {
    const world = new World();
    const agent = world.agent();
    world.failures.set('shop', answer);
    const resource = 'ingress/other/web';
    agent.announce([state(www, 'NoAddress'), state('api.corp.internal', 'NoAddress'), state(www, 'Held', resource)]);
    await world.pass(milliseconds, agent);
    return { world, agent };
  };

  test('because nobody answers, it is tried again ever less often, and the latest is told', async () => {
    const { world, agent } = await failing(new Error('connect ECONNREFUSED'), 10 * minute);
    expect(world.failureLog).toEqual(['cannot create events: connect ECONNREFUSED']);
    expect(agent.counts.failed).toBe(world.requests);
    // 24 without jitter, which halves the delays at most.
    expect(world.requests).toBeGreaterThanOrEqual(24);
    expect(world.requests).toBeLessThanOrEqual(48);
    expect(agent.waiting).toBe(3);
    world.failures.clear();
    agent.announce([state(www, '192.0.2.7'), state('api.corp.internal', 'Pending')]);
    await world.pass(minute, agent);
    expect(world.said).toEqual(['Resolved www.corp.internal resolves to 192.0.2.7 (InternalDNS corp)']);
    expect([agent.waiting, agent.counts.dropped]).toEqual([0, 2]);
  });

  test('because it is forbidden, that is said once, and tried again after minutes, while others are told', async () => {
    const { world, agent } = await failing({ result: 'forbidden', failure: 'events is forbidden' }, 4 * minute);
    expect(world.failureLog).toEqual(['cannot create events: events is forbidden in shop']);
    expect([world.requests, agent.waiting, agent.counts.failed]).toEqual([2, 2, 1]);
    expect(world.said).toHaveLength(1);
    await world.pass(2 * minute, agent);
    expect(world.requests).toBe(3);
    world.failures.clear();
    await world.pass(5 * minute, agent);
    expect([world.said.length, agent.waiting]).toEqual([3, 0]);
  });

  test.each<[EventCreation['result'], Partial<Events['counts']>]>([
    ['gone', { dropped: 2 }],
    ['invalid', { failed: 2 }],
  ])('because it is %s, it is not tried again', async (result, counts) => {
    const { world, agent } = await failing({ result, failure: 'no' }, 10 * minute);
    expect([world.requests, agent.waiting]).toEqual([3, 0]);
    expect(agent.counts).toEqual({ created: 1, known: 0, dropped: 0, failed: 0, ...counts });
    expect(world.failureLog).toEqual(result === 'invalid' ? ['cannot create events: no'] : []);
  });

  test('because it has just become something else, that is told, too', async () => {
    const world = new World();
    const agent = world.agent();
    agent.announce([state(www, '192.0.2.7')]);
    const back = [state(www, '192.0.2.7')];
    world.meanwhile = () => agent.announce(back);
    agent.announce([state(www, 'Held')]);
    await world.pass(second, agent);
    expect(world.said.map((each) => each.split(' ')[0])).toEqual(['Held', 'Resolved']);
  });
});

const whats = ['Pending', 'Late see the log', 'Held', 'NoAddress', 'Refused one', '192.0.2.7', '192.0.2.8'];
const step = fc.record({
  /** Of each host. */
  whats: fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(...whats))),
  seconds: fc.integer({ min: 0, max: 90 }),
  isAway: fc.boolean(),
});

test('whatever happens, in the end the last that people see of a host is what holds', {
  tags: ['history'],
}, async () => {
  const hostOf = (index: number, what: string) =>
    state(`h${index}.corp.internal`, what, `ingress/shop/web-${index % 2}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, n) => {
        const world = new World();
        const agents = Array.from({ length: n }, (_, i) => world.agent(`idns-corp-${i}`));
        for (const { whats, seconds, isAway } of steps) {
          if (isAway) world.failures.set('shop', new Error('away'));
          else world.failures.clear();
          for (const agent of agents) agent.announce(whats.map((what, i) => hostOf(i, what)));
          await world.pass(seconds * second, ...agents);
        }
        world.failures.clear();
        await world.pass(5 * minute, ...agents);
        for (const agent of agents) expect(agent.waiting).toBe(0);
        const events = [...world.events.values()];
        const onTheirWay = events.filter(
          ({ reason, message = '' }) => reason === 'Pending' && !/see the log/.test(message),
        );
        expect(onTheirWay).toEqual([]);
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
