import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeleteGuard } from '../../../functions/agent/discovery/delete-guard.ts';
import { endpointOf, type rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { answerUnder } from '../../../functions/agent/discovery/policy.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources, type SourceLister, type SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { loop } from '../external-dns.ts';
import { found } from '../make.ts';

const start = Date.parse('2026-11-21T10:00:00Z');
const options = { percent: 50, holdSeconds: 600 };
const seconds = 1000;

/** `ingress/a/x 1` is the first name of its object. */
interface Host {
  object: string;
  name: string;
}

const host = (object: string, i = 0): Host => ({ object, name: `h${i}.${object.replaceAll('/', '-')}.corp.internal.` });
const hostsOf = (object: string, count: number) => Array.from({ length: count }, (_, i) => host(object, i));
/** One name for each of so many objects. */
const objects = (count: number, prefix = 'ingress/a/x') =>
  Array.from({ length: count }, (_, i) => host(`${prefix}${10 + i}`));

/** The cluster, an owner's names, and its ExternalDNS. */
class World {
  guard = this.#guard();
  options: { percent: number; holdSeconds: number; letGo?: string } = options;
  now = start;
  current: Set<Host>;
  /** What still asks for its name. */
  asking: Set<Host>;
  /** What has an address, too. */
  wanted: Set<Host>;
  /** Whether objects of the kind are ever seen. */
  isSeen = true;
  /** Whether they are to be seen, and cannot. */
  isUnsynced = false;
  /** Whether ExternalDNS's changes are made. */
  works = true;
  /** Milliseconds that the clock on the wall is ahead of the agent's, which only goes up. */
  wallIsAhead = 0;

  constructor(hosts: Host[]) {
    this.current = new Set(hosts);
    this.asking = new Set(hosts);
    this.wanted = new Set(hosts);
  }

  clear(hosts: Iterable<Host>): void {
    for (const each of hosts) this.wanted.delete(each);
  }

  delete(hosts: Iterable<Host>): void {
    this.clear(hosts);
    for (const each of hosts) this.asking.delete(each);
  }

  restore(hosts: Iterable<Host>): void {
    for (const each of hosts) {
      this.wanted.add(each);
      this.asking.add(each);
    }
  }

  get lister(): SourceLister {
    const hosts = Map.groupBy(this.asking, ({ object }) => object);
    const get = (resource: string): SourceObject | undefined => {
      const its = hosts.get(resource)?.map(({ name }) => name);
      return its && { resource, namespace: 'a', created: '', hosts: its };
    };
    const { isSeen, isUnsynced } = this;
    return { ...noSources, hasSynced: () => isSeen && !isUnsynced, isUnsynced: () => isUnsynced, get };
  }

  /** Another agent takes over, which may have lost what this one knew. */
  restart({ isLost = false } = {}): void {
    const missing = isLost ? [] : structuredClone(this.guard.missingNames);
    this.guard = this.#guard();
    this.guard.restore({ missing, isLost: () => isLost }, this.now);
  }

  #guard(): DeleteGuard {
    return new DeleteGuard((moment) => moment + this.wallIsAhead);
  }

  get rrsets(): RRset[] {
    return [...this.current].map(({ object, name }) => found(object, name, 'A', '192.0.2.1'));
  }

  /** A loop `after` so many seconds; the names that were held. */
  loop(after = 2): string[] {
    this.now += after * seconds;
    const { rrsets } = this;
    const names = new Set([...this.wanted].map(({ name }) => name));
    const { held, report } = this.guard.hold(rrsets, names, this.options, this.lister, this.now);
    expect(rrsets).toEqual(expect.arrayContaining(held));
    const heldNames = new Set(held.map(({ name }) => name));
    expect(report?.names).toEqual(
      report &&
        [...heldNames]
          .sort()
          .slice(0, 20)
          .map((name) => name.slice(0, -1)),
    );
    this.since = report?.since;
    if (this.works) {
      const stays = (each: Host) => this.wanted.has(each) || heldNames.has(each.name);
      this.current = new Set([...this.current, ...this.wanted].filter(stays));
    }
    return [...heldNames];
  }

  since: string | undefined;
}

const namesOf = (hosts: Host[]) => hosts.map(({ name }) => name);

