/** Verdicts agree with what the zones answer, whatever changed them and whichever ExternalDNS is silent. */
import { describe, expect, test } from 'vitest';
import type { DeclarationChanges } from '../../contract/declared.ts';
import { endpoint, foreign, record, zones, zoneWith } from '../make.ts';
import { agentWithSources } from './agent-with-sources.ts';
import { type FakeObject, www } from './fake-source-lister.ts';

const x = 'ingress/a/x';
const y = 'ingress/b/y';
const later = '2026-02-01T00:00:00Z';

describe('reordering endpoints', () => {
  const asked = (...targets: [ipv4: string, ipv6: string]) => [
    endpoint(x, www, 'A', targets[0]),
    endpoint(x, www, 'AAAA', targets[1]),
  ];
  const both: [string, string] = ['192.0.2.1', '2001:db8::1'];

  test('changes neither the list nor the propagations', async () => {
    const agent = await agentWithSources({ recordTypes: ['A', 'AAAA'] });
    agent.setObject(x, { targets: both, changedAt: 0 });
    await agent.sync(2, { endpoints: () => asked(...both) });
    const { list } = agent.agent.names;
    agent.clock.now = 3_600_000;
    await agent.sync(1, { endpoints: () => asked(...both).reverse() });
    expect(agent.agent.names.list).toBe(list);
    expect(agent.propagations).toEqual([0]);
  });

  test('does not change the message', async () => {
    const agent = await agentWithSources({ recordTypes: ['A', 'AAAA'], policy: 'CreateOnly' });
    agent.setObject(x, { targets: both });
    await agent.sync(2);
    const other = asked('192.0.2.2', '2001:db8::2');
    await agent.sync(1, { endpoints: () => other });
    const before = agent.verdictOf(x);
    expect(before).toMatch(/^Filtered: .*; it still resolves to 192\.0\.2\.1, 2001:db8::1$/);
    await agent.sync(1, { endpoints: () => other.toReversed() });
    expect(agent.verdictOf(x)).toBe(before);
  });
});

test('the problems do not depend on which of several equal objects ExternalDNS names', async () => {
  const agent = await agentWithSources();
  const host = '_a.corp.internal';
  for (const resource of [x, y]) agent.setObject(resource, { hosts: [host], targets: ['192.0.2.1'] });
  const named = (resource: string) => ({ endpoints: () => [endpoint(resource, host, 'A', '192.0.2.1')] });
  await agent.sync(1, named(x));
  const before = agent.agent.report();
  expect(before?.names?.problems.map(({ resource, verdict }) => `${resource} ${verdict}`)).toEqual([
    `${x} Refused`,
    `${y} Refused`,
  ]);
  for (const resource of [y, x]) {
    await agent.sync(1, named(resource));
    expect(agent.agent.report()).toEqual(before);
  }
});

test('a record that its object may no longer have resolves, and the message says why it may not', async () => {
  const tenants = [{ namespaceSelector: { matchLabels: { t: 'a' } }, names: ['*.corp.internal'] }];
  const agent = await agentWithSources({ tenants });
  agent.objects.setNamespaceLabels('a', { t: 'a' });
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  agent.objects.setNamespaceLabels('a', {});
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe(
    'Resolved: resolves to 192.0.2.1; not published: *.corp.internal belongs to a tenant that does not include namespace a (discovery.tenants): use another host, or label the namespace',
  );
});

