/** The verdict and message of every host that objects request. */
import { describe, expect, test } from 'vitest';
import { illegalName } from '../../../functions/agent/discovery/host-name.ts';
import type { Verdict } from '../../../functions/contract/verdict.ts';
import { declare, endpoint, foreign, record, zones, zoneWith } from '../make.ts';
import { type AgentWithSources, agentWithSources } from './agent-with-sources.ts';
import { type FakeObject, www } from './fake-source-lister.ts';

const x = 'ingress/a/x';
const y = 'ingress/b/y';

test('a resolved host lists its answers', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync();
  expect(agent.agent.names.list).toEqual([
    {
      name: www,
      resource: x,
      verdict: 'Resolved',
      message: 'resolves to 192.0.2.1',
      zone: 'corp.internal',
      answers: ['A 192.0.2.1'],
      since: 0,
    },
  ]);
});

test('a CNAME target is shown without its trailing dot', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['lb.example.com'] });
  await agent.sync();
  expect(agent.verdictOf(x)).toMatch(/^Resolved: resolves to lb\.example\.com; /);
});

test('an invalid ttl annotation is reported on a resolved host', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['192.0.2.1'], invalidTTL: '1d' });
  await agent.sync();
  expect(agent.verdictOf(x)).toBe(
    'Resolved: resolves to 192.0.2.1; invalid ttl annotation "1d", using the default TTL: write seconds, such as 300, or a duration, such as 5m',
  );
});

test('a host at an address in a LAN is told where clients come through tailnets only', async () => {
  const agent = await agentWithSources({ recordTypes: ['A', 'AAAA'] }, { isTailnetOnly: true });
  const route = '; a client in the tailnet connects only with a route there: set up a subnet router, or';
  for (const [target, isTold] of [
    ['10.0.0.7', true],
    ['192.168.0.7', true],
    ['fd00::7', true],
    ['100.64.0.7', false],
    ['fd7a:115c:a1e0::7', false],
    ['203.0.113.7', false],
  ] as const) {
    agent.setObject(x, { targets: [target] });
    await agent.sync(2);
    expect(agent.verdictOf(x)?.replace(/ use ingressClassName tailscale$/, '')).toBe(
      `Resolved: resolves to ${target}${isTold ? route : ''}`,
    );
  }
  await agent.redeclare({ recordTypes: ['A', 'AAAA'] }, {});
  agent.setObject(x, { targets: ['10.0.0.7'] });
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to 10.0.0.7');
});

test('a host without an address is Pending while it is new, then NoAddress', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, {});
  await agent.sync();
  const why = expect.stringMatching(/^Pending: no address yet: its controller has not written one/);
  expect(agent.verdictOf(x)).toEqual(why);
  await agent.sync(3);
  expect(agent.verdictOf(x)).toEqual(
    expect.stringMatching(/^NoAddress: no address yet: .*discovery\.targets\.default$/),
  );
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync();
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
});

test('a host that ExternalDNS does not request stays Pending, and the message names the log to check', async () => {
  const agent = await agentWithSources();
  await agent.sync();
  agent.setObject(x, { targets: ['192.0.2.1'] });
  agent.agent.explain();
  expect(agent.verdictOf(x)).toBe('Pending: not requested by ExternalDNS yet: it syncs every 2 s');
  expect(agent.agent.names.list).toMatchObject([expect.not.objectContaining({ isLate: true })]);
  agent.clock.now += 7_000;
  agent.agent.explain();
  expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
  expect(agent.verdictOf(x)).toBe(
    'Pending: ExternalDNS does not request this name: see the log of the container external-dns',
  );
  agent.clock.now += 60_000;
  agent.agent.explain();
  expect(agent.verdictOf(x)).toBe(
    'Pending: ExternalDNS has stopped reporting: see the log of the container external-dns',
  );
});

const resolver = { service: 'r', ports: { agents: 1, metrics: 2 }, certificates: [], upstreams: [] };

