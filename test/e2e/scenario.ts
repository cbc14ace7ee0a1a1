import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { figures } from './cluster/figures.ts';
import { writeAddresses } from './cluster/ingress-status.ts';
import { apply, kubectl, remove } from './cluster/kubectl.ts';
import { writesWithoutCause } from './cluster/loops.ts';
import { internalDNS, type Objects, objectsIn, scenarioLabel } from './cluster/objects.ts';

/** What a scenario owns in the cluster. */
export interface Scenario extends Objects {
  /** The namespace of its objects. */
  shop: string;
  /** The namespace of another team. */
  market: string;
  /** An InternalDNS that is deleted after the scenario, with an ExternalDNS interval of one second. */
  internalDNS(name: string, spec: { discovery?: object; [field: string]: unknown }): KubernetesObject;
  /** Sets the addresses, or host names, in the status of an Ingress, as its controller does. */
  writeAddresses(ingress: string, ...addresses: string[]): Promise<void>;
  /** Registers an InternalDNS that is created by other means, such as an example, for deletion. Returns its name. */
  owns(name: string): string;
}

const lastStep = 'nothing was written without a cause';

/**
 * Declares the steps of one test file. Scenarios run at the same time, so each has its own namespaces, instances, zones and
 * names.
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

    // Later steps depend on the failed one, and would only time out.
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
      writeAddresses: (ingress, ...addresses) => writeAddresses(shop, ingress, ...addresses),
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
