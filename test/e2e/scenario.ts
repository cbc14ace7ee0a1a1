import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { figures } from './cluster/figures.ts';
import { apply, kubectl, remove } from './cluster/kubectl.ts';
import { writesWithoutCause } from './cluster/loops.ts';
import { internalDNS, type Objects, objectsIn, scenarioLabel } from './cluster/objects.ts';

/** What a scenario has of its own in the cluster. */
export interface Scenario extends Objects {
  /** Where its objects live: another namespace than the server's. */
  shop: string;
  /** Another team's. */
  market: string;
  /** An InternalDNS that goes with the scenario, with an ExternalDNS that looks every second. */
  internalDNS(name: string, spec: { discovery?: object; [field: string]: unknown }): KubernetesObject;
  /** Gives an Ingress these addresses and no others, as its controller does. */
  writeAddresses(ingress: string, ...addresses: string[]): Promise<void>;
  /** A name of an InternalDNS that the scenario makes from elsewhere, such as an example. */
  owns(name: string): string;
}

const lastStep = 'nothing was written without a cause';

/**
 * A part of what the cluster must prove, as the steps of one test file: beside others that run at the same time, so it uses
 * namespaces, instances, zones and names that nobody else does.
 */
export function scenario(name: string, steps: (own: Scenario) => void): void {
  const [shop, market] = [`e2e-${name}`, `e2e-${name}-market`];
  const instances = new Set<string>();
  const owns = (instance: string) => {
    instances.add(instance);
    return instance;
  };

  describe(name, () => {
    beforeAll(() =>
      apply(
        ...[shop, market].map((namespace) => ({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: namespace, labels: { [scenarioLabel]: name } },
        })),
      ),
    );

    // What follows a step that failed would wait for what cannot come.
    let failed: string | undefined;
    beforeEach(({ task, skip, onTestFailed }) => {
      if (failed !== undefined && task.name !== lastStep) skip(`after "${failed}" failed`);
      onTestFailed(() => {
        failed ??= task.name;
      });
    });

    steps({
      shop,
      market,
      ...objectsIn(shop),
      internalDNS: (instance, { discovery, ...spec }) =>
        internalDNS(owns(instance), { ...spec, discovery: { interval: '1s', ...discovery } }),
      owns,
      writeAddresses: async (ingress, ...addresses) => {
        const status = { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } };
        const flags = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
        await kubectl('-n', shop, 'patch', 'ingress', ingress, ...flags);
      },
    });

    test(lastStep, async () => {
      expect(await writesWithoutCause({ instances: [...instances], namespaces: [shop, market] })).toEqual([]);
    });

    afterAll(async () => {
      if (figures.length > 0) console.log(figures.join('\n'));
      for (const instance of instances) await remove('internaldns', instance);
      await kubectl('delete', 'namespace', shop, market, '--ignore-not-found', '--wait=false');
    });
  });
}
