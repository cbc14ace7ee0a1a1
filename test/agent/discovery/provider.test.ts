/** Several ExternalDNS at one agent, each for one namespace and with its own owner. */
import { describe, expect, test } from 'vitest';
import type { Endpoint, EndpointChanges } from '../../../functions/agent/discovery/endpoint.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, endpoint, makeAgent } from '../make.ts';

const discovery = { ownerID: 'corp', intervalSeconds: 2 };
const split = (...namespaces: string[]) => declare({ discovery: { ...discovery, namespaces } });

const endpointOf = (namespace: string, label: string, address: string) =>
  endpoint(`ingress/${namespace}/${label}`, `${label}.corp.internal`, 'A', address);

async function started(declaration = split('shop', 'market'), lister: SourceLister = noSources) {
  const setup = makeAgent(undefined, { lister });
  const { agent, database } = setup;
  const of = (namespace?: string): Webhook => ({
    records: () => agent.records(namespace),
    adjustEndpoints: (endpoints: Endpoint[]) => agent.adjustEndpoints(endpoints, namespace),
    applyChanges: (changes: EndpointChanges) => agent.applyChanges(changes, namespace),
  });
  setup.declare(declaration);
  await agent.reconcile();
  /** Discovered records, as `name address (account)`. */
  const published = async () =>
    (await database.zones())
      .flatMap(({ rrsets }) => rrsets)
      .filter(({ mark }) => mark?.account.startsWith('external-dns/'))
      .map(({ name, records, mark }) => `${name.split('.')[0]} ${records.join(' ')} (${mark?.account})`)
      .sort();
  return { ...setup, of, published };
}

describe('an owner', () => {
  test('has its records, and another owner has its own', async () => {
    const { of, published } = await started();
    await loop(of('shop'), [endpointOf('shop', 'www', '192.0.2.1')]);
    await loop(of('market'), [endpointOf('market', 'stall', '192.0.2.2')]);
    expect(await published()).toEqual([
      'stall 192.0.2.2 (external-dns/corp/market)',
      'www 192.0.2.1 (external-dns/corp/shop)',
    ]);
    expect((await of('shop').records()).map(({ dnsName }) => dnsName)).toEqual(['www.corp.internal']);
    // A sync without endpoints deletes the records of its own owner only.
    await loop(of('market'), []);
    expect(await published()).toEqual(['www 192.0.2.1 (external-dns/corp/shop)']);
    expect(await loop(of('shop'), [endpointOf('shop', 'www', '192.0.2.1')])).toBeUndefined();
  });

  test('cannot take a current name from another owner, and gets it once it is released', async () => {
    const { of, problems, published } = await started();
    await loop(of('shop'), [endpointOf('shop', 'www', '192.0.2.1')]);
    const thief = [endpointOf('market', 'www', '192.0.2.66')];
    expect(await loop(of('market'), thief)).toBeUndefined();
    expect(problems()).toEqual([
      expect.objectContaining({ name: 'www.corp.internal', resource: 'ingress/market/www', verdict: 'Duplicate' }),
    ]);
    await loop(of('shop'), []);
    await loop(of('market'), thief);
    expect(await published()).toEqual(['www 192.0.2.66 (external-dns/corp/market)']);
    expect(problems()).toEqual([]);
  });

  test('that is not declared gets no records and changes none', async () => {
    const { of, published } = await started();
    expect(await loop(of('other'), [endpointOf('other', 'www', '192.0.2.1')])).toBeUndefined();
    expect(await loop(of(), [endpointOf('shop', 'www', '192.0.2.1')])).toBeUndefined();
    expect(await published()).toEqual([]);
  });

  test('is awaited: discovery is Synced once every owner has completed a loop, and Stalled if any one stops', async () => {
    const { agent, clock, of } = await started();
    await loop(of('shop'), []);
    expect(agent.report()?.discovery.state).toBe('Waiting');
    await loop(of('market'), []);
    expect(agent.report()?.discovery.state).toBe('Synced');
    clock.now += 40_000;
    await loop(of('shop'), []);
    expect(agent.report()?.discovery.state).toBe('Stalled');
  });
});

