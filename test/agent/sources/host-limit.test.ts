/** Objects over the host limit. */
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { HostIndex } from '../../../functions/agent/sources/host-index.ts';
import { isOverLimit, splitAtLimit } from '../../../functions/agent/sources/host-limit.ts';
import { fromIngress, type Ingress } from '../../../functions/agent/sources/kinds/ingress.ts';
import { fromService, type Service } from '../../../functions/agent/sources/kinds/service.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { mostHosts, mostTargets } from '../../../functions/contract/declaration.ts';
import { loop, merged, type Webhook } from '../external-dns.ts';
import { declare, endpoint, makeAgent } from '../make.ts';
import { annotated, both } from './kinds/object.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `h${i}.corp.internal`);
const [huge, headless] = ['service/a/huge', 'service/b/db'];
const refusal = (count: number) => `the object requests ${count} names, and the limit is 1000: split it`;

const identity = (resource: string) => {
  const [, namespace = '', name = ''] = resource.split('/');
  return { namespace, name };
};
const service = (resource: string, annotations: Record<string, string>, spec: Service['spec']) =>
  fromService({ metadata: { ...annotated(annotations), ...identity(resource) }, spec }, both, {
    serviceTypes: ['ClusterIP', 'LoadBalancer'],
  });
const ingress = (resource: string, hosts: string[], more: Partial<Ingress> = {}) =>
  fromIngress({ metadata: { ...annotated({ hostname: hosts.join() }), ...identity(resource) }, ...more }, both);
const at = (ip: string) => ({ status: { loadBalancer: { ingress: [{ ip }] } } });

/** An agent with these source objects, and a large quota for each namespace. */
async function agentWith(objects: Record<string, ReturnType<typeof fromIngress>>, discovery: object = {}) {
  const index = new HostIndex();
  for (const [resource, sourceObjects] of Object.entries(objects)) index.set(resource, sourceObjects);
  const sourceObjects: SourceLister = {
    ...noSources,
    hasSynced: () => true,
    get: (resource) => index.get(resource),
    byHost: (name) => index.byHost(name),
    list: () => index.list(),
    listFiltered: () => index.listFiltered(),
  };
  const setup = makeAgent(undefined, { lister: sourceObjects });
  const { agent, database } = setup;
  const scope = { ownerID: 'corp', intervalSeconds: 2, maxNamesPerNamespace: 10_000, ...discovery };
  setup.declare(declare({ discovery: scope }));
  await agent.reconcile();
  const asks = async (endpoints: Endpoint[], namespace?: string) => {
    const webhook: Webhook = {
      records: () => agent.records(namespace),
      adjustEndpoints: (endpoints) => agent.adjustEndpoints(endpoints, namespace),
      applyChanges: (changes) => agent.applyChanges(changes, namespace),
    };
    await loop(webhook, merged(endpoints));
    agent.explain();
  };
  return {
    asks,
    /** The number of names with each verdict. */
    counts: () =>
      Object.fromEntries(
        [...Map.groupBy(agent.names.list ?? [], ({ verdict }) => verdict)].map(([verdict, all]) => [
          verdict,
          all.length,
        ]),
      ),
    /** The message of each refused name. */
    refused: () =>
      (agent.names.list ?? [])
        .filter(({ verdict }) => verdict === 'Refused')
        .map(({ name, resource, message }) => `${name} ${resource}: ${message}`),
    /** Discovered records, as `name address (object)`. */
    published: async () =>
      (await database.zones())
        .flatMap(({ rrsets }) => rrsets)
        .filter(({ mark }) => mark?.account.startsWith('external-dns/'))
        .map(({ name, records, mark }) => `${name.split('.')[0]} ${records.join(' ')} (${mark?.content})`),
  };
}

describe('an object over the host limit', () => {
  const web = 'ingress/a/web';
  const hosts = names(1003);

  test('has its first hosts resolved, and one verdict for the others', async () => {
    const agent = await agentWith({ [web]: ingress(web, hosts, at('192.0.2.1')) });
    await agent.asks(hosts.map((host) => endpoint(web, host, 'A', '192.0.2.1')));
    expect(agent.counts()).toEqual({ Resolved: mostHosts, Refused: 1 });
    expect(agent.refused()).toEqual([`h1000.corp.internal ${web}: ${refusal(1003)}`]);
    expect(await agent.published()).toHaveLength(mostHosts);
  });

  test('has the same verdict without an address or a zone', async () => {
    const outside = names(1003).map((host) => host.replace('corp', 'other'));
    const agent = await agentWith({ [web]: ingress(web, outside) });
    await agent.asks([]);
    expect(agent.counts()).toEqual({ OutsideZones: mostHosts, Refused: 1 });
    expect(agent.refused()).toEqual([`h1000.other.internal ${web}: ${refusal(1003)}`]);
  });

  test('has default targets within the limit only', async () => {
    const agent = await agentWith({ [web]: ingress(web, hosts) }, { targets: { default: ['192.0.2.80'] } });
    await agent.asks([]);
    expect(agent.counts()).toEqual({ Resolved: mostHosts, Refused: 1 });
  });

  test('is refused only to the ExternalDNS of its namespace', async () => {
    const agent = await agentWith({ [web]: ingress(web, hosts) }, { namespaces: ['a', 'b'] });
    await agent.asks([], 'b');
    expect(agent.refused()).toEqual([]);
    await agent.asks([], 'a');
    expect(agent.refused()).toHaveLength(1);
  });

  test('is not refused at the limit', async () => {
    const agent = await agentWith({ [web]: ingress(web, names(mostHosts), at('192.0.2.1')) });
    await agent.asks(names(mostHosts).map((host) => endpoint(web, host, 'A', '192.0.2.1')));
    expect(agent.counts()).toEqual({ Resolved: mostHosts });
  });
});