describe('OutsideZones', () => {
  test('names the only zone', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { hosts: ['www.crop.internal'], targets: ['192.0.2.1'] });
    await agent.sync();
    expect(agent.verdictOf(x, 'www.crop.internal')).toBe(
      'OutsideZones: outside the zone corp.internal: use a name in a zone, or declare its zone in spec.zones',
    );
  });

  test('says that the resolver asks elsewhere, if it does', async () => {
    const messageOf = async (more: object) => {
      const agent = await agentWithSources({}, { resolver: { ...resolver, ...more } });
      agent.setObject(x, { hosts: ['www.crop.internal'], targets: ['192.0.2.1'] });
      await agent.sync();
      return agent.verdictOf(x, 'www.crop.internal');
    };
    const asks = ', so that the resolver asks upstreams for it';
    expect(await messageOf({ check: { name: '.', type: 'NS' } })).toContain(
      `the zone corp.internal${asks}: use a name`,
    );
    expect(await messageOf({})).not.toContain(asks);
  });

  test('names the nearest of several zones, whether or not the object has an address', async () => {
    const names = ['corp.internal', 'lab.internal', 'corp.example'].map((name) => ({ name, nameServers: [] }));
    const agent = await agentWithSources({}, { zones: names });
    agent.setObject(x, { hosts: ['www.crop.example'], targets: ['192.0.2.1'] });
    agent.setObject(y, { hosts: ['db.lab.internal.lan'] });
    await agent.sync(4);
    const advice = 'use a name in a zone, or declare its zone in spec.zones';
    const outside = 'OutsideZones: outside the zones corp.internal, lab.internal, corp.example';
    expect(agent.verdictOf(x, 'www.crop.example')).toBe(`${outside}; the nearest is corp.example: ${advice}`);
    expect(agent.verdictOf(y, 'db.lab.internal.lan')).toMatch(/^OutsideZones: /);
  });

  test.each(['Sync', 'Preview'])('lasts until the zone is declared, with policy %s', async (policy) => {
    const agent = await agentWithSources({ policy });
    const host = 'www.lab.internal';
    agent.setObject(x, { hosts: [host], targets: ['192.0.2.1'] });
    await agent.sync(5);
    expect(agent.verdictOf(x, host)).toMatch(/^OutsideZones: /);
    agent.redeclare({ policy }, { zones: zones('corp.internal', 'lab.internal') });
    await agent.agent.reconcile();
    agent.agent.explain();
    expect(agent.verdictOf(x, host)).toBe('Pending: about to be requested by ExternalDNS');
    await agent.sync(2);
    expect(agent.verdictOf(x, host)).toMatch(
      policy === 'Sync' ? /^Resolved: / : /^Filtered: discovery\.policy Preview /,
    );
  });
});

