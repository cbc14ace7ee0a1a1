/** Many objects with the same hosts: users choose how many there are. */
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { EndpointsParser } from '../../../functions/agent/discovery/endpoints-parser.ts';
import { HostIndex } from '../../../functions/agent/sources/host-index.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { cpuTimeOf } from '../../cpu.ts';
import { merged } from '../external-dns.ts';
import { declare, endpoint, makeAgent } from '../make.ts';

const hosts = Array.from({ length: 20 }, (_, i) => `h${i}.corp.internal`);
const resourceOf = (i: number) => `ingress/n${i % 50}/o${i}`;
const address = (i: number) => `10.0.${i >> 8}.${i & 255}`;

interface Shared {
  type: 'A' | 'CNAME';
  /** Undefined for an object that waits for its address. */
  targetOf: (i: number, count: number) => string | undefined;
  sharedHosts?: 'Merge' | 'Refuse' | 'SameNamespace';
}

const cases: Record<string, Shared> = {
  'an address each': { type: 'A', targetOf: address },
  'an address each, merged': { type: 'A', targetOf: address, sharedHosts: 'Merge' },
  'an address each, refused': { type: 'A', targetOf: address, sharedHosts: 'Refuse' },
  'one address, refused to none': { type: 'A', targetOf: () => '10.0.0.1', sharedHosts: 'Refuse' },
  'an alias each': { type: 'CNAME', targetOf: (i) => `lb${i}.example.com` },
  'older objects without an address': { type: 'A', targetOf: (i, count) => (i < count / 2 ? undefined : address(i)) },
};

/** Parses, evaluates and explains all endpoints, before and after they are current. */
function evaluation(count: number, { type, targetOf, sharedHosts = 'SameNamespace' }: Shared): () => Promise<void> {
  const objects = Array.from({ length: count }, (_, i) => ({ resource: resourceOf(i), target: targetOf(i, count) }));
  const endpoints = ({ resource, target }: (typeof objects)[number]): Endpoint[] =>
    target === undefined ? [] : hosts.map((host) => endpoint(resource, host, type, target));
  const body = Buffer.from(JSON.stringify(merged(objects.flatMap(endpoints))));
  return async () => {
    const index = new HostIndex();
    objects.forEach(({ resource, target }, i) => {
      const targets = target === undefined ? [] : [type === 'CNAME' ? `${target}.` : target];
      const names = hosts.map((host) => `${host}.`);
      const created = new Date(1_700_000_000_000 + i * 1000).toISOString();
      index.set(resource, [{ resource, namespace: `n${i % 50}`, created, hosts: names, targets }]);
    });
    const lister: SourceLister = {
      ...noSources,
      hasSynced: () => true,
      get: (resource) => index.get(resource),
      byHost: (name) => index.byHost(name),
      list: () => index.list(),
    };
    const { agent, declare: take } = makeAgent(undefined, { lister });
    take(declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, sharedHosts } }));
    await agent.reconcile();
    const endpoints = await new EndpointsParser({ seenAt: (name) => agent.seenAt(name) }).parse([body]);
    const answer = await agent.adjustEndpoints(endpoints);
    await agent.applyChanges({ create: answer });
    await agent.adjustEndpoints(endpoints);
    agent.explain();
    expect(agent.names.list).toHaveLength(count * hosts.length);
  };
}

test.each(Object.entries(cases))('%s: the work is in proportion to what is asked for', async (name, shared) => {
  await evaluation(50, shared)();
  const [few, many] = [await cpuTimeOf(evaluation(100, shared)), await cpuTimeOf(evaluation(800, shared))];
  console.log(`${name}: 100 objects ${few.toFixed(0)} ms, 800 objects ${many.toFixed(0)} ms`);
  // Linear work is eight times as much; comparing every object with every other one is 64 times.
  expect(many / few).toBeLessThan(24);
});
