/** What is said of a name agrees with what answers there, whoever changed it, and whoever is silent. */
import { describe, expect, test } from 'vitest';
import type { DeclarationChanges } from '../../contract/declared.ts';
import { foreign, record, want, zones, zoneWith } from '../make.ts';
import { type SeenObject, www } from './seen-objects.ts';
import { sightedAgent } from './sighted-agent.ts';

const x = 'ingress/a/x';
const y = 'ingress/b/y';
const later = '2026-02-01T00:00:00Z';

describe('the order in which ExternalDNS asks', () => {
  const asked = (...targets: [ipv4: string, ipv6: string]) => [
    want(x, www, 'A', targets[0]),
    want(x, www, 'AAAA', targets[1]),
  ];
  const both: [string, string] = ['192.0.2.1', '2001:db8::1'];

  test('is neither another list nor another propagation', async () => {
    const agent = await sightedAgent({ recordTypes: ['A', 'AAAA'] });
    agent.has(x, { targets: both, changed: 0 });
    await agent.loops(2, { asks: () => asked(...both) });
    const { list } = agent.agent.names;
    agent.clock.now = 3_600_000;
    await agent.loops(1, { asks: () => asked(...both).reverse() });
    expect(agent.agent.names.list).toBe(list);
    expect(agent.propagations).toEqual([0]);
  });

  test('is no other sentence of what does not resolve', async () => {
    const agent = await sightedAgent({ recordTypes: ['A', 'AAAA'], policy: 'CreateOnly' });
    agent.has(x, { targets: both });
    await agent.loops(2);
    const other = asked('192.0.2.2', '2001:db8::2');
    await agent.loops(1, { asks: () => other });
    const before = agent.of(x);
    expect(before).toMatch(/^Filtered: .*; it still resolves to 192\.0\.2\.1, 2001:db8::1$/);
    await agent.loops(1, { asks: () => other.toReversed() });
    expect(agent.of(x)).toBe(before);
  });
});

test('which one of the objects that want the same ExternalDNS names is no other problem', async () => {
  const agent = await sightedAgent();
  const host = '_a.corp.internal';
  for (const resource of [x, y]) agent.has(resource, { hosts: [host], targets: ['192.0.2.1'] });
  const named = (resource: string) => ({ asks: () => [want(resource, host, 'A', '192.0.2.1')] });
  await agent.loops(1, named(x));
  const before = agent.agent.report();
  expect(before?.names?.problems.map(({ resource, verdict }) => `${resource} ${verdict}`)).toEqual([
    `${x} Refused`,
    `${y} Refused`,
  ]);
  for (const resource of [y, x]) {
    await agent.loops(1, named(resource));
    expect(agent.agent.report()).toEqual(before);
  }
});

test('what stands though its object may no longer have it resolves, and what is against it is said', async () => {
  const tenants = [{ namespaceSelector: { matchLabels: { t: 'a' } }, names: ['*.corp.internal'] }];
  const agent = await sightedAgent({ tenants });
  agent.objects.label('a', { t: 'a' });
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops(2);
  expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  agent.objects.label('a', {});
  await agent.loops(2);
  expect(agent.of(x)).toBe(
    'Resolved: resolves to 192.0.2.1; left out of it: *.corp.internal is for a tenant that namespace a is not of (discovery.tenants): use another host, or label the namespace',
  );
});