describe('a name that loses its answer while ExternalDNS is silent is no longer Resolved, because of', () => {
  test.each<[string, DeclarationChanges]>([
    [
      'a declared record at its name',
      { zones: [zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')]), ...zones('lab.internal')] },
    ],
    ['the end of its zone', { zones: zones('lab.internal') }],
  ])('%s', async (_, changed) => {
    const agent = await agentWithSources({}, { zones: zones('corp.internal', 'lab.internal') });
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
    agent.redeclare({}, changed);
    await agent.passWithoutSync(1);
    expect(agent.verdictOf(x)).not.toMatch(/^Resolved/);
    await agent.passWithoutSync(60);
    expect(agent.verdictOf(x)).toMatch(/^Pending: ExternalDNS has not synced since the spec changed: /);
  });

  test('a record removed by hand, until ExternalDNS restores it', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    agent.database.edit('corp.internal.', (zone) => {
      zone.rrsets = zone.rrsets.filter(({ name }) => name !== `${www}.`);
    });
    await agent.passWithoutSync(1);
    expect(agent.verdictOf(x)).toMatch(/^Pending: /);
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });
});

test('a name that another object gives up is not the propagation of an old change', async () => {
  const agent = await agentWithSources();
  await agent.sync();
  agent.setObject(y, { targets: ['192.0.2.2'] });
  agent.setObject(x, { targets: ['192.0.2.1'], created: later, changedAt: 2_000 });
  await agent.sync(2);
  agent.clock.now += 3_600_000;
  agent.setObject(y, undefined);
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  expect(agent.propagations).toEqual([]);
});

describe('no host resolves', () => {
  test.each([
    ['beneath a delegation', 'www.sub.corp.internal', foreign('sub.corp.internal.', 'NS', 'ns.example.com.')],
    ['beside a delegation', 'sub.corp.internal', foreign('sub.corp.internal.', 'NS', 'ns.example.com.')],
    ['beneath a DNAME', 'www.sub.corp.internal', foreign('sub.corp.internal.', 'DNAME', 'example.com.')],
  ])('%s', async (_, host, cut) => {
    const agent = await agentWithSources();
    agent.setObject(x, { hosts: [host], targets: ['192.0.2.1'] });
    await agent.sync(2);
    expect(agent.verdictOf(x, host)).toBe('Resolved: resolves to 192.0.2.1');
    agent.database.edit('corp.internal.', (zone) => void zone.rrsets.push(cut));
    await agent.sync(3);
    expect(agent.verdictOf(x, host)).toMatch(/^ForeignRecord: /);
  });
});

describe('a host resolves only with all of its addresses', () => {
  test('not with its TXT alone', async () => {
    const declared = zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')]);
    const agent = await agentWithSources({ recordTypes: ['A', 'TXT'] }, { zones: [declared] });
    const resource = 'crd/a/x';
    agent.setObject(resource, {
      parts: new Map([
        [`${www}. A`, { targets: ['192.0.2.1'] }],
        [`${www}. TXT`, { targets: ['"v"'] }],
      ]),
      targets: ['192.0.2.1', '"v"'],
      endpoints: [endpoint(resource, www, 'A', '192.0.2.1'), endpoint(resource, www, 'TXT', 'v')],
    });
    await agent.sync(3);
    expect(agent.verdictOf(resource)).toMatch(/^DeclaredElsewhere: /);
  });

  test('not with its unchanged IPv6 address where the policy keeps the old IPv4 address', async () => {
    const agent = await agentWithSources({ recordTypes: ['A', 'AAAA'], policy: 'CreateOnly' });
    agent.setObject(x, { targets: ['192.0.2.1', '2001:db8::1'] });
    await agent.sync(3);
    agent.setObject(x, { targets: ['192.0.2.2', '2001:db8::1'] });
    await agent.sync(3);
    expect(agent.verdictOf(x)).toBe(
      'Filtered: discovery.policy CreateOnly does not publish this change: set Sync or UpsertOnly; it still resolves to 192.0.2.1, 2001:db8::1',
    );
  });

  test('not with the records of another object that contain its address among others', async () => {
    const agent = await agentWithSources({ sharedHosts: 'FirstWins' });
    agent.setObject(x, { targets: ['192.0.2.1', '192.0.2.2'] });
    agent.setObject(y, { targets: ['192.0.2.1'], created: later });
    await agent.sync(3);
    expect(agent.verdictOf(y)).toMatch(/^Duplicate: already used by ingress\/a\/x, /);
  });
});

describe('with several ExternalDNS', () => {
  const vHost = 'v.corp.internal';
  const started = async () => {
    const agent = await agentWithSources({ namespaces: ['a', 'b'] });
    agent.setObject(x, { hosts: ['x.corp.internal'], targets: ['192.0.2.1'] });
    agent.setObject(y, { hosts: ['y.corp.internal'], targets: ['192.0.2.2'] });
    await agent.sync(2, { namespace: 'a' });
    await agent.sync(2, { namespace: 'b' });
    return agent;
  };

  test('a name resolves before its own ExternalDNS has synced', async () => {
    const agent = await started();
    agent.setObject('ingress/b/z', { hosts: ['y.corp.internal'], targets: ['192.0.2.2'] });
    await agent.sync(2, { namespace: 'b' });
    // Drops the state of the provider of b, as a restart does.
    agent.redeclare({ namespaces: ['a'] });
    agent.redeclare({ namespaces: ['a', 'b'] });
    await agent.sync(6, { namespace: 'a' });
    expect(agent.verdictOf('ingress/b/z', 'y.corp.internal')).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.verdictOf(y, 'y.corp.internal')).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.agent.report()?.names).toMatchObject({ total: 3, resolved: 3 });
  });

  test.each([
    ['a', 'ExternalDNS does not request this name'],
    ['b', 'ExternalDNS has stopped reporting'],
  ])('while only that of namespace a syncs, an object in %s is Pending as %s', async (namespace, why) => {
    const agent = await started();
    await agent.sync(30, { namespace: 'a' });
    const v = `ingress/${namespace}/v`;
    agent.setObject(v, { hosts: [vHost], targets: ['192.0.2.4'] });
    const endpoints = () => agent.objects.endpoints('a').filter(({ dnsName }) => dnsName !== vHost);
    await agent.sync(5, { namespace: 'a', endpoints });
    expect(agent.verdictOf(v, vHost)).toBe(`Pending: ${why}: see the log of the container external-dns`);
  });
});

