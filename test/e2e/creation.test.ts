import { expect, test } from 'vitest';
import { countTokens, waitForIdleCrossplane } from './cluster/crossplane.ts';
import { figure } from './cluster/figures.ts';
import { apply, condition, get, until, waitFor, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { definitions } from './cluster/prometheus-kinds.ts';
import { scenario } from './scenario.ts';

const name = 'everything';

/** Runs alone: the tokens are counted of all composites together. */
scenario('creation', ({ internalDNS }) => {
  test('a creation with three ways in, a resolver, DNSSEC and monitoring takes fewer than the 100 tokens of the circuit breaker', async () => {
    await apply(...definitions);
    for (const { metadata } of definitions) await waitFor('Established', `crd/${metadata.name}`);
    await waitForIdleCrossplane();
    const { tokens, reversions } = await countTokens(async () => {
      await apply(
        internalDNS(name, {
          zones: [{ name: 'everything.internal', dnssec: { mode: 'Signed' } }],
          additionalServices: [
            { name: 'lan', type: 'LoadBalancer' },
            { name: 'nodes', type: 'NodePort' },
          ],
          advertise: 'lan',
          monitoring: { enabled: true },
          resolver: {},
        }),
      );
      figure(
        'InternalDNS with three ways in, a resolver, DNSSEC and monitoring applied -> Ready',
        await waitForReady(name),
      );
      await until('the rest is composed, too', async () => {
        const conditions = await Promise.all(['MonitoringReady', 'ResolverReady'].map((type) => condition(name, type)));
        const { status } = await get('internaldns', name);
        const isWhole = conditions.every((each) => each.status === 'True') && status.resolution?.state === 'Serving';
        return (isWhole && status.zones[0].delegation.length > 2) || status;
      });
      await waitForQuiescence(name);
    });
    figure('tokens of this creation', `${tokens}, and ${reversions} times four`, '');
    // 59, and about one more for each of its objects if Crossplane's watches of these kinds start with it.
    expect(tokens).toBeLessThan(100);
  });
});
