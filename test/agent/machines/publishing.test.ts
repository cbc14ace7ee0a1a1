import { describe, expect, test } from 'vitest';
import { luaContent } from '../../../functions/agent/zones/lua.ts';
import { foreign, record, zoneWith } from '../make.ts';
import { agentWithMachines, OwnSourceLister, ownSources, reverseZone } from './agent-with-machines.ts';
import { claim, machine, tenant } from './objects.ts';

const tcp = { check: { port: 25 } };
const mail = (spec: object = {}, meta: object = {}) =>
  claim('mail', { name: 'mail.corp.internal', selector: { matchLabels: { role: 'mail' } }, ...spec }, meta);
const mx = (name: string, address: string, meta: object = {}) =>
  machine(name, address, { labels: { role: 'mail' }, ...meta });
const withIngresses = [{ kind: 'Ingress' }, ...ownSources];

describe('without ExternalDNS', () => {
  test('a Machine has its addresses, aliases and PTR record after one turn, and nothing is written afterwards', async () => {
    const { agent, lister, publish, published, tick, verdicts, database } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7 2001:db8::7', { spec: { aliases: ['files'], ttl: 30 } }));
    expect(await publish()).toBe(true);
    expect(published()).toEqual([
      '7 PTR nas.corp.internal.',
      'files CNAME nas.corp.internal. machine/a/nas',
      'nas A 192.0.2.7 machine/a/nas',
      'nas AAAA 2001:db8::7 machine/a/nas',
    ]);
    expect(database.rrsets.find(({ name }) => name.startsWith('nas.'))?.ttl).toBe(30);
    expect(verdicts()).toEqual([
      'machine/a/nas files.corp.internal Resolved: resolves to nas.corp.internal',
      'machine/a/nas nas.corp.internal Resolved: resolves to 192.0.2.7, 2001:db8::7',
    ]);
    const { writes } = database;
    await tick(5);
    expect(database.writes).toBe(writes);
    expect(agent.isReady).toBe(true);
  });

  test('discovery is synced however long nothing happens', async () => {
    const { agent, clock, publish } = await agentWithMachines();
    expect(agent.discovery.state).toBe('Waiting');
    await publish();
    clock.now += 3_600_000;
    expect(agent.discovery.state).toBe('Synced');
    expect([agent.discoveryAge, agent.failedLoops]).toEqual([undefined, 0]);
  });

  test('discovery fails while PowerDNS does not answer, and recovers', async () => {
    const { agent, clock, database, lister, publish, verdictOf } = await agentWithMachines();
    await publish();
    lister.put(machine('nas', '192.0.2.7'));
    agent.explain();
    database.failure = 'connection refused';
    for (let i = 0; i < 6; i++) {
      clock.now += 3_000;
      await expect(publish()).rejects.toThrow('connection refused');
    }
    expect(agent.discovery).toMatchObject({ state: 'Failing', failure: 'connection refused' });
    clock.now += 60_000;
    expect(verdictOf('machine/a/nas', 'nas.corp.internal')).toMatch(
      /^Pending: the agent cannot write to PowerDNS \(connection refused\): /,
    );
    database.failure = undefined;
    await publish();
    expect(agent.discovery).toEqual({ state: 'Synced' });
  });

  test('nothing is published before all is listed', async () => {
    const { clock, lister, publish, published } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7'));
    lister.unlisted = 'nameclaims';
    expect([await publish(), published()]).toEqual([false, []]);
    clock.now += 30_000;
    expect([await publish(), published().length]).toEqual([true, 2]);
  });

  test('the labels of namespaces are waited for', async () => {
    const tenants = [tenant('a', {}, ['*.corp.internal'])];
    const lister = new OwnSourceLister();
    lister.awaited = 'namespaces';
    const { publish, published } = await agentWithMachines({ discovery: { tenants }, lister });
    lister.put(machine('nas', '192.0.2.7'));
    expect([await publish(), published()]).toEqual([false, []]);
    lister.awaited = undefined;
    lister.setNamespaceLabels('a', { team: 'a' });
    expect([await publish(), published().length]).toEqual([true, 2]);
  });

  test('a name that a person has freed is published at the next look', async () => {
    const { database, lister, published, tick, verdictOf } = await agentWithMachines();
    database.edit('corp.internal.', ({ rrsets }) => rrsets.push(foreign('nas.corp.internal.', 'A', '192.0.2.99')));
    lister.put(machine('nas', '192.0.2.7'));
    await tick();
    expect(published()).toEqual([]);
    expect(verdictOf('machine/a/nas', 'nas.corp.internal')).toMatch(/^ForeignRecord: /);
    database.edit('corp.internal.', (zone) => {
      zone.rrsets = zone.rrsets.filter(({ name }) => name !== 'nas.corp.internal.');
    });
    await tick();
    expect(published()).toEqual(['7 PTR nas.corp.internal.', 'nas A 192.0.2.7 machine/a/nas']);
  });

  test('what PowerDNS refuses is told, and the rest is published', async () => {
    const { database, lister, published, tick, verdictOf } = await agentWithMachines();
    database.refuses = ({ records }) => records.includes('192.0.2.66');
    lister.put(machine('bad', '192.0.2.66'), machine('nas', '192.0.2.7'));
    await tick(2);
    expect(published()).toEqual(['7 PTR nas.corp.internal.', 'nas A 192.0.2.7 machine/a/nas']);
    expect(verdictOf('machine/a/bad', 'bad.corp.internal')).toMatch(/^Refused: .*no, thank you/);
  });

  test('a lost database is filled again', async () => {
    const { database, lister, published, publish, tick } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7'), mx('mx', '192.0.2.1'), mail(tcp));
    await publish();
    const before = published();
    database.wipe();
    await tick(2);
    expect(published()).toEqual(before);
    expect(before).toHaveLength(5);
  });
});

