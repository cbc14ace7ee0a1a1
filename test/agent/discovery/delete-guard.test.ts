import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeleteGuard } from '../../../functions/agent/discovery/delete-guard.ts';
import { endpointOf, type rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { applyPolicy } from '../../../functions/agent/discovery/policy.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources, type SourceLister, type SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { loop } from '../external-dns.ts';
import { discoveredRRset } from '../make.ts';

const start = Date.parse('2026-11-21T10:00:00Z');
const options = { percent: 50, holdSeconds: 600 };
const seconds = 1000;

interface Host {
  object: string;
  name: string;
}

const host = (object: string, i = 0): Host => ({ object, name: `h${i}.${object.replaceAll('/', '-')}.corp.internal.` });
const hostsOf = (object: string, count: number) => Array.from({ length: count }, (_, i) => host(object, i));
/** Objects with one name each. */
const objects = (count: number, prefix = 'ingress/a/x') =>
  Array.from({ length: count }, (_, i) => host(`${prefix}${10 + i}`));

/** The cluster, the names of one owner, and its ExternalDNS. */
class World {
  guard = this.#guard();
  options: { percent: number; holdSeconds: number; letGo?: string } = options;
  now = start;
  current: Set<Host>;
  /** Hosts that objects still request. */
  requested: Set<Host>;
  /** Those of them that have an address. */
  resolvable: Set<Host>;
  /** Whether objects of the kind are watched. */
  isWatched = true;
  /** Whether they are watched and cannot be seen. */
  isUnsynced = false;
  /** Whether ExternalDNS's changes are applied. */
  works = true;
  /** Milliseconds that the wall clock is ahead of the monotonic one. */
  wallIsAhead = 0;

  constructor(hosts: Host[]) {
    this.current = new Set(hosts);
    this.requested = new Set(hosts);
    this.resolvable = new Set(hosts);
  }

  clear(hosts: Iterable<Host>): void {
    for (const each of hosts) this.resolvable.delete(each);
  }

  delete(hosts: Iterable<Host>): void {
    this.clear(hosts);
    for (const each of hosts) this.requested.delete(each);
  }

  restore(hosts: Iterable<Host>): void {
    for (const each of hosts) {
      this.resolvable.add(each);
      this.requested.add(each);
    }
  }

  get lister(): SourceLister {
    const hosts = Map.groupBy(this.requested, ({ object }) => object);
    const get = (resource: string): SourceObject | undefined => {
      const its = hosts.get(resource)?.map(({ name }) => name);
      return its && { resource, namespace: 'a', created: '', hosts: its };
    };
    const { isWatched, isUnsynced } = this;
    return { ...noSources, hasSynced: () => isWatched && !isUnsynced, isUnsynced: () => isUnsynced, get };
  }

  /** Another agent continues, maybe without the state of this one. */
  restart({ isLost = false } = {}): void {
    const missing = isLost ? [] : structuredClone(this.guard.missingNames);
    this.guard = this.#guard();
    this.guard.restore({ missing, isLost: () => isLost }, this.now);
  }

  #guard(): DeleteGuard {
    return new DeleteGuard((moment) => moment + this.wallIsAhead);
  }

  get rrsets(): RRset[] {
    return [...this.current].map(({ object, name }) => discoveredRRset(object, name, 'A', '192.0.2.1'));
  }

  /** Runs a loop after some seconds. Returns the held names. */
  loop(after = 2): string[] {
    this.now += after * seconds;
    const { rrsets } = this;
    const names = new Set([...this.resolvable].map(({ name }) => name));
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
      const stays = (each: Host) => this.resolvable.has(each) || heldNames.has(each.name);
      this.current = new Set([...this.current, ...this.resolvable].filter(stays));
    }
    return [...heldNames];
  }

  since: string | undefined;
}

const namesOf = (hosts: Host[]) => hosts.map(({ name }) => name);

