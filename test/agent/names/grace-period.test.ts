/** When it is too early to say that somebody has to ask why a name does not come. */
import { describe, expect, test } from 'vitest';
import { zones } from '../make.ts';
import type { SeenObject } from './seen-objects.ts';
import { type SightedAgent, sightedAgent } from './sighted-agent.ts';

const x = 'ingress/a/x';
const early = 'Pending: not requested by ExternalDNS yet: it syncs every 2 s';
const late = 'Pending: ExternalDNS does not request this name: see the log of the container external-dns';
const unheard = 'Pending: ExternalDNS has stopped reporting: see the log of the container external-dns';
const address = { targets: ['192.0.2.1'] };
const hostOfLab = 'www.lab.internal';

/** What is said of the object now, and after so many seconds in which ExternalDNS asks for nothing. */
async function saidAfter(agent: SightedAgent, seconds: number, host?: string): Promise<string | undefined> {
  agent.agent.explain();
  await agent.loops(seconds / 2, { asks: () => [] });
  return agent.of(x, host);
}

describe('ExternalDNS is given its time from the last change on', () => {
  test.each<[string, SeenObject, (agent: SightedAgent) => void, string?]>([
    ['of the object, which had no address', {}, (agent) => agent.has(x, { ...address, changed: agent.clock.now })],
    [
      'of the object, which a filter left out',
      { ...address, filteredBy: 'discovery.selector (a=b) leaves it out' },
      (agent) => agent.has(x, { ...address, changed: agent.clock.now }),
    ],
    ['of the spec, which excluded the name', address, (agent) => agent.redeclare({})],
    [
      'of the spec, which lacked the zone',
      { ...address, hosts: [hostOfLab], asks: [] },
      (agent) => agent.redeclare({}, { zones: zones('corp.internal', 'lab.internal') }),
      hostOfLab,
    ],
  ])('%s', async (what, before, change, host) => {
    const agent = await sightedAgent(what.includes('excluded') ? { excludedDomains: ['corp.internal'] } : {});
    agent.has(x, before);
    await agent.loops(10);
    expect(agent.of(x, host)).toMatch(/^(NoAddress|Filtered|OutsideZones): /);
    change(agent);
    await agent.agent.reconcile();
    expect(await saidAfter(agent, 0, host)).toBe(early);
    expect(await saidAfter(agent, 4, host)).toBe(early);
    expect(await saidAfter(agent, 2, host)).toBe(late);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
  });

  test('and then it is said though nothing else has changed', async () => {
    const agent = await sightedAgent();
    agent.has(x, {});
    await agent.loops(10);
    agent.has(x, { ...address, changed: agent.clock.now });
    agent.agent.explain();
    agent.clock.now += 5_999;
    agent.agent.explain();
    expect(agent.of(x)).toBe(early);
    agent.clock.now += 1;
    agent.agent.explain();
    expect(agent.of(x)).toBe(late);
  });
});

test('an address that is lost is told at once', async () => {
  const agent = await sightedAgent();
  agent.has(x, address);
  await agent.loops(10);
  agent.has(x, { changed: agent.clock.now });
  await agent.loops(1);
  expect(agent.of(x)).toMatch(/^Held: ingress\/a\/x no longer has an address; .*: it still resolves to 192\.0\.2\.1; /);
});

test('a change gives no more time to an object that has had no address from the beginning', async () => {
  const agent = await sightedAgent();
  await agent.loops(1);
  agent.has(x, {});
  agent.agent.explain();
  agent.clock.now += 4_000;
  agent.has(x, { created: '2026-01-02T00:00:00Z', changed: agent.clock.now });
  agent.agent.explain();
  expect(agent.of(x)).toMatch(/^Pending: no address yet/);
  agent.clock.now += 2_000;
  agent.agent.explain();
  expect(agent.of(x)).toMatch(/^NoAddress: no address yet/);
});

describe('nothing is about to happen while ExternalDNS is silent', () => {
  test('to a record that a person has removed', async () => {
    const agent = await sightedAgent();
    agent.has(x, address);
    await agent.loops(2);
    agent.database.edit('corp.internal.', (zone) => {
      zone.rrsets = zone.rrsets.filter(({ name }) => name !== 'www.corp.internal.');
    });
    await agent.silence(1);
    expect(agent.of(x)).toBe('Pending: about to be written to PowerDNS');
    await agent.silence(20);
    expect(agent.of(x)).toBe(unheard);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
    await agent.loops(2);
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('to a name that is not asked for yet, whatever the spec becomes', async () => {
    const agent = await sightedAgent();
    agent.has(x, {});
    await agent.loops(10);
    agent.has(x, { ...address, changed: agent.clock.now });
    await agent.silence(20);
    expect(agent.of(x)).toBe(unheard);
    agent.redeclare({ deleteGuard: { percent: 60 } });
    await agent.silence(1);
    expect(agent.of(x)).toBe(unheard);
  });
});