describe('a route that no Gateway has accepted', () => {
  const route = 'httproute/a/x';
  const why = 'no Gateway that it names has accepted it (status.parents)';
  const unready: FakeObject = { filteredBy: why, isUnready: true };

  test('is Pending while it is new, then NoAddress, which counts as unresolved', async () => {
    const agent = await agentWithSources();
    await agent.sync();
    agent.setObject(route, unready);
    agent.agent.explain();
    expect(agent.verdictOf(route)).toBe(`Pending: ${why}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0, problems: [] });
    await agent.sync(5);
    expect(agent.verdictOf(route)).toBe(`NoAddress: ${why}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0 });
    agent.setObject(route, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    expect(agent.verdictOf(route)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('is Filtered at once and not counted where a filter leaves it out', async () => {
    const agent = await agentWithSources();
    await agent.sync();
    agent.setObject(route, { filteredBy: why });
    agent.agent.explain();
    expect(agent.verdictOf(route)).toBe(`Filtered: ${why}`);
    await agent.sync(5);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0, resolved: 0 });
  });
});

describe('while something is unknown', () => {
  test('a name is not refused for missing namespace labels', async () => {
    const tenants = [{ namespaceSelector: { matchLabels: { t: 'a' } }, names: ['*.corp.internal'] }];
    const agent = await agentWithSources({ tenants });
    agent.setObject(x, { targets: ['192.0.2.1'] });
    agent.setObject('ingress/b/z', { hosts: ['z.corp.internal'], targets: ['192.0.2.2'] });
    await agent.sync();
    expect(agent.verdictOf(x)).toMatch(/^Pending: /);
    agent.objects.setNamespaceLabels('a', { t: 'a' });
    agent.objects.setNamespaceLabels('b', { t: 'b' });
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
    expect(agent.verdictOf('ingress/b/z', 'z.corp.internal')).toMatch(/^Refused: /);
  });

  test('a kind that may not be listed does not block the others for ever', async () => {
    const agent = await agentWithSources();
    agent.objects.unlisted = 'httproutes';
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await expect(agent.sync()).rejects.toThrow('the httproutes are not listed yet');
    agent.agent.explain();
    expect(agent.verdicts()).toBeUndefined();
    agent.clock.now += 30_000;
    await agent.sync();
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });
});

test.each(['CreateOnly', 'Preview'])(
  'the policy %s keeps the answer that another object wants, so its name is Resolved',
  async (policy) => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    agent.redeclare({ policy });
    agent.setObject(x, { targets: ['192.0.2.2'] });
    agent.setObject(y, { targets: ['192.0.2.1'] });
    await agent.sync(4);
    expect(agent.verdictOf(x)).toMatch(/^Filtered: .*; it still resolves to 192\.0\.2\.1$/);
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.1');
  },
);