describe('names that vanish in masses', () => {
  test('are held for as long as is said, and then deleted for good', () => {
    const all = objects(10);
    const world = new World(all);
    world.clear(all.slice(0, 6));
    expect(world.loop()).toEqual(namesOf(all.slice(0, 6)));
    expect(world.since).toBe('2026-11-21T10:00:02.000Z');
    expect(world.loop(598)).toHaveLength(6);
    expect(world.since).toBe('2026-11-21T10:00:02.000Z');
    expect(world.loop(2)).toEqual([]);
    expect(world.current.size).toBe(4);
    expect(world.loop(2)).toEqual([]);
    expect(world.since).toBeUndefined();
  });

  test.each<[string, number, number, number]>([
    ['half of them', 10, 5, 50],
    ['fewer than five', 4, 4, 50],
    ['just as many as are allowed', 100, 10, 10],
    ['all of them, where all may', 100, 100, 100],
  ])('are not held when they are %s', (_, current, vanishing, percent) => {
    const all = objects(current);
    const world = new World(all);
    world.options = { ...options, percent };
    world.delete(all.slice(0, vanishing));
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(current - vanishing);
  });

  test('count together with those that vanished shortly before', () => {
    const all = objects(10);
    const world = new World(all);
    world.isSeen = false;
    for (const each of all.slice(0, 5)) {
      world.clear([each]);
      expect(world.loop()).toEqual([]);
    }
    expect(world.current.size).toBe(5);
    world.clear(all.slice(5, 6));
    expect(world.loop()).toEqual(namesOf(all.slice(5, 6)));
    world.clear(all);
    expect(world.loop(300)).toHaveLength(5);
    expect(world.since).toBe('2026-11-21T10:00:12.000Z');
  });

  test('do not count with those of long ago, nor with those that are back', () => {
    for (const isBack of [true, false]) {
      const all = objects(10);
      const world = new World(all);
      world.isSeen = false;
      world.clear(all.slice(0, 5));
      expect(world.loop()).toEqual([]);
      if (isBack) world.restore(all.slice(0, 5));
      expect(world.loop(isBack ? 2 : 600)).toEqual([]);
      world.clear(all.slice(5, 7));
      expect(world.loop()).toEqual([]);
    }
  });

  test('are held one by one no longer when they come back, and the rest still is', () => {
    const all = objects(10);
    const world = new World(all);
    world.clear(all);
    expect(world.loop()).toHaveLength(10);
    world.restore(all.slice(0, 9));
    expect(world.loop()).toEqual(namesOf(all.slice(9)));
    world.restore(all);
    expect(world.loop()).toEqual([]);
    world.clear(all);
    expect(world.loop()).toHaveLength(10);
    // Another episode.
    expect(world.since).toBe('2026-11-21T10:00:08.000Z');
  });

  test('are let go when a person says so, and what vanishes later is held again', () => {
    const all = objects(40);
    const world = new World(all);
    world.isSeen = false;
    world.clear(all.slice(0, 30));
    world.options = { ...options, letGo: '2026-11-21T10:00:02Z' };
    // Said before the hold began.
    expect(world.loop()).toHaveLength(30);
    world.options = { ...options, letGo: '2026-11-21T10:00:03Z' };
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(10);
    world.clear(all.slice(30, 35));
    expect(world.loop()).toEqual([]);
    world.clear(all);
    expect(world.loop()).toHaveLength(5);
    expect(world.loop()).toHaveLength(5);
  });

  test('stay let go while PowerDNS cannot be reached', () => {
    const world = new World(objects(10));
    world.clear(world.current);
    world.works = false;
    expect(world.loop()).toHaveLength(10);
    for (let i = 0; i < 3; i++) expect(world.loop(600)).toEqual([]);
    expect(world.current.size).toBe(10);
  });

  test('are all that stand, in the first loop of an ExternalDNS without its caches', () => {
    const world = new World(objects(100));
    world.isSeen = false;
    world.clear(world.current);
    expect(world.loop()).toHaveLength(100);
  });

  test('are held no longer for a clock that is set back', () => {
    const world = new World(objects(10));
    world.clear(world.current);
    expect(world.loop()).toHaveLength(10);
    const { since } = world;
    world.wallIsAhead = -86_400 * seconds;
    expect(world.loop(599)).toHaveLength(10);
    expect(world.since).toBe(since);
    expect(world.loop(1)).toEqual([]);
  });

  test('are not let go by what a person said before, where the agent began before its clock was right', () => {
    const world = new World(objects(10));
    world.wallIsAhead = 365 * 86_400 * seconds;
    world.options = { ...options, letGo: new Date(start + world.wallIsAhead - seconds).toISOString() };
    world.clear(world.current);
    expect(world.loop()).toHaveLength(10);
    world.options = { ...options, letGo: new Date(start + world.wallIsAhead + 60 * seconds).toISOString() };
    expect(world.loop()).toEqual([]);
  });
});

