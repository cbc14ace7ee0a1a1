import { expect, test } from 'vitest';
import { apply, kubectl, list, waitForReady } from './cluster/kubectl.ts';
import { clientAt, clientOf, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';

scenario('replicas', ({ ingress, internalDNS }) => {
  const name = 'pair.ha.internal';

  test('two replicas are Ready, on two nodes where there are two, and answer the same', async () => {
    await apply(
      internalDNS('ha', { replicas: 2, zones: [{ name: 'ha.internal' }] }),
      ingress({ name: 'pair', hosts: [name], annotations: { [target]: address } }),
    );
    await waitForReady('ha');
    await (await clientOf('ha')).becomes(name, address);
    const pods = await list('pod', '-n', 'internal-dns', '-l', 'app.kubernetes.io/instance=ha');
    const answers = await Promise.all(
      pods.map(async ({ status }) => {
        const replica = clientAt(status.podIP, 5353);
        await replica.becomes(name, address);
        return [await replica.answer('ns1.ha.internal'), await replica.answer('ha.internal', 'NS')];
      }),
    );
    const nodes = (await list('node')).length;
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(Math.min(2, nodes));
    expect(answers).toHaveLength(2);
    expect(answers[0]).toEqual(answers[1]);
  });

  test('in a rolling restart there is always somebody who answers', async () => {
    const watch = watchAnswers(await clientOf('ha'), name, address, 10);
    await kubectl('-n', 'internal-dns', 'rollout', 'restart', 'statefulset/idns-ha');
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-ha', '--timeout=180s');
    const { longestGapSeconds } = await watch.stop();
    // A datagram of a thousand may be lost while kube-proxy changes over. Resolvers ask again after some seconds.
    expect(longestGapSeconds).toBeLessThan(1);
  });

  test.each([0, 1])('without replica %i there is always somebody who answers', async (replica) => {
    await waitForReady('ha');
    const watch = watchAnswers(await clientOf('ha'), name, address, 10);
    await kubectl('-n', 'internal-dns', 'delete', 'pod', `idns-ha-${replica}`);
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-ha', '--timeout=120s');
    const { longestGapSeconds } = await watch.stop();
    // A datagram of a thousand may be lost while kube-proxy changes over. Resolvers ask again after some seconds.
    expect(longestGapSeconds).toBeLessThan(1);
  });
});
