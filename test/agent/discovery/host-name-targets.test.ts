/** Targets that are host names outside the zones, from ExternalDNS's endpoints to records and verdicts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveHostNames } from '../../../functions/agent/discovery/host-name-targets.ts';
import type { FamilyAnswer, HostNameAnswer } from '../../../functions/agent/resolver/host-name-state.ts';
import { HostNames } from '../../../functions/agent/resolver/host-names.ts';
import type { DeclarationChanges, DiscoveryChanges } from '../../contract/declared.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, discoveredRRset, endpoint, record, zones, zoneWith } from '../make.ts';
import { agentWithSources } from '../names/agent-with-sources.ts';
import { www } from '../names/fake-source-lister.ts';

const x = 'ingress/a/x';
const lb = 'lb.example.com';
const nodata: FamilyAnswer = { addresses: [], absence: 'NoAddress' };
const servfail: FamilyAnswer = { failure: 'SERVFAIL' };
const addresses = (...A: string[]): HostNameAnswer => ({ A: { addresses: A, ttl: 5 }, AAAA: nodata });
const absent: HostNameAnswer = {
  A: { addresses: [], absence: 'Absent' },
  AAAA: { addresses: [], absence: 'Absent' },
};
const failure: HostNameAnswer = { A: servfail, AAAA: servfail };
const cure = 'or give the object another target';

/** An agent whose resolver has an answer for each name, without the trailing dot; NXDOMAIN for others. */
async function agentWithResolver(discovery: DiscoveryChanges = {}, more: DeclarationChanges = {}) {
  const answers = new Map<string, HostNameAnswer>([[lb, addresses('192.0.2.1')]]);
  const clock = { now: 0 };
  const newHostNames = () =>
    new HostNames({
      now: () => clock.now,
      lookUp: async (name) => answers.get(name.slice(0, -1)) ?? absent,
    });
  let hostNames = newHostNames();
  const made = await agentWithSources(discovery, more, { hostNames });
  const recordsAt = (name = www) =>
    made.database.rrsets
      .filter((rrset) => rrset.name === `${name}.`)
      .map(({ type, records }) => [type, ...records].join(' '))
      .sort();
  /** Lets five seconds pass, after which names are resolved again. */
  const resolve = async () => {
    clock.now += 5_000;
    hostNames.resolveDue();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const webhook: Webhook = {
    records: () => made.agent.records(),
    adjustEndpoints: (endpoints) => made.agent.adjustEndpoints(endpoints),
    applyChanges: (changes) => made.agent.applyChanges(changes),
  };
  return {
    ...made,
    get agent() {
      return made.agent;
    },
    answers,
    recordsAt,
    followed: () => hostNames.counts.followed,
    resolve,
    /** One loop of ExternalDNS. Returns the changes that it posts. */
    loop: () => loop(webhook, made.objects.endpoints()),
    /** Lets ExternalDNS sync after each of several answers of the resolver. */
    async pass(count = 1) {
      for (let i = 0; i < count; i++) {
        await resolve();
        await made.sync();
      }
    },
    async restartWithResolver() {
      hostNames = newHostNames();
      await made.restart({ hostNames });
    },
  };
}

test('a host has the addresses of its target, and follows them', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf, answers } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  await sync();
  expect([recordsAt(), verdictOf(x)]).toEqual([[], `Pending: the target ${lb} is not resolved yet`]);
  await pass();
  expect([recordsAt(), verdictOf(x)]).toEqual([['A 192.0.2.1'], 'Resolved: resolves to 192.0.2.1']);
  answers.set(lb, { A: { addresses: ['192.0.2.2'], ttl: 5 }, AAAA: { addresses: ['2001:db8::2'], ttl: 5 } });
  await pass();
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.2', 'AAAA 2001:db8::2']);
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.2', 'AAAA 2001:db8::2']);
});