describe('while the agent cannot answer ExternalDNS', () => {
  const failing = async (agent: AgentWithSources) => {
    for (let i = 0; i < 10; i++) {
      await agent.agent.records();
      agent.agent.recordFailure('PowerDNS does not answer');
      agent.clock.now += 4_000;
      agent.agent.explain();
    }
  };
  const why =
    'Pending: the agent cannot answer ExternalDNS (PowerDNS does not answer): see the log of the container agent';

  test('the message names the failure instead of a missing request', async () => {
    const agent = await agentWithSources();
    await agent.sync();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await failing(agent);
    expect(agent.verdictOf(x)).toBe(why);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
    await agent.sync(2);
    expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('a rejection by an older spec is replaced by the failure', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    agent.setObject(y, { targets: ['192.0.2.2'], created: '2026-02-01T00:00:00Z' });
    await agent.sync(2);
    expect(agent.verdictOf(y)).toMatch(/^Duplicate: /);
    agent.redeclare({ intervalSeconds: 3 });
    await agent.agent.reconcile();
    await failing(agent);
    expect(agent.verdictOf(y)).toBe(why);
  });
});

describe('a host whose targets are those of Pods or Nodes', () => {
  const service = 'service/a/db';
  const host = 'db.corp.internal';
  const headless = { hosts: [host], below: true, ofPodsOrNodes: true, changedAt: 0 };

  test('is NoAddress while none is ready and ExternalDNS syncs', async () => {
    const agent = await agentWithSources();
    agent.setObject(service, { ...headless, endpoints: [] });
    await agent.sync(2);
    expect(agent.verdictOf(service, host)).toMatch(/^Pending: not requested by ExternalDNS yet: /);
    await agent.sync(3);
    expect(agent.verdictOf(service, host)).toBe(
      'NoAddress: no ready Pod or Node: check the Pods that spec.selector matches, or for a NodePort the addresses of the Nodes',
    );
    await agent.passWithoutSync(20);
    expect(agent.verdictOf(service, host)).toMatch(/^Pending: ExternalDNS has stopped reporting: /);
  });

  test('refers to the log of ExternalDNS where only that knows the targets', async () => {
    const agent = await agentWithSources();
    agent.setObject(service, { hosts: [host], hasUnknownTargets: true, endpoints: [] });
    await agent.sync(5);
    expect(agent.verdictOf(service, host)).toBe(
      'Pending: ExternalDNS does not request this name: see the log of the container external-dns',
    );
  });

  test('is not counted as a propagation, as the Pods may become ready long after the Service', async () => {
    const agent = await agentWithSources();
    agent.setObject(service, { ...headless, endpoints: [] });
    await agent.sync(1);
    agent.setObject(service, { ...headless, endpoints: [endpoint(service, host, 'A', '192.0.2.1')] });
    await agent.sync(2);
    expect(agent.verdictOf(service, host)).toBe('Resolved: resolves to 192.0.2.1');
    expect(agent.propagations).toEqual([]);
  });
});

describe('Filtered', () => {
  test.each<[string, object, FakeObject, string]>([
    [
      'by a filter of the source',
      {},
      { targets: ['192.0.2.1'], filteredBy: 'discovery.selector (a=b) leaves it out' },
      'discovery.selector (a=b) leaves it out',
    ],
    [
      'by an excluded domain',
      { excludedDomains: [www] },
      { targets: ['192.0.2.1'] },
      `${www} is in discovery.excludedDomains: remove it there, or use another host`,
    ],
    [
      'by the networks',
      { targets: { networks: ['10.0.0.0/8'] } },
      { targets: ['192.0.2.1'] },
      '192.0.2.1 is outside discovery.targets.networks: change that field, or the address of the object',
    ],
    [
      'by the record types',
      { recordTypes: ['A'] },
      { targets: ['lb.example.com'] },
      'records of type CNAME are not discovered: add CNAME to discovery.recordTypes',
    ],
    [
      'by the policy',
      { policy: 'Preview' },
      { targets: ['192.0.2.1'] },
      'discovery.policy Preview does not publish this change: set Sync or UpsertOnly',
    ],
  ])('%s', async (_, discovery, object, message) => {
    const agent = await agentWithSources(discovery);
    agent.setObject(x, object);
    await agent.sync(5);
    expect(agent.verdictOf(x)).toBe(`Filtered: ${message}`);
  });

  test('a filtered host outside the zones is not listed', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, {
      hosts: ['www.example.com'],
      targets: ['192.0.2.1'],
      filteredBy: 'discovery.selector leaves it out',
    });
    await agent.sync();
    expect(agent.verdicts()).toEqual([]);
  });
});

describe('Duplicate', () => {
  const advice = 'give one of them another host, or see discovery.sharedHosts';

  test('names the older object as the one that has the name', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    agent.setObject(y, { targets: ['192.0.2.2'] });
    await agent.sync();
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.verdictOf(x)).toBe(`Duplicate: already used by ${y}, which is older: ${advice}`);
  });

  test('names the object that is already served as the one that has the name', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    await agent.sync();
    agent.setObject(y, { targets: ['192.0.2.2'] });
    await agent.sync();
    expect(agent.verdictOf(y)).toBe(`Duplicate: already used by ${x}, which was published first: ${advice}`);
    agent.setObject(x, undefined);
    await agent.sync();
    expect(agent.verdictOf(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.verdictOf(x)).toBe('');
  });

  test('does not apply to an object that wants the same records', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    agent.setObject(y, { targets: ['192.0.2.1'] });
    await agent.sync();
    expect(agent.verdicts()?.map(({ verdict }) => verdict)).toEqual(['Resolved', 'Resolved']);
  });
});

