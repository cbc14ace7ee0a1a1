/** The number of records is limited by the memory of the agent. */
import { describe, expect, test } from 'vitest';
import type { Endpoint, EndpointChanges } from '../../../functions/agent/discovery/endpoint.ts';
import { withinBudget } from '../../../functions/agent/discovery/record-budget.ts';
import { type RRset, resourceOf, totalCost } from '../../../functions/agent/powerdns/rrset.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { loop } from '../external-dns.ts';
import { declare, discoveredRRset, endpoint, makeAgent } from '../make.ts';

const of = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    discoveredRRset(`ingress/${namespace}/web`, `${namespace}${i}.corp.internal.`, 'A', '192.0.2.1'),
  );
const namesOf = (rrsets: { name: string }[]) => rrsets.map(({ name }) => name.split('.')[0]);

const same = (a: RRset, others: readonly RRset[]) => others.some((b) => resourceOf(b) === resourceOf(a));
const within = (answer: RRset[], current: RRset[], budget: number) =>
  withinBudget(answer, { current, stays: same, budget });
const big = (resource: string, name: string, count: number) =>
  discoveredRRset(resource, name, 'A', ...Array.from({ length: count }, (_, i) => `192.0.2.${i}`));

describe('over the budget', () => {
  test('each namespace gets a name in turn, and current records stay', () => {
    const [many, few] = [of('many', 10), of('few', 2)];
    const { answer, refused } = within([...many, ...few], many.slice(7), 7);
    expect(namesOf(answer).sort()).toEqual(['few0', 'few1', 'many0', 'many1', 'many7', 'many8', 'many9']);
    expect(namesOf(refused.map(({ rrset }) => rrset)).sort()).toEqual(['many2', 'many3', 'many4', 'many5', 'many6']);
    expect(new Set(refused.map(({ message }) => message))).toEqual(
      new Set([
        'cannot add 1 more record: the memory limit of the server is reached: raise resources.agent.limits.memory, or give ingress/many/web fewer hosts and targets',
      ]),
    );
    expect(within(many, many, 3)).toEqual({ answer: many, refused: [] });
  });

  test('records count by their length, whatever the number of names', () => {
    const three = big('ingress/a/big', 'big.corp.internal.', 3);
    expect(totalCost([three])).toBe(3);
    const long = discoveredRRset(
      'ingress/a/long',
      'long.corp.internal.',
      'TXT',
      `"${'x'.repeat(255)}" `.repeat(4).trim(),
    );
    expect(totalCost([long])).toBe(3);
    for (const rrset of [three, long])
      expect(namesOf(within([rrset, ...of('b', 2)], [], 3).answer)).toEqual(['b0', 'b1']);
  });

  test('a current record grows only within the budget, and stays as it is otherwise', () => {
    const [small, grown] = [1, 64].map((count) => big('ingress/a/web', 'www.corp.internal.', count)) as [RRset, RRset];
    expect(within([grown, ...of('b', 2)], [small, ...of('b', 2)], 65)).toEqual({
      answer: [...of('b', 2), small],
      refused: [{ rrset: grown, verdict: 'Refused', message: expect.stringMatching(/^cannot add 63 more records: /) }],
    });
    expect(within([grown, ...of('b', 2)], [small, ...of('b', 2)], 66).refused).toEqual([]);
  });

  test('a switch to another type is rejected as well, unless the name goes to another object', () => {
    const alias = discoveredRRset('ingress/a/web', 'www.corp.internal.', 'CNAME', 'lb.corp.internal.');
    const [own, others] = ['a', 'b'].map((ns) => big(`ingress/${ns}/web`, 'www.corp.internal.', 5)) as [RRset, RRset];
    expect(within([own], [alias], 4).answer).toEqual([alias]);
    expect(within([others], [alias], 4).answer).toEqual([]);
    // It does not exceed the current records.
    expect(within([alias], [own], 4)).toEqual({ answer: [alias], refused: [] });
  });
});

/** An agent with a budget of `most` records besides the declared ones, and its ExternalDNS. */
async function start(most: number, discovery: DiscoveryChanges = {}) {
  const declaration = declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, ...discovery } });
  const bare = makeAgent();
  bare.declare(declaration);
  await bare.agent.reconcile();
  const declared = (await bare.database.zones()).flatMap(({ rrsets }) => rrsets).length;
  const setup = makeAgent(undefined, { mostRecords: most + declared });
  setup.declare(declaration);
  await setup.agent.reconcile();
  const webhook = {
    records: () => setup.agent.records(),
    adjustEndpoints: (endpoints: Endpoint[]) => setup.agent.adjustEndpoints(endpoints),
    applyChanges: (changes: EndpointChanges) => setup.agent.applyChanges(changes),
  };
  const current = async () =>
    Object.fromEntries(
      (await setup.agent.records()).map((e) => [`${e.dnsName.split('.')[0]} ${e.recordType}`, e.targets.length]),
    );
  return { ...setup, current, loop: (...endpoints: Endpoint[]) => loop(webhook, endpoints) };
}

