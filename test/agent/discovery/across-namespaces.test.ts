/** Names that affect the hosts of other namespaces, with and without permission in the spec. */
import { describe, expect, test } from 'vitest';
import { type Endpoint, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { loop } from '../external-dns.ts';
import { declare, endpoint, makeAgent, record, zone, zoneWith } from '../make.ts';

type Discovery = DiscoveryChanges;

const zones = [zoneWith('corp.internal', [record('vault', 'A', '192.0.2.9')])];

/** Syncs one list of endpoints after the other. Returns the published records as `name type object`. */
async function after(
  steps: Endpoint[][],
  discovery: Discovery = {},
  lister: SourceLister = noSources,
): Promise<string[]> {
  const { agent, database, ...rest } = makeAgent(undefined, { lister });
  const settings = { ownerID: 'corp', intervalSeconds: 2, recordTypes: [...discoverable], ...discovery };
  rest.declare(declare({ zones, discovery: settings }));
  await agent.reconcile();
  const webhook = {
    records: () => agent.records(),
    adjustEndpoints: (endpoints: Endpoint[]) => agent.adjustEndpoints(endpoints),
    applyChanges: (changes: Parameters<typeof agent.applyChanges>[0]) => agent.applyChanges(changes),
  };
  for (const endpoints of steps) for (let i = 0; i < 3; i++) await loop(webhook, endpoints);
  for (let i = 0; i < 5; i++) expect(await loop(webhook, steps.at(-1) ?? [])).toBeUndefined();
  return database.rrsets
    .filter(({ mark }) => mark?.account === 'external-dns/corp')
    .map(({ name, type, mark }) => `${name.replace(/\.?corp\.internal\.$/, '')} ${type} ${mark?.content}`)
    .sort();
}

const shop = (name: string, type = 'A', target = '192.0.2.1') => endpoint('crd/shop/a', at(name), type, target);
const evil = (name: string, type = 'A', target = '192.0.2.6') => endpoint('crd/evil/b', at(name), type, target);
const at = (name: string) => (name === '' ? 'corp.internal' : `${name}.corp.internal`);
const txt = (name: string) => evil(name, 'TXT', 'x');
const ns = (name: string) => evil(name, 'NS', 'ns.example.com');
const srv = (name: string) => evil(name, 'SRV', '0 0 5060 sip.example.com');

const isPublished = (published: string[]) => published.some((text) => text.endsWith('crd/evil/b'));

describe.each<[kind: 'UnderscoreNames' | 'Wildcards' | 'Delegations', title: string, host: Endpoint, name: Endpoint]>([
  ['UnderscoreNames', 'a challenge below a host', shop('www'), txt('_acme-challenge.www')],
  ['UnderscoreNames', 'a challenge of an account', shop('www'), txt('_abc._acme-challenge.www')],
  ['UnderscoreNames', 'a challenge of a wildcard', shop('*.apps'), txt('_acme-challenge.apps')],
  ['UnderscoreNames', 'a challenge above a host', shop('api.team'), txt('_acme-challenge.team')],
  ['UnderscoreNames', 'a challenge at the top', shop('www'), txt('_acme-challenge')],
  ['UnderscoreNames', 'a key for mail of a host', shop('www'), txt('s1._domainkey.www')],
  ['UnderscoreNames', 'a service of a host', shop('www'), srv('_sip._tcp.www')],
  ['Wildcards', 'a wildcard below a host', shop('www'), evil('*.www')],
  ['Wildcards', 'a wildcard far below a host', shop('www'), evil('*.x.www')],
  ['Wildcards', 'a wildcard that is an alias', shop('www'), evil('*.www', 'CNAME', 'lb.example.com')],
  ['Delegations', 'a delegation below a host', shop('www'), ns('dev.www')],
  ['Delegations', 'a delegation above a host', shop('api.team'), ns('team')],
])('%s: %s', (kind, _, host, name) => {
  test('is rejected in any order, also with a host that is created at the same time', async () => {
    expect(isPublished(await after([[host], [host, name]]))).toBe(false);
    expect(isPublished(await after([[host, name]]))).toBe(false);
    expect(isPublished(await after([[name, host]]))).toBe(false);
  });

  test('is published if the spec allows it, and for the namespace of the host', async () => {
    expect(isPublished(await after([[host], [host, name]], { allowAcrossNamespaces: [kind] }))).toBe(true);
    const own = { ...host, labels: { resource: 'ingress/evil/own' } };
    expect(isPublished(await after([[own], [own, name]]))).toBe(true);
  });
});

test.each([
  ['the top of a zone', shop('www'), evil('')],
  ['a wildcard at the top', shop('www'), evil('*')],
  ['a wildcard beside a host', shop('api.team'), evil('*.team')],
  ['a wildcard below the host at the top', shop(''), evil('*.x')],
  ['a name below a host', shop('www'), evil('login.www')],
  ['a service of the domain', shop(''), srv('_sip._tcp')],
  ['a policy for mail of the domain', shop('www'), txt('_dmarc')],
  ['a delegation below the host at the top', shop(''), ns('dev')],
  ['a name with an underscore that is of no host', shop('www'), txt('_dmarc.mail')],
])('%s stays allowed', async (_, host, name) => {
  expect(isPublished(await after([[host], [host, name]]))).toBe(true);
});

test('a challenge for a declared host is rejected', async () => {
  expect(await after([[txt('_acme-challenge.vault')]])).toEqual([]);
  expect(
    isPublished(await after([[txt('_acme-challenge.vault')]], { allowAcrossNamespaces: ['UnderscoreNames'] })),
  ).toBe(true);
});

test('an older object keeps a wildcard, a delegation and a service, but no challenge', async () => {
  const [first, later] = [[evil('*.www'), srv('_sip._tcp.www'), txt('_acme-challenge.www')], shop('www')];
  expect(await after([first, [...first, later]])).toEqual([
    '*.www A crd/evil/b',
    '_sip._tcp.www SRV crd/evil/b',
    'www A crd/shop/a',
  ]);
});

test('of two created at the same time, as after the loss of a volume, the older object gets the name', async () => {
  const listerOf = (created: Record<string, string>): SourceLister => ({
    ...noSources,
    get: (resource) => ({ resource, namespace: '', created: created[resource] ?? '', hosts: [] }),
  });
  const endpoints = [[shop('www'), evil('*.www')]];
  expect(
    isPublished(await after(endpoints, {}, listerOf({ 'crd/shop/a': '2026-01-01', 'crd/evil/b': '2026-01-02' }))),
  ).toBe(false);
  expect(
    isPublished(await after(endpoints, {}, listerOf({ 'crd/shop/a': '2026-01-02', 'crd/evil/b': '2026-01-01' }))),
  ).toBe(true);
});

describe('a host that is not published conflicts with nothing', () => {
  const challenge = endpoint('crd/shop/a', at('_acme-challenge.www'), 'TXT', 'x');
  const wildcard = endpoint('crd/shop/a', at('*.www'), 'A', '192.0.2.1');
  const published = ['*.www A crd/shop/a', '_acme-challenge.www TXT crd/shop/a'];

  test('because its namespace is over its quota', async () => {
    const endpoints = [challenge, wildcard, evil('a'), evil('b'), evil('www')];
    expect(await after([endpoints], { maxNamesPerNamespace: 2 })).toEqual([
      ...published,
      'a A crd/evil/b',
      'b A crd/evil/b',
    ]);
  });

  test('because it closes a CNAME loop', async () => {
    const circle = [evil('www', 'CNAME', at('other')), endpoint('crd/evil/a', at('other'), 'CNAME', at('www'))];
    expect(await after([[challenge, wildcard, ...circle]])).toEqual([...published, 'other CNAME crd/evil/a']);
  });

  test('and a challenge for a host that another namespace gets instead is never published', () => {
    const of = (namespace: string, name: string, type = 'A', target = '192.0.2.1') =>
      rrsetOf(endpoint(`crd/${namespace}/x`, at(name), type, target), 'corp');
    const desiredRecords = [
      ...['a1', 'a2', 'www'].map((name) => of('a', name)),
      ...['b1', 'www'].map((name) => of('b', name, 'A', '192.0.2.2')),
      of('b', '_acme-challenge.www', 'TXT', 'x'),
      of('c', 'www', 'A', '192.0.2.3'),
    ];
    const discovery = { ownerID: 'corp', intervalSeconds: 2, recordTypes: [...discoverable], maxNamesPerNamespace: 2 };
    const { accepted } = evaluate(desiredRecords, [zone('corp.internal')], declare({ discovery }));
    const published = accepted.map(({ name, mark }) => `${name} ${mark?.content}`);
    expect(published).toContain('www.corp.internal. crd/c/x');
    expect(published).not.toContain('_acme-challenge.www.corp.internal. crd/b/x');
  });

  test('and what is published instead counts toward the quota', async () => {
    const endpoints = [challenge, wildcard, evil('a'), evil('www')];
    expect(await after([endpoints], { maxNamesPerNamespace: 1 })).toEqual(['*.www A crd/shop/a', 'a A crd/evil/b']);
  });
});

test('a tenant may publish them among its own names', async () => {
  const tenants = [{ namespaceSelector: {}, names: ['*.corp.internal'] }];
  const lister: SourceLister = { ...noSources, namespaceLabels: () => ({}) };
  expect(isPublished(await after([[shop('www')], [shop('www'), evil('*.www')]], { tenants }, lister))).toBe(true);
});
