/** What the agent says of the names that objects ask for. */
import { describe, expect, test } from 'vitest';
import { illegalName } from '../../../functions/agent/discovery/host-name.ts';
import type { Verdict } from '../../../functions/contract/verdict.ts';
import { declare, foreign, record, want, zones, zoneWith } from '../make.ts';
import { type SeenObject, www } from './seen-objects.ts';
import { type SightedAgent, sightedAgent } from './sighted-agent.ts';

const x = 'ingress/a/x';
const y = 'ingress/b/y';

test('resolved, with the answer', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
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

test('an alias resolves to a name without the dot at the end', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['lb.example.com'] });
  await agent.loops();
  expect(agent.of(x)).toBe('Resolved: resolves to lb.example.com');
});

test('resolved, and an annotation that is not understood is told', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['192.0.2.1'], unreadTTL: '1d' });
  await agent.loops();
  expect(agent.of(x)).toBe(
    'Resolved: resolves to 192.0.2.1; its annotation ttl is not understood, so that the usual time to live holds: "1d": write seconds, such as 300, or 5m',
  );
});

test('pending while it is young, and without an address when it no longer is', async () => {
  const agent = await sightedAgent();
  agent.has(x, {});
  await agent.loops();
  const why = expect.stringMatching(/^Pending: no address yet: its controller has written none/);
  expect(agent.of(x)).toEqual(why);
  await agent.loops(3);
  expect(agent.of(x)).toEqual(expect.stringMatching(/^NoAddress: no address yet: .*discovery\.targets\.default$/));
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
});

test('what ExternalDNS does not ask for stays pending, and says where to look', async () => {
  const agent = await sightedAgent();
  await agent.loops();
  agent.has(x, { targets: ['192.0.2.1'] });
  agent.agent.explain();
  expect(agent.of(x)).toBe('Pending: ExternalDNS has not asked for it yet: it looks every 2 s');
  expect(agent.agent.names.list).toMatchObject([expect.not.objectContaining({ isLate: true })]);
  agent.clock.now += 7_000;
  agent.agent.explain();
  expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
  expect(agent.of(x)).toBe('Pending: ExternalDNS does not ask for it: see the log of the container external-dns');
  agent.clock.now += 60_000;
  agent.agent.explain();
  expect(agent.of(x)).toBe('Pending: ExternalDNS is not heard of: see the log of the container external-dns');
});

describe('outside the zones', () => {
  test('of one zone', async () => {
    const agent = await sightedAgent();
    agent.has(x, { hosts: ['www.crop.internal'], targets: ['192.0.2.1'] });
    await agent.loops();
    expect(agent.of(x, 'www.crop.internal')).toBe(
      'OutsideZones: outside the zone corp.internal: give it a name below a zone, or declare its zone in spec.zones',
    );
  });

  test('of several the nearest is named, with an address or without', async () => {
    const names = ['corp.internal', 'lab.internal', 'corp.example'].map((name) => ({ name, nameServers: [] }));
    const agent = await sightedAgent({}, { zones: names });
    agent.has(x, { hosts: ['www.crop.example'], targets: ['192.0.2.1'] });
    agent.has(y, { hosts: ['db.lab.internal.lan'] });
    await agent.loops(4);
    const advice = 'give it a name below a zone, or declare its zone in spec.zones';
    const outside = 'OutsideZones: outside the zones corp.internal, lab.internal, corp.example';
    expect(agent.of(x, 'www.crop.example')).toBe(`${outside}; the nearest is corp.example: ${advice}`);
    expect(agent.of(y, 'db.lab.internal.lan')).toMatch(/^OutsideZones: /);
  });

  test.each(['Sync', 'Preview'])('until its zone is declared, where the policy is %s', async (policy) => {
    const agent = await sightedAgent({ policy });
    const host = 'www.lab.internal';
    agent.has(x, { hosts: [host], targets: ['192.0.2.1'] });
    await agent.loops(5);
    expect(agent.of(x, host)).toMatch(/^OutsideZones: /);
    agent.redeclare({ policy }, { zones: zones('corp.internal', 'lab.internal') });
    await agent.agent.reconcile();
    agent.agent.explain();
    expect(agent.of(x, host)).toBe('Pending: ExternalDNS is about to ask');
    await agent.loops(2);
    expect(agent.of(x, host)).toMatch(policy === 'Sync' ? /^Resolved: / : /^Filtered: discovery\.policy Preview /);
  });
});