test('rotation and order write nothing', async () => {
  const { setObject, pass, resolve, loop, answers } = await agentWithResolver();
  answers.set(lb, addresses('192.0.2.1', '192.0.2.2'));
  setObject(x, { targets: [lb] });
  await pass(3);
  for (const answer of [['192.0.2.2', '192.0.2.1'], ['192.0.2.2'], ['192.0.2.2'], ['192.0.2.1'], ['192.0.2.2']]) {
    answers.set(lb, addresses(...answer));
    await resolve();
    expect(await loop()).toBeUndefined();
  }
  // The first answer in a row of three without the other address was the last one above.
  await resolve();
  expect(await loop()).toBeUndefined();
  await resolve();
  expect(await loop()).toMatchObject({ updateNew: [{ targets: ['192.0.2.2'] }] });
  expect(await loop()).toBeUndefined();
});

test('while the resolver fails the last addresses stay, and the verdict says so', async () => {
  const { setObject, pass, recordsAt, verdictOf, answers } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  await pass(2);
  answers.set(lb, failure);
  await pass(20);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
  expect(verdictOf(x)).toBe(
    `Resolved: resolves to 192.0.2.1; the last known addresses, as the pod's resolver does not resolve the target ${lb} (SERVFAIL): find the cause with dig, ${cure}`,
  );
  answers.set(lb, addresses('192.0.2.1'));
  await pass(15);
  expect(verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
});

test('a target that no longer exists loses its addresses with the third answer, and the delete guard holds nothing', async () => {
  const { setObject, pass, recordsAt, verdictOf, answers } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  await pass(2);
  answers.set(lb, absent);
  // A negative answer is good for fifteen seconds.
  await pass(1);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
  await pass(3);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
  await pass(3);
  expect(recordsAt()).toEqual([]);
  expect(verdictOf(x)).toBe(
    `NoAddress: the pod's resolver cannot find the target ${lb} (NXDOMAIN): fix that name, ${cure}`,
  );
  answers.set(lb, addresses('192.0.2.3'));
  await pass(3);
  expect(recordsAt()).toEqual(['A 192.0.2.3']);
});

test.each<[string, HostNameAnswer, string]>([
  [
    'NODATA',
    { A: nodata, AAAA: nodata },
    `the pod's resolver has no address for the target ${lb} (NODATA): fix that name, ${cure}`,
  ],
  [
    'SERVFAIL',
    failure,
    `the pod's resolver does not resolve the target ${lb} (SERVFAIL): find the cause with dig, ${cure}`,
  ],
  [
    'loopback addresses only',
    { A: { addresses: [], absence: 'Unusable' }, AAAA: nodata },
    `the target ${lb} has only addresses that lead nowhere, such as 127.0.0.1: fix that name, ${cure}`,
  ],
])('a new target with %s', async (_, answer, message) => {
  const { setObject, pass, sync, recordsAt, verdictOf, answers } = await agentWithResolver();
  answers.set(lb, answer);
  setObject(x, { targets: [lb] });
  await sync();
  await pass(3);
  expect([recordsAt(), verdictOf(x)]).toEqual([[], `NoAddress: ${message}`]);
});

test('after a restart the records stay until the target was resolved three times', async () => {
  const { setObject, pass, sync, recordsAt, verdictOf, answers, restartWithResolver } = await agentWithResolver();
  answers.set(lb, addresses('192.0.2.1', '192.0.2.2'));
  setObject(x, { targets: [lb] });
  await pass(2);
  answers.set(lb, addresses('192.0.2.2', '192.0.2.3'));
  await restartWithResolver();
  await sync(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.2']);
  expect(verdictOf(x)).toBe(
    `Resolved: resolves to 192.0.2.1, 192.0.2.2; the last known addresses, as the target ${lb} is not resolved yet`,
  );
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.2 192.0.2.3']);
  await pass(1);
  expect(recordsAt()).toEqual(['A 192.0.2.2 192.0.2.3']);
});

test('after a restart while the resolver fails nothing is lost, also where objects share the host', async () => {
  const { setObject, pass, sync, recordsAt, answers, restartWithResolver } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  setObject('ingress/a/y', { targets: ['192.0.2.9'], created: '2025-01-01T00:00:00Z' });
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.9']);
  answers.set(lb, failure);
  await restartWithResolver();
  await sync(2);
  await pass(10);
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.9']);
});

test('addresses of before that the target does not have go with the first answer where nothing was inherited', async () => {
  const { setObject, pass, sync, recordsAt, verdictOf } = await agentWithResolver();
  setObject(x, { targets: ['192.0.2.77'] });
  await sync(2);
  setObject(x, { targets: [lb] });
  await sync();
  expect(recordsAt()).toEqual(['A 192.0.2.77']);
  expect(verdictOf(x)).toMatch(
    /^Resolved: .*; the last known addresses, as the target lb\.example\.com is not resolved yet$/,
  );
  await pass();
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
});

test('a CNAME of the mode before stays until there are addresses instead, and is never beside them', async () => {
  const { setObject, sync, pass, recordsAt, redeclare, verdictOf, followed } = await agentWithResolver({
    targets: { hostNames: 'CNAME' },
  });
  setObject(x, { targets: [lb] });
  await pass(2);
  expect([recordsAt(), followed()]).toEqual([[`CNAME ${lb}.`], 0]);
  redeclare({ targets: { hostNames: 'Addresses' } });
  await sync();
  expect(recordsAt()).toEqual([`CNAME ${lb}.`]);
  expect(verdictOf(x)).toBe(`Pending: the target ${lb} is not resolved yet; it still resolves to ${lb}`);
  await pass();
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
  redeclare({ targets: { hostNames: 'CNAME' } });
  await sync();
  expect([recordsAt(), followed()]).toEqual([[`CNAME ${lb}.`], 0]);
});

test('a host name is allowed at the apex, and beside other types', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf } = await agentWithResolver({
    recordTypes: ['A', 'CNAME', 'TXT'],
  });
  const apex = 'corp.internal';
  setObject(x, { hosts: [apex, www], targets: [lb] });
  setObject('crd/a/text', { endpoints: [endpoint('crd/a/text', www, 'TXT', 'hello')] });
  await sync();
  await pass(2);
  expect(recordsAt(apex)).toContain('A 192.0.2.1');
  expect(recordsAt()).toEqual(['A 192.0.2.1', 'TXT "hello"']);
  expect(verdictOf(x, apex)).toBe('Resolved: resolves to 192.0.2.1');
});