describe('an object with a current name', () => {
  const web = (count: number) =>
    endpoint('ingress/a/web', 'www.corp.internal', 'A', ...Array.from({ length: count }, (_, i) => `192.0.2.${i + 1}`));
  const alias = endpoint('ingress/a/web', 'www.corp.internal', 'CNAME', 'lb.corp.internal');
  const other = endpoint('ingress/b/web', 'other.corp.internal', 'A', '192.0.2.1');

  test('cannot exceed the budget, and keeps its current records', async () => {
    const setup = await start(10);
    await setup.loop(web(1), other);
    await setup.loop(web(64), other);
    await setup.loop(web(64), other);
    expect(await setup.current()).toEqual({ 'www A': 1, 'other A': 1 });
    expect(setup.problems()).toEqual([
      expect.objectContaining({ verdict: 'Refused', message: expect.stringContaining('cannot add 63 more records') }),
    ]);
    await setup.loop(web(9), other);
    expect(await setup.current()).toEqual({ 'www A': 9, 'other A': 1 });
  });

  test('cannot exceed it by a switch of types', async () => {
    const setup = await start(5);
    await setup.loop(alias, other);
    await setup.loop(web(5), other);
    await setup.loop(web(5), other);
    expect(await setup.current()).toEqual({ 'www CNAME': 1, 'other A': 1 });
    await setup.loop(web(4), other);
    await setup.loop(web(4), other);
    expect(await setup.current()).toEqual({ 'www A': 4, 'other A': 1 });
  });

  test.each(['UpsertOnly', 'CreateOnly'] as const)('records that %s keeps count', async (policy) => {
    const setup = await start(5, { policy });
    await setup.loop(web(4));
    await setup.loop(other, { ...other, dnsName: 'third.corp.internal' });
    await setup.loop(other, { ...other, dnsName: 'third.corp.internal' });
    expect(await setup.current()).toEqual({ 'www A': 4, 'other A': 1 });
  });

  test.each([
    [{ policy: 'UpsertOnly' }, { 'www A': 1 }],
    [{ sharedHosts: 'Merge' }, { 'www A': 1 }],
    [{ deleteGuard: { percent: 100 } }, {}],
  ] as const)(
    'what is to be somebody else’s stays only where it would not be deleted: %j',
    async (discovery, expected) => {
      const setup = await start(5, discovery);
      await setup.loop(web(1));
      for (let i = 0; i < 2; i++) await setup.loop({ ...web(6), labels: { resource: 'ingress/b/web' } });
      expect(await setup.current()).toEqual(expected);
      expect(setup.problems()).toEqual([expect.objectContaining({ verdict: 'Refused', resource: 'ingress/b/web' })]);
    },
  );

  test('records that the delete guard holds count', async () => {
    const setup = await start(6);
    const hosts = (of: string) =>
      Array.from({ length: 6 }, (_, i) => endpoint(`ingress/${of}/${i}`, `${of}${i}.corp.internal`, 'A', '192.0.2.1'));
    await setup.loop(...hosts('x'));
    await setup.loop(...hosts('y'));
    await setup.loop(...hosts('y'));
    expect(Object.keys(await setup.current())).toEqual(hosts('x').map(({ dnsName }) => `${dnsName.split('.')[0]} A`));
  });

  test('Preview shows what is within the budget', async () => {
    const setup = await start(1, { policy: 'Preview' });
    await setup.loop(other, web(1));
    expect(setup.agent.discovery.preview).toHaveLength(1);
    const refused = setup.problems()?.filter(({ verdict }) => verdict === 'Refused');
    expect(refused).toEqual([expect.objectContaining({ message: expect.stringContaining('cannot add 1 more') })]);
  });
});

test('declared records count, the rest is reported, and is published when the budget allows it again', async () => {
  const { agent, declare: take, problems, database } = makeAgent(undefined, { mostRecords: 8 });
  take(declare());
  await agent.reconcile();
  const taken = (await database.zones()).flatMap(({ rrsets }) => rrsets).length;
  const webhook = {
    records: () => agent.records(),
    adjustEndpoints: (endpoints: Parameters<typeof agent.adjustEndpoints>[0]) => agent.adjustEndpoints(endpoints),
    applyChanges: (changes: Parameters<typeof agent.applyChanges>[0]) => agent.applyChanges(changes),
  };
  const endpoints = Array.from({ length: 8 }, (_, i) =>
    endpoint('ingress/a/web', `h${i}.corp.internal`, 'A', '192.0.2.1'),
  );
  await loop(webhook, endpoints);
  expect(await agent.records()).toHaveLength(8 - taken);
  expect(problems()).toHaveLength(taken);
  expect(problems()?.[0]).toMatchObject({ verdict: 'Refused' });
  expect(await loop(webhook, endpoints)).toBeUndefined();
  await loop(webhook, endpoints.slice(taken));
  await loop(webhook, endpoints.slice(taken));
  expect(problems()).toEqual([]);
});