describe('a claim', () => {
  test('follows its Machines, together with their own names and PTR records', async () => {
    const { lister, publish, published } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1'), mx('mx2', '192.0.2.2'), mail());
    await publish();
    expect(published()).toContain('mail A 192.0.2.1 192.0.2.2 nameclaim/a/mail');
    lister.put(mx('mx2', '192.0.2.22'));
    await publish();
    expect(published()).toEqual([
      '1 PTR mx1.corp.internal.',
      '22 PTR mx2.corp.internal.',
      'mail A 192.0.2.1 192.0.2.22 nameclaim/a/mail',
      'mx1 A 192.0.2.1 machine/a/mx1',
      'mx2 A 192.0.2.22 machine/a/mx2',
    ]);
  });

  test('with a check is a LUA record, the same as a declared one would be, of both families', async () => {
    const { database, lister, publish, tick, verdictOf } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1 2001:db8::1'), mx('mx2', '192.0.2.2'), mail(tcp));
    await publish();
    const ofName = () => database.rrsets.filter(({ name }) => name === 'mail.corp.internal.');
    expect(ofName()).toMatchObject([
      {
        type: 'LUA',
        records: [luaContent('A', ['192.0.2.1', '192.0.2.2'], tcp), luaContent('AAAA', ['2001:db8::1'], tcp)],
        mark: { account: 'external-dns/corp', content: 'nameclaim/a/mail' },
      },
    ]);
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toBe(
      'Resolved: resolves to 192.0.2.1, 192.0.2.2, 2001:db8::1',
    );
    const { writes } = database;
    await tick(5);
    expect(database.writes).toBe(writes);
  });

  test.each([
    ['loses its check', {}, ['mail A 192.0.2.1 192.0.2.2 nameclaim/a/mail']],
    ['is checked elsewhere', { check: { port: 26 } }, ['mail LUA A 192.0.2.1 192.0.2.2 nameclaim/a/mail']],
    [
      'loses a member',
      { ...tcp, selector: { matchLabels: { only: 'me' } } },
      ['mail LUA A 192.0.2.1 nameclaim/a/mail'],
    ],
    ['gets another name', { ...tcp, name: 'post.corp.internal' }, ['post LUA A 192.0.2.1 192.0.2.2 nameclaim/a/mail']],
  ])('that %s is changed in one turn', async (_, spec, expected) => {
    const { database, lister, publish, published } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1', { labels: { role: 'mail', only: 'me' } }), mx('mx2', '192.0.2.2'), mail(tcp));
    await publish();
    const answer = () => JSON.stringify(database.rrsets.find(({ type }) => type === 'LUA'));
    const before = answer();
    lister.put(mail(spec));
    await publish();
    const ofClaim = () => published().filter((text) => text.endsWith('nameclaim/a/mail'));
    expect(ofClaim()).toEqual(expected);
    expect(answer()).not.toBe(before);
    lister.remove('nameclaim/a/mail');
    await publish();
    expect(ofClaim()).toEqual([]);
  });

  test.each(['UpsertOnly', 'CreateOnly', 'Preview'] as const)('is under the policy %s', async (policy) => {
    const setup = await agentWithMachines({ discovery: { policy } });
    const { agent, lister, publish, published, tick, database } = setup;
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    await publish();
    lister.put(mx('mx1', '192.0.2.9'), mail({ check: { port: 26 } }));
    await tick(3);
    const ofClaim = published().filter((text) => text.endsWith('nameclaim/a/mail'));
    const address = { UpsertOnly: '192.0.2.9', CreateOnly: '192.0.2.1', Preview: '' }[policy];
    expect(ofClaim).toEqual(address ? [`mail LUA A ${address} nameclaim/a/mail`] : []);
    expect(agent.discovery.preview?.length ?? 0).toBe(policy === 'Preview' ? 2 : 0);
    const port = { UpsertOnly: 26, CreateOnly: 25, Preview: 0 }[policy];
    const lua = database.rrsets.find(({ type }) => type === 'LUA')?.records;
    expect(lua).toEqual(address ? [luaContent('A', [address], { check: { port } })] : undefined);
    const { writes } = database;
    await tick(3);
    expect(database.writes).toBe(writes);
  });

  test('is published once PowerDNS computes answers, and what is answered without it stays until then', async () => {
    let isOn = false;
    const { lister, published, redeclare, tick, verdictOf } = await agentWithMachines({ lua: async () => isOn });
    lister.put(mx('mx1', '192.0.2.1'), mail());
    await tick();
    expect(published()).toContain('mail A 192.0.2.1 nameclaim/a/mail');
    lister.put(mail(tcp), claim('young', { name: 'young.corp.internal', addresses: ['192.0.2.9'], ...tcp }));
    await tick(3);
    expect(published().filter((text) => text.includes('nameclaim/'))).toEqual(['mail A 192.0.2.1 nameclaim/a/mail']);
    for (const name of ['mail', 'young']) {
      expect(verdictOf(`nameclaim/a/${name}`, `${name}.corp.internal`)).toContain('PowerDNS restarts once');
    }
    isOn = true;
    await tick();
    const computed = ['mail LUA A 192.0.2.1 nameclaim/a/mail', 'young LUA A 192.0.2.9 nameclaim/a/young'];
    expect(published()).toEqual(expect.arrayContaining(computed));
    // It is asked for each declaration, and what is published stays.
    isOn = false;
    redeclare({ maxNamesPerNamespace: 100 });
    await tick(2);
    expect(published()).toEqual(expect.arrayContaining(computed));
  });

  test('that a person has written over is written again', async () => {
    const { database, lister, publish, published, tick } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    await publish();
    const before = published();
    database.edit('corp.internal.', ({ rrsets }) => {
      for (const rrset of rrsets) if (rrset.type === 'LUA') rrset.records = ['A ";return {}"'];
    });
    await tick();
    expect(published()).toEqual(before);
  });

  test('cannot have more checks than PowerDNS can run beside those of the zones', async () => {
    const values = Array.from({ length: 50 }, (_, i) => `198.51.100.${i + 1}`);
    const checked = Array.from({ length: 20 }, (_, i) => ({ ...record(`c${i}`, 'A', ...values), check: { port: 80 } }));
    const { lister, tick, verdictOf } = await agentWithMachines({
      zones: [zoneWith('corp.internal', checked.slice(0, 19)), zoneWith(reverseZone, [])],
    });
    const members = (count: number) => values.slice(0, count).map((address, i) => mx(`mx${i}`, address));
    lister.put(...members(50), mail(tcp));
    await tick();
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(/^Resolved/);
    lister.put(mx('mx50', '198.51.100.51'));
    await tick();
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(
      /^Refused: check: PowerDNS can check 1000 addresses in all/,
    );
  });

  test('never checks an address of the DNS Service', async () => {
    const { agent, lister, publish, published } = await agentWithMachines();
    agent.setDeclaration(JSON.stringify({ ...agent.declaration, service: ['10.96.0.53'] }));
    await agent.reconcile();
    lister.put(mx('mx1', '192.0.2.1'), mx('sneaky', '10.96.0.53'), mail(tcp));
    await publish();
    expect(published()).toContain('mail LUA A 192.0.2.1 nameclaim/a/mail');
  });

  test('never checks an address of any Service, as soon as the cluster tells their ranges', async () => {
    const { lister, published, tick, verdictOf } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1'), mx('sneaky', '10.96.7.7'), mail(tcp));
    lister.setServiceRanges('10.96.0.0/12', 'fd00:10:96::/112');
    await tick();
    expect(published()).toContain('mail LUA A 192.0.2.1 nameclaim/a/mail');
    // Nobody knows whether the next member is one.
    lister.setServiceRanges(undefined);
    lister.put(mx('mx2', '10.96.7.8'));
    await tick(3);
    expect(published()).toContain('mail LUA A 192.0.2.1 nameclaim/a/mail');
    expect(published()).toContain('mx2 A 10.96.7.8 machine/a/mx2');
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(/the address ranges of Services/);
    lister.setServiceRanges('10.96.0.0/12');
    await tick();
    expect(published()).toContain('mail LUA A 192.0.2.1 nameclaim/a/mail');
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(/^Resolved/);
  });
});