describe('an ordinary deletion', () => {
  test.each([true, false])('of one object goes on, however many names it has; objects seen: %s', (isSeen) => {
    const world = new World([...hostsOf('ingress/a/big', 50), ...objects(3)]);
    world.isSeen = isSeen;
    world.delete(
      hostsOf('ingress/a/big', 50).map((each) => [...world.current].find(({ name }) => name === each.name)!),
    );
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(3);
  });

  const big = hostsOf('ingress/a/big', 20);
  const second = hostsOf('ingress/a/second', 20);

  test('of hosts out of one object goes on, too', () => {
    const world = new World([...big, ...objects(3)]);
    world.delete(big.slice(1));
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(4);
  });

  test('is none when the object still asks for them', () => {
    const world = new World([...big, ...objects(3)]);
    world.clear(big);
    expect(world.loop()).toHaveLength(20);
  });

  test('is seen as soon as the object’s end is', () => {
    const world = new World([...big, ...objects(3)]);
    world.clear(big);
    expect(world.loop()).toHaveLength(20);
    world.delete(big);
    expect(world.loop()).toEqual([]);
    expect(world.since).toBeUndefined();
  });

  test('is none when several objects go at once, and stays none when all but one come back', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.delete([...big, ...second]);
    expect(world.loop()).toHaveLength(40);
    world.restore(second);
    expect(world.loop()).toHaveLength(20);
  });

  test('of one object after the other goes on where objects are seen', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.delete(big);
    expect(world.loop()).toEqual([]);
    world.delete(second);
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(3);
  });

  test('of one object after the other is held where they are not, but for the first', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.isSeen = false;
    world.delete(big);
    expect(world.loop()).toEqual([]);
    world.delete(second);
    expect(world.loop()).toEqual(namesOf(second));
  });

  test('goes on while other names are held', () => {
    const cleared = objects(40);
    const world = new World([...cleared, ...big, ...second]);
    world.clear(cleared.slice(0, 39));
    world.options = { ...options, percent: 40 };
    expect(world.loop()).toHaveLength(39);
    world.delete(big);
    expect(world.loop()).toHaveLength(39);
    world.delete(second);
    expect(world.loop()).toHaveLength(39);
    expect(world.current.size).toBe(40);
  });

  test('of the Pods of a headless Service is none while it asks for the names below its own', () => {
    const pods = Array.from({ length: 6 }, (_, i) =>
      found('service/a/db', `db-${i}.db.corp.internal.`, 'A', '192.0.2.1'),
    );
    const sourceObject = { resource: 'service/a/db', namespace: 'a', created: '', hosts: ['db.corp.internal.'] };
    for (const below of [true, false]) {
      const lister = { ...noSources, hasSynced: () => true, get: () => ({ ...sourceObject, below }) };
      expect(new DeleteGuard().hold(pods, new Set(), options, lister, start).held).toHaveLength(below ? 6 : 0);
    }
  });

  test('is none where nobody knows the object', () => {
    const nameless = objects(10, 'unknown').map(({ name }) => found('unknown', name, 'A', '192.0.2.1'));
    expect(new DeleteGuard().hold(nameless, new Set(), options, noSources, start).held).toHaveLength(10);
  });
});