describe('while the agent cannot answer ExternalDNS', () => {
  const failing = async (agent: SightedAgent) => {
    for (let i = 0; i < 10; i++) {
      await agent.agent.records();
      agent.agent.recordFailure('PowerDNS does not answer');
      agent.clock.now += 4_000;
      agent.agent.explain();
    }
  };
  const why =
    'Pending: the agent cannot answer ExternalDNS (PowerDNS does not answer): see the log of the container agent';

  test('objects say that, and not that nobody asks', async () => {
    const agent = await sightedAgent();
    await agent.loops();
    agent.has(x, { targets: ['192.0.2.1'] });
    await failing(agent);
    expect(agent.of(x)).toBe(why);
    expect(agent.agent.names.list).toMatchObject([{ isLate: true }]);
    await agent.loops(2);
    expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
  });

  test('also when the spec has changed since, of what was refused by the one before', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    agent.has(y, { targets: ['192.0.2.2'], created: '2026-02-01T00:00:00Z' });
    await agent.loops(2);
    expect(agent.of(y)).toMatch(/^Duplicate: /);
    agent.redeclare({ intervalSeconds: 3 });
    await agent.agent.reconcile();
    await failing(agent);
    expect(agent.of(y)).toBe(why);
  });
});

describe('what Pods or Nodes answer with', () => {
  const service = 'service/a/db';
  const host = 'db.corp.internal';
  const headless = { hosts: [host], below: true, ofPodsOrNodes: true, changed: 0 };

  test('is no address while none is ready, and ExternalDNS is heard of', async () => {
    const agent = await sightedAgent();
    agent.has(service, { ...headless, asks: [] });
    await agent.loops(2);
    expect(agent.of(service, host)).toMatch(/^Pending: ExternalDNS has not asked for it yet: /);
    await agent.loops(3);
    expect(agent.of(service, host)).toBe(
      'NoAddress: no ready Pod or Node answers for it: see the Pods of its spec.selector, and of a NodePort the addresses of the Nodes',
    );
    await agent.silence(20);
    expect(agent.of(service, host)).toMatch(/^Pending: ExternalDNS is not heard of: /);
  });

  test('and where only ExternalDNS knows the targets of an object, its log says why there are none', async () => {
    const agent = await sightedAgent();
    agent.has(service, { hosts: [host], areTargetsUnknown: true, asks: [] });
    await agent.loops(5);
    expect(agent.of(service, host)).toBe(
      'Pending: ExternalDNS does not ask for it: see the log of the container external-dns',
    );
  });

  test('measures nothing, since it may come long after the Service', async () => {
    const agent = await sightedAgent();
    agent.has(service, { ...headless, asks: [] });
    await agent.loops(1);
    agent.has(service, { ...headless, asks: [want(service, host, 'A', '192.0.2.1')] });
    await agent.loops(2);
    expect(agent.of(service, host)).toBe('Resolved: resolves to 192.0.2.1');
    expect(agent.propagations).toEqual([]);
  });
});

describe('filtered', () => {
  test.each<[string, object, SeenObject, string]>([
    [
      'by a filter of the view',
      {},
      { targets: ['192.0.2.1'], filteredBy: 'discovery.selector (a=b) leaves it out' },
      'discovery.selector (a=b) leaves it out',
    ],
    [
      'by an excluded domain',
      { excludedDomains: [www] },
      { targets: ['192.0.2.1'] },
      `${www} is one of discovery.excludedDomains: take it from there, or use another host`,
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
      'discovery.policy Preview leaves it as it is: Sync or UpsertOnly publish it',
    ],
  ])('%s', async (_, discovery, object, message) => {
    const agent = await sightedAgent(discovery);
    agent.has(x, object);
    await agent.loops(5);
    expect(agent.of(x)).toBe(`Filtered: ${message}`);
  });

  test('what is left out and is outside the zones is nobody’s business', async () => {
    const agent = await sightedAgent();
    agent.has(x, {
      hosts: ['www.example.com'],
      targets: ['192.0.2.1'],
      filteredBy: 'discovery.selector leaves it out',
    });
    await agent.loops();
    expect(agent.said()).toEqual([]);
  });
});

describe('duplicate', () => {
  const advice = 'give one of them another host, or see discovery.sharedHosts';

  test('says who wins and why: the older', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    agent.has(y, { targets: ['192.0.2.2'] });
    await agent.loops();
    expect(agent.of(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.of(x)).toBe(`Duplicate: already used by ${y}, which is older: ${advice}`);
  });

  test('says who wins and why: who answers already', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    await agent.loops();
    agent.has(y, { targets: ['192.0.2.2'] });
    await agent.loops();
    expect(agent.of(y)).toBe(`Duplicate: already used by ${x}, which was published first: ${advice}`);
    agent.has(x, undefined);
    await agent.loops();
    expect(agent.of(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.of(x)).toBe('');
  });

  test('who wants the same answer has it', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'] });
    agent.has(y, { targets: ['192.0.2.1'] });
    await agent.loops();
    expect(agent.said()?.map(({ verdict }) => verdict)).toEqual(['Resolved', 'Resolved']);
  });
});

