import { expect, test } from 'vitest';
import { watchForwarder } from './cluster/forwarder.ts';
import { apply, kubectl, list, waitForReady } from './cluster/kubectl.ts';
import { clientAt, clientOf, mostLostInARow, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';

scenario('replicas', ({ ingress, internalDNS }) => {
  const name = 'pair.ha.internal';

  test('two replicas become Ready, on different nodes if there are two, and give the same answers', async () => {
    await apply(
      internalDNS('ha', { replicas: 2, zones: [{ name: 'ha.internal' }] }),
      ingress({ name: 'pair', hosts: [name], annotations: { [target]: address } }),
    );
    await waitForReady('ha');
    await (await clientOf('ha')).becomes(name, address);
    const pods = await list('pod', { namespace: 'internal-dns', labels: 'app.kubernetes.io/instance=ha' });
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

  test('DNS answers during a rolling restart', () =>
    expectAnswersDuring(2, () => kubectl('-n', 'internal-dns', 'rollout', 'restart', 'statefulset/idns-ha')));

  test.each([0, 1])('DNS answers while replica %i is replaced', async (replica) => {
    await waitForReady('ha');
    await expectAnswersDuring(1, () => kubectl('-n', 'internal-dns', 'delete', 'pod', `idns-ha-${replica}`));
  });

  /** Expects answers on new and on reused ports while `count` replicas are replaced one after the other. */
  async function expectAnswersDuring(count: number, replace: () => Promise<unknown>): Promise<void> {
    const resolvers = watchAnswers(await clientOf('ha'), name, address);
    const forwarder = await watchForwarder('ha', name, address);
    await replace();
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-ha', '--timeout=600s');
    const { unansweredInARow } = await resolvers.stop();
    // A port may lose the answer in flight when kube-proxy deletes the connection tracking entries of the port.
    expect(Math.max(...(await forwarder.stop()))).toBeLessThanOrEqual(count);
    // So may the first query from a port.
    expect(unansweredInARow).toBeLessThanOrEqual(mostLostInARow);
  }
});