describe('who gets a name', () => {
  test('the older of two namespaces gets it, and the other is told', async () => {
    const { lister, publish, published, verdictOf } = await agentWithMachines();
    lister.put(
      machine('nas', '192.0.2.7', { namespace: 'b', age: 1 }),
      machine('nas', '192.0.2.8', { namespace: 'a', age: 2 }),
    );
    await publish();
    expect(published()).toEqual(['7 PTR nas.corp.internal.', 'nas A 192.0.2.7 machine/b/nas']);
    expect(verdictOf('machine/a/nas', 'nas.corp.internal')).toMatch(
      /^Duplicate: already used by machine\/b\/nas, which/,
    );
  });

  test.each([
    ['tenants', { tenants: [tenant('a', {}, ['*.other.internal'])] }, /^Refused: namespace a may have only/],
    ['reservedNames', { reservedNames: ['nas.corp.internal'] }, /^Refused: .*reservedNames/],
    ['recordTypes', { recordTypes: ['AAAA'] }, /^Filtered: /],
  ] as const)('%s applies', async (_, discovery, message) => {
    const { lister, publish, published, verdictOf } = await agentWithMachines({ discovery: discovery as object });
    lister.setNamespaceLabels('a', { team: 'a' });
    lister.put(machine('nas', '192.0.2.7'));
    await publish();
    expect(published()).toEqual([]);
    expect(verdictOf('machine/a/nas', 'nas.corp.internal')).toMatch(message);
  });

  test('a namespace has no more names than it can have', async () => {
    const { lister, publish, verdicts } = await agentWithMachines({ discovery: { maxNamesPerNamespace: 2 } });
    lister.put(machine('m1', '192.0.2.1'), machine('m2', '192.0.2.2'), machine('m3', '192.0.2.3'));
    await publish();
    expect(verdicts().filter((text) => text.includes('Refused: namespace a has its limit of 2 names'))).toHaveLength(1);
  });

  test('tenants that change take names and give them', async () => {
    const names = (team: string) => tenant(team, {}, ['*.corp.internal']);
    const setup = await agentWithMachines({ discovery: { tenants: [names('a')], deleteGuard: { percent: 100 } } });
    const { lister, publish, published, redeclare, agent } = setup;
    for (const namespace of ['a', 'b']) {
      lister.setNamespaceLabels(namespace, { team: namespace });
      lister.put(machine('nas', namespace === 'a' ? '192.0.2.1' : '192.0.2.2', { namespace }));
    }
    await publish();
    expect(published()).toEqual(['1 PTR nas.corp.internal.', 'nas A 192.0.2.1 machine/a/nas']);
    redeclare({ tenants: [names('b')] });
    await agent.reconcile();
    await publish();
    expect(published()).toEqual(['2 PTR nas.corp.internal.', 'nas A 192.0.2.2 machine/b/nas']);
    lister.setNamespaceLabels('b', { team: 'x' });
    lister.setNamespaceLabels('a', { team: 'b' });
    await publish();

    expect(published()).toEqual(['1 PTR nas.corp.internal.', 'nas A 192.0.2.1 machine/a/nas']);
  });

  test('each namespace of a list has its own scope', async () => {
    const { lister, publish, published } = await agentWithMachines({ discovery: { namespaces: ['a', 'b'] } });
    lister.put(machine('m1', '192.0.2.1'), machine('m2', '192.0.2.2', { namespace: 'b' }));
    await publish();
    expect(published()).toEqual([
      '1 PTR m1.corp.internal.',
      '2 PTR m2.corp.internal.',
      'm1 A 192.0.2.1 machine/a/m1',
      'm2 A 192.0.2.2 machine/b/m2',
    ]);
  });

  test('an object that is wrong itself is refused, not filtered', async () => {
    const { lister, publish, verdictOf } = await agentWithMachines();
    lister.put(mx('mx1', '192.0.2.1'), mail({ check: { url: 'http://{{machine.ip}}/' } }));
    await publish();
    expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(
      /^Refused: namespace a can have no check of a URL/,
    );
  });

  test('a Machine without an address waits for one, and what to do is told', async () => {
    const { lister, publish, published, verdictOf } = await agentWithMachines({
      discovery: { targets: { default: ['192.0.2.250'], override: [] } },
    });
    lister.put(machine('nas'));
    await publish();
    expect(published()).toEqual([]);
    expect(verdictOf('machine/a/nas', 'nas.corp.internal')).toMatch(/^NoAddress: no address that it can have: add one/);
  });

  test('the addresses of load balancers replace none of a Machine', async () => {
    const { lister, publish, published } = await agentWithMachines({
      discovery: { targets: { override: ['192.0.2.250'] } },
    });
    lister.put(machine('nas', '192.0.2.7'));
    await publish();
    expect(published()).toContain('nas A 192.0.2.7 machine/a/nas');
  });
});

