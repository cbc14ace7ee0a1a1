import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { waitForIdleCrossplane } from './cluster/crossplane.ts';
import { figure } from './cluster/figures.ts';
import { apply, isTrue, kubectl, list, until, waitForReady } from './cluster/kubectl.ts';
import { clientAt, clientOf, type Watch, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const name = 'web.nodes-lost.internal';
const address = '192.0.2.1';
const chosen = 'app.kubernetes.io/instance=spread';

/** A node to lose, and commands that power it off and on, which depend on how the cluster was set up. */
const { SPARE_NODE: spare, STOP_NODE: stop, START_NODE: start } = process.env;
const reason = spare && stop && start ? '' : ' (skipped: it needs SPARE_NODE, STOP_NODE and START_NODE)';

/** What clients see when one of two nodes is drained or powered off. */
scenario('nodes', ({ ingress, internalDNS }) => {
  const run = promisify(execFile);
  const podsOf = () => list('pod', '-n', 'internal-dns', '-l', chosen);
  const drain = (node: string) =>
    kubectl('drain', node, `--pod-selector=${chosen}`, '--delete-emptydir-data', '--timeout=60s');

  async function printLost(what: string, watch: Watch): Promise<void> {
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure(what, `${unanswered} of ${asked} unanswered, longest gap ${longestGapSeconds.toFixed(2)} s`, '');
  }

  // Crossplane keeps its connection to the function's pod on the lost node, where each call takes two minutes to fail.
  afterAll(async () => {
    if (reason) return;
    await kubectl('-n', 'crossplane-system', 'rollout', 'restart', 'deployment/crossplane');
    await kubectl('-n', 'crossplane-system', 'rollout', 'status', 'deployment/crossplane', '--timeout=300s');
    await waitForIdleCrossplane();
  });

  test.skipIf(reason)(`two replicas are scheduled on two nodes${reason}`, async () => {
    await apply(
      internalDNS('spread', { replicas: 2, zones: [{ name: 'nodes-lost.internal' }] }),
      ingress({ name: 'web', hosts: [name], annotations: { [target]: address } }),
    );
    await waitForReady('spread');
    await (await clientOf('spread')).becomes(name, address);
    const nodes = (await podsOf()).map(({ spec }) => spec.nodeName);
    expect(new Set(nodes).size).toBe(2);
    expect(nodes).toContain(spare);
  });

  test.skipIf(reason)(
    `a drained node's replica is rescheduled, and the last replica cannot be evicted${reason}`,
    async () => {
      const watch = watchAnswers(await clientOf('spread'), name, address);
      await drain(spare!);
      const others = (await list('node')).map(({ metadata }) => metadata.name).filter((node) => node !== spare);
      for (const node of others) {
        await expect(drain(node)).rejects.toThrow(/disruption budget/);
        await kubectl('uncordon', node);
      }
      expect((await podsOf()).filter(({ status }) => status.phase === 'Running')).toHaveLength(1);
      await kubectl('uncordon', spare!);
      await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-spread', '--timeout=600s');
      await printLost('two replicas, one of two nodes drained', watch);
      expect(new Set((await podsOf()).map(({ spec }) => spec.nodeName)).size).toBe(2);
    },
  );

  test.skipIf(reason)(
    `a replica on a node that is powered off is removed from the Service, and the other has all records${reason}`,
    async () => {
      const [survivor] = (await podsOf()).filter(({ spec }) => spec.nodeName !== spare);
      const watch = watchAnswers(await clientOf('spread'), name, address);
      await run('sh', ['-c', stop!]);
      try {
        expect(await clientAt(survivor?.status.podIP, 5353).answer(name)).toBe(address);
        const seconds = await until('the Service has no endpoint on the node', async () => {
          const { items } = JSON.parse(
            await kubectl(
              '-n',
              'internal-dns',
              'get',
              'endpointslices',
              '-o',
              'json',
              '-l',
              'kubernetes.io/service-name=idns-spread',
            ),
          );
          const ready = items.flatMap(
            ({ endpoints }: { endpoints: { conditions: { ready: boolean }; nodeName: string }[] }) =>
              endpoints.filter(({ conditions }) => conditions.ready).map(({ nodeName }) => nodeName),
          );
          return !ready.includes(spare) || ready;
        });
        figure('two replicas, one of two nodes powered off -> removed from the Service', seconds);
      } finally {
        await run('sh', ['-c', start!]);
      }
      await until('both replicas are ready on two nodes', async () => {
        const pods = await podsOf();
        const ready = pods.filter((each) => isTrue(each, 'Ready'));
        return (ready.length === 2 && new Set(pods.map(({ spec }) => spec.nodeName)).size === 2) || pods.length;
      });
      await printLost('the same, until it is back', watch);
      await apply(ingress({ name: 'after', hosts: ['after.nodes-lost.internal'], annotations: { [target]: address } }));
      for (const { status } of await podsOf())
        await clientAt(status.podIP, 5353).becomes('after.nodes-lost.internal', address);
    },
  );
});
