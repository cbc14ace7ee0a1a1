/** What is published before ExternalDNS asks, and what its loops do to that. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { endpoint, foreign } from '../make.ts';
import { type Anticipated, agentThatAnticipates } from './agent-that-anticipates.ts';

const [web, old] = ['ingress/a/web', 'ingress/a/old'];

let setup: Anticipated;
beforeEach(async () => {
  setup = await agentThatAnticipates();
  setup.set(old, { hosts: ['old.corp.internal'], targets: ['192.0.2.9'] });
  await setup.loop();
});

const www = { hosts: ['www.corp.internal'], targets: ['192.0.2.1'] };

describe('a change of an object', () => {
  test('is published without ExternalDNS, in one transaction, and is Resolved at once', async () => {
    const { agent, database, published, set, verdictOf } = setup;
    set(web, www);
    set('service/a/api', { hosts: ['api.corp.internal'], targets: ['192.0.2.2', '2001:db8::1'] });
    const { writes } = database;
    expect(await agent.anticipate()).toBe(true);
    expect(database.writes).toBe(writes + 1);
    expect(published()).toEqual([
      'api A 192.0.2.2 service/a/api',
      'api AAAA 2001:db8::1 service/a/api',
      'old A 192.0.2.9 ingress/a/old',
      'www A 192.0.2.1 ingress/a/web',
    ]);
    expect(verdictOf(web)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('is confirmed by the next loop, which has nothing to do', async () => {
    const { agent, clock, database, loop, set } = setup;
    set(web, www);
    await agent.anticipate();
    clock.now += 1;
    const { writes } = database;
    for (let i = 0; i < 5; i++) {
      expect(await loop()).toBeUndefined();
      expect(await agent.anticipate()).toBe(true);
    }
    expect(database.writes).toBe(writes);
    expect([...agent.anticipation.counts]).toEqual([]);
  });

  test('of its targets replaces them, and a deletion takes its names with it', async () => {
    const { agent, published, set } = setup;
    set(web, www);
    await agent.anticipate();
    set(web, { ...www, targets: ['lb.corp.internal'] });
    await agent.anticipate();
    expect(published()).toContain('www CNAME lb.corp.internal. ingress/a/web');
    expect(published()).not.toContain('www A 192.0.2.1 ingress/a/web');
    set(web, undefined);
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
  });

  test('waits for the first loop of ExternalDNS, and for sources to be listed', async () => {
    const fresh = await agentThatAnticipates();
    fresh.set(web, www);
    expect(await fresh.agent.anticipate()).toBe(false);
    expect(fresh.published()).toEqual([]);
    await fresh.loop([]);
    expect(await fresh.agent.anticipate()).toBe(true);
    expect(fresh.published()).toEqual(['www A 192.0.2.1 ingress/a/web']);
    fresh.objects.unlisted = 'services';
    fresh.set(web, undefined);
    expect(await fresh.agent.anticipate()).toBe(false);
    expect(fresh.published()).toHaveLength(1);
    fresh.objects.unlisted = undefined;
    expect(await fresh.agent.anticipate()).toBe(true);
    expect(fresh.published()).toEqual([]);
  });

  test('is published again when PowerDNS did not answer', async () => {
    const { agent, database, published, set } = setup;
    set(web, www);
    database.failure = 'connection refused';
    await expect(agent.anticipate()).rejects.toThrow('connection refused');
    database.failure = undefined;
    expect(await agent.anticipate()).toBe(true);
    expect(published()).toContain('www A 192.0.2.1 ingress/a/web');
  });

  test.each([
    ['of a kind that is not anticipated', 'httproute/a/r', {}],
    ['of an object that only ExternalDNS can read', web, { isInexact: true }],
    ['of an object whose targets are unknown', web, { hasUnknownTargets: true }],
  ])('%s waits for ExternalDNS', async (_, resource, more) => {
    const { agent, loop, published, set } = setup;
    set(resource, { ...www, ...more });
    expect(await agent.anticipate()).toBe(true);
    expect(published()).toHaveLength(1);
    await loop([
      ...setup.objects.endpoints(),
      { dnsName: 'www.corp.internal', recordType: 'A', targets: ['192.0.2.1'], labels: { resource } },
    ]);
    expect(published()).toHaveLength(2);
  });

  test('is published again as soon as the database is lost, and not over and over', async () => {
    const { agent, database, published, set } = setup;
    set(web, www);
    await agent.anticipate();
    const before = published();
    database.wipe();
    await agent.reconcile();
    expect(published()).toEqual([]);
    expect(await agent.anticipate()).toBe(true);
    expect(published()).toEqual(before);
    const { writes } = database;
    expect(await agent.anticipate()).toBe(true);
    expect(database.writes).toBe(writes);
  });

  test('goes on while ExternalDNS is away', async () => {
    const { agent, clock, published, set } = setup;
    for (let i = 0; i < 5; i++) {
      clock.now += 60_000;
      set(`ingress/a/o${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
      await agent.anticipate();
    }
    expect(published()).toHaveLength(6);
  });
});

describe('a loop of ExternalDNS', () => {
  /** ExternalDNS asks for another target than the object shows. */
  const differing = (): Endpoint[] => [
    endpoint(old, 'old.corp.internal', 'A', '192.0.2.9'),
    endpoint(web, 'www.corp.internal', 'A', '192.0.2.250'),
  ];
  const asked = 'www A 192.0.2.250 ingress/a/web';

  test('that began before a change does not undo it', async () => {
    const { agent, clock, published, set, webhook, objects } = setup;
    const stale = objects.endpoints();
    const current = await webhook.records();
    clock.now += 10;
    set(web, www);
    await agent.anticipate();
    const answer = await webhook.adjustEndpoints(stale);
    expect(answer.map(({ dnsName }) => dnsName).sort()).toEqual(['old.corp.internal', 'www.corp.internal']);
    // What it creates is there already.
    await webhook.applyChanges({
      create: answer.filter(({ dnsName }) => !current.some((each) => each.dnsName === dnsName)),
    });
    expect(published()).toHaveLength(2);
    expect([...agent.anticipation.counts]).toEqual([]);
  });

  test('that began before a change neither confirms it nor counts against it', async () => {
    const { agent, clock, loop, published, set, webhook, objects } = setup;
    const stale = objects.endpoints();
    await webhook.records();
    clock.now += 10;
    set(web, www);
    await agent.anticipate();
    await webhook.adjustEndpoints(stale);
    clock.now += 10;
    await loop(stale);
    expect(published()).toContain('www A 192.0.2.1 ingress/a/web');
    // There and back again: the loop has seen neither, and the next one lags.
    const there = [...stale, endpoint(web, 'www.corp.internal', 'A', '192.0.2.2')];
    const current = objects.endpoints();
    clock.now += 10;
    await loop(current);
    await webhook.records();
    clock.now += 10;
    set(web, { ...www, targets: ['192.0.2.2'] });
    set(web, www);
    await agent.anticipate();
    await webhook.adjustEndpoints(current);
    clock.now += 10;
    await loop(there);
    expect(published()).toContain('www A 192.0.2.1 ingress/a/web');
    expect(await loop(current)).toBeUndefined();
    expect([...agent.anticipation.counts]).toEqual([]);
  });

  test('whose plan was overtaken neither fails nor undoes anything', async () => {
    const { agent, clock, published, set, webhook, objects } = setup;
    set(web, www);
    const [before] = await webhook.records();
    await webhook.adjustEndpoints(objects.endpoints());
    const create = objects.endpoints().filter(({ dnsName }) => dnsName === 'www.corp.internal');
    clock.now += 10;
    set(web, { ...www, targets: ['192.0.2.77'] });
    set(old, undefined);
    await agent.anticipate();
    await webhook.applyChanges({ create, updateNew: [before!] });
    expect(published()).toEqual(['www A 192.0.2.77 ingress/a/web']);
    clock.now += 2_000;
    set(web, undefined);
    await agent.anticipate();
    await webhook.applyChanges({ create, updateNew: [before!], delete: [before!] });
    expect(published()).toEqual([]);
  });

  test('that plans to delete what has come back leaves it', async () => {
    const { agent, published, set, webhook, objects, clock } = setup;
    const [gone] = await webhook.records();
    set(old, undefined);
    await webhook.adjustEndpoints(objects.endpoints());
    clock.now += 10;
    set(old, { hosts: ['old.corp.internal'], targets: ['192.0.2.9'] });
    await agent.anticipate();
    await webhook.applyChanges({ delete: [gone!] });
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
  });

  test('whose informers lag has no say, the second one has', async () => {
    const { agent, clock, loop, published, set } = setup;
    set(web, www);
    await agent.anticipate();
    clock.now += 2_000;
    await loop(differing());
    expect(published()).toContain('www A 192.0.2.1 ingress/a/web');
    clock.now += 2_000;
    await loop(differing());
    expect(published()).toContain(asked);
    expect([...agent.anticipation.counts]).toEqual([['Ingress', 1]]);
  });

  test('has its say at once if it began three intervals after the change', async () => {
    const { agent, clock, loop, published, set } = setup;
    set(web, www);
    await agent.anticipate();
    clock.now += 30_000;
    await loop(differing());
    expect(published()).toContain(asked);
    expect([...agent.anticipation.counts]).toEqual([['Ingress', 1]]);
  });

  test('says what the difference is in the log, and after three within an hour the kind is left to it', async () => {
    const { agent, clock, log, loop, published, set } = setup;
    for (let i = 0; i < 3; i++) {
      expect(agent.anticipation.suspended.has('Ingress')).toBe(false);
      set(web, { ...www, targets: [`192.0.2.${i}`] });
      await agent.anticipate();
      for (let again = 0; again < 2; again++) {
        clock.now += 10_000;
        await loop(differing());
      }
    }
    expect(log.filter(({ msg }) => msg === 'ExternalDNS asks for something else than was anticipated')).toHaveLength(3);
    expect(log).toContainEqual(
      expect.objectContaining({
        name: 'www.corp.internal',
        object: web,
        anticipated: ['A 192.0.2.2'],
        asked: ['A 192.0.2.250'],
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({
        kind: 'Ingress',
        msg: 'changes of this kind are left to ExternalDNS until the agent restarts',
      }),
    );
    expect([[...agent.anticipation.counts], [...agent.anticipation.suspended]]).toEqual([
      [['Ingress', 3]],
      ['Ingress'],
    ]);
    set(web, { ...www, targets: ['192.0.2.44'] });
    set('ingress/a/new', { hosts: ['new.corp.internal'], targets: ['192.0.2.3'] });
    set('service/a/api', { hosts: ['api.corp.internal'], targets: ['192.0.2.2'] });
    await agent.anticipate();
    expect(published().some((line) => line.startsWith('new '))).toBe(false);
    // Another kind goes on.
    expect(published()).toContain('api A 192.0.2.2 service/a/api');
    expect(published()).toContain(asked);
  });

  test('of three differences over hours suspends nothing', async () => {
    const { agent, clock, loop, set } = setup;
    for (let i = 0; i < 5; i++) {
      set(web, { ...www, targets: [`192.0.2.${i}`] });
      await agent.anticipate();
      clock.now += 1_900_000;
      await loop(differing());
    }
    expect([...agent.anticipation.counts]).toEqual([['Ingress', 5]]);
    expect(agent.anticipation.suspended.size).toBe(0);
  });
});