describe('PTR records', () => {
  test('an address of two Machines has that of the older, and moves to the other', async () => {
    const { agent, lister, publish, published, tick } = await agentWithMachines();
    lister.put(machine('young', '192.0.2.7', { age: 2 }), machine('old', '192.0.2.7', { age: 1 }));
    await publish();
    await tick();
    const ptr = () => published().filter((text) => text.includes(' PTR '));
    expect(ptr()).toEqual(['7 PTR old.corp.internal.']);
    const findingOf = (name: string) =>
      agent.outcomes?.find(({ translated }) => translated.object.name === name)?.reverse[0]?.message;
    expect([findingOf('old'), findingOf('young')]).toEqual([
      undefined,
      'machine/a/old has this address and is older: its name is in the PTR record',
    ]);
    lister.put(machine('old', '192.0.2.8', { age: 1 }));
    await publish();
    expect(ptr()).toEqual(['7 PTR young.corp.internal.', '8 PTR old.corp.internal.']);
  });

  test('neither a claim nor a Machine that wants none has one, though discovered addresses have', async () => {
    const { lister, publish, published } = await agentWithMachines({ discovery: { reverse: true } });
    lister.put(
      claim('vip', { name: 'vip.corp.internal', addresses: ['192.0.2.1'] }),
      machine('quiet', '192.0.2.2', { spec: { reverse: 'Off' } }),
      machine('nas', '192.0.2.3'),
    );
    await publish();
    expect(published().filter((text) => text.includes(' PTR '))).toEqual([
      '3 PTR nas.corp.internal.',
      '53 PTR ns1.corp.internal.',
    ]);
  });

  test('an older Ingress with the address keeps it', async () => {
    const { agent, lister, loop, published } = await agentWithMachines({
      discovery: { sources: withIngresses, reverse: true },
    });
    lister.set('ingress/b/web', { targets: ['192.0.2.7'], created: '2025-01-01T00:00:00Z' });
    lister.put(machine('nas', '192.0.2.7'));
    await loop();
    await loop();
    expect(published()).toContain('7 PTR www.corp.internal.');
    lister.set('ingress/b/web', { targets: ['192.0.2.7'], created: '2027-01-01T00:00:00Z' });
    await agent.reconcile();
    expect(published()).toContain('7 PTR nas.corp.internal.');
  });

  test('stay while a new agent does not know the Machines yet', async () => {
    const { agent, lister, publish, published, restart, tick } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7'));
    await publish();
    const before = published();
    lister.unlisted = 'machines';
    await restart();
    expect(published()).toEqual(before);
    lister.unlisted = undefined;
    await tick(2);
    expect(published()).toEqual(before);
    expect(agent.isReady).toBe(true);
  });

  test('that a crash has left out are written at the next look', async () => {
    const { database, lister, publish, published, restart, tick } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7'));
    await publish();
    const before = published();
    database.edit(`${reverseZone}.`, (zone) => {
      zone.rrsets = zone.rrsets.filter(({ type }) => type !== 'PTR');
    });
    await restart();
    await tick();
    expect(published()).toEqual(before);
  });

  test('go when Machines are no longer a source', async () => {
    const { agent, lister, publish, published, redeclare } = await agentWithMachines();
    lister.put(machine('nas', '192.0.2.7'));
    await publish();
    redeclare({ sources: [{ kind: 'Ingress' }] });
    await agent.reconcile();
    expect(published().filter((text) => text.includes(' PTR '))).toEqual([]);
  });
});