describe('records of a former owner', () => {
  test('are deleted once every current owner has synced', async () => {
    const { agent, declare: take, of, published } = await started();
    await loop(of('shop'), [endpointOf('shop', 'www', '192.0.2.1')]);
    await loop(of('market'), [endpointOf('market', 'stall', '192.0.2.2')]);
    take(split('shop'));
    await agent.reconcile();
    await loop(of('shop'), [endpointOf('shop', 'www', '192.0.2.1')]);
    await agent.reconcile();
    expect(await published()).toEqual(['www 192.0.2.1 (external-dns/corp/shop)']);
  });

  test('are taken over by an owner that wants the same, without a gap', async () => {
    const whole = declare({ discovery });
    const { agent, declare: take, of, published } = await started(whole);
    const [www, stall] = [endpointOf('shop', 'www', '192.0.2.1'), endpointOf('market', 'stall', '192.0.2.2')];
    await loop(of(), [www, stall, endpointOf('other', 'gone', '192.0.2.3')]);
    take(split('shop', 'market'));
    await agent.reconcile();
    await loop(of('shop'), [www]);
    await agent.reconcile();
    expect(await published()).toHaveLength(3);
    await loop(of('market'), [stall]);
    await agent.reconcile();
    expect(await published()).toEqual([
      'stall 192.0.2.2 (external-dns/corp/market)',
      'www 192.0.2.1 (external-dns/corp/shop)',
    ]);
    // And back: the only owner has all records, whichever owner created them.
    take(whole);
    await agent.reconcile();
    await loop(of(), [www, stall]);
    await agent.reconcile();
    expect((await published()).map((line) => line.split(' ')[0])).toEqual(['stall', 'www']);
    expect(await loop(of(), [www, stall])).toBeUndefined();
  });

  test('stay under a policy without deletions', async () => {
    const { agent, declare: take, of, published } = await started();
    await loop(of('market'), [endpointOf('market', 'stall', '192.0.2.2')]);
    take(declare({ discovery: { ...discovery, namespaces: ['shop'], policy: 'UpsertOnly' } }));
    await agent.reconcile();
    await loop(of('shop'), []);
    await agent.reconcile();
    expect(await published()).toEqual(['stall 192.0.2.2 (external-dns/corp/market)']);
  });
});

test('the mark is updated when another object has the name, even if nothing else changes', async () => {
  const { database, of } = await started(declare({ discovery }), { ...noSources, hasSynced: () => true });
  const same = (label: string) => endpoint(`ingress/shop/${label}`, 'www.corp.internal', 'A', '192.0.2.1');
  const objects = async () =>
    (await database.zones()).flatMap(({ rrsets }) => rrsets.filter(({ name }) => name.startsWith('www.')));
  await loop(of(), [same('old')]);
  expect(await loop(of(), [same('new')])).toBeUndefined();
  expect((await objects()).map(({ mark }) => mark?.content)).toEqual(['ingress/shop/new']);
  const { writes } = database;
  for (let i = 0; i < 5; i++) expect(await loop(of(), [same('new')])).toBeUndefined();
  expect(database.writes).toBe(writes);
});

test('evaluation waits until the objects are listed, but not for ever', async () => {
  const sight: { pending: string | undefined } = { pending: 'ingresses' };
  const { clock, of } = await started(declare({ discovery }), { ...noSources, unsynced: () => sight.pending });
  const www = [endpointOf('shop', 'www', '192.0.2.1')];
  await expect(loop(of(), www)).rejects.toThrow('the ingresses are not listed yet');
  clock.now += 29_000;
  await expect(loop(of(), www)).rejects.toThrow('not listed yet');
  sight.pending = undefined;
  expect(await loop(of(), www)).toMatchObject({ create: [{ dnsName: 'www.corp.internal' }] });
  sight.pending = 'services';
  await expect(loop(of(), [])).rejects.toThrow('the services are not listed yet');
  clock.now += 30_000;
  expect(await loop(of(), [])).toMatchObject({ delete: [{ dnsName: 'www.corp.internal' }] });
});

test('names that the spec excludes are not a mass deletion', async () => {
  const { agent, declare: take, of, published } = await started(declare({ discovery }));
  const many = Array.from({ length: 10 }, (_, n) =>
    endpoint(`ingress/shop/${n}`, `n${n}.dev.corp.internal`, 'A', '192.0.2.1'),
  );
  await loop(of(), many);
  take(declare({ discovery: { ...discovery, excludedDomains: ['dev.corp.internal'] } }));
  await agent.reconcile();
  await loop(of(), many);
  expect(await published()).toEqual([]);
  expect(agent.report()?.discovery.held).toBeUndefined();
});

test('changes that follow an outdated evaluation are not applied', async () => {
  const { agent, declare: take, of, published } = await started(declare({ discovery }));
  await loop(of(), [endpointOf('shop', 'www', '192.0.2.1')]);
  await of().adjustEndpoints([]);
  const [www] = await of().records();
  take(declare({ discovery: { ...discovery, policy: 'Preview' } }));
  await agent.reconcile();
  await expect(of().applyChanges({ delete: [www!] })).rejects.toThrow('the declaration has changed');
  expect(await published()).toHaveLength(1);
  expect(await loop(of(), [])).toBeUndefined();
  expect(agent.report()?.discovery.preview).toEqual([
    { action: 'Delete', name: 'www.corp.internal', type: 'A', values: ['192.0.2.1'] },
  ]);
});

test('of two owners that were evaluated at the same time the first gets the whole name', async () => {
  const { of, published } = await started();
  const [first, second] = [
    endpoint('ingress/shop/www', 'www.corp.internal', 'A', '192.0.2.1'),
    endpoint('ingress/market/www', 'www.corp.internal', 'AAAA', '2001:db8::66'),
  ];
  const answers = [await of('shop').adjustEndpoints([first]), await of('market').adjustEndpoints([second])];
  await of('shop').applyChanges({ create: answers[0] });
  await of('market').applyChanges({ create: answers[1] });
  expect(await published()).toEqual(['www 192.0.2.1 (external-dns/corp/shop)']);
});