describe('a name that several objects share', () => {
  test('keeps the targets of the others, whoever has the label', async () => {
    const { agent, clock, loop, published, set } = setup;
    set(web, www);
    set('ingress/a/web2', { ...www, targets: ['192.0.2.2'] });
    clock.now += 1;
    await loop();
    expect(published()).toContain('www A 192.0.2.1 192.0.2.2 ingress/a/web');
    // The merged endpoint has the label of this one.
    set(web, undefined);
    await agent.anticipate();
    expect(published()).toContain('www A 192.0.2.2 ingress/a/web2');
  });

  test('stays with an object of another kind whose equal endpoint was left out', async () => {
    const { agent, clock, loop, published, set } = setup;
    set(web, www);
    set('service/a/web', www);
    clock.now += 1;
    await loop();
    set(web, undefined);
    await agent.anticipate();
    expect(published()).toContain('www A 192.0.2.1 service/a/web');
  });

  test('waits for ExternalDNS if one of them cannot be read', async () => {
    const { agent, published, set } = setup;
    set('service/a/pods', { hosts: ['old.corp.internal'], hasUnknownTargets: true });
    set(old, { hosts: ['old.corp.internal'], targets: ['192.0.2.10'] });
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
  });

  test('loses nothing early where a source is left to ExternalDNS: an equal endpoint may be hidden', async () => {
    const { agent, published, redeclare, set, loop, clock } = setup;
    redeclare({ sources: [{ kind: 'Ingress', isAnticipated: true }, { kind: 'Node' }] });
    await agent.reconcile();
    clock.now += 1;
    await loop();
    set(old, undefined);
    set(web, www);
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old', 'www A 192.0.2.1 ingress/a/web']);
  });
});

