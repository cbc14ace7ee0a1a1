/** The agent with the Zones of teams, and PowerDNS in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Malformed, ZoneObject } from '../../../functions/agent/sources/own-object.ts';
import type { DeclaredZone } from '../../../functions/contract/declaration.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { OwnSourceLister } from '../machines/agent-with-machines.ts';
import { tenant, zoneObject } from '../machines/objects.ts';
import { declare, endpoint, fileOf, fileRef, foreign, makeAgent, record, zones } from '../make.ts';
import { MemoryZones } from '../zones/memory-zones.ts';

const own: DiscoveryChanges['sources'] = [{ kind: 'Zone', resources: ['zones.v1alpha1.dns.internal'] }];
const tenants = ['a', 'b'].map((team) => tenant(team, {}, ['*.internal'], ['*.internal']));
const guard = { percent: 20, holdSeconds: 600 };

let lister: OwnSourceLister;
let database: MemoryZones;
const clock = { now: 0 };
const ds = new Map<string, string[]>();
let setup: ReturnType<typeof makeAgent>;

const declareWith = (discovery: DiscoveryChanges = {}, inSpec: DeclaredZone[] = zones('corp.internal')) =>
  setup.declare(
    declare({ name: 'corp', zones: inSpec, discovery: { sources: own, tenants, deleteGuard: guard, ...discovery } }),
  );
const start = () => {
  setup = makeAgent(database, { lister, now: () => clock.now, dsOf: (resource) => ds.get(resource) ?? [] });
  declareWith();
};
const tick = async (count = 1) => {
  for (let i = 0; i < count; i++) {
    clock.now += 4_000;
    await setup.agent.reconcile();
  }
};
const put = (...objects: (ZoneObject | Malformed)[]) => lister.put(...objects);
const remove = (...names: string[]) => lister.remove(...names.map((name) => `zone/a/${name}`));
const www = { records: [record('www', 'A', '192.0.2.1')] };
const zone = (name: string, spec: object = www, meta = {}) => zoneObject(name, spec as Record<string, unknown>, meta);
const answered = (name: string) =>
  database.rrsets
    .filter((rrset) => rrset.name === `${name}.`)
    .map(({ zone, type, records }) => `${zone} ${type} ${records}`);
const outcomes = () =>
  (setup.agent.zoneOutcomes ?? []).map(
    ({ object, state, message }) => `${object.name} ${state}${message ? `: ${message}` : ''}`,
  );

beforeEach(async () => {
  lister = new OwnSourceLister();
  lister.setZones('Listed');
  for (const team of ['a', 'b']) lister.setNamespaceLabels(team, { team });
  database = new MemoryZones();
  ds.clear();
  clock.now = 1_000;
  start();
});

const policies = ['Sync', 'UpsertOnly', 'CreateOnly', 'Preview'] as const;
test.for(policies)('with policy %s a zone is served, changed and removed, with its delegation', async (policy) => {
  declareWith({ policy });
  put(zone('a.corp.internal'));
  expect(setup.agent.newZones).toBe('Due');
  await tick();
  expect(setup.agent.newZones).toBe('None');
  expect(answered('www.a.corp.internal')).toEqual(['a.corp.internal. A 192.0.2.1']);
  expect(answered('a.corp.internal')).toContain('corp.internal. NS ns1.a.corp.internal.');
  expect(outcomes()).toEqual(['a.corp.internal Serving']);
  put(zone('a.corp.internal', { records: [record('www', 'A', '192.0.2.2')] }));
  await tick();
  expect(answered('www.a.corp.internal')).toEqual(['a.corp.internal. A 192.0.2.2']);
  remove('a.corp.internal');
  await tick(2);
  expect(database.names).toEqual(['corp.internal.']);
  expect(answered('a.corp.internal')).toEqual([]);
  expect(outcomes()).toEqual([]);
});

test('Zones that change soon after others wait, and the agent knows that they do', async () => {
  const { zones } = database;
  // Every read takes a second.
  database.zones = () => {
    clock.now += 1_000;
    return zones.call(database);
  };
  put(zone('a.corp.internal'));
  await tick();
  put(zone('b.corp.internal'));
  expect(setup.agent.newZones).toBe('Waiting');
  clock.now += 60_000;
  expect(setup.agent.newZones).toBe('Due');
});

test('a record that would have a Service checked is left out, as soon as the cluster tells their addresses', async () => {
  const checked = (address: string) => ({ records: [{ ...record('www', 'A', address), check: { port: 443 } }] });
  put(zone('a.internal', checked('10.96.7.7')), zone('b.internal', checked('192.0.2.1')));
  lister.setServiceRanges(undefined);
  await tick();
  expect(outcomes().filter((each) => /Pending: the address ranges of Services/.test(each))).toHaveLength(2);
  lister.setServiceRanges('10.96.0.0/12');
  expect(setup.agent.newZones).toBe('Due');
  await tick(2);
  expect(outcomes()).toEqual([
    'a.internal Failed: spec.records[0].check: 10.96.7.7 cannot be checked: it is of a Service',
    'b.internal Serving',
  ]);
  expect([answered('www.a.internal'), answered('www.b.internal')]).toEqual([
    [],
    [expect.stringContaining('192.0.2.1')],
  ]);
});

test('nothing is written while nothing changes, and no new declaration is made', async () => {
  put(zone('a.internal'), zone('b.internal'));
  await tick(2);
  const before = [database.writes, setup.agent.zoneOutcomes];
  await tick(5);
  expect([database.writes, setup.agent.zoneOutcomes]).toEqual(before);
  expect(setup.agent.zoneOutcomes).toBe(before[1]);
});

test('the report speaks of the zones of the spec only', async () => {
  database.refuses = ({ name }) => name === 'bad.a.internal.';
  put(zone('a.internal', { records: [record('bad', 'A', '192.0.2.1')] }), zone('b.internal', {}));
  await tick(2);
  expect(outcomes()).toEqual([
    "a.internal Failed: Record bad.a.internal./A '192.0.2.1': no, thank you",
    'b.internal Serving',
  ]);
  expect(setup.agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
});

test('a wrong record is left out and told, and the others are served', async () => {
  put(zone('a.internal', { records: [record('x', 'A', 'nonsense'), ...www.records], soa: { refresh: 1, retry: 2 } }));
  await tick();
  expect(answered('www.a.internal')).toHaveLength(1);
  expect(outcomes()).toEqual([expect.stringContaining('a.internal Failed: spec.')]);
});

test('a refused zone is told', async () => {
  put(zone('corp.internal'), zone('b.internal', www, { namespace: 'c' }));
  lister.setNamespaceLabels('c', {});
  await tick();
  expect(outcomes()).toEqual([
    'corp.internal Refused: corp.internal is in spec.zones of InternalDNS corp: use another name',
    'b.internal Refused: namespace c can have no zones (discovery.tenants): add the name to zones of a tenant that includes it',
  ]);
  expect(database.names).toEqual(['corp.internal.']);
  setup.agent.explain();
  expect(setup.agent.sourceObjectOf('zone/c/b.internal')?.uid).toBe('uid-c-b.internal');
});

test('hosts of other objects move into the zone, and out again', async () => {
  declareWith({ sources: [...(own ?? []), { kind: 'Ingress' }] });
  await tick();
  const host = endpoint('ingress/a/web', 'web.a.corp.internal', 'A', '192.0.2.7');
  lister.set('ingress/a/web', { hosts: ['web.a.corp.internal'], targets: ['192.0.2.7'] });
  const loop = async () => {
    await setup.agent.records();
    const wanted = await setup.agent.adjustEndpoints([host]);
    const missing = wanted.filter(({ dnsName }) => answered(dnsName).length === 0);
    if (missing.length > 0) await setup.agent.applyChanges({ create: missing });
  };
  await loop();
  expect(answered('web.a.corp.internal')).toEqual(['corp.internal. A 192.0.2.7']);
  put(zone('a.corp.internal'));
  await tick();
  expect(answered('web.a.corp.internal')).toEqual(['a.corp.internal. A 192.0.2.7']);
  await loop();
  remove('a.corp.internal');
  await tick(2);
  expect(answered('web.a.corp.internal')).toEqual(['corp.internal. A 192.0.2.7']);
});

test('a zone with foreign records stays for them, without its own', async () => {
  put(zone('a.internal'));
  await tick();
  database.edit('a.internal.', ({ rrsets }) => rrsets.push(foreign('hand.a.internal.', 'A', '192.0.2.9')));
  remove('a.internal');
  await tick(2);
  expect([answered('hand.a.internal'), answered('www.a.internal')]).toEqual([['a.internal. A 192.0.2.9'], []]);
  start();
  await tick(2);
  expect(answered('www.a.internal')).toEqual([]);
});

test('records change nothing for discovery, but a TTL does', async () => {
  declareWith({ sources: [...(own ?? []), { kind: 'Ingress' }] });
  put(zone('a.internal'));
  await tick();
  await setup.agent.adjustEndpoints([]);
  put(zone('a.internal', { records: [record('www', 'A', '192.0.2.2')] }));
  await tick();
  expect(answered('www.a.internal')).toEqual(['a.internal. A 192.0.2.2']);
  await setup.agent.applyChanges({});
  put(zone('a.internal', { defaultTTL: 5 }));
  await tick();
  await expect(setup.agent.applyChanges({})).rejects.toThrow('the declaration has changed: the next loop follows it');
});

test('a zone file does not fail for names that a team has now', async () => {
  const [spec] = zones('corp.internal');
  declareWith({}, [{ ...(spec as DeclaredZone), recordsFrom: [fileRef] }]);
  setup.agent.setZoneFiles(fileOf('www.a A 192.0.2.5', 'b A 192.0.2.6'));
  await tick();
  expect(answered('www.a.corp.internal')).toEqual(['corp.internal. A 192.0.2.5']);
  put(zone('a.corp.internal'));
  await tick();
  expect([...answered('www.a.corp.internal'), ...answered('b.corp.internal')]).toEqual(
    ['corp.internal. A 192.0.2.6', 'a.corp.internal. A 192.0.2.1'].toReversed(),
  );
  expect(setup.agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
});

test('a loop ends in the zone of the team', async () => {
  const [spec] = zones('corp.internal');
  declareWith({}, [{ ...(spec as DeclaredZone), recordsFrom: [fileRef] }]);
  setup.agent.setZoneFiles(fileOf('x CNAME x.a.internal.', 'b A 192.0.2.6'));
  put(zone('a.internal', { records: [record('x', 'CNAME', 'x.corp.internal.'), ...www.records] }));
  await tick();
  expect([
    answered('x.corp.internal').length,
    answered('x.a.internal').length,
    answered('www.a.internal').length,
  ]).toEqual([1, 0, 1]);
  expect(setup.agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
  expect(outcomes().join()).toContain('a.internal Failed: records[0]');
});

test('the server keeps its name, whatever teams call theirs', async () => {
  declareWith({ reverse: true }, zones('corp.internal', '2.0.192.in-addr.arpa'));
  put(zone('a.internal'));
  await tick(2);
  expect(answered('ns1.a.internal')).toEqual(['a.internal. A 192.0.2.53']);
  expect(answered('53.2.0.192.in-addr.arpa')).toEqual(['2.0.192.in-addr.arpa. PTR ns1.corp.internal.']);
});

test('each replica with a Service is a server of the zone', async () => {
  setup.declare(
    declare({
      ...{
        name: 'corp',
        replicas: 2,
        zones: zones('corp.internal'),
        replicaAddresses: [['192.0.2.61'], ['192.0.2.62']],
      },
      discovery: { sources: own, tenants },
    }),
  );
  put(zone('a.internal'));
  await tick();
  expect([...answered('ns1.a.internal'), ...answered('ns2.a.internal')]).toEqual([
    'a.internal. A 192.0.2.61',
    'a.internal. A 192.0.2.62',
  ]);
  expect(setup.agent.zoneOutcomes?.[0]?.delegation).toHaveLength(4);
});

test('more checks than PowerDNS can make are left out of newer zones', async () => {
  const values = Array.from({ length: 64 }, (_, i) => `192.0.2.${i}`);
  const checked = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...record(`w${i}`, 'A', ...values), check: { port: 80 } }));
  put(zone('a.internal', { records: checked(15) }), zone('b.internal', { records: checked(1) }, { age: 1 }));
  await tick();
  expect(answered('w0.a.internal').join()).toContain('ifportup');
  expect(answered('w0.b.internal')).toEqual([`b.internal. A ${values}`]);
  expect(outcomes().join()).toContain('b.internal Failed: spec.records: PowerDNS can check 1000 addresses in all');
});

test('a zone of a team gets no new key once there are a thousand, and one of the spec does', async () => {
  const limits: unknown[] = [];
  const signer = {
    reconcile: async ({ name }: { name: string }, { mostKeys }: { mostKeys?: number }) => {
      limits.push([name, mostKeys]);
      return undefined;
    },
  };
  setup = makeAgent(database, { lister, now: () => clock.now, signer });
  const dnssec: DeclaredZone['dnssec'] = { mode: 'Signed', algorithm: 'ECDSA256', nsec3: false, ds: [] };
  declareWith({}, [{ name: 'corp.internal', nameServers: [], dnssec }]);
  put(zone('a.corp.internal', { ...www, dnssec: { mode: 'Signed' } }));
  await tick();
  expect(limits.slice(-2)).toEqual([
    ['corp.internal.', undefined],
    ['a.corp.internal.', 1000],
  ]);
});

test('the DS records of the status are those that the signer knows', async () => {
  const seen: unknown[] = [];
  const signer = {
    reconcile: async (_: unknown, signing: { mode: string; ds: string[] }) => {
      seen.push([signing.mode, ...signing.ds]);
      return { ds: ['1 13 2 aa'], dnskey: ['257 3 13 key'] };
    },
  };
  setup = makeAgent(database, { lister, now: () => clock.now, dsOf: (resource) => ds.get(resource) ?? [], signer });
  declareWith();
  put(zone('a.corp.internal', { ...www, dnssec: { mode: 'Signed' } }));
  await tick();
  expect(answered('a.corp.internal')).toContain('corp.internal. DS 1 13 2 aa');
  expect(setup.agent.zoneOutcomes).toEqual([
    expect.objectContaining({ state: 'Serving', dnssec: { ds: ['1 13 2 aa'], dnskey: ['257 3 13 key'] } }),
  ]);
  ds.set('zone/a/a.corp.internal', ['1 13 2 aa']);
  await tick();
  expect([seen[0], seen.at(-1)]).toEqual([['Signed'], ['Signed', '1 13 2 aa']]);
});

describe('Zones that go together', () => {
  const names = Array.from({ length: 6 }, (_, i) => `z${i}.internal`);
  const served = () => database.names.filter((name) => name.startsWith('z')).length;

  beforeEach(async () => {
    put(...names.map((name) => zone(name)));
    await tick();
    expect(served()).toBe(6);
  });

  test('a few go at once', async () => {
    remove(...names.slice(0, 4));
    await tick(2);
    expect(served()).toBe(2);
  });

  test('many are held, also by the next agent, and go when the hold is over', async () => {
    remove(...names);
    await tick(10);
    expect(served()).toBe(6);
    start();
    await tick(10);
    expect([served(), answered('www.z0.internal').length]).toEqual([6, 1]);
    clock.now += 600_000;
    await tick();
    expect(served()).toBe(0);
  });

  test('are still held by the next agent after PowerDNS has lost its database', async () => {
    remove(...names);
    await tick(2);
    database.wipe();
    await tick(2);
    const { writes } = database;
    await tick(3);
    expect([served(), database.writes]).toEqual([6, writes]);
    start();
    lister.setZones('Unknown');
    await tick();
    expect([served(), answered('www.z0.internal').length]).toEqual([6, 1]);
    lister.setZones('Listed');
    clock.now += 600_000;
    await tick();
    expect(served()).toBe(0);
  });

  test('some of those that are held come back, and the others are still held', async () => {
    remove(...names);
    await tick(2);
    put(zone('z0.internal'), zone('z1.internal'), zone('z2.internal'));
    await tick(2);
    expect(served()).toBe(6);
    clock.now += 600_000;
    await tick();
    expect(served()).toBe(3);
  });

  test('an administrator lets them go', async () => {
    remove(...names);
    await tick(2);
    declareWith({ deleteGuard: { ...guard, letGo: new Date(clock.now).toISOString() } });
    await tick();
    expect(served()).toBe(0);
  });

  test('without a guard all go', async () => {
    declareWith({ deleteGuard: { ...guard, percent: 100 } });
    remove(...names);
    await tick();
    expect(served()).toBe(0);
  });

  test('a definition that goes and comes back loses no zone', async () => {
    lister.setZones('Unserved');
    remove(...names);
    await tick(5);
    start();
    await tick(5);
    lister.setZones('Listed');
    await tick(5);
    expect(served()).toBe(6);
    put(...names.map((name) => zone(name)));
    clock.now += 600_000;
    await tick(2);
    expect(served()).toBe(6);
  });

  test('a definition that stays away takes them along after the hold', async () => {
    lister.setZones('Unserved');
    await tick(2);
    expect(served()).toBe(6);
    clock.now += 600_000;
    await tick();
    expect(served()).toBe(0);
  });

  test('a definition that goes takes no single zone along at once', async () => {
    remove(...names.slice(1));
    await tick(2);
    clock.now += 600_000;
    await tick();
    expect(served()).toBe(1);
    lister.setZones('Unserved');
    await tick(5);
    expect(served()).toBe(1);
  });

  test('nothing changes while they cannot be read', async () => {
    start();
    lister.setZones('Unknown');
    clock.now += 6_000_000;
    await tick(3);
    expect(served()).toBe(6);
  });

  test('all go when Zones are no source any more', async () => {
    declareWith({ sources: [{ kind: 'Machine' }] });
    await tick();
    expect(served()).toBe(0);
  });

  test('a mistake in the tenants takes none at once', async () => {
    declareWith({ tenants: [] });
    await tick(5);
    expect(served()).toBe(6);
    expect(outcomes()[0]).toContain('z0.internal Refused: namespace a can have no zones');
    expect(outcomes()[0]).toContain('; still served, as the delete guard holds zones that would go together');
    declareWith();
    clock.now += 600_000;
    await tick(2);
    expect(served()).toBe(6);
  });

  test('the spec takes a zone over', async () => {
    declareWith({}, zones('corp.internal', 'z0.internal'));
    await tick();
    expect(answered('www.z0.internal')).toEqual([]);
    expect(outcomes().join()).toContain('z0.internal is in spec.zones of InternalDNS corp');
    expect(setup.agent.report()?.zones.map(({ name }) => name)).toEqual(['corp.internal', 'z0.internal']);
  });
});