test('declared elsewhere, until the record is gone', async () => {
  const agent = await sightedAgent({}, { zones: [zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')])] });
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  expect(agent.of(x)).toBe(
    'DeclaredElsewhere: the InternalDNS declares A at this name: remove the record from the spec, or the host from the object',
  );
  agent.declare(declare({ name: 'corp' }));
  await agent.loops(2);
  expect(agent.of(x)).toBe('Resolved: resolves to 192.0.2.1');
});

test('a record that nobody has marked', async () => {
  const agent = await sightedAgent();
  agent.database.edit('corp.internal.', (zone) => void zone.rrsets.push(foreign(`${www}.`, 'A', '192.0.2.9')));
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  expect(agent.of(x)).toBe(
    'ForeignRecord: an unmanaged A record exists at this name: delete it, or declare it in spec.zones',
  );
});

test('held by the delete guard, with an object and without', async () => {
  const agent = await sightedAgent();
  const hosts = Array.from({ length: 6 }, (_, i) => `h${i}.corp.internal`);
  const objects = hosts.map((host, i) => ({ resource: `ingress/a/${i}`, host }));
  for (const { resource, host } of objects) agent.has(resource, { hosts: [host], targets: ['192.0.2.1'] });
  await agent.loops();
  for (const { resource, host } of objects) agent.has(resource, { hosts: [host] });
  agent.has('ingress/a/5', undefined);
  await agent.loops();
  const advice =
    'it still resolves to 192.0.2.1; to let it go: kubectl annotate internaldns corp --overwrite dns.internal/let-go=$(date -u +%FT%TZ)';
  expect(agent.of('ingress/a/0', hosts[0])).toBe(
    `Held: ingress/a/0 has lost its address, and the delete guard keeps what it had: ${advice}`,
  );
});

describe('refused', () => {
  test('in the words of PowerDNS', async () => {
    const agent = await sightedAgent();
    agent.database.refuses = ({ name }) => name === `${www}.`;
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    expect(agent.of(x)).toMatch(/^Refused: ./);
  });

  describe('by the same rule whether ExternalDNS asks for it or drops it without a word', () => {
    const silent: Partial<SeenObject> = { asks: [] };
    test.each([
      ['my_app.corp.internal', silent],
      ['my_app.corp.internal', {}],
      ['bücher.corp.internal', silent],
      [`${'a'.repeat(64)}.corp.internal`, silent],
      ['_acme-challenge.corp.internal', silent],
      ['_acme-challenge.corp.internal', { ...silent, areTargetsUnknown: true }],
      ['my_app.corp.internal', { ...silent, targets: [] }],
    ])('%s, %j', async (host, more) => {
      const agent = await sightedAgent();
      agent.has(x, { hosts: [host], targets: ['192.0.2.1'], ...more });
      await agent.loops(1);
      const asked = `${host}.`;
      expect(agent.of(x, host)).toBe(`Refused: ${illegalName(asked, 'A')}`);
    });

    test.each<[string, SeenObject]>([
      ['the port of a Service', { hosts: ['_web._tcp.corp.internal'], areTargetsUnknown: true, ofPodsOrNodes: true }],
      ['the TXT record of a DNSEndpoint', { parts: new Map([['_v.corp.internal. TXT', { targets: ['v'] }]]) }],
    ])('but not %s', async (_, object) => {
      const agent = await sightedAgent();
      const host = object.hosts?.[0] ?? '_v.corp.internal';
      agent.has(x, { hosts: [host], asks: [], ...object });
      await agent.loops(1);
      expect(agent.of(x, host)).toMatch(/^Pending: ExternalDNS has not asked for it yet: /);
    });

    test('and a DNSEndpoint of a type that is none of those discovered is left out', async () => {
      const agent = await sightedAgent();
      agent.has('crd/a/x', { asks: [], parts: new Map([[`${www}. NAPTR`, { targets: ['1 2 "U" "" "" .'] }]]) });
      await agent.loops(1);
      expect(agent.of('crd/a/x')).toBe('Filtered: records of its type are not discovered: declare them in spec.zones');
    });
  });

  test.each<[title: string, host: string, more: Partial<SeenObject>, message: string]>([
    [
      'a port',
      'www.corp.internal:8080',
      {},
      'has a port (:), which is no part of a host: write it as www.corp.internal',
    ],
    ['a port, unasked', 'www.corp.internal:8080', { asks: [] }, 'has a port (:)'],
    ['quotes', '"www.corp.internal"', {}, 'has quotes (")'],
    [
      'a type in small letters',
      www,
      { asks: [], parts: new Map([[`${www}. a`, { targets: ['192.0.2.1'] }]]) },
      'the recordType is written A, not a',
    ],
    [
      'no type',
      www,
      { asks: [], parts: new Map([[`${www}. `, { targets: ['192.0.2.1'] }]]) },
      'its recordType is missing',
    ],
  ])('for %s, and counted', async (_, host, more, message) => {
    const agent = await sightedAgent();
    agent.has('crd/a/x', { hosts: [host], targets: ['192.0.2.1'], ...more });
    await agent.loops(4);
    expect(agent.of('crd/a/x', host)).toContain(`Refused: ${message}`);
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0 });
  });

  test('for a port, but not outside the zones', async () => {
    const agent = await sightedAgent();
    agent.has(x, { hosts: ['www.example.com:8080'], targets: ['192.0.2.1'] });
    await agent.loops(4);
    expect(agent.of(x, 'www.example.com:8080')).toMatch(/^OutsideZones: /);
    expect(agent.agent.report()?.names).toMatchObject({ total: 0 });
  });

  test('for two targets of one alias, in one endpoint or in two', async () => {
    const alias = (...targets: string[]) => want('crd/a/x', www, 'CNAME', ...targets);
    const said: (string | undefined)[] = [];
    for (const asks of [[alias('a.example.com', 'b.example.com')], [alias('a.example.com'), alias('b.example.com')]]) {
      const agent = await sightedAgent();
      agent.has('crd/a/x', { targets: ['a.example.com', 'b.example.com'], asks });
      await agent.loops(4);
      said.push(agent.of('crd/a/x'));
      expect(agent.database.rrsets.filter(({ name }) => name === `${www}.`)).toEqual([]);
    }
    expect(said[0]).toBe('Refused: a CNAME has one target, not 2: give the object only one');
    expect(said[1]).toBe(said[0]);
  });

  test('by a rule, with what still answers', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops();
    agent.has(x, { targets: ['lb.exa mple.com'] });
    await agent.loops();
    expect(agent.of(x)).toMatch(/^Refused: .*; it still resolves to 192\.0\.2\.1$/);
  });
});

