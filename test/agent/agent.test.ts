import { describe, expect, test } from 'vitest';
import type { Observations } from '../../functions/agent/agent.ts';
import { report as reportSchema } from '../../functions/contract/report.ts';
import { loop } from './external-dns.ts';
import { corp, declare, discoveredRRset, endpoint, makeAgent, record, zone, zones, zoneWith } from './make.ts';
import { MemoryZones } from './zones/memory-zones.ts';

const www = endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1');
const names = (database: MemoryZones) =>
  database.rrsets
    .filter((r) => r.mark?.account.startsWith('external-dns/'))
    .map((r) => `${r.name} ${r.type} ${r.records}`);

/** An agent that has reconciled corp.internal. */
async function served(database?: MemoryZones, options?: Parameters<typeof makeAgent>[1]) {
  const setup = makeAgent(database, options);
  setup.declare(declare());
  await setup.agent.reconcile();
  return setup;
}

describe('a declaration', () => {
  test('is applied once', () => {
    const { declare: take } = makeAgent();
    expect([take(declare()), take(declare()), take(declare({ addresses: [] }))]).toEqual([true, false, true]);
  });

  test('that says which DS has been published is applied, without another report', async () => {
    const signed = (...ds: string[]) =>
      declare({
        zones: [{ ...corp, dnssec: { mode: 'Signed', algorithm: 'ECDSA256', nsec3: false, ds } }],
      });
    const { agent, declare: take } = makeAgent();
    take(signed());
    await agent.reconcile();
    const before = agent.report();
    expect(take(signed('23 13 2 aa'))).toBe(true);
    expect(agent.declaration?.zones[0]?.dnssec?.ds).toEqual(['23 13 2 aa']);
    await agent.reconcile();
    expect(agent.report()).toEqual(before);
    take(declare());
    await agent.reconcile();
    expect(agent.report()?.declaration).not.toBe(before?.declaration);
  });

  test.each([
    ['', /^Unexpected end of JSON input$/],
    [
      '{"name":"corp","replicas":1,"zones":[{"name":1}]}',
      /^zones\.0\.name: Invalid input: expected string, received number$/,
    ],
  ])('that is invalid changes nothing: %s', async (text, message) => {
    const { agent, database } = await served();
    expect(() => agent.setDeclaration(text)).toThrow(message);
    expect(agent.declaration).toEqual(declare());
    await agent.reconcile();
    expect(database.names).toEqual(['corp.internal.']);
    expect(agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
  });

  test('without a field of discovery, as an older function may write it, changes nothing', async () => {
    const { agent } = await served();
    const { discovery, ...others } = declare();
    const { maxNamesPerNamespace: _, ...older } = discovery!;
    expect(() => agent.setDeclaration(JSON.stringify({ ...others, discovery: older }))).toThrow(
      'discovery.maxNamesPerNamespace: Invalid input: expected number, received undefined',
    );
    expect(agent.declaration).toEqual(declare());
  });
});

describe('ExternalDNS gets an error', () => {
  test('until the declared zones exist', async () => {
    const { agent, declare: take } = makeAgent();
    await expect(agent.records()).rejects.toThrow('the declared zones do not exist yet');
    take(declare());
    await expect(agent.adjustEndpoints([www])).rejects.toThrow('the declared zones do not exist yet');
    await agent.reconcile();
    expect(await agent.records()).toEqual([]);
  });

  test('while they are lost, and no record is rejected meanwhile', async () => {
    const { agent, database, log } = await served();
    await loop(agent, [www]);
    database.wipe();
    await expect(loop(agent, [www])).rejects.toThrow('the zone corp.internal does not exist');
    await agent.reconcile();
    await loop(agent, [www]);
    expect(names(database)).toEqual(['www.corp.internal. A 192.0.2.1']);
    expect(log.filter(({ msg }) => msg === 'rejected name')).toEqual([]);
  });
});

test('the first record with a check waits for the restart of PowerDNS', async () => {
  const [database, lua] = [new MemoryZones(), { isOn: false, asked: 0 }];
  const asked = async () => {
    lua.asked++;
    return lua.isOn;
  };
  const { agent, declare: take } = makeAgent(database, { lua: asked });
  const state = async () => {
    await agent.reconcile();
    return agent.report()?.zones.map(({ state, message }) => message ?? state);
  };
  const waiting = [expect.stringContaining('PowerDNS restarts once')];
  const checked = (name: string) => ({ ...record(name, 'A', '192.0.2.1'), check: { port: 80 } });
  const takeWith = (...names: string[]) => take(declare({ zones: [zoneWith('corp.internal', names.map(checked))] }));
  takeWith();
  expect([await state(), lua.asked]).toEqual([['Serving'], 0]);
  takeWith('a');
  expect([await state(), await state(), lua.asked]).toEqual([waiting, waiting, 2]);
  lua.isOn = true;
  expect([await state(), await state(), lua.asked]).toEqual([['Serving'], ['Serving'], 3]);
  lua.isOn = false;
  takeWith('b');
  expect([await state(), lua.asked]).toEqual([waiting, 4]);
});

test('a zone that cannot be created affects no other zone', async () => {
  const database = new MemoryZones();
  database.refuses = ({ name, type }) => name === 'b.internal.' && type === 'SOA';
  const { agent, problems, declare: take } = makeAgent(database);
  take(declare({ zones: zones('corp.internal', 'b.internal') }));
  await agent.reconcile();
  await loop(agent, [www, endpoint('o', 'a.b.internal', 'A', '192.0.2.2')]);
  expect(names(database)).toEqual(['www.corp.internal. A 192.0.2.1']);
  expect(agent.report()).toMatchObject({
    zones: [
      { name: 'corp.internal', state: 'Serving' },
      { name: 'b.internal', state: 'Failed', message: expect.stringContaining('no, thank you') },
    ],
  });
  expect(problems()).toMatchObject([
    { name: 'a.b.internal', message: 'the zone b.internal could not be created: see the condition ZonesReady' },
  ]);
});

describe('a record that PowerDNS rejects', () => {
  const bad = endpoint('ingress/b/bad', 'bad.corp.internal', 'CNAME', 'bad.example.com');
  async function refusing() {
    const database = new MemoryZones();
    database.refuses = ({ records }) => records.includes('bad.example.com.');
    const setup = await served(database);
    await loop(setup.agent, [www, bad]);
    return setup;
  }

  test('is reported with its message, and not sent again, while others are published', async () => {
    const { agent, database, problems } = await refusing();
    expect(names(database)).toEqual(['www.corp.internal. A 192.0.2.1']);
    const { writes } = database;
    for (let i = 0; i < 5; i++) expect(await loop(agent, [bad, www])).toBeUndefined();
    expect(database.writes).toBe(writes);
    expect(problems()).toEqual([
      {
        name: 'bad.corp.internal',
        resource: 'ingress/b/bad',
        verdict: 'Refused',
        message:
          "change the object, as PowerDNS refuses this: Record bad.corp.internal./CNAME 'bad.example.com.': no, thank you",
      },
    ]);
  });

  test('is forgotten when no object wants it any more', async () => {
    const { agent, database, problems } = await refusing();
    await loop(agent, [www, bad]);
    await loop(agent, [www]);
    expect(problems()).toEqual([]);
    database.refuses = () => false;
    await loop(agent, [www, bad]);
    expect(names(database)).toHaveLength(2);
  });

  test('leaves the record that was there before', async () => {
    const { agent, database } = await refusing();
    const turned = endpoint('ingress/a/web', 'www.corp.internal', 'CNAME', 'bad.example.com');
    await loop(agent, [turned]);
    for (let i = 0; i < 5; i++) expect(await loop(agent, [turned])).toBeUndefined();
    expect(names(database)).toEqual(['www.corp.internal. A 192.0.2.1']);
  });
});

test('a rejected record is logged once, whichever of its objects ExternalDNS names', async () => {
  const { agent, log } = await served();
  for (const object of ['ingress/a/x', 'ingress/b/x', 'ingress/a/x']) {
    await loop(agent, [endpoint(object, '_a.corp.internal', 'A', '192.0.2.1', '192.0.2.2')]);
  }
  expect(log.filter(({ msg }) => msg === 'rejected name')).toMatchObject([{ resource: 'ingress/a/x' }]);
});

describe('the report', () => {
  test('matches its schema, and is the same object while nothing changes', async () => {
    const { agent, clock } = await served();
    const endpoints = [
      www,
      endpoint('o', '_a.corp.internal', 'A', '192.0.2.1'),
      endpoint('p', '_b.corp.internal', 'A', '192.0.2.1'),
    ];
    await loop(agent, endpoints);
    agent.explain();
    const first = agent.report();
    expect(first?.names).toMatchObject({ total: 3, resolved: 1 });
    expect(reportSchema.parse(first)).toEqual(first);
    for (let i = 0; i < 5; i++) {
      clock.now += 2000;
      // ExternalDNS's order is that of a Go map.
      await loop(agent, endpoints.toReversed());
      await agent.reconcile();
      agent.explain();
      expect(agent.report()).toEqual(first);
    }
  });

  test('has the hash of a declaration only once the zones are reconciled with it', async () => {
    const { agent, declare: take } = await served();
    const before = agent.report();
    take(declare({ addresses: ['192.0.2.54'] }));
    expect(agent.report()).toEqual(before);
    await agent.reconcile();
    expect(agent.report()).toEqual({ ...before, declaration: expect.not.stringMatching(before!.declaration) });
  });

  test('has the first few of a long list', async () => {
    const { agent, problems } = await served();
    const many = Array.from({ length: 50 }, (_, i) =>
      endpoint('o'.repeat(999), `_${'ü'.repeat(300)}${i}.x`, 'A', '192.0.2.1'),
    );
    await loop(agent, many);
    expect(problems()).toHaveLength(20);
    expect(reportSchema.parse(agent.report()).names).toMatchObject({ total: 0, problems: problems() });
  });

  test('has the reason why the volume claim did not grow', async () => {
    const observations: Observations = {};
    const { agent } = await served(undefined, { observations });
    expect(agent.report()).not.toHaveProperty('storage');
    observations.storage = 'cannot grow';
    expect(agent.report()?.storage).toBe('cannot grow');
  });

  test('has the addresses of the node, if they are known', async () => {
    const hostIPs = ['192.0.2.11', '2001:db8::11'];
    const { agent } = await served(undefined, { observations: { hostIPs } });
    expect(reportSchema.parse(agent.report()).hostIPs).toEqual(hostIPs);
    expect((await served()).agent.report()).not.toHaveProperty('hostIPs');
  });
});

describe('zones', () => {
  test('are not reported before they were reconciled', async () => {
    const { agent, declare: take } = makeAgent();
    expect(agent.report()).toBeUndefined();
    take(declare());
    expect(agent.report()).toBeUndefined();
    await agent.reconcile();
    expect(agent.report()).toMatchObject({ zones: [{ name: 'corp.internal', state: 'Serving' }] });
  });

  test('stay Serving while PowerDNS restarts, and fail with a cure if it stays unreachable', async () => {
    const { agent, database, clock, log } = await served();
    const before = agent.report();
    database.failure = 'connect ECONNREFUSED 127.0.0.1:8081';
    for (clock.now = 0; clock.now < 10_000; clock.now += 1000) {
      await expect(agent.reconcile()).rejects.toThrow();
      expect(agent.report()).toEqual(before);
    }
    await expect(agent.reconcile()).rejects.toThrow();
    expect(agent.report()?.zones).toEqual([
      {
        name: 'corp.internal',
        state: 'Failed',
        message: 'PowerDNS cannot be used (connect ECONNREFUSED 127.0.0.1:8081): see the log of the container powerdns',
      },
    ]);
    database.failure = undefined;
    await agent.reconcile();
    expect(agent.report()).toEqual(before);
    expect(log.map(({ msg }) => msg)).toEqual(['create zone']);
  });

  test('fail if PowerDNS was never reachable', async () => {
    const database = new MemoryZones();
    database.failure = 'away';
    const { agent, declare: take, clock } = makeAgent(database);
    take(declare());
    await expect(agent.reconcile()).rejects.toThrow('away');
    expect(agent.report()).toBeUndefined();
    clock.now = 10_000;
    await expect(agent.reconcile()).rejects.toThrow('away');
    expect(agent.report()?.zones).toMatchObject([{ state: 'Failed' }]);
  });

  test('fail after a while if PowerDNS has them but does not answer', async () => {
    const dns = { answers: false };
    const { agent, clock } = await served(undefined, { answers: async () => dns.answers });
    const state = async () => {
      await agent.reconcile();
      return agent.report()?.zones[0]?.state;
    };
    expect(await state()).toBe('Pending');
    dns.answers = true;
    expect(await state()).toBe('Serving');
    dns.answers = false;
    expect(await state()).toBe('Serving');
    clock.now += 10_000;
    expect(await state()).toBe('Failed');
    dns.answers = true;
    expect(await state()).toBe('Serving');
  });

  test('that are kept for unmanaged records are reported, and are not a failure', async () => {
    const database = new MemoryZones([
      zone('old.internal', [{ name: 'x.old.internal.', type: 'A', ttl: 1, records: ['192.0.2.9'] }]),
    ]);
    const { agent } = await served(database);
    await loop(agent, []);
    await loop(agent, []);
    expect(agent.report()?.zones).toEqual([
      { name: 'corp.internal', state: 'Serving' },
      { name: 'old.internal', state: 'Retained', message: expect.stringContaining('such as x.old.internal A') },
    ]);
    expect(agent.isReady).toBe(true);
  });

  test('that fail in the same way are logged once', async () => {
    const database = new MemoryZones();
    database.refuses = () => true;
    const { agent, log } = await served(database);
    for (let i = 0; i < 5; i++) await agent.reconcile();
    database.refuses = () => false;
    await agent.reconcile();
    expect(log.map(({ msg }) => msg)).toEqual(['cannot create zone', 'can create zone again', 'create zone']);
  });
});

describe('discovery', () => {
  const state = ({ agent }: Awaited<ReturnType<typeof served>>) => agent.report()?.discovery.state;

  test('is Off when nothing is declared to be discovered', async () => {
    const setup = makeAgent();
    setup.declare(declare({ discovery: undefined }));
    await setup.agent.reconcile();
    expect(state(setup)).toBe('Off');
    expect(setup.agent.isReady).toBe(true);
  });

  test('is Synced when the desired records were published', async () => {
    const setup = await served();
    expect(state(setup)).toBe('Waiting');
    await setup.agent.records();
    await setup.agent.adjustEndpoints([www]);
    expect([state(setup), setup.agent.isReady]).toEqual(['Waiting', false]);
    await setup.agent.applyChanges({ create: [www] });
    expect([state(setup), setup.agent.isReady]).toEqual(['Synced', true]);
  });

  test('is Synced when there is nothing to do, or nothing that the policy allows', async () => {
    const idle = await served();
    await idle.agent.adjustEndpoints([]);
    expect(state(idle)).toBe('Synced');
    const stale = discoveredRRset('ingress/a/old', 'old.corp.internal.', 'A', '192.0.2.9');
    const database = new MemoryZones([zone('corp.internal', [stale])]);
    // From another agent that held nothing.
    await database.setMetadata(zone(), 'X-INTERNAL-DNS-DELETE-GUARD', ['{}']);
    const careful = await served(database);
    await loop(careful.agent, [], 'upsert-only');
    expect(state(careful)).toBe('Waiting');
    await loop(careful.agent, [], 'upsert-only');
    expect(state(careful)).toBe('Synced');
  });

  test('is not Synced by a failed change', async () => {
    const setup = await served();
    await setup.agent.adjustEndpoints([www]);
    setup.database.failure = 'away';
    await expect(setup.agent.applyChanges({ create: [www] })).rejects.toThrow('away');
    setup.database.failure = undefined;
    await setup.agent.records();
    expect(state(setup)).toBe('Waiting');
  });

  test('is Stalled when ExternalDNS has not synced for long', async () => {
    const setup = await served();
    for (let i = 0; i < 2; i++) await loop(setup.agent, []);
    expect(state(setup)).toBe('Synced');
    setup.clock.now += 31_000;
    expect(state(setup)).toBe('Stalled');
  });

  test('is Failing when PowerDNS is unreachable for longer than a restart takes, and Synced with the next loop', async () => {
    const setup = await served();
    for (let i = 0; i < 2; i++) await loop(setup.agent, []);
    setup.database.failure = 'away';
    const states: (string | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      await expect(loop(setup.agent, [])).rejects.toThrow('away');
      setup.agent.recordFailure('away');
      states.push(state(setup));
      setup.clock.now += 2000;
    }
    expect(states).toEqual([...Array(5).fill('Synced'), ...Array(3).fill('Failing')]);
    expect(setup.agent.report()?.discovery).toEqual({ state: 'Failing', failure: 'away' });
    expect(setup.agent.discoveryAge).toBe(16_000);
    setup.database.failure = undefined;
    for (let i = 0; i < 2; i++) await loop(setup.agent, []);
    expect([state(setup), setup.agent.discoveryAge, setup.agent.failedLoops]).toEqual(['Synced', 0, 0]);
  });

  test('stays ready', async () => {
    const setup = await served();
    await loop(setup.agent, []);
    expect(setup.agent.isReady).toBe(true);
    setup.clock.now = 60_000;
    setup.database.failure = 'away';
    await expect(setup.agent.reconcile()).rejects.toThrow();
    expect([state(setup), setup.agent.isReady]).toEqual(['Stalled', true]);
  });
});

test('names move to a zone that is declared later, at once, and back', async () => {
  const { agent, database, declare: take } = await served();
  const inside = endpoint('ingress/a/web', 'www.dev.corp.internal', 'A', '192.0.2.1');
  await loop(agent, [inside]);
  for (const declaration of [declare({ zones: [corp, ...zones('dev.corp.internal')] }), declare()]) {
    take(declaration);
    await agent.reconcile();
    const home = declaration.zones.at(-1)?.name;
    const holders = (await database.zones()).filter((z) => z.rrsets.some((r) => r.name === 'www.dev.corp.internal.'));
    expect(holders.map((z) => z.name)).toEqual([`${home}.`]);
    for (let i = 0; i < 5; i++) expect(await loop(agent, [inside])).toBeUndefined();
  }
});

test('a change by hand between evaluation and write is not overwritten', async () => {
  const { agent, database } = await served();
  const [adjusted] = await agent.adjustEndpoints([www]);
  database.edit('corp.internal.', (zone) => {
    zone.rrsets.push({ name: 'www.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.9'] });
  });
  await agent.applyChanges({ create: [adjusted!] });
  expect(database.rrsets.find((r) => r.name === 'www.corp.internal.')?.records).toEqual(['192.0.2.9']);
  await agent.applyChanges({ delete: [adjusted!] });
  expect(database.rrsets.some((r) => r.name === 'www.corp.internal.')).toBe(true);
});
