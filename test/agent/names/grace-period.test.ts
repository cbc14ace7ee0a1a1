/** How long a name may stay Pending before it is late. */
import { describe, expect, test } from 'vitest';
import { zones } from '../make.ts';
import { type AgentWithSources, agentWithSources } from './agent-with-sources.ts';
import type { FakeObject } from './fake-source-lister.ts';

const x = 'ingress/a/x';
const early = 'Pending: not requested by ExternalDNS yet: it syncs every 2 s';
const late = 'Pending: ExternalDNS does not request this name: see the log of the container external-dns';
const silent = 'Pending: ExternalDNS has stopped reporting: see the log of the container external-dns';
const address = { targets: ['192.0.2.1'] };
const hostOfLab = 'www.lab.internal';

/** The verdict on the object after some seconds in which ExternalDNS requests nothing. */
async function verdictAfter(agent: AgentWithSources, seconds: number, host?: string): Promise<string | undefined> {
  agent.agent.explain();
  await agent.sync(seconds / 2, { endpoints: () => [] });
  return agent.verdictOf(x, host);
}

describe('the grace period starts with the last change', () => {
  test.each<[string, FakeObject, (agent: AgentWithSources) => void, string?]>([
    [
      'of the object, which had no address',
      {},
      (agent) => agent.setObject(x, { ...address, changedAt: agent.clock.now }),
    ],
    [
      'of the object, which a filter left out',
      { ...address, filteredBy: 'discovery.selector (a=b) leaves it out' },
      (agent) => agent.setObject(x, { ...address, changedAt: agent.clock.now }),
    ],
    ['of the spec, which excluded the name', address, (agent) => agent.redeclare({})],
    [
      'of the spec, which lacked the zone',
      { ...address, hosts: [hostOfLab], endpoints: [] },
      (agent) => agent.redeclare({}, { zones: zones('corp.internal', 'lab.internal') }),
      hostOfLab,
    ],
  ])('%s', async (what, before, change, host) => {
    const agent = await agentWithSources(what.includes('excluded') ? { excludedDomains: ['corp.internal'] } : {});
    agent.setObject(x, before);
    await agent.sync(10);
    expect(agent.verdictOf(x, host)).toMatch(/^(NoAddress|Filtered|OutsideZones): /);
    change(agent);
    await agent.agent.reconcile();
    expect(await verdictAfter(agent, 0, host)).toBe(early);
    expect(await verdictAfter(agent, 4, host)).toBe(early);
    expect(await verdictAfter(agent, 2, host)).toBe(late);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
  });

  test('the verdict becomes late without any other change', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, {});
    await agent.sync(10);
    agent.setObject(x, { ...address, changedAt: agent.clock.now });
    agent.agent.explain();
    agent.clock.now += 5_999;
    agent.agent.explain();
    expect(agent.verdictOf(x)).toBe(early);
    expect(agent.agent.names.areSettling).toBe(true);
    agent.clock.now += 1;
    agent.agent.explain();
    expect(agent.verdictOf(x)).toBe(late);
    expect(agent.agent.names.areSettling).toBe(false);
  });
});

test('a lost address has no grace period', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, address);
  await agent.sync(10);
  agent.setObject(x, { changedAt: agent.clock.now });
  await agent.sync(1);
  expect(agent.verdictOf(x)).toMatch(
    /^Held: ingress\/a\/x no longer has an address; .*: it still resolves to 192\.0\.2\.1; /,
  );
});

test('a change does not extend the grace period of an object that never had an address', async () => {
  const agent = await agentWithSources();
  await agent.sync(1);
  agent.setObject(x, {});
  agent.agent.explain();
  agent.clock.now += 4_000;
  agent.setObject(x, { created: '2026-01-02T00:00:00Z', changedAt: agent.clock.now });
  agent.agent.explain();
  expect(agent.verdictOf(x)).toMatch(/^Pending: no address yet/);
  agent.clock.now += 2_000;
  agent.agent.explain();
  expect(agent.verdictOf(x)).toMatch(/^NoAddress: no address yet/);
});

describe('while ExternalDNS is silent, its silence is the reason', () => {
  test('for a record that was removed by hand', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, address);
    await agent.sync(2);
    agent.database.edit('corp.internal.', (zone) => {
      zone.rrsets = zone.rrsets.filter(({ name }) => name !== 'www.corp.internal.');
    });
    await agent.passWithoutSync(1);
    expect(agent.verdictOf(x)).toBe('Pending: about to be written to PowerDNS');
    await agent.passWithoutSync(20);
    expect(agent.verdictOf(x)).toBe(silent);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('for a name that was not requested before, even if the spec changes', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, {});
    await agent.sync(10);
    agent.setObject(x, { ...address, changedAt: agent.clock.now });
    await agent.passWithoutSync(20);
    expect(agent.verdictOf(x)).toBe(silent);
    agent.redeclare({ deleteGuard: { percent: 60 } });
    await agent.passWithoutSync(1);
    expect(agent.verdictOf(x)).toBe(silent);
  });
});