describe('the delete guard', () => {
  const six = Array.from({ length: 6 }, (_, i) => mx(`m${i}`, `192.0.2.${i + 1}`));
  const resources = six.map(({ resource }) => resource);

  test('holds the names of Machines that vanish together, with their PTR records', async () => {
    const { held, lister, publish, published, tick, verdictOf } = await agentWithMachines();
    lister.put(...six);
    await publish();
    const before = published();
    lister.remove(...resources);
    await tick(3);
    expect([held(), published()]).toEqual([6, before]);
    expect(verdictOf('machine/a/m1', 'm1.corp.internal')).toMatch(/^Held: /);
    lister.put(...six);
    await tick();
    expect([held(), published()]).toEqual([0, before]);
  });

  test('holds them while they vanish one after the other', async () => {
    const { clock, lister, publish, published } = await agentWithMachines();
    lister.put(...six);
    await publish();
    const before = published();
    for (const resource of resources) {
      lister.remove(resource);
      await publish();
      clock.now += 300;
    }
    clock.now += 10_000;
    await publish();
    const gone = before.length - published().length;
    // The first is gone before there is anything to tell.
    expect(gone).toBeLessThanOrEqual(2);
  });

  test('lets a single Machine go at once', async () => {
    const { lister, publish, published } = await agentWithMachines();
    lister.put(...six);
    await publish();
    lister.remove('machine/a/m0');
    await publish();
    expect(published()).toHaveLength(10);
  });

  test('lets them go when the hold is over, without ExternalDNS', async () => {
    const { lister, publish, published, tick } = await agentWithMachines({
      discovery: { deleteGuard: { holdSeconds: 60 } },
    });
    lister.put(...six);
    await publish();
    lister.remove(...resources);
    await tick(10);
    expect(published()).toHaveLength(12);
    await tick(10);
    expect(published()).toEqual([]);
  });

  test.each([
    ['as one process', false],
    ['across a restart', true],
  ])(
    'holds every name, claims too, when the definition of Machines is removed and comes back: %s',
    async (_, restarts) => {
      const { lister, publish, published, restart, tick, verdictOf } = await agentWithMachines();
      lister.put(
        ...six,
        mail({ ...tcp, addresses: ['192.0.2.99'] }),
        claim('all', { name: 'all.corp.internal', selector: {} }),
      );
      await publish();
      const before = published();
      lister.setMachinesDefined(false);
      lister.remove(...resources);
      await tick(2);
      if (restarts) await restart();
      await tick(3);
      expect(published()).toEqual(before);
      expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(/: the Machines cannot be read now/);
      lister.setMachinesDefined(true);
      lister.put(...six);
      await tick(2);
      expect(published()).toEqual(before);
      expect(verdictOf('nameclaim/a/mail', 'mail.corp.internal')).toMatch(/^Resolved/);
    },
  );
});

