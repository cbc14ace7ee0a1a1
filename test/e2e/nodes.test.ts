import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { DNSProcess } from '../dns-process.ts';
import { waitForIdleCrossplane } from './cluster/crossplane.ts';
import { figure } from './cluster/figures.ts';
import { apply, get, isTrue, kubectl, list, until, waitForReady } from './cluster/kubectl.ts';
import { type Answered, clientAt, clientOf, type Watch, watchAnswers } from './cluster/names.ts';
import { everybody, target } from './cluster/objects.ts';
import { missingProgram, programs, startResolverProcess } from './cluster/resolver-process.ts';
import { scenario } from './scenario.ts';

const zone = 'nodes-lost.internal';
const name = `web.${zone}`;
const address = '192.0.2.1';
const chosen = 'app.kubernetes.io/instance=spread';
const dnsdist = 'app.kubernetes.io/name=internal-dns-resolver,app.kubernetes.io/instance=fronted';
const frontedZone = 'fronted-nodes.internal';

/** A node to lose, and commands that power it off, pull its cable and bring it back, which depend on the cluster. */
const { SPARE_NODE: spare, STOP_NODE: stop, CUT_NODE: cut, START_NODE: start } = process.env;
const lacking =
  spare && stop && cut && start ? missingProgram() : 'it needs SPARE_NODE, STOP_NODE, CUT_NODE, START_NODE';
const reason = lacking === undefined ? '' : ` (skipped: ${lacking})`;

/** Between two queries at the shared addresses. */
const everyMs = 20;

/** Seconds for which queries may be lost. */
const most = { throughResolver: 2, atSharedAddress: 5, atDnsdist: 8 };