describe('an object that is there and has lost its address', () => {
  const [one, ...others] = objects(10) as [Host, ...Host[]];

  test('keeps its name for as long as a hold lasts, though it is the only one, and nobody is alarmed', () => {
    const world = new World([one, ...others]);
    world.clear([one]);
    expect(world.loop()).toEqual([one.name]);
    expect(world.since).toBeUndefined();
    expect(world.loop(599)).toEqual([one.name]);
    expect(world.loop(1)).toEqual([]);
    expect(world.current.has(one)).toBe(false);
  });

  test('keeps it while others do so one after the other, each for as long', () => {
    const world = new World([one, ...others]);
    for (const each of [one, ...others]) {
      world.clear([each]);
      expect(world.loop(60)).toContain(each.name);
    }
    expect(world.current.size).toBe(10);
    expect(world.loop(60)).toEqual(namesOf(others));
    expect(world.loop(60)).toEqual(namesOf(others.slice(1)));
  });

  test('loses it at once when it goes itself, or a person says so, or the guard is off', () => {
    const ends: ((world: World) => void)[] = [
      (world) => world.delete([one]),
      (world) => {
        world.options = { ...options, letGo: '2026-11-21T10:00:03Z' };
      },
      (world) => {
        world.options = { ...options, percent: 100 };
      },
    ];
    for (const end of ends) {
      const world = new World([one, ...others]);
      world.clear([one]);
      expect(world.loop()).toEqual([one.name]);
      end(world);
      expect(world.loop()).toEqual([]);
      expect(world.current.size).toBe(9);
    }
  });

  test('keeps it while its controller has not taken it yet, and not where a filter leaves it out', () => {
    const left = { resource: one.object, namespace: 'a', created: '', hosts: [one.name], filteredBy: 'why' };
    for (const isUnready of [true, false]) {
      const lister = { ...noSources, hasSynced: () => true, filteredOf: () => [{ ...left, isUnready }] };
      const current = [found(one.object, one.name, 'A', '192.0.2.1')];
      const { held } = new DeleteGuard().hold(current, new Set(), options, lister, start);
      expect(held).toHaveLength(isUnready ? 1 : 0);
    }
  });

  test('is none of its Pods, which may go one by one', () => {
    const pod = found('service/a/db', 'db-0.db.corp.internal.', 'A', '192.0.2.1');
    const sourceObject = {
      resource: 'service/a/db',
      namespace: 'a',
      created: '',
      hosts: ['db.corp.internal.'],
      below: true,
    };
    const lister = { ...noSources, hasSynced: () => true, get: () => sourceObject };
    expect(new DeleteGuard().hold([pod], new Set(), options, lister, start).held).toEqual([]);
  });
});

describe('objects that are to be seen and cannot be', () => {
  test('keep their names, however few, and lose them when they are seen to be gone', () => {
    const [one, ...others] = objects(3) as [Host, ...Host[]];
    const world = new World([one, ...others]);
    world.isUnsynced = true;
    world.delete([one]);
    expect(world.loop()).toEqual([one.name]);
    expect(world.loop(599)).toEqual([one.name]);
    world.isUnsynced = false;
    expect(world.loop(0)).toEqual([]);
    expect(world.current.size).toBe(2);
  });

  test('do so no longer than a hold lasts', () => {
    const [one] = objects(1) as [Host];
    const world = new World([one]);
    world.isUnsynced = true;
    world.delete([one]);
    expect(world.loop()).toEqual([one.name]);
    expect(world.loop(600)).toEqual([]);
  });
});

describe('another agent', () => {
  test.each([true, false])(
    'counts on with what has vanished, and holds no longer for it; objects seen: %s',
    (isSeen) => {
      const all = objects(100);
      const world = new World(all);
      world.isSeen = isSeen;
      const sizes = [40, 24, 15, 9].map((count) => {
        world.clear([...world.wanted].slice(0, count));
        world.restart();
        world.loop(60);
        return world.current.size;
      });
      expect(sizes).toEqual(isSeen ? [100, 100, 100, 100] : [60, 60, 60, 60]);
      world.restart();
      world.loop(420);
      expect(world.current.size).toBe(60);
    },
  );

  test('that does not know what has vanished holds all of it, once', () => {
    const all = objects(10);
    const world = new World(all);
    world.delete(all.slice(0, 1));
    world.restart({ isLost: true });
    expect(world.loop()).toEqual(namesOf(all.slice(0, 1)));
    world.delete(all.slice(1, 2));
    expect(world.loop()).toEqual(namesOf(all.slice(0, 1)));
    world.restart();
    expect(world.loop(598)).toEqual([]);
    expect(world.current.size).toBe(8);
  });
});

const pool = [...objects(8), ...hostsOf('ingress/a/two', 4), ...hostsOf('ingress/a/three', 4)];
const some = fc.oneof(
  fc.subarray(pool),
  fc.constantFrom(...pool).map((one) => [one]),
  fc.constant(pool),
);
const event = fc.record({
  act: fc.constantFrom('clear', 'clear', 'delete', 'restore', 'nothing'),
  hosts: some,
  after: fc.constantFrom(1, 2, 30, 200),
});
const context = fc.tuple(
  fc.constantFrom(10, 50, 90),
  fc.constantFrom<Pick<World, 'isSeen' | 'isUnsynced'>>(
    { isSeen: true, isUnsynced: false },
    { isSeen: false, isUnsynced: false },
    { isSeen: true, isUnsynced: true },
  ),
);