describe('what takes an answer away while ExternalDNS is silent is told', () => {
  test.each<[string, DeclarationChanges]>([
    [
      'a declared record at its name',
      { zones: [zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')]), ...zones('lab.internal')] },
    ],
    ['the end of its zone', { zones: zones('lab.internal') }],
  ])('%s', async (_, changed) => {
    const agent = await sightedAgent({}, { zones: zones('corp.internal', 'lab.internal') });
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
    agent.redeclare({}, changed);
    await agent.silence(1);
    expect(agent.of(x)).not.toMatch(/^Resolved/);
    await agent.silence(60);
    expect(agent.of(x)).toMatch(/^Pending: ExternalDNS has not asked since the spec changed: /);
  });

  test('a person who removes its record, until ExternalDNS has it back', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    agent.database.edit('corp.internal.', (zone) => {
      zone.rrsets = zone.rrsets.filter(({ name }) => name !== `${www}.`);
    });
    await agent.silence(1);
    expect(agent.of(x)).toMatch(/^Pending: /);
    await agent.loops(2);
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  });
});

test('what another object sets free is not the propagation of a change of long ago', async () => {
  const agent = await sightedAgent();
  await agent.loops();
  agent.has(y, { targets: ['192.0.2.2'] });
  agent.has(x, { targets: ['192.0.2.1'], created: later, changed: 2_000 });
  await agent.loops(2);
  agent.clock.now += 3_600_000;
  agent.has(y, undefined);
  await agent.loops(2);
  expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  expect(agent.propagations).toEqual([]);
});

describe('nothing resolves', () => {
  test.each([
    ['beneath a delegation', 'www.sub.corp.internal', foreign('sub.corp.internal.', 'NS', 'ns.example.com.')],
    ['beside a delegation', 'sub.corp.internal', foreign('sub.corp.internal.', 'NS', 'ns.example.com.')],
    ['beneath a DNAME', 'www.sub.corp.internal', foreign('sub.corp.internal.', 'DNAME', 'example.com.')],
  ])('%s', async (_, host, cut) => {
    const agent = await sightedAgent();
    agent.has(x, { hosts: [host], targets: ['192.0.2.1'] });
    await agent.loops(2);
    expect(agent.of(x, host)).toBe('Resolved: resolves to 192.0.2.1');
    agent.database.edit('corp.internal.', (zone) => void zone.rrsets.push(cut));
    await agent.loops(3);
    expect(agent.of(x, host)).toMatch(/^ForeignRecord: /);
  });
});

describe('a host resolves only with every address that it wants', () => {
  test('not by its TXT alone', async () => {
    const declared = zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')]);
    const agent = await sightedAgent({ recordTypes: ['A', 'TXT'] }, { zones: [declared] });
    const endpoint = 'crd/a/x';
    agent.has(endpoint, {
      parts: new Map([
        [`${www}. A`, { targets: ['192.0.2.1'] }],
        [`${www}. TXT`, { targets: ['"v"'] }],
      ]),
      targets: ['192.0.2.1', '"v"'],
      asks: [want(endpoint, www, 'A', '192.0.2.1'), want(endpoint, www, 'TXT', 'v')],
    });
    await agent.loops(3);
    expect(agent.of(endpoint)).toMatch(/^DeclaredElsewhere: /);
  });

  test('not by the IPv6 address that stayed, where the policy leaves the new IPv4 address out', async () => {
    const agent = await sightedAgent({ recordTypes: ['A', 'AAAA'], policy: 'CreateOnly' });
    agent.has(x, { targets: ['192.0.2.1', '2001:db8::1'] });
    await agent.loops(3);
    agent.has(x, { targets: ['192.0.2.2', '2001:db8::1'] });
    await agent.loops(3);
    expect(agent.of(x)).toBe(
      'Filtered: discovery.policy CreateOnly leaves it as it is: Sync or UpsertOnly publish it; it still resolves to 192.0.2.1, 2001:db8::1',
    );
  });

  test('not by an answer of another object that has its address among others', async () => {
    const agent = await sightedAgent({ sharedHosts: 'FirstWins' });
    agent.has(x, { targets: ['192.0.2.1', '192.0.2.2'] });
    agent.has(y, { targets: ['192.0.2.1'], created: later });
    await agent.loops(3);
    expect(agent.of(y)).toMatch(/^Duplicate: ingress\/a\/x has the name already, /);
  });
});

describe('of several ExternalDNS', () => {
  const vHost = 'v.corp.internal';
  const started = async () => {
    const agent = await sightedAgent({ namespaces: ['a', 'b'] });
    agent.has(x, { hosts: ['x.corp.internal'], targets: ['192.0.2.1'] });
    agent.has(y, { hosts: ['y.corp.internal'], targets: ['192.0.2.2'] });
    await agent.loops(2, { namespace: 'a' });
    await agent.loops(2, { namespace: 'b' });
    return agent;
  };

  test('a name resolves whose own was not heard of yet', async () => {
    const agent = await started();
    // It forgets the owner of b, as a start does.
    agent.redeclare({ namespaces: ['a'] });
    agent.redeclare({ namespaces: ['a', 'b'] });
    await agent.loops(6, { namespace: 'a' });
    expect(agent.of(y, 'y.corp.internal')).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.agent.report()?.names).toMatchObject({ total: 2, resolved: 2 });
  });

  test.each([
    ['a', 'ExternalDNS does not ask for it'],
    ['b', 'ExternalDNS is not heard of'],
  ])('where only that of a is heard, an object in %s waits since %s', async (namespace, why) => {
    const agent = await started();
    await agent.loops(30, { namespace: 'a' });
    const v = `ingress/${namespace}/v`;
    agent.has(v, { hosts: [vHost], targets: ['192.0.2.4'] });
    const asks = () => agent.objects.wanted('a').filter(({ dnsName }) => dnsName !== vHost);
    await agent.loops(5, { namespace: 'a', asks });
    expect(agent.of(v, vHost)).toBe(`Pending: ${why}: see the log of the container external-dns`);
  });
});