// ExternalDNS has merged the addresses of the Pods with those of a rival, whose host of that name is over the limit.
test.each<[string, Record<string, string>, string]>([
  ['one list of hosts', { hostname: [...names(1200), 'db.corp.internal'].join() }, '192.0.2.66'],
  ['hosts of two kinds', { hostname: names(1200).join(), 'internal-hostname': 'db.corp.internal' }, '192.0.2.7'],
])('a target of %s is not published for another object that asks for the name', async (_, annotations, outside) => {
  const spec = { type: 'LoadBalancer', clusterIP: '192.0.2.66', externalIPs: [outside] };
  const agent = await agentWith({
    [huge]: service(huge, annotations, spec),
    [headless]: service(headless, { hostname: 'db.corp.internal' }, { type: 'ClusterIP', clusterIP: 'None' }),
  });
  await agent.asks([
    endpoint(huge, 'db.corp.internal', 'A', '192.0.2.66'),
    endpoint(headless, 'db.corp.internal', 'A', '198.51.100.1'),
  ]);
  expect(await agent.published()).toEqual([`db 198.51.100.1 (${headless})`]);
});

test('the name of a Pod below a host over the limit is over it, too', async () => {
  const [sourceObject] = service(huge, { hostname: names(1001).join() }, { type: 'ClusterIP', clusterIP: 'None' });
  const agent = await agentWith({ [huge]: sourceObject ? [sourceObject] : [] });
  await agent.asks(['h0', 'h1000'].map((host) => endpoint(huge, `pod.${host}.corp.internal`, 'A', '192.0.2.1')));
  expect(await agent.published()).toEqual([`pod 192.0.2.1 (${huge})`]);
});

describe('a host over the target limit', () => {
  const targets = Array.from({ length: 500 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const [web, evil] = ['ingress/shop/web', 'ingress/evil/a'];
  const lots = { status: { loadBalancer: { ingress: targets.map((ip) => ({ ip })) } } };
  const sentence = `a host may have ${mostTargets} targets, and the object gives it more`;

  test('is refused whether its object is listed or not, and not at the limit', async () => {
    const seen = await agentWith({ [evil]: ingress(evil, names(3), lots) });
    await seen.asks(names(3).map((host) => endpoint(evil, host, 'A', ...targets)));
    expect(seen.counts()).toEqual({ Refused: 3 });
    expect(seen.refused()[0]).toContain(sentence);
    const asked = await agentWith({});
    await asked.asks([
      endpoint(evil, 'more.corp.internal', 'A', ...targets.slice(0, mostTargets + 1)),
      endpoint(evil, 'all.corp.internal', 'A', ...targets.slice(0, mostTargets)),
    ]);
    expect(asked.refused()).toEqual([expect.stringContaining(`more.corp.internal ${evil}: ${sentence}`)]);
    expect((await asked.published()).map((line) => line.split(' ')[0])).toEqual(['all']);
  });

  test('neither takes targets from another object of the host nor gives it any', async () => {
    const objects = {
      [web]: ingress(web, ['h0.corp.internal'], at('192.0.2.1')),
      [evil]: ingress(evil, names(2), lots),
    };
    for (const sharedHosts of ['SameNamespace', 'Merge', 'FirstWins']) {
      const agent = await agentWith(objects, { sharedHosts });
      for (let i = 0; i < 2; i++) {
        await agent.asks([
          ...names(2).map((host) => endpoint(evil, host, 'A', ...targets)),
          endpoint(web, 'h0.corp.internal', 'A', '192.0.2.1'),
        ]);
      }
      expect([sharedHosts, await agent.published()]).toEqual([sharedHosts, [`h0 192.0.2.1 (${web})`]]);
    }
  });

  test('shared by several objects keeps the targets of the oldest', async () => {
    const some = (from: number) => targets.slice(from, from + 40);
    const of = (resource: string, from: number) => {
      const objects = ingress(resource, ['h0.corp.internal'], {
        status: { loadBalancer: { ingress: some(from).map((ip) => ({ ip })) } },
      });
      return objects.map((sourceObject) => ({ ...sourceObject, created: `2026-01-0${1 + from / 40}T00:00:00Z` }));
    };
    const agent = await agentWith({ [web]: of(web, 0), [evil]: of(evil, 40) }, { sharedHosts: 'Merge' });
    const asked = [
      endpoint(web, 'h0.corp.internal', 'A', ...some(0)),
      endpoint(evil, 'h0.corp.internal', 'A', ...some(40)),
    ];
    for (let i = 0; i < 3; i++) await agent.asks(asked);
    expect(await agent.published()).toEqual([`h0 ${some(0).sort().join(' ')} (${web})`]);
    expect(agent.counts()).toEqual({ Resolved: 1, Duplicate: 1 });
  });
});

test('isOverLimit holds for every host over the limit and for no other name', () => {
  const hosts = names(36_000);
  const within = splitAtLimit(hosts);
  expect(hosts.filter((host) => isOverLimit(within, host))).toEqual(hosts.slice(mostHosts));
  expect(names(5000).filter((host) => isOverLimit(within, `other-${host}`))).toEqual([]);
});
