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

/** The node whose loss is tried, and commands that pull its plug and boot it again: only who set the cluster up knows how. */
const { SPARE_NODE: spare, STOP_NODE: stop, START_NODE: start } = process.env;
const reason = spare && stop && start ? '' : ' (skipped: it needs SPARE_NODE, STOP_NODE and START_NODE)';

/** What clients notice when one of two nodes goes, in an orderly way and not. */
scenario('nodes', ({ ingress, internalDNS }) => {
  const run = promisify(execFile);
  const podsOf = () => list('pod', '-n', 'internal-dns', '-l', chosen);
  const drain = (node: string) =>
    kubectl('drain', node, `--pod-selector=${chosen}`, '--delete-emptydir-data', '--timeout=60s');

  async function lost(what: string, watch: Watch): Promise<void> {
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure(what, `${unanswered} of ${asked} unanswered, longest gap ${longestGapSeconds.toFixed(2)} s`, '');
  }

  // Its connection to the function's pod of the lost node has not ended for it: each call of that pod takes two minutes.
  afterAll(async () => {
    if (reason) return;
    await kubectl('-n', 'crossplane-system', 'rollout', 'restart', 'deployment/crossplane');
    await kubectl('-n', 'crossplane-system', 'rollout', 'status', 'deployment/crossplane', '--timeout=300s');
    await waitForIdleCrossplane();
  });

  test.skipIf(reason)(`two replicas are on two nodes, each time they are placed anew${reason}`, async () => {
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

  test.skipIf(reason)(`a node is drained: nobody notices, and the last replica may not go${reason}`, async () => {
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
    await lost('a node is drained', watch);
    expect(new Set((await podsOf()).map(({ spec }) => spec.nodeName)).size).toBe(2);
  });

  test.skipIf(reason)(
    `a node's plug is pulled: the other replica has all records, and it comes back${reason}`,
    async () => {
      const [survivor] = (await podsOf()).filter(({ spec }) => spec.nodeName !== spare);
      const watch = watchAnswers(await clientOf('spread'), name, address);
      await run('sh', ['-c', stop!]);
      try {
        expect(await clientAt(survivor?.status.podIP, 5353).answer(name)).toBe(address);
        const seconds = await until('the Service knows that one replica is gone', async () => {
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
        figure('a node dies -> out of the Service', seconds);
      } finally {
        await run('sh', ['-c', start!]);
      }
      await until('both replicas are ready on two nodes', async () => {
        const pods = await podsOf();
        const ready = pods.filter((each) => isTrue(each, 'Ready'));
        return (ready.length === 2 && new Set(pods.map(({ spec }) => spec.nodeName)).size === 2) || pods.length;
      });
      await lost('a node dies and boots', watch);
      await apply(ingress({ name: 'after', hosts: ['after.nodes-lost.internal'], annotations: { [target]: address } }));
      for (const { status } of await podsOf())
        await clientAt(status.podIP, 5353).becomes('after.nodes-lost.internal', address);
    },
  );
});