describe('a route that no Gateway has accepted', () => {
  const route = 'httproute/a/x';
  const why = 'no Gateway that it names has accepted it (status.parents)';
  const unready: SeenObject = { filteredBy: why, isUnready: true };

  test('is on its way while it is new, and then has no address, which counts', async () => {
    const agent = await sightedAgent();
    await agent.loops();
    agent.has(route, unready);
    agent.agent.explain();
    expect(agent.of(route)).toBe(`Pending: ${why}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0, problems: [] });
    await agent.loops(5);
    expect(agent.of(route)).toBe(`NoAddress: ${why}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0 });
    agent.has(route, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    expect(agent.of(route)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('is left out at once and counts for nothing where a filter leaves it out', async () => {
    const agent = await sightedAgent();
    await agent.loops();
    agent.has(route, { filteredBy: why });
    agent.agent.explain();
    expect(agent.of(route)).toBe(`Filtered: ${why}`);
    await agent.loops(5);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0, resolved: 0 });
  });
});

describe('what is not known yet', () => {
  test('is no refusal: the labels of a namespace', async () => {
    const tenants = [{ namespaceSelector: { matchLabels: { t: 'a' } }, names: ['*.corp.internal'] }];
    const agent = await sightedAgent({ tenants });
    agent.has(x, { targets: ['192.0.2.1'] });
    agent.has('ingress/b/z', { hosts: ['z.corp.internal'], targets: ['192.0.2.2'] });
    await agent.loops();
    expect(agent.of(x)).toMatch(/^Pending: /);
    agent.objects.label('a', { t: 'a' });
    agent.objects.label('b', { t: 'b' });
    await agent.loops(2);
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
    expect(agent.of('ingress/b/z', 'z.corp.internal')).toMatch(/^Refused: /);
  });

  test('silences nobody for ever: a kind that may not be listed', async () => {
    const agent = await sightedAgent();
    agent.objects.missing = 'httproutes';
    agent.has(x, { targets: ['192.0.2.1'] });
    await expect(agent.loops()).rejects.toThrow('the httproutes are not listed yet');
    agent.agent.explain();
    expect(agent.said()).toBeUndefined();
    agent.clock.now += 30_000;
    await agent.loops();
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  });
});

describe('what the delete guard holds', () => {
  const numbers = [0, 1, 2, 3, 4, 5];
  const six = async () => {
    const agent = await sightedAgent();
    for (const i of numbers) agent.has(`ingress/a/${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
    await agent.loops(2);
    return agent;
  };
  type Six = Awaited<ReturnType<typeof six>>;
  const forAll = (object: (i: number) => SeenObject | undefined) => (agent: Six) => {
    for (const i of numbers) agent.has(`ingress/a/${i}`, object(i));
    return undefined;
  };

  test.each<[string, (agent: Six) => (() => []) | undefined, string]>([
    ['is not asked for, though it is there', () => () => [], 'is no longer asked for by ExternalDNS'],
    ['has lost its address', forAll((i) => ({ hosts: [`h${i}.corp.internal`] })), 'has lost its address'],
    [
      'asks for another host now',
      forAll((i) => ({ hosts: [`new${i}.corp.internal`], targets: ['192.0.2.1'] })),
      'no longer asks for it',
    ],
    ['is gone', forAll(() => undefined), 'is gone'],
  ])('is said of an object that %s', async (_, change, why) => {
    const agent = await six();
    const asks = change(agent);
    await agent.loops(2, { ...(asks && { asks }) });
    expect(agent.of('ingress/a/0', 'h0.corp.internal')).toMatch(
      new RegExp(
        `^Held: ingress/a/0 ${why}, and the delete guard keeps what it had: it still resolves to 192\\.0\\.2\\.1; `,
      ),
    );
  });

  test('is said of the Pods of a headless Service that restart', async () => {
    const agent = await sightedAgent();
    const service = 'service/a/db';
    const pods = numbers.map((i) => want(service, `p${i}.db.corp.internal`, 'A', `192.0.2.${i + 1}`));
    agent.has(service, { hosts: ['db.corp.internal'], below: true, asks: pods });
    await agent.loops(2);
    agent.has(service, { hosts: ['db.corp.internal'], below: true, asks: [] });
    await agent.loops(3);
    expect(agent.of(service, 'p0.db.corp.internal')).toMatch(
      /^Held: service\/a\/db is no longer asked for by ExternalDNS, and the delete guard/,
    );
  });
});

test('all whose answer together PowerDNS refuses are refused', async () => {
  const agent = await sightedAgent();
  agent.database.refuses = ({ type, records }) => type === 'A' && records.length > 1;
  const sharing = ['ingress/a/w', 'ingress/a/x', 'ingress/a/y'];
  for (const [i, resource] of sharing.entries()) agent.has(resource, { targets: [`192.0.2.${i + 1}`] });
  await agent.loops(5);
  const verdicts = agent.said()?.map(({ resource, verdict }) => [resource, verdict]);
  expect(verdicts).toEqual(sharing.map((resource) => [resource, 'Refused']));
});