test('host names and addresses of one object, and of several that share the host, are one answer', async () => {
  const { setObject, sync, pass, recordsAt, answers, verdictOf } = await agentWithResolver();
  answers.set('two.example.com', addresses('192.0.2.2'));
  setObject(x, { targets: [lb, '192.0.2.7', 'two.example.com', 'gone.example.com'] });
  setObject('ingress/a/y', { targets: ['192.0.2.8'] });
  await sync();
  expect(recordsAt()).toEqual(['A 192.0.2.7 192.0.2.8']);
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1 192.0.2.2 192.0.2.7 192.0.2.8']);
  expect(verdictOf(x)).toMatch(
    /^Resolved: .*the pod's resolver cannot find the target gone\.example\.com \(NXDOMAIN\)/,
  );
});

test('between namespaces the first object keeps the host, also while its target has no answer', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  await sync();
  await pass();
  setObject('ingress/b/thief', { targets: ['192.0.2.66'], created: '2020-01-01T00:00:00Z' });
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
  expect(verdictOf('ingress/b/thief')).toMatch(/^Duplicate: already used by ingress\/a\/x/);
});

test('a younger object of another namespace does not get the host before the target of the older one is resolved', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf } = await agentWithResolver();
  setObject(x, { targets: [lb], created: '2025-01-01T00:00:00Z' });
  setObject('ingress/b/thief', { targets: ['192.0.2.66'], created: '2026-01-01T00:00:00Z' });
  await sync(2);
  expect([recordsAt(), verdictOf('ingress/b/thief')]).toEqual([
    [],
    'Duplicate: reserved for ingress/a/x, which is older and has no address now (discovery.deleteGuard.hold): give one of them another host, or see discovery.sharedHosts',
  ]);
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
});

