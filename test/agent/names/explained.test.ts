/** What the agent says of the names that objects ask for. */
import { describe, expect, test } from 'vitest';
import type { WrittenDeclaration } from '../../../functions/agent/declaration.ts';
import { type Claim, type Claims, unseen } from '../../../functions/agent/discovery/claim.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource.ts';
import type { Endpoint } from '../../../functions/agent/discovery/wish/endpoint.ts';
import type { Verdict } from '../../../functions/agent/names/verdict.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, foreign, makeAgent, record, want, zoneWith } from '../make.ts';

const www = 'www.corp.internal';

interface Object {
  created?: string;
  hosts?: string[];
  targets?: string[];
  leftOut?: string;
  changed?: number;
}

/** An agent and the objects that it sees: each loop asks for what they have addresses for. */
async function started(discovery: object = {}, more: Partial<WrittenDeclaration> = {}) {
  const objects = new Map<string, Object>();
  const propagations: number[] = [];
  let revision = 0;
  const claimOf = (resource: string): Claim => {
    const { created = '2026-01-01T00:00:00Z', hosts = [www], targets = [], leftOut } = objects.get(resource) ?? {};
    const shown = {
      resource,
      namespace: namespaceOf(resource),
      created,
      hosts: hosts.map((host) => `${host}.`),
      targets,
    };
    return { ...shown, ...(leftOut && { leftOut }) };
  };
  const all = () => [...objects.keys()].map(claimOf);
  const claims: Claims = {
    ...unseen,
    get version() {
      return revision;
    },
    get revision() {
      return revision;
    },
    sees: () => true,
    of: (resource) => (objects.has(resource) ? claimOf(resource) : undefined),
    changedAt: (resource) => objects.get(resource)?.changed,
    on: (name) => all().filter(({ hosts, leftOut }) => !leftOut && hosts.includes(name)),
    all: () => all().filter(({ leftOut }) => !leftOut),
    leftOut: () => all().filter(({ leftOut }) => leftOut),
    addressless: () => all().filter(({ targets }) => targets?.length === 0),
  };
  const onPropagation = (milliseconds: number) => void propagations.push(milliseconds);
  const made = makeAgent(undefined, { claims, onPropagation });
  const { agent, database, clock } = made;
  made.declare(declare({ name: 'corp', discovery: { ownerID: 'corp', intervalSeconds: 2, ...discovery }, ...more }));
  await agent.reconcile();
  const webhook: Webhook = {
    records: () => agent.records(),
    adjust: (wanted) => agent.adjust(wanted),
    apply: (changes) => agent.apply(changes),
  };
  const wanted = (): Endpoint[] =>
    all()
      .filter(({ leftOut }) => !leftOut)
      .flatMap(({ resource, hosts, targets = [] }) =>
        targets.length === 0 ? [] : hosts.map((host) => want(resource, host.slice(0, -1), typeOf(targets), ...targets)),
      );
  const said = () =>
    agent.names.list?.map(({ name, resource, verdict, message }) => ({ name, resource, verdict, message }));
  return {
    ...made,
    propagations,
    said,
    /** Of one object, or of all: `Verdict: message`. */
    of: (resource: string, name = www) =>
      said()
        ?.filter((state) => state.resource === resource && state.name === name)
        .map(({ verdict, message }) => `${verdict}: ${message}`)
        .join(),
    has(resource: string, object: Object | undefined) {
      revision++;
      if (object) objects.set(resource, object);
      else objects.delete(resource);
    },
    async loops(count = 1) {
      for (let i = 0; i < count; i++) {
        await agent.reconcile();
        await loop(webhook, wanted());
        clock.now += 2_000;
      }
      agent.explain();
    },
    database,
    webhook,
  };
}

const typeOf = ([target = '']: readonly string[]) => (/^[\d.]+$/.test(target) ? 'A' : 'CNAME');

const x = 'ingress/a/x';
const y = 'ingress/b/y';

test('resolved, with the answer', async () => {
  const agent = await started();
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
  const agent = await started();
  agent.has(x, { targets: ['lb.example.com'] });
  await agent.loops();
  expect(agent.of(x)).toBe('Resolved: resolves to lb.example.com');
});

test('pending while it is young, and without an address when it no longer is', async () => {
  const agent = await started();
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
  const agent = await started();
  await agent.loops();
  agent.has(x, { targets: ['192.0.2.1'] });
  agent.agent.explain();
  expect(agent.of(x)).toBe('Pending: ExternalDNS has not asked for it yet: it looks every 2 s');
  agent.clock.now += 7_000;
  agent.agent.explain();
  expect(agent.of(x)).toBe('Pending: ExternalDNS does not ask for it: see the log of the container external-dns');
  agent.clock.now += 60_000;
  agent.agent.explain();
  expect(agent.of(x)).toBe('Pending: ExternalDNS is not heard of: see the log of the container external-dns');
});

describe('outside the zones', () => {
  test('of one zone', async () => {
    const agent = await started();
    agent.has(x, { hosts: ['www.crop.internal'], targets: ['192.0.2.1'] });
    await agent.loops();
    expect(agent.of(x, 'www.crop.internal')).toBe(
      'OutsideZones: outside the zone corp.internal: give it a name below a zone, or declare its zone in spec.zones',
    );
  });

  test('of several the nearest is named, with an address or without', async () => {
    const names = ['corp.internal', 'lab.internal', 'corp.example'].map((name) => ({ name, nameServers: [] }));
    const agent = await started({}, { zones: names });
    agent.has(x, { hosts: ['www.crop.example'], targets: ['192.0.2.1'] });
    agent.has(y, { hosts: ['db.lab.internal.lan'] });
    await agent.loops(4);
    const advice = 'give it a name below a zone, or declare its zone in spec.zones';
    const outside = 'OutsideZones: outside the zones corp.internal, lab.internal, corp.example';
    expect(agent.of(x, 'www.crop.example')).toBe(`${outside}; the nearest is corp.example: ${advice}`);
    expect(agent.of(y, 'db.lab.internal.lan')).toMatch(/^OutsideZones: /);
  });
});

