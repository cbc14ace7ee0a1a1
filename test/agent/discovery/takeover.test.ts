/** Attempts of one namespace to take the names of another. */
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource-label.ts';
import { noSources, type SourceLister, type SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, endpoint, makeAgent } from '../make.ts';

const [own, evil] = ['192.0.2.1', '192.0.2.66'];
const www = 'www.corp.internal';

const sourceObject = (
  resource: string,
  created: string,
  targets: string[],
  more: Partial<SourceObject> = {},
): SourceObject => ({
  resource,
  namespace: namespaceOf(resource),
  created,
  hosts: [`${www}.`],
  targets,
  ...more,
});

/** An agent with its source objects; published records are `www A 192.0.2.1 60 (service/shop/web)`. */
async function started(discovery: object = {}) {
  const seen = new Map<string, SourceObject>();
  const lister: SourceLister = {
    ...noSources,
    hasSynced: (resource) => /^(?:ingress|service)\//.test(resource),
    get: (resource) => seen.get(resource),
    byHost: (name) => [...seen.values()].filter(({ hosts }) => hosts.includes(name)),
    namespaceLabels: (team) => ({ team }),
  };
  const { agent, declare: declared, database } = makeAgent(undefined, { lister });
  declared(declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, ...discovery } }));
  await agent.reconcile();
  const webhook: Webhook = {
    records: () => agent.records(),
    adjustEndpoints: (endpoints) => agent.adjustEndpoints(endpoints),
    applyChanges: (changes) => agent.applyChanges(changes),
  };
  const published = async () =>
    (await database.zones())
      .flatMap(({ rrsets }) => rrsets)
      .filter(({ mark }) => mark?.account === 'external-dns/corp')
      .map(({ name, type, ttl, records, mark }) => `${name.split('.')[0]} ${type} ${records} ${ttl} (${mark?.content})`)
      .sort();
  return {
    database,
    published,
    sees: (...all: SourceObject[]) => {
      for (const each of all) seen.set(each.resource, each);
    },
    loop: (...endpoints: Endpoint[]) => loop(webhook, endpoints),
  };
}

const web = (...targets: string[]) => endpoint('service/shop/web', www, 'A', ...targets);
const thief = (...targets: string[]) => endpoint('ingress/evil/x', www, 'A', ...targets);
const current = [`www A ${own} 60 (service/shop/web)`];

describe.each(['FirstWins', 'SameNamespace', 'Refuse'] as const)('with sharedHosts: %s', (sharedHosts) => {
  test('an object that copies an answer and then changes it does not take the name of another kind of object', async () => {
    const { loop, sees, published } = await started({ sharedHosts });
    sees(sourceObject('service/shop/web', '2025', [own]));
    await loop(web(own));
    // ExternalDNS drops the endpoint of the Service as a duplicate of that of the Ingress before it.
    sees(sourceObject('ingress/evil/x', '2026', [own]));
    for (let i = 0; i < 3; i++) await loop(thief(own));
    expect(await published()).toEqual(current);
    sees(sourceObject('ingress/evil/x', '2026', [evil]));
    for (let i = 0; i < 3; i++) await loop(thief(evil), web(own));
    expect(await published()).toEqual(current);
  });

  test('an object that requests the same with another TTL changes nothing, whichever endpoint ExternalDNS keeps', async () => {
    const { loop, sees, published, database } = await started({ sharedHosts });
    const [mine, its] = [endpoint('ingress/shop/web', www, 'A', own), { ...thief(own), recordTTL: 1 }];
    sees(sourceObject('ingress/shop/web', '2025', [own]), sourceObject('ingress/evil/x', '2026', [own], { ttl: 1 }));
    await loop(mine);
    const before = await database.zones();
    for (const each of [its, mine, its, its]) expect(await loop(each)).toBeUndefined();
    expect(await database.zones()).toEqual(before);
    expect(await published()).toEqual([`www A ${own} 60 (ingress/shop/web)`]);
  });

  test('an object that is not seen to request a name adds no target to it', async () => {
    const { loop, sees, published } = await started({ sharedHosts });
    sees(sourceObject('service/shop/web', '2025', [own]));
    await loop(web(own, evil));
    expect(await published()).toEqual(current);
  });
});

test('merged answers have no address from a namespace that may not have the name', async () => {
  const tenants = [
    { namespaceSelector: { matchLabels: { team: 'shop' } }, names: [`*.corp.internal`] },
    { namespaceSelector: { matchLabels: { team: 'evil' } }, names: [`*.evil.corp.internal`] },
  ];
  const { loop, sees, published } = await started({ sharedHosts: 'Merge', tenants });
  sees(sourceObject('service/shop/web', '2025', [own]), sourceObject('service/evil/x', '2026', [evil]));
  for (const each of [web(own, evil), endpoint('service/evil/x', www, 'A', own, evil)]) {
    for (let i = 0; i < 2; i++) await loop(each);
    expect(await published()).toEqual(current);
  }
});

test('an object that requests many names gets none while their objects briefly have no address', async () => {
  const { loop, sees, published } = await started();
  const names = Array.from({ length: 8 }, (_, i) => `h${i}.corp.internal`);
  const shop = names.map((name, i) => endpoint(`ingress/shop/x${i}`, name, 'A', own));
  const waiting = names.map((name) => endpoint('ingress/evil/x', name, 'A', evil));
  const lister = names.map((name, i) => sourceObject(`ingress/shop/x${i}`, '2025', [own], { hosts: [`${name}.`] }));
  const hosts = names.map((name) => `${name}.`);
  sees(...lister, sourceObject('ingress/evil/x', '2026', [evil], { hosts }));
  await loop(...shop);
  const before = await published();
  sees(...lister.map((each) => ({ ...each, targets: [] })));
  for (let i = 0; i < 3; i++) expect(await loop(...waiting)).toBeUndefined();
  sees(...lister);
  expect(await loop(...shop, ...waiting)).toBeUndefined();
  expect(await published()).toEqual(before);
  expect(before).toHaveLength(8);
});