describe('beside ExternalDNS', () => {
  const beside = () => agentWithMachines({ discovery: { sources: withIngresses } });

  test('it neither sees the records of Machines and claims nor changes anything when all is published', async () => {
    const { agent, database, lister, loop, published } = await beside();
    lister.set('ingress/a/web', { targets: ['192.0.2.80'] });
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    await loop();
    await loop();
    expect(published()).toEqual([
      '1 PTR mx1.corp.internal.',
      'mail LUA A 192.0.2.1 nameclaim/a/mail',
      'mx1 A 192.0.2.1 machine/a/mx1',
      'www A 192.0.2.80 ingress/a/web',
    ]);
    expect(await agent.records()).toMatchObject([{ dnsName: 'www.corp.internal' }]);
    const { writes } = database;
    for (let i = 0; i < 5; i++) {
      await agent.reconcile();
      expect(await loop()).toBeUndefined();
    }
    expect(database.writes).toBe(writes);
    expect(agent.discovery.state).toBe('Synced');
  });

  test('a changed Machine does not wait for it', async () => {
    const { lister, loop, publish, published } = await beside();
    await loop();
    await loop();
    lister.put(machine('nas', '192.0.2.7'));
    expect(await publish()).toBe(true);
    expect(published()).toEqual(['7 PTR nas.corp.internal.', 'nas A 192.0.2.7 machine/a/nas']);
  });

  test.each([
    ['a plain claim', {}],
    ['a checked claim', tcp],
  ])('a name passes from an Ingress to %s and back without a gap', async (_, spec) => {
    const { agent, database, lister, loop, published } = await beside();
    const web = { hosts: ['mail.corp.internal'], targets: ['192.0.2.80'] };
    lister.set('ingress/b/web', web);
    lister.put(mx('mx1', '192.0.2.1'), mail({ ...spec, name: 'mail.corp.internal' }, { age: 5 }));
    await loop();
    await loop();
    const answered = () => database.rrsets.filter(({ name }) => name === 'mail.corp.internal.').length;
    const gaps: number[] = [];
    const apply = database.apply.bind(database);
    database.apply = async (...args) => {
      const rejected = await apply(...args);
      gaps.push(answered());
      return rejected;
    };
    const owner = () =>
      published()
        .find((text) => text.startsWith('mail '))
        ?.split(' ')
        .at(-1);
    expect(owner()).toBe('ingress/b/web');
    lister.set('ingress/b/web', undefined);
    await loop();
    expect(owner()).toBe('nameclaim/a/mail');
    expect(await loop()).toBeUndefined();
    lister.set('ingress/b/web', web);
    lister.remove('nameclaim/a/mail');
    await loop();
    await loop();
    expect(owner()).toBe('ingress/b/web');
    expect(await loop()).toBeUndefined();
    expect(gaps.filter((count) => count !== 1)).toEqual([]);
    expect(agent.discovery.state).toBe('Synced');
  });

  test('a change that could not be written is written in the next loop', async () => {
    const { database, lister, loop, published } = await beside();
    await loop();
    await loop();
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    const apply = database.apply;
    database.apply = async () => {
      throw new Error('connection reset');
    };
    await expect(loop()).rejects.toThrow('connection reset');
    database.apply = apply;
    await loop();
    expect(published()).toHaveLength(3);
  });

  test('objects of one namespace share a name with a claim', async () => {
    const { lister, loop, published } = await agentWithMachines({
      discovery: { sources: withIngresses, sharedHosts: 'SameNamespace' },
    });
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    lister.set('ingress/a/web', {
      hosts: ['mail.corp.internal'],
      targets: ['192.0.2.80'],
      created: '2027-01-01T00:00:00Z',
    });
    await loop();
    await loop();
    expect(published()).toContain('mail LUA A 192.0.2.1 192.0.2.80 nameclaim/a/mail');
    expect(await loop()).toBeUndefined();
  });

  test('its ownership records are not for Machines', async () => {
    const { database, lister, loop } = await agentWithMachines({
      discovery: { sources: withIngresses, ownershipTXT: { prefix: 'x-', wildcardReplacement: '' } },
    });
    lister.set('ingress/a/web', { targets: ['192.0.2.80'] });
    lister.put(mx('mx1', '192.0.2.1'), mail(tcp));
    await loop();
    await loop();
    expect(database.rrsets.filter(({ type }) => type === 'TXT').map(({ name }) => name)).toEqual([
      'x-a-www.corp.internal.',
    ]);
  });
});

