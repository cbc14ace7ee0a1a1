import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { figure } from './cluster/figures.ts';
import { apply, applyLarge, get, kubectl, remove, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { internalDNS, target } from './cluster/objects.ts';
import { debugExternalDNS, inPod, signalPowerDNS, usageIn } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'crowd.internal';
const pod = 'idns-crowd-0';
const address = '198.51.100.200';

/** Many Ingresses at once, and faults while they change. */
scenario('crowd', ({ shop, ingress, owns }) => {
  let client: Client;
  const names = Array.from({ length: 1_000 }, (_, index) => `host-${index}`);
  // With a target, so that the speed of an ingress controller does not matter.
  const objects = (some: string[]) =>
    some.map((name) => ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address } }));
  /** Deletes all in one request, as a controller that prunes. */
  const deleteAll = () => kubectl('delete', '--raw', `/apis/networking.k8s.io/v1/namespaces/${shop}/ingresses`);
  const all = async (some: string[], expected: string) => {
    const start = performance.now();
    for (const name of some) await client.becomes(`${name}.${zone}`, expected);
    return (performance.now() - start) / 1000;
  };

  test('1,000 new Ingresses are all answered, and none after they are deleted', async () => {
    await apply(
      internalDNS(owns('crowd'), {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { percent: 100 } },
      }),
    );
    await waitForReady('crowd');
    client = await clientOf('crowd');
    const part = names.length / 4;
    await Promise.all([0, 1, 2, 3].map((n) => applyLarge(...objects(names.slice(n * part, (n + 1) * part)))));
    figure('1,000 Ingresses applied -> all answered', await all(names, address));
    await expectWithinLimits();
    await deleteAll();
    figure('1,000 Ingresses deleted in one request -> none answered', await all(names, 'NXDOMAIN'));
    await expectWithinLimits();
  });

  /** Expects no restarts, such as one after an OOM kill, and every container below its memory limit. */
  async function expectWithinLimits(): Promise<void> {
    const { spec, status } = await get('pod', pod, 'internal-dns');
    const statuses = [...status.initContainerStatuses, ...status.containerStatuses];
    expect(statuses.map(({ restartCount }) => restartCount)).toEqual(statuses.map(() => 0));
    for (const { name, mebibytes } of await usageIn(pod)) {
      const container = [...spec.initContainers, ...spec.containers].find((c) => c.name === name);
      const limit = Number.parseInt(container.resources.limits.memory, 10);
      figure(`1,000 Ingresses: working set of ${name}`, `${Math.round(mebibytes)} of ${limit}`, 'MiB');
      expect(mebibytes).toBeLessThan(limit);
    }
  }

  test('killing ExternalDNS in the middle of a batch leaves no record without an owner', async () => {
    const some = names.slice(0, 200);
    const applying = applyLarge(...objects(some));
    await client.becomes(`${some[0]}.${zone}`, address);
    await debugExternalDNS(pod, 'kill 1');
    await applying;
    await all(some, address);
    await anotherLoop('crowd');
    const rrsets = await rrsetsOf(zone);
    const discovered = rrsets.filter(({ name }) => name.startsWith('host-'));
    expect(discovered).toHaveLength(some.length);
    for (const { comments } of discovered) expect(comments[0]?.account).toBe('external-dns/crowd');
  });

  /** The RRsets of a zone in PowerDNS. */
  async function rrsetsOf(name: string): Promise<{ name: string; type: string; comments: { account: string }[] }[]> {
    const code = `
      const key = require('fs').readFileSync('/run/internal-dns/api.conf', 'utf8').match(/api-key=(\\S+)/)[1];
      fetch('http://127.0.0.1:8081/api/v1/servers/localhost/zones/${name}.', { headers: { 'X-API-Key': key } })
        .then((r) => r.text()).then(console.log)`;
    return JSON.parse(await inPod(pod, 'agent', '/nodejs/bin/node', '-e', code)).rrsets;
  }

  test('records catch up after PowerDNS was frozen for ten seconds', async () => {
    await withDisturbance('crowd', async () => {
      await signalPowerDNS(pod, 'STOP');
      await apply(...objects(['during']));
      await remove('ingress', 'host-0', shop);
      await sleep(10_000);
      await signalPowerDNS(pod, 'CONT').catch(() => 'kubelet was faster');
      figure(
        'PowerDNS frozen for 10 s, resumed -> a name created meanwhile is answered',
        await client.becomes(`during.${zone}`, address),
      );
      await client.becomes(`host-0.${zone}`, 'NXDOMAIN');
    });
  });
});