/** What clients see when one of two nodes is drained, powered off or cut off. */
scenario('nodes', ({ ingress, internalDNS }) => {
  const run = promisify(execFile);
  const podsOf = (selector = chosen) => list('pod', { namespace: 'internal-dns', labels: selector });
  const drain = (node: string, seconds = 60) =>
    kubectl('drain', node, `--pod-selector=${chosen}`, '--delete-emptydir-data', `--timeout=${seconds}s`);
  /** By the ids of their entries in docs/clients.md. */
  const resolvers = new Map<string, DNSProcess>();

  /** Asks at the shared address and through each resolver. No resolver has an answer in its cache. */
  async function watchAll(): Promise<Record<string, Watch>> {
    const names = (index: number) => `n${Date.now()}-${index}.any.${zone}`;
    return {
      'the shared address': watchAnswers(await clientOf('spread'), name, address),
      'the address of dnsdist': watchAnswers(await clientOf('fronted'), `www.${frontedZone}`, address, everyMs),
      ...Object.fromEntries(
        [...resolvers].map(([id, { port }]) => [id, watchAnswers(clientAt('127.0.0.1', port), names, address, 50)]),
      ),
    };
  }

  async function stopAll(what: string, watches: Record<string, Watch>): Promise<Record<string, Answered>> {
    const seen: Record<string, Answered> = {};
    for (const [through, watch] of Object.entries(watches)) {
      const answered = await watch.stop();
      const { asked, unanswered, lostForSeconds, longestGapSeconds, slowestSeconds } = answered;
      seen[through] = answered;
      figure(
        `two replicas, one of two nodes ${what}, asked through ${through}`,
        `${unanswered} of ${asked} unanswered within ${lostForSeconds.toFixed(2)} s, longest gap ${longestGapSeconds.toFixed(2)} s, slowest answer ${slowestSeconds.toFixed(2)} s`,
        '',
      );
    }
    return seen;
  }

  function expectFewLost(seen: Record<string, Answered>): void {
    const { 'the shared address': shared, 'the address of dnsdist': fronted, ...others } = seen;
    expect.soft(shared?.lostForSeconds, 'shared').toBeLessThanOrEqual(most.atSharedAddress);
    // Its next pod may lose some while it learns which servers answer, so it is the number that counts: a dead node would
    // take every second question.
    expect.soft(((fronted?.unanswered ?? 0) * 2 * everyMs) / 1000, 'dnsdist').toBeLessThanOrEqual(most.atDnsdist);
    for (const [through, { lostForSeconds, longestGapSeconds }] of Object.entries(others)) {
      const lost = { lostForSeconds, longestGapSeconds };
      const isFew = lostForSeconds <= most.throughResolver && longestGapSeconds <= most.throughResolver;
      expect.soft(isFew, `${through}: ${JSON.stringify(lost)}`).toBe(true);
    }
  }

  async function untilBothAreReady(selector = chosen): Promise<void> {
    await until('both replicas are ready on two nodes', async () => {
      const pods = await podsOf(selector);
      const ready = pods.filter((each) => isTrue(each, 'Ready'));
      return (ready.length === 2 && new Set(pods.map(({ spec }) => spec.nodeName)).size === 2) || pods.length;
    });
  }

  /** Nothing moves a pod back to a node that has returned. */
  async function spreadResolvers(): Promise<void> {
    const pods = (await podsOf(dnsdist)).filter(({ metadata }) => !metadata.deletionTimestamp);
    const [first] = pods;
    if (new Set(pods.map(({ spec }) => spec.nodeName)).size < 2)
      await kubectl('-n', 'internal-dns', 'delete', 'pod', first?.metadata.name as string);
    await untilBothAreReady(dnsdist);
  }

  // Crossplane keeps its connection to the function's pod on the lost node, where each call takes two minutes to fail.
  afterAll(async () => {
    if (reason) return;
    for (const resolver of resolvers.values()) await resolver.stop();
    await kubectl('-n', 'crossplane-system', 'rollout', 'restart', 'deployment/crossplane');
    await kubectl('-n', 'crossplane-system', 'rollout', 'status', 'deployment/crossplane', '--timeout=300s');
    await waitForIdleCrossplane();
  });

  test.skipIf(reason)(`two replicas are scheduled on two nodes, each with a name server${reason}`, async () => {
    const records = [{ name: '*.any', type: 'A', values: [address] }];
    await apply(
      internalDNS('spread', { replicas: 2, zones: [{ name: zone, records }] }),
      internalDNS('fronted', {
        replicas: 2,
        zones: [{ name: frontedZone, records: [{ name: 'www', type: 'A', values: [address] }] }],
        discovery: { sources: [] },
        resolver: { allowFrom: everybody },
      }),
      ingress({ name: 'web', hosts: [name], annotations: { [target]: address } }),
    );
    await waitForReady('spread');
    await waitForReady('fronted');
    await untilBothAreReady(dnsdist);
    const client = await clientOf('spread');
    await client.becomes(name, address);
    const nodes = (await podsOf()).map(({ spec }) => spec.nodeName);
    expect(new Set(nodes).size).toBe(2);
    expect(nodes).toContain(spare);
    const [own] = (await get('internaldns', 'spread')).status.addresses;
    const servers: string[] = own.replicas.map(({ addresses }: { addresses: string[] }) => addresses[0]);
    expect(servers).toHaveLength(2);
    await client.becomes(zone, `ns1.${zone} ns2.${zone}`, 'NS');
    for (const [index, server] of servers.entries()) await client.becomes(`ns${index + 1}.${zone}`, server);
    for (const id of Object.keys(programs)) resolvers.set(id, await startResolverProcess(id, zone, servers));
  });

  test.skipIf(reason)(
    `a drained node's replica is rescheduled, and the last replica cannot be evicted${reason}`,
    async () => {
      const watches = await watchAll();
      await drain(spare!);
      const others = (await list('node')).map(({ metadata }) => metadata.name).filter((node) => node !== spare);
      for (const node of others) {
        await expect(drain(node, 10)).rejects.toThrow(/disruption budget/);
        await kubectl('uncordon', node);
      }
      expect((await podsOf()).filter(({ status }) => status.phase === 'Running')).toHaveLength(1);
      await kubectl('uncordon', spare!);
      await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-spread', '--timeout=600s');
      expectFewLost(await stopAll('drained', watches));
      expect(new Set((await podsOf()).map(({ spec }) => spec.nodeName)).size).toBe(2);
    },
  );

  test.skipIf(reason).each([
    ['powered off', stop],
    ['cut off', cut],
  ])(
    `a replica on a node that is %s is taken out of the Service, and the other has all records${reason}`,
    async (what, lose) => {
      const [survivor] = (await podsOf()).filter(({ spec }) => spec.nodeName !== spare);
      const watches = await watchAll();
      await run('sh', ['-c', lose!]);
      try {
        expect(await clientAt(survivor?.status.podIP, 5353).answer(name)).toBe(address);
        const seconds = await until('the Service has no endpoint on the node', async () => {
          const slices = await list('endpointslice', {
            namespace: 'internal-dns',
            labels: 'kubernetes.io/service-name=idns-spread',
          });
          const ready = slices.flatMap(({ endpoints }) =>
            (endpoints as { conditions: { ready: boolean }; nodeName: string }[])
              .filter(({ conditions }) => conditions.ready)
              .map(({ nodeName }) => nodeName),
          );
          return !ready.includes(spare!) || ready;
        });
        figure(`two replicas, one of two nodes ${what} -> taken out of the Service`, seconds);
        // Long enough for clients to lose more than they may.
        await sleep(2 * most.atDnsdist * 1000);
        expectFewLost(await stopAll(what, watches));
      } finally {
        await run('sh', ['-c', start!]);
      }
      await untilBothAreReady();
      await untilBothAreReady('app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=fronted');
      await spreadResolvers();
      const after = `after-${what.replace(' ', '-')}`;
      await apply(ingress({ name: after, hosts: [`${after}.${zone}`], annotations: { [target]: address } }));
      for (const { status } of await podsOf()) await clientAt(status.podIP, 5353).becomes(`${after}.${zone}`, address);
    },
  );
});