test('what became of an object is the same object until something of it changes', async () => {
  const { agent, lister, tick } = await agentWithMachines();
  lister.put(machine('nas', '192.0.2.7'), mx('mx1', '192.0.2.1'), mail(tcp));
  await tick();
  const before = agent.outcomes;
  expect(
    before?.map(({ translated, states, reverse }) => [translated.object.resource, states.length, reverse.length]),
  ).toEqual([
    ['machine/a/mx1', 1, 1],
    ['machine/a/nas', 1, 1],
    ['nameclaim/a/mail', 1, 0],
  ]);
  await tick(3);
  expect(agent.outcomes).toBe(before);
  lister.put(mx('mx1', '192.0.2.11'));
  await tick();
  const same = agent.outcomes?.map((each) => before?.includes(each));
  expect(same).toEqual([false, true, false]);
});

test('an Event is about the object, refused or not', async () => {
  const { agent, lister, publish } = await agentWithMachines();
  lister.put(machine('nas', '192.0.2.7'), mail({ check: { url: 'http://{{machine.ip}}/' } }));
  await publish();
  expect(agent.sourceObjectOf('machine/a/nas')).toMatchObject({ uid: 'uid-a-nas', namespace: 'a' });
  expect(agent.sourceObjectOf('nameclaim/a/mail')).toMatchObject({ uid: 'uid-a-mail' });
});

test('a name outside the zones', async () => {
  const { lister, publish, verdictOf } = await agentWithMachines();
  lister.put(claim('x', { name: 'x.example.com', addresses: ['192.0.2.1'] }));
  await publish();
  expect(verdictOf('nameclaim/a/x', 'x.example.com')).toMatch(/^OutsideZones/);
});