test('addresses outside discovery.targets.networks are not published', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf, answers } = await agentWithResolver({
    targets: { excludedNetworks: ['10.0.0.0/8'] },
  });
  answers.set(lb, addresses('10.0.0.1', '192.0.2.1'));
  answers.set('private.example.com', addresses('10.0.0.2'));
  setObject(x, { targets: [lb] });
  setObject('ingress/a/p', { hosts: ['p.corp.internal'], targets: ['private.example.com'] });
  await sync();
  await pass(5);
  expect([recordsAt(), recordsAt('p.corp.internal')]).toEqual([['A 192.0.2.1'], []]);
  expect(verdictOf('ingress/a/p', 'p.corp.internal')).toMatch(/^Filtered: 10\.0\.0\.2 is in discovery\.targets\.excl/);
});

test('types that are not discovered are left out, and CNAMEs need not be', async () => {
  const { setObject, sync, pass, recordsAt, verdictOf, answers } = await agentWithResolver({ recordTypes: ['A'] });
  answers.set(lb, { A: { addresses: ['192.0.2.1'], ttl: 5 }, AAAA: { addresses: ['2001:db8::1'], ttl: 5 } });
  setObject(x, { targets: [lb] });
  await sync();
  await pass(3);
  expect([recordsAt(), verdictOf(x)]).toEqual([['A 192.0.2.1'], 'Resolved: resolves to 192.0.2.1']);
});

test('targets of the spec are resolved, too', async () => {
  const { setObject, sync, pass, recordsAt } = await agentWithResolver({ targets: { default: [lb] } });
  setObject(x, { targets: [] });
  await sync();
  await pass(2);
  expect(recordsAt()).toEqual(['A 192.0.2.1']);
});

test('a target in the zones stays a CNAME, and names outside the zones or not host names are not resolved', async () => {
  const { setObject, sync, pass, recordsAt, followed } = await agentWithResolver(
    {},
    { zones: [zoneWith('corp.internal', [record('host', 'A', '192.0.2.7')]), ...zones('lab.internal')] },
  );
  setObject(x, { targets: ['host.corp.internal'] });
  setObject('ingress/a/y', { hosts: ['y.corp.internal'], targets: ['other.lab.internal'] });
  setObject('ingress/a/z', { hosts: ['z.example.org'], targets: [lb] });
  setObject('ingress/a/w', { hosts: ['w.corp.internal'], targets: ['*.example.com'] });
  await sync();
  await pass();
  expect([recordsAt(), recordsAt('y.corp.internal')]).toEqual([
    ['CNAME host.corp.internal.'],
    ['CNAME other.lab.internal.'],
  ]);
  expect([recordsAt('w.corp.internal'), followed()]).toEqual([['CNAME *.example.com.'], 0]);
});

test('published addresses get PTR and ownership records', async () => {
  const { setObject, sync, pass, recordsAt } = await agentWithResolver(
    { reverse: true, ownershipTXT: { prefix: 'extdns-%{record_type}.', wildcardReplacement: '_any' } },
    { zones: zones('corp.internal', '2.0.192.in-addr.arpa') },
  );
  setObject(x, { targets: [lb] });
  await sync();
  await pass(2);
  expect(recordsAt('1.2.0.192.in-addr.arpa')).toEqual([`PTR ${www}.`]);
  expect(recordsAt(`extdns-a.${www}`)).toHaveLength(1);
  expect(recordsAt(`extdns-cname.${www}`)).toEqual([]);
});

test('a host name beyond the limit is told, and the host keeps what it has', () => {
  const desired = discoveredRRset(x, `${www}.`, 'CNAME', `${lb}.`);
  const { discovery } = declare();
  const { desiredRecords } = resolveHostNames([desired], {
    discovery: discovery ?? expect.fail(),
    declaredZones: new Map([['corp.internal.', true]]),
    current: [],
    table: { get: () => undefined, isFull: true },
  });
  expect(desiredRecords).toEqual([
    {
      ...desired,
      fault: `the target ${lb} is not resolved, as 1000 other host names are: use fewer, or set discovery.targets.hostNames: CNAME`,
      unresolved: { verdict: 'Refused', isFinal: false },
    },
  ]);
});

