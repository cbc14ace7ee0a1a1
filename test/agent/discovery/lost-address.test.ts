/** Names whose objects lose their addresses, across loops of ExternalDNS, restarts of the agent and other namespaces. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownershipOf } from '../../../functions/agent/powerdns/rrset.ts';
import { type AgentWithSources, agentWithSources } from '../names/agent-with-sources.ts';
import { type FakeObject, www } from '../names/fake-source-lister.ts';

const [x, y] = ['ingress/a/x', 'ingress/b/y'];
const [early, late] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];
const first = { targets: ['192.0.2.1'], created: early };
const second = { targets: ['192.0.2.2'], created: late };
const addressless = (object: FakeObject): FakeObject => ({ ...object, targets: [] });

const answers = ({ database }: AgentWithSources, name = www) =>
  database.rrsets.filter((rrset) => rrset.name === `${name}.`).flatMap(({ records }) => records);

const published = ({ database }: AgentWithSources) =>
  database.rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered').length;

const hundred = Array.from({ length: 100 }, (_, i) => ({
  resource: `ingress/ns${i % 7}/h${i}`,
  object: { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] },
}));

test.each([true, false])(
  'statuses that are cleared one after the other delete no name; agent restarted: %s',
  async (isRestarted) => {
    const agent = await agentWithSources();
    for (const { resource, object } of hundred) agent.setObject(resource, object);
    await agent.sync(3);
    for (const left of [60, 36, 21, 12, 7, 4, 2, 1]) {
      for (const { resource, object } of hundred.slice(left)) agent.setObject(resource, addressless(object));
      if (isRestarted) await agent.restart();
      await agent.sync(3);
      expect(published(agent)).toBe(100);
    }
    const { writes } = agent.database;
    await agent.sync(5);
    expect(agent.database.writes).toBe(writes);
    for (const { resource, object } of hundred) agent.setObject(resource, object);
    await agent.sync(3);
    expect(published(agent)).toBe(100);
    expect(agent.verdicts()?.filter(({ verdict }) => verdict !== 'Resolved')).toEqual([]);
  },
);

test('the state of the guard is not written while nothing changes', async () => {
  const agent = await agentWithSources({}, { zones: [{ name: 'corp.internal', nameServers: [] }] });
  agent.setObject(x, first);
  await agent.sync(2);
  agent.setObject(x, addressless(first));
  await agent.sync(1);
  const { writes } = agent.database;
  for (let i = 0; i < 5; i++) {
    await agent.restart();
    await agent.sync(2);
  }
  expect(agent.database.writes).toBe(writes);
  expect(answers(agent)).toEqual(['192.0.2.1']);
});

describe('a restarted agent', () => {
  test('deletes at once what vanished meanwhile, unless the state is lost', async () => {
    for (const isLost of [false, true]) {
      const agent = await agentWithSources();
      agent.setObject(x, first);
      agent.setObject(y, { ...second, hosts: ['other.corp.internal'] });
      await agent.sync(2);
      agent.setObject(x, undefined);
      if (isLost) agent.database.wipeMetadata();
      await agent.restart();
      await agent.sync(1);
      expect(answers(agent)).toEqual(isLost ? ['192.0.2.1'] : []);
      agent.clock.now += 600_000;
      await agent.sync(1);
      expect(answers(agent)).toEqual([]);
    }
  });

  test('restores the missing names of each namespace with an ExternalDNS of its own', async () => {
    const agent = await agentWithSources({ namespaces: ['a', 'b'] });
    agent.setObject(x, first);
    agent.setObject(y, { ...second, hosts: ['other.corp.internal'] });
    const loops = async (count: number) => {
      for (const namespace of ['a', 'b']) await agent.sync(count, { namespace });
    };
    await loops(2);
    agent.setObject(x, addressless(first));
    agent.setObject(y, { ...addressless(second), hosts: ['other.corp.internal'] });
    await loops(1);
    agent.clock.now += 500_000;
    await agent.restart();
    await loops(1);
    expect(published(agent)).toBe(2);
    agent.clock.now += 100_000;
    await loops(1);
    expect(published(agent)).toBe(0);
  });
});

describe('a name whose object lost its address', () => {
  test('is not given to an object of another namespace that requests it', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, first);
    agent.setObject(y, second);
    await agent.sync(2);
    agent.setObject(x, addressless(first));
    await agent.sync(1);
    expect(answers(agent)).toEqual(['192.0.2.1']);
    expect(agent.agent.heldNames).toBe(1);
    expect(agent.verdictOf(y)).toMatch(
      /^Duplicate: the delete guard holds the name for ingress\/a\/x \(to release it: kubectl /,
    );
    agent.setObject(x, first);
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('resolves for an object of another namespace that wants the same answer, and is not given to it', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, first);
    agent.setObject(y, { ...first, created: late });
    await agent.sync(2);
    agent.setObject(x, addressless(first));
    await agent.sync(2);
    expect(agent.agent.heldNames).toBe(1);
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.1');
    expect(agent.database.rrsets.find(({ name }) => name === `${www}.`)?.mark?.content).toBe(x);
  });

  test('is given to another object when its own is gone or the hold is over', async () => {
    for (const end of ['gone', 'over'] as const) {
      const agent = await agentWithSources();
      agent.setObject(x, first);
      agent.setObject(y, second);
      await agent.sync(2);
      agent.setObject(x, end === 'gone' ? undefined : { ...addressless(first), changedAt: agent.clock.now });
      await agent.sync(2);
      if (end === 'over') agent.clock.now += 600_000;
      await agent.sync(2);
      expect(answers(agent)).toEqual(['192.0.2.2']);
      expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.2');
    }
  });

  test('is deleted at once if the spec excludes it', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, first);
    await agent.sync(2);
    agent.setObject(x, addressless(first));
    agent.redeclare({ excludedDomains: [www] });
    await agent.sync(1);
    expect(answers(agent)).toEqual([]);
  });

  test('stays while its kind cannot be listed, with that reason', async () => {
    const agent = await agentWithSources();
    agent.setObject('httproute/a/r', first);
    agent.setObject(y, second);
    await agent.sync(2);
    agent.objects.setSynced('httproute', false);
    await agent.sync(2, { endpoints: () => agent.objects.endpoints('b') });
    expect(answers(agent)).toEqual(['192.0.2.1']);
    expect(agent.verdictOf('httproute/a/r')).toMatch(
      /^Held: httproute\/a\/r cannot be read, as its kind cannot be listed; .*: it still resolves to 192\.0\.2\.1; /,
    );
  });

  test('stays while no Gateway accepts its route, with that reason', async () => {
    const agent = await agentWithSources();
    agent.setObject('httproute/a/r', first);
    await agent.sync(2);
    agent.setObject('httproute/a/r', { ...first, filteredBy: 'no Gateway has accepted it', isUnready: true });
    await agent.sync(4);
    expect(agent.verdictOf('httproute/a/r')).toBe(
      'NoAddress: no Gateway has accepted it; it still resolves to 192.0.2.1',
    );
    agent.setObject('httproute/a/r', { ...first, filteredBy: 'discovery.selector leaves it out' });
    await agent.sync(1);
    expect(answers(agent)).toEqual([]);
  });
});

describe('an older object without an address', () => {
  const reserved =
    'Duplicate: reserved for ingress/a/x, which is older and has no address now (discovery.deleteGuard.hold)';
  /** The database is empty, and only the younger object has an address. */
  const recovering = async (older: FakeObject, discovery = {}) => {
    const agent = await agentWithSources(discovery);
    agent.setObject(x, addressless(older));
    agent.setObject(y, second);
    return agent;
  };

  test('reserves its name for holdSeconds', async () => {
    const agent = await recovering(first);
    await agent.sync(2);
    expect(answers(agent)).toEqual([]);
    expect(agent.verdictOf(y)).toContain(reserved);
    agent.clock.now += 600_000;
    await agent.sync(2);
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.2');
    await agent.sync(3);
    expect(answers(agent)).toEqual(['192.0.2.2']);
  });

  test('reserves it from all that want the same answer, each of which is told', async () => {
    const agent = await recovering(first);
    const others = ['ingress/b/also', 'ingress/c/also'];
    for (const other of others) agent.setObject(other, second);
    await agent.sync(2);
    for (const each of [y, ...others]) expect(agent.verdictOf(each)).toContain(reserved);
  });

  test('gets its name if the address comes in time', async () => {
    const agent = await recovering(first);
    await agent.sync(2);
    agent.setObject(x, first);
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test.each<[string, FakeObject, object]>([
    ['is younger', { created: '2026-03-01T00:00:00Z' }, {}],
    ['lost its address before that', { created: early, changedAt: -600_000 }, {}],
    [
      'may not have the name',
      { created: early },
      { tenants: [{ namespaceSelector: { matchLabels: { t: 'b' } }, names: ['*.corp.internal'] }] },
    ],
    ['shares with all (Merge)', { created: early }, { sharedHosts: 'Merge' }],
    ['is not guarded', { created: early }, { deleteGuard: { percent: 100 } }],
  ])('reserves no name if it %s', async (_, older, discovery) => {
    const agent = await recovering(older, discovery);
    agent.objects.setNamespaceLabels('a', { t: 'a' });
    agent.objects.setNamespaceLabels('b', { t: 'b' });
    await agent.sync(2);
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.2');
  });

  test('does not take its name from an object that has it', async () => {
    const agent = await agentWithSources();
    agent.setObject(y, second);
    await agent.sync(2);
    agent.setObject(x, addressless(first));
    await agent.sync(2);
    expect(answers(agent)).toEqual(['192.0.2.2']);
  });
});