test('counts what is this server’s, and lists the gravest first', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['192.0.2.1'] });
  agent.has(y, { targets: ['192.0.2.2'] });
  agent.has('ingress/c/out', { hosts: ['www.example.com'], targets: ['192.0.2.3'] });
  agent.has('ingress/c/none', { hosts: ['none.corp.internal'] });
  await agent.loops(5);
  const { names } = agent.agent.report() ?? {};
  const verdicts: Verdict[] = ['NoAddress', 'Duplicate', 'OutsideZones'];
  expect(names).toMatchObject({ total: 3, resolved: 1, problems: verdicts.map((verdict) => ({ verdict })) });
  expect(agent.agent.names.counts()).toMatchObject({ Resolved: 1, Pending: 0, NoAddress: 1, OutsideZones: 1 });
});

describe('what may be on its way is not counted yet', () => {
  test('a name without an address', async () => {
    const agent = await sightedAgent();
    agent.has(x, {});
    await agent.loops();
    expect(agent.agent.report()?.names).toEqual({ total: 0, resolved: 0, problems: [] });
  });

  test('another address of a name that has been there for long', async () => {
    const agent = await sightedAgent();
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(10);
    agent.has(x, { targets: ['192.0.2.2'] });
    await agent.agent.adjustEndpoints(agent.objects.wanted());
    agent.agent.explain();
    expect(agent.of(x)).toMatch(/^Pending: /);
    expect(agent.agent.report()?.names).toEqual({ total: 0, resolved: 0, problems: [] });
    agent.clock.now += 60_000;
    expect(agent.agent.names.counts()).toMatchObject({ Resolved: 0, Pending: 1 });
    expect(agent.agent.report()?.names).toMatchObject({ total: 1, resolved: 0, problems: [{ verdict: 'Pending' }] });
  });
});

test('the list is the same one while nothing changes', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops(2);
  const { list } = agent.agent.names;
  await agent.loops(5);
  expect(agent.agent.names.list).toBe(list);
  expect(agent.agent.names.list?.[0]?.since).toBe(0);
});

test('measures from the change of the object to its answer, once', async () => {
  const agent = await sightedAgent();
  await agent.loops(2);
  agent.has(x, { targets: ['192.0.2.1'], changed: 1_500 });
  await agent.loops(3);
  expect(agent.propagations).toEqual([2_500]);
  expect(agent.agent.names.list?.[0]?.propagation).toBe(2_500);
  agent.has(x, { targets: ['192.0.2.2'], changed: 9_000 });
  await agent.loops(3);
  expect(agent.propagations).toEqual([2_500, 1_000]);
});

test('without discovery there is nothing to say', async () => {
  const agent = await sightedAgent();
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  const { discovery: _, ...without } = declare({ name: 'corp' });
  agent.declare(without);
  await agent.agent.reconcile();
  expect(agent.agent.report()?.names).toBeUndefined();
  expect(agent.agent.overview()?.names).toEqual([]);
});