describe('a mass deletion', () => {
  test('is held for holdSeconds, then deleted and not held again', () => {
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
    ['half of the names', 10, 5, 50],
    ['fewer than five', 4, 4, 50],
    ['as many as are allowed', 100, 10, 10],
    ['all names, where the guard is off', 100, 100, 100],
  ])('is not held when it is %s', (_, current, vanishing, percent) => {
    const all = objects(current);
    const world = new World(all);
    world.options = { ...options, percent };
    world.delete(all.slice(0, vanishing));
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(current - vanishing);
  });

  test('includes names that vanished shortly before', () => {
    const all = objects(10);
    const world = new World(all);
    world.isWatched = false;
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

  test('does not include names that vanished long ago or are requested again', () => {
    for (const isBack of [true, false]) {
      const all = objects(10);
      const world = new World(all);
      world.isWatched = false;
      world.clear(all.slice(0, 5));
      expect(world.loop()).toEqual([]);
      if (isBack) world.restore(all.slice(0, 5));
      expect(world.loop(isBack ? 2 : 600)).toEqual([]);
      world.clear(all.slice(5, 7));
      expect(world.loop()).toEqual([]);
    }
  });

  test('releases each name that is requested again, and holds the rest', () => {
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

  test('is released by the annotation, and the next one is held again', () => {
    const all = objects(40);
    const world = new World(all);
    world.isWatched = false;
    world.clear(all.slice(0, 30));
    world.options = { ...options, letGo: '2026-11-21T10:00:02Z' };
    // From before the hold began.
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

  test('stays released while PowerDNS cannot be reached', () => {
    const world = new World(objects(10));
    world.clear(world.current);
    world.works = false;
    expect(world.loop()).toHaveLength(10);
    for (let i = 0; i < 3; i++) expect(world.loop(600)).toEqual([]);
    expect(world.current.size).toBe(10);
  });

  test('of all names is held, as in the first loop of an ExternalDNS with empty caches', () => {
    const world = new World(objects(100));
    world.isWatched = false;
    world.clear(world.current);
    expect(world.loop()).toHaveLength(100);
  });

  test('is held no longer if the clock is set back', () => {
    const world = new World(objects(10));
    world.clear(world.current);
    expect(world.loop()).toHaveLength(10);
    const { since } = world;
    world.wallIsAhead = -86_400 * seconds;
    expect(world.loop(599)).toHaveLength(10);
    expect(world.since).toBe(since);
    expect(world.loop(1)).toEqual([]);
  });

  test('is not released by an older annotation if the agent started before its clock was right', () => {
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
  test.each([true, false])('of one object is not held, however many names it has; objects watched: %s', (isWatched) => {
    const world = new World([...hostsOf('ingress/a/big', 50), ...objects(3)]);
    world.isWatched = isWatched;
    world.delete(
      hostsOf('ingress/a/big', 50).map((each) => [...world.current].find(({ name }) => name === each.name)!),
    );
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(3);
  });

  const big = hostsOf('ingress/a/big', 20);
  const second = hostsOf('ingress/a/second', 20);

  test('of some hosts of one object is not held', () => {
    const world = new World([...big, ...objects(3)]);
    world.delete(big.slice(1));
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(4);
  });

  test('is held if the object still requests them', () => {
    const world = new World([...big, ...objects(3)]);
    world.clear(big);
    expect(world.loop()).toHaveLength(20);
  });

  test('is released as soon as the object is gone', () => {
    const world = new World([...big, ...objects(3)]);
    world.clear(big);
    expect(world.loop()).toHaveLength(20);
    world.delete(big);
    expect(world.loop()).toEqual([]);
    expect(world.since).toBeUndefined();
  });

  test('of several objects at once is held, also when all but one come back', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.delete([...big, ...second]);
    expect(world.loop()).toHaveLength(40);
    world.restore(second);
    expect(world.loop()).toHaveLength(20);
  });

  test('of one object after the other is not held where objects are watched', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.delete(big);
    expect(world.loop()).toEqual([]);
    world.delete(second);
    expect(world.loop()).toEqual([]);
    expect(world.current.size).toBe(3);
  });

  test('of one object after the other is held from the second on where they are not watched', () => {
    const world = new World([...big, ...second, ...objects(3)]);
    world.isWatched = false;
    world.delete(big);
    expect(world.loop()).toEqual([]);
    world.delete(second);
    expect(world.loop()).toEqual(namesOf(second));
  });

  test('is not held while other names are', () => {
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

  test('of the Pods of a headless Service is held while it requests the names below its own', () => {
    const pods = Array.from({ length: 6 }, (_, i) =>
      discoveredRRset('service/a/db', `db-${i}.db.corp.internal.`, 'A', '192.0.2.1'),
    );
    const sourceObject = { resource: 'service/a/db', namespace: 'a', created: '', hosts: ['db.corp.internal.'] };
    for (const below of [true, false]) {
      const lister = { ...noSources, hasSynced: () => true, get: () => ({ ...sourceObject, below }) };
      expect(new DeleteGuard().hold(pods, new Set(), options, lister, start).held).toHaveLength(below ? 6 : 0);
    }
  });

  test('is held if the object is unknown', () => {
    const nameless = objects(10, 'unknown').map(({ name }) => discoveredRRset('unknown', name, 'A', '192.0.2.1'));
    expect(new DeleteGuard().hold(nameless, new Set(), options, noSources, start).held).toHaveLength(10);
  });
});

describe('an object that has lost its address', () => {
  const [one, ...others] = objects(10) as [Host, ...Host[]];

  test('keeps its name for holdSeconds though it is the only one, and is not reported', () => {
    const world = new World([one, ...others]);
    world.clear([one]);
    expect(world.loop()).toEqual([one.name]);
    expect(world.since).toBeUndefined();
    expect(world.loop(599)).toEqual([one.name]);
    expect(world.loop(1)).toEqual([]);
    expect(world.current.has(one)).toBe(false);
  });

  test('keeps it for holdSeconds while others lose theirs one after the other', () => {
    const world = new World([one, ...others]);
    for (const each of [one, ...others]) {
      world.clear([each]);
      expect(world.loop(60)).toContain(each.name);
    }
    expect(world.current.size).toBe(10);
    expect(world.loop(60)).toEqual(namesOf(others));
    expect(world.loop(60)).toEqual(namesOf(others.slice(1)));
  });

  test('loses it at once if it is deleted, by the annotation, or if the guard is off', () => {
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

  test('keeps it while it waits for its controller, and not if a filter excludes it', () => {
    const filtered = { resource: one.object, namespace: 'a', created: '', hosts: [one.name], filteredBy: 'why' };
    for (const isUnready of [true, false]) {
      const lister = { ...noSources, hasSynced: () => true, filteredOf: () => [{ ...filtered, isUnready }] };
      const current = [discoveredRRset(one.object, one.name, 'A', '192.0.2.1')];
      const { held } = new DeleteGuard().hold(current, new Set(), options, lister, start);
      expect(held).toHaveLength(isUnready ? 1 : 0);
    }
  });

  test('does not keep the names of its Pods, which may vanish one by one', () => {
    const pod = discoveredRRset('service/a/db', 'db-0.db.corp.internal.', 'A', '192.0.2.1');
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

describe('objects that are watched and cannot be seen', () => {
  test('keep their names, however few, until they are seen to be gone', () => {
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

  test('keep them for holdSeconds at most', () => {
    const [one] = objects(1) as [Host];
    const world = new World([one]);
    world.isUnsynced = true;
    world.delete([one]);
    expect(world.loop()).toEqual([one.name]);
    expect(world.loop(600)).toEqual([]);
  });
});

describe('a restarted agent', () => {
  test.each([true, false])('counts what vanished before, and holds it no longer; objects watched: %s', (isWatched) => {
    const all = objects(100);
    const world = new World(all);
    world.isWatched = isWatched;
    const sizes = [40, 24, 15, 9].map((count) => {
      world.clear([...world.resolvable].slice(0, count));
      world.restart();
      world.loop(60);
      return world.current.size;
    });
    expect(sizes).toEqual(isWatched ? [100, 100, 100, 100] : [60, 60, 60, 60]);
    world.restart();
    world.loop(420);
    expect(world.current.size).toBe(60);
  });

  test('whose state is lost holds everything that is missing, once', () => {
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
  fc.constantFrom<Pick<World, 'isWatched' | 'isUnsynced'>>(
    { isWatched: true, isUnsynced: false },
    { isWatched: false, isUnsynced: false },
    { isWatched: true, isUnsynced: true },
  ),
);

test('whatever happens, no requested name is held, none for too long, and none of a few deleted objects', {
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
      const resolvable = new Set(namesOf([...world.resolvable]));
      const asking = new Set(namesOf([...world.requested]));
      const held = world.loop(after);
      for (const name of resolvable) missedAt.delete(name);
      for (const name of before) if (!resolvable.has(name) && !missedAt.has(name)) missedAt.set(name, world.now);
      const isOver = (name: string) => world.now - (missedAt.get(name) ?? 0) >= 300 * seconds;
      for (const name of held) {
        expect(resolvable).not.toContain(name);
        expect(isOver(name)).toBe(false);
      }
      // A name whose object exists, or may, and lacks only its address is held, however few are missing.
      const isSure = (name: string) => sight.isUnsynced || (sight.isWatched && asking.has(name));
      const sure = before.filter((name) => !resolvable.has(name) && isSure(name));
      for (const name of sure) expect(held.includes(name)).toBe(!isOver(name));
      deleted = deleted.filter(({ name, at }) => !resolvable.has(name) && world.now - at < 300 * seconds);
      const known = new Set([...before, ...deleted.map(({ name }) => name)]);
      const vanished = new Set([...before.filter((name) => !resolvable.has(name)), ...deleted.map(({ name }) => name)]);
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

test('whatever happens, a restarted agent holds what the one before would have held', {
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
  let current = hosts.map(({ object, name }) => discoveredRRset(object, name, 'A', '192.0.2.1'));
  const accepted = current.slice(0, 2);
  let now = start;
  const webhook = {
    records: async () => current.map(endpointOf),
    adjustEndpoints: async () => {
      now += 2 * seconds;
      const requested = new Set(accepted.map(({ name }) => name));
      const { held } = guard.hold(current, requested, options, noSources, now);
      return applyPolicy('Sync', current, [...accepted, ...held]).answer.map(endpointOf);
    },
    applyChanges: async ({ delete: deleted = [] }: { delete?: Parameters<typeof rrsetOf>[0][] }) => {
      const deletedNames = new Set(deleted.map(({ dnsName }) => `${dnsName}.`));
      current = current.filter(({ name }) => !deletedNames.has(name));
    },
  };
  for (let i = 0; i < 300; i++) expect(await loop(webhook, [])).toBeUndefined();
  expect((await loop(webhook, []))?.delete).toHaveLength(8);
  expect(await loop(webhook, [])).toBeUndefined();
});