/** What happens to one of six objects with a name each, in a cluster that may become unreachable. */
const event = fc.oneof(
  fc.record({
    object: fc.nat(5),
    becomes: fc.constantFrom('addressless', 'addressless', 'unready', 'whole', 'gone', 'filtered'),
  }),
  fc.record({ restart: fc.boolean() }),
  fc.record({ isUnsynced: fc.boolean() }),
);

test('whatever happens, an existing object keeps its answer, and nothing is written at rest', {
  tags: ['history'],
}, async () => {
  const run = fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
    const agent = await agentWithSources();
    const whole = (i: number) => ({ hosts: [`h${i}.corp.internal`], targets: [`192.0.2.${i + 1}`] });
    const states = Array.from({ length: 6 }, (): string => 'whole');
    for (const i of states.keys()) agent.setObject(`ingress/a/${i}`, whole(i));
    await agent.sync(2);
    for (const change of events) {
      if ('restart' in change && change.restart) await agent.restart();
      if ('isUnsynced' in change) agent.objects.setSynced('ingress', !change.isUnsynced);
      if ('object' in change) {
        const { object: i, becomes } = change;
        states[i] = becomes;
        const filteredBy = { ...whole(i), filteredBy: becomes };
        const after: Record<string, FakeObject | undefined> = {
          addressless: addressless(whole(i)),
          unready: { ...filteredBy, isUnready: true },
          whole: whole(i),
          filtered: filteredBy,
        };
        agent.setObject(`ingress/a/${i}`, after[becomes]);
      }
      const before = states.map((_, i) => answers(agent, `h${i}.corp.internal`).length > 0);
      const isSynced = agent.objects.hasSynced('ingress/a/0');
      const endpoints = () => (isSynced ? agent.objects.endpoints() : []);
      await agent.sync(2, { endpoints });
      for (const [i, state] of states.entries()) {
        const isAnswered = answers(agent, `h${i}.corp.internal`).length > 0;
        if (isSynced && state === 'whole') expect(isAnswered).toBe(true);
        if (isSynced && (state === 'gone' || state === 'filtered')) continue;
        if (before[i]) expect(isAnswered).toBe(true);
      }
      const { writes } = agent.database;
      await agent.sync(2, { endpoints });
      expect(agent.database.writes).toBe(writes);
    }
  });
  await fc.assert(run, { numRuns: 100 });
});