test('DeclaredElsewhere lasts until the record is removed from the spec', async () => {
  const agent = await agentWithSources({}, { zones: [zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')])] });
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync();
  expect(agent.verdictOf(x)).toBe(
    'DeclaredElsewhere: the InternalDNS declares A at this name: remove the record from the spec, or the host from the object',
  );
  agent.declare(declare({ name: 'corp' }));
  await agent.sync(2);
  expect(agent.verdictOf(x)).toBe('Resolved: resolves to 192.0.2.1');
});

test('an unmanaged record at the name is a ForeignRecord', async () => {
  const agent = await agentWithSources();
  agent.database.edit('corp.internal.', (zone) => void zone.rrsets.push(foreign(`${www}.`, 'A', '192.0.2.9')));
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync();
  expect(agent.verdictOf(x)).toBe(
    'ForeignRecord: an unmanaged A record exists at this name: delete it, or declare it in spec.zones',
  );
});

test('Held names the lost address and the command that deletes the records', async () => {
  const agent = await agentWithSources();
  const hosts = Array.from({ length: 6 }, (_, i) => `h${i}.corp.internal`);
  const objects = hosts.map((host, i) => ({ resource: `ingress/a/${i}`, host }));
  for (const { resource, host } of objects) agent.setObject(resource, { hosts: [host], targets: ['192.0.2.1'] });
  await agent.sync();
  for (const { resource, host } of objects) agent.setObject(resource, { hosts: [host] });
  agent.setObject('ingress/a/5', undefined);
  await agent.sync();
  const advice =
    'it still resolves to 192.0.2.1; to delete them now: kubectl annotate internaldns corp --overwrite dns.internal/let-go=$(date -u +%FT%TZ)';
  expect(agent.verdictOf('ingress/a/0', hosts[0])).toBe(
    `Held: ingress/a/0 no longer has an address; the delete guard keeps its records: ${advice}`,
  );
});

describe('Refused', () => {
  test('for what PowerDNS rejects, with its message', async () => {
    const agent = await agentWithSources();
    agent.database.refuses = ({ name }) => name === `${www}.`;
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(2);
    expect(agent.verdictOf(x)).toMatch(/^Refused: ./);
  });

  describe('by the same rule whether ExternalDNS requests a host or drops it silently', () => {
    const silent: Partial<FakeObject> = { endpoints: [] };
    test.each([
      ['my_app.corp.internal', silent],
      ['my_app.corp.internal', {}],
      ['bücher.corp.internal', silent],
      [`${'a'.repeat(64)}.corp.internal`, silent],
      ['_acme-challenge.corp.internal', silent],
      ['_acme-challenge.corp.internal', { ...silent, hasUnknownTargets: true }],
      ['my_app.corp.internal', { ...silent, targets: [] }],
    ])('%s, %j', async (host, more) => {
      const agent = await agentWithSources();
      agent.setObject(x, { hosts: [host], targets: ['192.0.2.1'], ...more });
      await agent.sync(1);
      const asked = `${host}.`;
      expect(agent.verdictOf(x, host)).toBe(`Refused: ${illegalName(asked, 'A')}`);
    });

    test.each<[string, FakeObject]>([
      ['the port of a Service', { hosts: ['_web._tcp.corp.internal'], hasUnknownTargets: true, ofPodsOrNodes: true }],
      ['the TXT record of a DNSEndpoint', { parts: new Map([['_v.corp.internal. TXT', { targets: ['v'] }]]) }],
    ])('but not %s', async (_, object) => {
      const agent = await agentWithSources();
      const host = object.hosts?.[0] ?? '_v.corp.internal';
      agent.setObject(x, { hosts: [host], endpoints: [], ...object });
      await agent.sync(1);
      expect(agent.verdictOf(x, host)).toMatch(/^Pending: not requested by ExternalDNS yet: /);
    });

    test('and a DNSEndpoint of an undiscoverable type is Filtered', async () => {
      const agent = await agentWithSources();
      agent.setObject('crd/a/x', {
        endpoints: [],
        parts: new Map([[`${www}. NAPTR`, { targets: ['1 2 "U" "" "" .'] }]]),
      });
      await agent.sync(1);
      expect(agent.verdictOf('crd/a/x')).toBe(
        'Filtered: records of this type are not discovered: declare them in spec.zones',
      );
    });
  });

  test.each<[title: string, host: string, more: Partial<FakeObject>, message: string]>([
    [
      'a port',
      'www.corp.internal:8080',
      {},
      'has a port (:), which is no part of a host: write it as www.corp.internal',
    ],
    ['a port, not requested', 'www.corp.internal:8080', { endpoints: [] }, 'has a port (:)'],
    ['quotes', '"www.corp.internal"', {}, 'has quotes (")'],
    [
      'a type in lower case',
      www,
      { endpoints: [], parts: new Map([[`${www}. a`, { targets: ['192.0.2.1'] }]]) },
      'the recordType is written A, not a',
    ],
    [
      'no type',
      www,
      { endpoints: [], parts: new Map([[`${www}. `, { targets: ['192.0.2.1'] }]]) },
      'its recordType is missing',
    ],
  ])('for %s, and counts as unresolved', async (_, host, more, message) => {
    const agent = await agentWithSources();
    agent.setObject('crd/a/x', { hosts: [host], targets: ['192.0.2.1'], ...more });
    await agent.sync(4);
    expect(agent.verdictOf('crd/a/x', host)).toContain(`Refused: ${message}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0 });
  });

  test('for a port only within the zones', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { hosts: ['www.example.com:8080'], targets: ['192.0.2.1'] });
    await agent.sync(4);
    expect(agent.verdictOf(x, 'www.example.com:8080')).toMatch(/^OutsideZones: /);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0 });
  });

  test('for two targets of one CNAME, in one endpoint or in two', async () => {
    const alias = (...targets: string[]) => endpoint('crd/a/x', www, 'CNAME', ...targets);
    const verdicts: (string | undefined)[] = [];
    for (const endpoints of [
      [alias('a.example.com', 'b.example.com')],
      [alias('a.example.com'), alias('b.example.com')],
    ]) {
      const agent = await agentWithSources();
      agent.setObject('crd/a/x', { targets: ['a.example.com', 'b.example.com'], endpoints });
      await agent.sync(4);
      verdicts.push(agent.verdictOf('crd/a/x'));
      expect(agent.database.rrsets.filter(({ name }) => name === `${www}.`)).toEqual([]);
    }
    expect(verdicts[0]).toBe('Refused: a CNAME has one target, not 2: give the object only one');
    expect(verdicts[1]).toBe(verdicts[0]);
  });

  test('says what is still answered', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync();
    agent.setObject(x, { targets: ['lb.exa mple.com'] });
    await agent.sync();
    expect(agent.verdictOf(x)).toMatch(/^Refused: .*; it still resolves to 192\.0\.2\.1$/);
  });
});

test('the report counts only names of the zones, and lists the worst first', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['192.0.2.1'] });
  agent.setObject(y, { targets: ['192.0.2.2'] });
  agent.setObject('ingress/c/out', { hosts: ['www.example.com'], targets: ['192.0.2.3'] });
  agent.setObject('ingress/c/none', { hosts: ['none.corp.internal'] });
  await agent.sync(5);
  const { names } = agent.agent.report() ?? {};
  const verdicts: Verdict[] = ['NoAddress', 'Duplicate', 'OutsideZones'];
  expect(names).toMatchObject({ total: 3, resolved: 1, problems: verdicts.map((verdict) => ({ verdict })) });
  expect(agent.agent.names.counts()).toMatchObject({ Resolved: 1, Pending: 0, NoAddress: 1, OutsideZones: 1 });
});

describe('a name within its grace period is not counted', () => {
  test('a new name without an address', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, {});
    await agent.sync();
    expect(agent.agent.report()?.names).toEqual({ total: 0, resolved: 0, problems: [] });
  });

  test('a changed address of an old name', async () => {
    const agent = await agentWithSources();
    agent.setObject(x, { targets: ['192.0.2.1'] });
    await agent.sync(10);
    agent.setObject(x, { targets: ['192.0.2.2'] });
    await agent.agent.adjustEndpoints(agent.objects.endpoints());
    agent.agent.explain();
    expect(agent.verdictOf(x)).toMatch(/^Pending: /);
    expect(agent.agent.report()?.names).toEqual({ total: 0, resolved: 0, problems: [] });
    agent.clock.now += 60_000;
    expect(agent.agent.names.counts()).toMatchObject({ Resolved: 0, Pending: 1 });
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0, problems: [{ verdict: 'Pending' }] });
  });
});

test('the list is the same array while nothing changes', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync(2);
  const { list } = agent.agent.names;
  await agent.sync(5);
  expect(agent.agent.names.list).toBe(list);
  expect(agent.agent.names.list?.[0]?.since).toBe(0);
});

test('a propagation is measured once, from the change of the object to its answer', async () => {
  const agent = await agentWithSources();
  await agent.sync(2);
  agent.setObject(x, { targets: ['192.0.2.1'], changedAt: 1_500 });
  await agent.sync(3);
  expect(agent.propagations).toEqual([2_500]);
  expect(agent.agent.names.list?.[0]?.propagation).toBe(2_500);
  agent.setObject(x, { targets: ['192.0.2.2'], changedAt: 9_000 });
  await agent.sync(3);
  expect(agent.propagations).toEqual([2_500, 1_000]);
});

test('without discovery there are no names', async () => {
  const agent = await agentWithSources();
  agent.setObject(x, { targets: ['192.0.2.1'] });
  await agent.sync();
  const { discovery: _, ...without } = declare({ name: 'corp' });
  agent.declare(without);
  await agent.agent.reconcile();
  expect(agent.agent.report()?.names).toBeUndefined();
  expect(agent.agent.overview()?.names).toEqual([]);
});