describe('Held', () => {
  const numbers = [0, 1, 2, 3, 4, 5];
  const six = async () => {
    const agent = await agentWithSources();
    for (const i of numbers)
      agent.setObject(`ingress/a/${i}`, { hosts: [`h${i}.corp.internal`], targets: ['192.0.2.1'] });
    await agent.sync(2);
    return agent;
  };
  type Six = Awaited<ReturnType<typeof six>>;
  const forAll = (object: (i: number) => FakeObject | undefined) => (agent: Six) => {
    for (const i of numbers) agent.setObject(`ingress/a/${i}`, object(i));
    return undefined;
  };

  test.each<[string, (agent: Six) => (() => []) | undefined, string]>([
    ['exists and is not requested', () => () => [], 'is no longer requested by ExternalDNS'],
    ['has lost its address', forAll((i) => ({ hosts: [`h${i}.corp.internal`] })), 'no longer has an address'],
    [
      'has another host now',
      forAll((i) => ({ hosts: [`new${i}.corp.internal`], targets: ['192.0.2.1'] })),
      'no longer has this host',
    ],
    ['was deleted', forAll(() => undefined), 'is gone'],
  ])('is the verdict on an object that %s', async (_, change, why) => {
    const agent = await six();
    const endpoints = change(agent);
    await agent.sync(2, { ...(endpoints && { endpoints }) });
    expect(agent.verdictOf('ingress/a/0', 'h0.corp.internal')).toMatch(
      new RegExp(
        `^Held: ingress/a/0 ${why}; the delete guard keeps its records: it still resolves to 192\\.0\\.2\\.1; `,
      ),
    );
  });

  test('shows held records of every type, and nothing that a delegation hides', async () => {
    const agent = await agentWithSources({ recordTypes: ['A', 'TXT', 'MX'] });
    const endpoints = numbers.flatMap((i) => [
      endpoint(`crd/a/${i}`, `h${i}.corp.internal`, 'TXT', 'v'),
      endpoint(`crd/a/${i}`, `h${i}.corp.internal`, 'MX', '10 mail.example.com'),
    ]);
    await agent.sync(2, { endpoints: () => endpoints });
    await agent.sync(2, { endpoints: () => [] });
    const verdictOf = (i: number) => agent.verdictOf(`crd/a/${i}`, `h${i}.corp.internal`);
    expect(verdictOf(0)).toMatch(/keeps its records: it still answers MX 10 mail\.example\.com, TXT "v"; to delete/);
    agent.database.edit('corp.internal.', ({ rrsets }) => {
      rrsets.push(foreign('h0.corp.internal.', 'NS', 'ns.example.com.'));
    });
    await agent.passWithoutSync(1);
    expect(verdictOf(0)).toMatch(/the delete guard keeps its records; to delete them now: /);
  });

  test('is the verdict on the Pods of a headless Service that restart', async () => {
    const agent = await agentWithSources();
    const service = 'service/a/db';
    const pods = numbers.map((i) => endpoint(service, `p${i}.db.corp.internal`, 'A', `192.0.2.${i + 1}`));
    agent.setObject(service, { hosts: ['db.corp.internal'], below: true, endpoints: pods });
    await agent.sync(2);
    agent.setObject(service, { hosts: ['db.corp.internal'], below: true, endpoints: [] });
    await agent.sync(3);
    expect(agent.verdictOf(service, 'p0.db.corp.internal')).toMatch(
      /^Held: service\/a\/db is no longer requested by ExternalDNS; the delete guard/,
    );
  });
});

test('all objects of an RRset that PowerDNS rejects are Refused', async () => {
  const agent = await agentWithSources();
  agent.database.refuses = ({ type, records }) => type === 'A' && records.length > 1;
  const sharing = ['ingress/a/w', 'ingress/a/x', 'ingress/a/y'];
  for (const [i, resource] of sharing.entries()) agent.setObject(resource, { targets: [`192.0.2.${i + 1}`] });
  await agent.sync(5);
  const verdicts = agent.verdicts()?.map(({ resource, verdict }) => [resource, verdict]);
  expect(verdicts).toEqual(sharing.map((resource) => [resource, 'Refused']));
});
