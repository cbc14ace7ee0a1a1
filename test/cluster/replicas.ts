import { expect, test } from 'vitest';
import { figure } from './figures.ts';
import { apply, kubectl, list, remove, waitFor, waitForNew } from './kubectl.ts';
import { clientAt, clientOf, quiet, watchAnswers } from './names.ts';
import { ingress, internalDNS, shop } from './objects.ts';

export function replicas(): void {
  const name = 'pair.ha.internal';

  test('two replicas are Ready and answer the same', async () => {
    await apply(
      internalDNS('ha', { replicas: 2, zones: [{ name: 'ha.internal' }] }),
      ingress({ name: 'pair', hosts: [name] }),
    );
    figure('two replicas applied -> Ready', await waitForNew('ha'));
    await (await clientOf('ha')).becomes(name, '198.51.100.200');
    const pods = await list('pod', '-n', 'internal-dns', '-l', 'app.kubernetes.io/instance=ha');
    const answers = await Promise.all(
      pods.map(async ({ status }) => {
        const replica = clientAt(status.podIP, 5353);
        await replica.becomes(name, '198.51.100.200');
        return [await replica.answer('ns1.ha.internal'), await replica.answer('ha.internal', 'NS')];
      }),
    );
    expect(answers).toHaveLength(2);
    expect(answers[0]).toEqual(answers[1]);
    await quiet('ha', 0);
    await quiet('ha', 1);
  });

  test('in a rolling restart there is always somebody who answers', async () => {
    const watch = watchAnswers(await clientOf('ha'), name, '198.51.100.200', 10);
    await kubectl('-n', 'internal-dns', 'rollout', 'restart', 'statefulset/idns-ha');
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-ha', '--timeout=180s');
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure('rolling restart of two replicas: unanswered', `${unanswered} of ${asked}`, '');
    // A datagram of a thousand may be lost while kube-proxy changes over. Resolvers ask again after some seconds.
    expect(longestGapSeconds).toBeLessThan(1);
  });

  test.each([0, 1])('without replica %i there is always somebody who answers', async (replica) => {
    await waitFor('Ready', 'internaldns/ha', 120);
    const watch = watchAnswers(await clientOf('ha'), name, '198.51.100.200', 10);
    await kubectl('-n', 'internal-dns', 'delete', 'pod', `idns-ha-${replica}`);
    await kubectl('-n', 'internal-dns', 'rollout', 'status', 'statefulset/idns-ha', '--timeout=120s');
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure(`loss of replica ${replica}: unanswered`, `${unanswered} of ${asked}`, '');
    // A datagram of a thousand may be lost while kube-proxy changes over. Resolvers ask again after some seconds.
    expect(longestGapSeconds).toBeLessThan(1);
  });

  test('afterwards', async () => {
    await remove('internaldns', 'ha');
    await remove('ingress', 'pair', shop);
  });
}