describe('the rules', () => {
  test('of tenants apply', async () => {
    const { agent, published, redeclare, set, verdictOf } = setup;
    redeclare({ reservedNames: ['www.corp.internal'] });
    await agent.reconcile();
    set(web, www);
    await agent.anticipate();
    expect(published()).toHaveLength(1);
    expect(verdictOf(web)).toMatch(/^Refused: /);
  });

  test('of conflicts apply: another namespace does not get the host', async () => {
    const { agent, published, set } = setup;
    set('ingress/b/thief', { hosts: ['old.corp.internal'], targets: ['192.0.2.66'] });
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
  });

  test.each([
    ['UpsertOnly', 'old A 192.0.2.9 ingress/a/old'],
    ['Preview', 'old A 192.0.2.9 ingress/a/old'],
  ])('of the policy %s apply', async (policy, line) => {
    const { agent, published, redeclare, set } = setup;
    redeclare({ policy });
    await agent.reconcile();
    set(old, undefined);
    await agent.anticipate();
    expect(published()).toEqual([line]);
  });

  test('of the delete guard apply to an object that loses its address', async () => {
    const { agent, published, set, heldNames } = setup;
    set(old, { hosts: ['old.corp.internal'], targets: [] });
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
    expect(heldNames()).toBe(1);
  });

  test('of the delete guard apply to objects that go one soon after the other', async () => {
    const { agent, clock, loop, published, set } = setup;
    for (let i = 0; i < 20; i++) set(`ingress/a/o${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
    clock.now += 1;
    await loop();
    clock.now += 100_000;
    for (let i = 0; i < 20; i++) {
      set(`ingress/a/o${i}`, undefined);
      await agent.anticipate();
      clock.now += 100;
    }
    // All but the first, which went alone.
    expect(published()).toHaveLength(20);
    clock.now += 3_000;
    await agent.anticipate();
    await loop();
    expect(published()).toHaveLength(20);
    expect(agent.heldNames).toBe(19);
  });

  test('of the delete guard let a second object wait until none has gone for two seconds', async () => {
    const { agent, clock, loop, published, set } = setup;
    for (let i = 0; i < 20; i++) set(`ingress/a/o${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
    clock.now += 1;
    await loop();
    for (const [i, isDone] of [true, false, false].entries()) {
      clock.now += 1_000;
      set(`ingress/a/o${i}`, undefined);
      expect(await agent.anticipate()).toBe(isDone);
    }
    expect(published()).toHaveLength(20);
    clock.now += 1_999;
    expect(await agent.anticipate()).toBe(false);
    expect(published()).toHaveLength(20);
    clock.now += 1;
    expect(await agent.anticipate()).toBe(true);
    expect(published()).toHaveLength(18);
  });

  test('of the delete guard let nothing settle under a policy that deletes nothing', async () => {
    const { agent, redeclare, set } = setup;
    set(web, www);
    await agent.anticipate();
    for (const gone of [web, old]) set(gone, undefined);
    expect(await agent.anticipate()).toBe(false);
    redeclare({ policy: 'UpsertOnly' });
    await agent.reconcile();
    expect(await agent.anticipate()).toBe(true);
  });

  test('of the delete guard hold nothing when objects go at intervals', async () => {
    const { agent, clock, loop, published, set } = setup;
    for (let i = 0; i < 20; i++) set(`ingress/a/o${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
    clock.now += 1;
    await loop();
    for (let i = 0; i < 20; i++) {
      clock.now += 2_000;
      set(`ingress/a/o${i}`, undefined);
      await agent.anticipate();
    }
    expect(published()).toHaveLength(1);
  });

  test('of ownership apply: a record made by hand stays', async () => {
    const { agent, database, published, set } = setup;
    database.edit('corp.internal.', ({ rrsets }) => rrsets.push(foreign('www.corp.internal.', 'A', '192.0.2.200')));
    set(web, www);
    await agent.anticipate();
    expect(published()).toEqual(['old A 192.0.2.9 ingress/a/old']);
  });

  test('of namespaces apply: each ExternalDNS has its own loops', async () => {
    const { agent, clock, loop, published, redeclare, set } = setup;
    redeclare({ namespaces: ['a', 'b'] });
    await agent.reconcile();
    for (const namespace of ['a', 'b']) await loop(undefined, namespace);
    set('ingress/b/web', www);
    await agent.anticipate();
    expect(published()).toContain('www A 192.0.2.1 ingress/b/web');
    clock.now += 10;
    for (let i = 0; i < 3; i++) await loop([], 'a');
    expect(published()).toContain('www A 192.0.2.1 ingress/b/web');
  });
});

test('nothing is anticipated unless a source is', async () => {
  const { agent, published, redeclare, set } = setup;
  redeclare({ sources: [{ kind: 'Ingress' }] });
  await agent.reconcile();
  set(web, www);
  expect(await agent.anticipate()).toBe(true);
  expect(published()).toHaveLength(1);
});