describe('filtered', () => {
  test.each<[string, object, Object, string]>([
    [
      'by a filter of the view',
      {},
      { targets: ['192.0.2.1'], leftOut: 'discovery.selector (a=b) leaves it out' },
      'discovery.selector (a=b) leaves it out',
    ],
    [
      'by an excluded domain',
      { excludedDomains: [www] },
      { targets: ['192.0.2.1'] },
      `${www} is one of discovery.excludedDomains`,
    ],
    [
      'by the networks',
      { targets: { networks: ['10.0.0.0/8'] } },
      { targets: ['192.0.2.1'] },
      '192.0.2.1 is outside discovery.targets.networks',
    ],
    [
      'by the record types',
      { recordTypes: ['A'] },
      { targets: ['lb.example.com'] },
      'records of type CNAME are not discovered: add CNAME to discovery.recordTypes',
    ],
    ['by the policy', { policy: 'Preview' }, { targets: ['192.0.2.1'] }, 'discovery.policy Preview leaves it as it is'],
  ])('%s', async (_, discovery, object, message) => {
    const agent = await started(discovery);
    agent.has(x, object);
    await agent.loops(5);
    expect(agent.of(x)).toBe(`Filtered: ${message}`);
  });

  test('what is left out and is outside the zones is nobody’s business', async () => {
    const agent = await started();
    agent.has(x, { hosts: ['www.example.com'], targets: ['192.0.2.1'], leftOut: 'discovery.selector leaves it out' });
    await agent.loops();
    expect(agent.said()).toEqual([]);
  });
});

describe('duplicate', () => {
  const advice = 'give one of them another host, or see discovery.sharedHosts';

  test('says who wins and why: the older', async () => {
    const agent = await started();
    agent.has(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    agent.has(y, { targets: ['192.0.2.2'] });
    await agent.loops();
    expect(agent.of(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.of(x)).toBe(`Duplicate: ${y} has the name already, as it is older: ${advice}`);
  });

  test('says who wins and why: who answers already', async () => {
    const agent = await started();
    agent.has(x, { targets: ['192.0.2.1'], created: '2026-01-02T00:00:00Z' });
    await agent.loops();
    agent.has(y, { targets: ['192.0.2.2'] });
    await agent.loops();
    expect(agent.of(y)).toBe(`Duplicate: ${x} has the name already, as it answers there already: ${advice}`);
    agent.has(x, undefined);
    await agent.loops();
    expect(agent.of(y)).toBe('Resolved: resolves to 192.0.2.2');
    expect(agent.of(x)).toBe('');
  });

  test('who wants the same answer has it', async () => {
    const agent = await started();
    agent.has(x, { targets: ['192.0.2.1'] });
    agent.has(y, { targets: ['192.0.2.1'] });
    await agent.loops();
    expect(agent.said()?.map(({ verdict }) => verdict)).toEqual(['Resolved', 'Resolved']);
  });
});

test('declared elsewhere, until the record is gone', async () => {
  const agent = await started({}, { zones: [zoneWith('corp.internal', [record('www', 'A', '192.0.2.9')])] });
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
  const agent = await started();
  agent.database.edit('corp.internal.', (zone) => void zone.rrsets.push(foreign(`${www}.`, 'A', '192.0.2.9')));
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  expect(agent.of(x)).toBe("ForeignRecord: somebody else's A record is at this name: remove it, or mark it");
});

test('held by the delete guard, with an object and without', async () => {
  const agent = await started();
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
    const agent = await started();
    agent.database.refuses = ({ name }) => name === `${www}.`;
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops(2);
    expect(agent.of(x)).toMatch(/^Refused: ./);
  });

  test('by a rule, with what still answers', async () => {
    const agent = await started();
    agent.has(x, { targets: ['192.0.2.1'] });
    await agent.loops();
    agent.has(x, { targets: ['lb.exa mple.com'] });
    await agent.loops();
    expect(agent.of(x)).toMatch(/^Refused: .*; it still resolves to 192\.0\.2\.1$/);
  });
});

test('counts what is this server’s, and lists the gravest first', async () => {
  const agent = await started();
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

test('a name that may be on its way is not counted yet', async () => {
  const agent = await started();
  agent.has(x, {});
  await agent.loops();
  expect(agent.agent.report()?.names).toEqual({ total: 0, resolved: 0, problems: [] });
});

test('the list is the same one while nothing changes', async () => {
  const agent = await started();
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops(2);
  const { list } = agent.agent.names;
  await agent.loops(5);
  expect(agent.agent.names.list).toBe(list);
  expect(agent.agent.names.list?.[0]?.since).toBe(0);
});

test('measures from the change of the object to its answer, once', async () => {
  const agent = await started();
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
  const agent = await started();
  agent.has(x, { targets: ['192.0.2.1'] });
  await agent.loops();
  const { discovery: _, ...without } = declare({ name: 'corp' });
  agent.declare(without);
  await agent.agent.reconcile();
  expect(agent.agent.report()?.names).toBeUndefined();
  expect(agent.agent.overview()?.names).toEqual([]);
});