test('one host name of each namespace comes before the second of any', () => {
  const desiredRecords = [
    ...['a', 'b', 'c'].map((name) => discoveredRRset(x, `${name}.corp.internal.`, 'CNAME', `${name}.example.com.`)),
    discoveredRRset('ingress/b/y', 'y.corp.internal.', 'CNAME', 'z.example.com.'),
  ];
  const { discovery } = declare();
  const { hostNames } = resolveHostNames(desiredRecords.toReversed(), {
    discovery: discovery ?? expect.fail(),
    declaredZones: new Map([['corp.internal.', true]]),
    current: [],
    table: { get: () => undefined, isFull: false },
  });
  expect([...hostNames]).toEqual(['a', 'z', 'b', 'c'].map((name) => `${name}.example.com.`));
});

test('a target that nobody has any more is no longer resolved', async () => {
  const { setObject, sync, pass, followed, recordsAt } = await agentWithResolver();
  setObject(x, { targets: [lb] });
  await sync();
  await pass();
  expect(followed()).toBe(1);
  setObject(x, undefined);
  await sync(2);
  expect([followed(), recordsAt()]).toEqual([0, []]);
});

const familyAnswer = fc.oneof(
  fc
    .uniqueArray(fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3'), { minLength: 1 })
    .map((each) => ({ addresses: each, ttl: 5 })),
  fc.constantFrom(nodata, servfail),
);
const action = fc.oneof(
  fc.record({
    kind: fc.constant('object' as const),
    resource: fc.constantFrom('ingress/a/x', 'ingress/a/y'),
    targets: fc.option(fc.subarray([lb, 'two.example.com', '192.0.2.7', '192.0.2.3'])),
  }),
  fc.record({ kind: fc.constant('answer' as const), name: fc.constantFrom(lb, 'two.example.com'), A: familyAnswer }),
  fc.record({ kind: fc.constantFrom('resolve' as const, 'resolve' as const, 'restart' as const) }),
);

test('whatever happens: no CNAME, nothing written at rest, nothing lost to failures, and in the end what the targets have', {
  tags: ['history'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      const agent = await agentWithResolver({ deleteGuard: { percent: 100 } });
      const targets = new Map<string, string[]>();
      const setObject = (resource: string, of: string[] | null) => {
        if (of) targets.set(resource, of);
        else targets.delete(resource);
        agent.setObject(resource, of ? { targets: of } : undefined);
      };
      for (const each of actions) {
        if (each.kind === 'object') setObject(each.resource, each.targets);
        else if (each.kind === 'answer') agent.answers.set(each.name, { A: each.A, AAAA: nodata });
        else if (each.kind === 'resolve') await agent.resolve();
        else await agent.restartWithResolver();
        await agent.loop();
        expect(agent.recordsAt().filter((record) => record.startsWith('CNAME'))).toEqual([]);
        expect(await agent.loop()).toBeUndefined();
      }

      const before = agent.recordsAt();
      const answers = new Map(agent.answers);
      for (const name of answers.keys()) agent.answers.set(name, failure);
      await agent.restartWithResolver();
      for (let i = 0; i < 3; i++) {
        await agent.resolve();
        await agent.loop();
      }
      expect(agent.recordsAt()).toEqual(before);

      for (const [name, { A }] of answers) agent.answers.set(name, { A: 'failure' in A ? nodata : A, AAAA: nodata });
      // Three answers, with up to a minute after a failure.
      for (let i = 0; i < 30; i++) await agent.pass();
      const all = [...targets.values()].flat().flatMap((target) => {
        const A = target.endsWith('com') ? agent.answers.get(target)?.A : { addresses: [target] };
        return A && 'addresses' in A ? A.addresses : [];
      });
      const expected = [...new Set(all)].sort();
      expect(agent.recordsAt()).toEqual(expected.length > 0 ? [['A', ...expected].join(' ')] : []);
    }),
  );
});