test('whatever happens, nothing wanted is held, nothing for too long, and of those that are gone nothing of a few', {
  tags: ['history'],
}, () => {
  let holds = 0;
  const run = fc.property(fc.array(event, { maxLength: 30 }), context, (events, [percent, sight]) => {
    const world = Object.assign(new World(pool), sight, { options: { percent, holdSeconds: 300 } });
    const missedAt = new Map<string, number>();
    let deleted: { name: string; at: number }[] = [];
    let wasHeld: string[] = [];
    for (const { act, hosts, after } of events) {
      if (act !== 'nothing') world[act as 'clear' | 'delete' | 'restore'](hosts);
      const before = namesOf([...world.current]);
      const wanted = new Set(namesOf([...world.wanted]));
      const asking = new Set(namesOf([...world.asking]));
      const held = world.loop(after);
      for (const name of wanted) missedAt.delete(name);
      for (const name of before) if (!wanted.has(name) && !missedAt.has(name)) missedAt.set(name, world.now);
      const isOver = (name: string) => world.now - (missedAt.get(name) ?? 0) >= 300 * seconds;
      for (const name of held) {
        expect(wanted).not.toContain(name);
        expect(isOver(name)).toBe(false);
      }
      // What is there, or may be, and lacks only its address is held, however few there are.
      const isSure = (name: string) => sight.isUnsynced || (sight.isSeen && asking.has(name));
      const sure = before.filter((name) => !wanted.has(name) && isSure(name));
      for (const name of sure) expect(held.includes(name)).toBe(!isOver(name));
      deleted = deleted.filter(({ name, at }) => !wanted.has(name) && world.now - at < 300 * seconds);
      const known = new Set([...before, ...deleted.map(({ name }) => name)]);
      const vanished = new Set([...before.filter((name) => !wanted.has(name)), ...deleted.map(({ name }) => name)]);
      if (wasHeld.length === 0 && held.some((name) => !isSure(name))) {
        holds += 1;
        expect(vanished.size).toBeGreaterThanOrEqual(5);
        expect((vanished.size * 100) / known.size).toBeGreaterThan(percent);
      }
      for (const name of vanished) if (!held.includes(name)) deleted.push({ name, at: world.now });
      wasHeld = held;
    }
  });
  fc.assert(run, { numRuns: 300 });
  expect(holds).toBeGreaterThan(0);
});

test('whatever happens, an agent that starts anew holds what the one before would have held', {
  tags: ['history'],
}, () => {
  const run = fc.property(
    fc.array(fc.tuple(event, fc.boolean()), { maxLength: 30 }),
    context,
    (events, [percent, sight]) => {
      const more = { options: { percent, holdSeconds: 300 }, ...sight };
      const [lasting, restarting] = [1, 2].map(() => Object.assign(new World(pool), more)) as [World, World];
      for (const [{ act, hosts, after }, isRestart] of events) {
        if (isRestart) restarting.restart();
        for (const world of [lasting, restarting]) {
          if (act !== 'nothing') world[act as 'clear' | 'delete' | 'restore'](hosts);
        }
        expect(restarting.loop(after)).toEqual(lasting.loop(after));
        expect(restarting.guard.missingNames).toEqual(lasting.guard.missingNames);
      }
    },
  );
  fc.assert(run, { numRuns: 300 });
});

test('while names are held and nothing changes, ExternalDNS sends nothing', async () => {
  const guard = new DeleteGuard();
  const hosts = objects(10);
  let current = hosts.map(({ object, name }) => found(object, name, 'A', '192.0.2.1'));
  const accepted = current.slice(0, 2);
  let now = start;
  const webhook = {
    records: async () => current.map(endpointOf),
    adjustEndpoints: async () => {
      now += 2 * seconds;
      const wanted = new Set(accepted.map(({ name }) => name));
      const { held } = guard.hold(current, wanted, options, noSources, now);
      return answerUnder('Sync', current, [...accepted, ...held]).answer.map(endpointOf);
    },
    applyChanges: async ({ delete: deleted = [] }: { delete?: Parameters<typeof rrsetOf>[0][] }) => {
      const gone = new Set(deleted.map(({ dnsName }) => `${dnsName}.`));
      current = current.filter(({ name }) => !gone.has(name));
    },
  };
  for (let i = 0; i < 300; i++) expect(await loop(webhook, [])).toBeUndefined();
  expect((await loop(webhook, []))?.delete).toHaveLength(8);
  expect(await loop(webhook, [])).toBeUndefined();
});
