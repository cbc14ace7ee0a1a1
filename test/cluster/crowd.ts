import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { figure } from './figures.ts';
import { apply, applyLarge, get, kubectl, list, remove, until, waitForNew } from './kubectl.ts';
import { type Client, clientOf, quiet, watchAnswers } from './names.ts';
import { ingress, internalDNS, shop, target } from './objects.ts';
import { besideExternalDNS, inPod, signalPowerDNS } from './pod.ts';
import { statusAddress, tableAt } from './telling.ts';

const zone = 'crowd.internal';
const pod = 'idns-crowd-0';
const address = '198.51.100.200';

/** Commands that take the API server away and bring it back: only who set the cluster up knows how. */
const { FREEZE_API: freeze, THAW_API: thaw } = process.env;

/** Many Ingresses at once, and faults in the middle of it. */
export function crowd(): void {
  let client: Client;
  const names = Array.from({ length: 1_000 }, (_, index) => `host-${index}`);
  // With an address of their own: how fast an ingress controller writes a thousand is not what is looked at.
  const objects = (some: string[]) =>
    some.map((name) => ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address } }));
  /** All in one request, as a controller that prunes. */
  const deleteAll = () => kubectl('delete', '--raw', `/apis/networking.k8s.io/v1/namespaces/${shop}/ingresses`);
  const all = async (some: string[], wanted: string, seconds: number) => {
    const start = performance.now();
    for (const name of some) await client.becomes(`${name}.${zone}`, wanted, seconds);
    return (performance.now() - start) / 1000;
  };

  test('1,000 Ingresses: all answer; 1,000 gone: none does', async () => {
    await apply(
      internalDNS('crowd', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { percent: 100 } },
      }),
    );
    await waitForNew('crowd');
    client = await clientOf('crowd');
    const part = names.length / 4;
    await Promise.all([0, 1, 2, 3].map((n) => applyLarge(...objects(names.slice(n * part, (n + 1) * part)))));
    figure('1,000 Ingresses applied -> all answer', await all(names, address, 120));
    await quiet('crowd');
    await restsWithinLimits();
    await deleteAll();
    figure('1,000 Ingresses deleted -> none answers', await all(names, 'NXDOMAIN', 120));
    await quiet('crowd');
    await restsWithinLimits();
  });

  /** No container was restarted, and none comes near its limit: a kill for memory would be a restart. */
  async function restsWithinLimits(): Promise<void> {
    const [node] = await list('node');
    const path = `/api/v1/nodes/${node?.metadata.name}/proxy/stats/summary?only_cpu_and_memory=true`;
    const { spec, status } = await get('pod', pod, 'internal-dns');
    const statuses = [...status.initContainerStatuses, ...status.containerStatuses];
    expect(statuses.map(({ restartCount }) => restartCount)).toEqual(statuses.map(() => 0));
    const { pods } = JSON.parse(await kubectl('get', '--raw', path));
    const { containers } = pods.find((p: { podRef: { name: string } }) => p.podRef.name === pod);
    for (const { name, memory } of containers) {
      const container = [...spec.initContainers, ...spec.containers].find((c) => c.name === name);
      const limit = Number.parseInt(container.resources.limits.memory, 10) * 2 ** 20;
      figure(`${name} with the crowd`, `${Math.round(memory.workingSetBytes / 2 ** 20)} of ${limit / 2 ** 20}`, 'MiB');
      expect(memory.workingSetBytes).toBeLessThan(limit);
    }
  }

  test('ExternalDNS is killed in the middle of a batch: nothing half-owned remains', async () => {
    const some = names.slice(0, 200);
    const applying = applyLarge(...objects(some));
    await client.becomes(`${some[0]}.${zone}`, address, 60);
    await besideExternalDNS(pod, 'kill 1');
    await applying;
    await all(some, address, 120);
    await quiet('crowd');
    const rrsets = await rrsetsOf(zone);
    const discovered = rrsets.filter(({ name }) => name.startsWith('host-'));
    expect(discovered).toHaveLength(some.length);
    for (const { comments } of discovered) expect(comments[0]?.account).toBe('external-dns/crowd');
  });

  /** A zone as PowerDNS has it. */
  async function rrsetsOf(name: string): Promise<{ name: string; type: string; comments: { account: string }[] }[]> {
    const code = `
      const key = require('fs').readFileSync('/run/internal-dns/api.conf', 'utf8').match(/api-key=(\\S+)/)[1];
      fetch('http://127.0.0.1:8081/api/v1/servers/localhost/zones/${name}.', { headers: { 'X-API-Key': key } })
        .then((r) => r.text()).then(console.log)`;
    return JSON.parse(await inPod(pod, 'agent', '/nodejs/bin/node', '-e', code)).rrsets;
  }

  test('PowerDNS hangs for ten seconds: the records catch up', async () => {
    await signalPowerDNS(pod, 'STOP');
    await apply(ingress({ name: 'during', hosts: [`during.${zone}`] }));
    await remove('ingress', 'host-0', shop);
    await sleep(10_000);
    await signalPowerDNS(pod, 'CONT').catch(() => 'kubelet was faster');
    figure('PowerDNS goes on -> a name of meanwhile answers', await client.becomes(`during.${zone}`, address, 60));
    await client.becomes(`host-0.${zone}`, 'NXDOMAIN', 30);
    await quiet('crowd');
  });

  test.skipIf(!freeze || !thaw)(
    'the API server is away for two minutes: DNS goes on, and the agent says so (needs FREEZE_API and THAW_API)',
    async () => {
      const run = promisify(execFile);
      const page = await statusAddress('crowd');
      const watch = watchAnswers(client, `during.${zone}`, address, 100);
      await run('sh', ['-c', freeze!]);
      try {
        const seconds = await until('the agent says that it is blind', 60, async () => {
          const { resolution, names } = await tableAt(page, `during.${zone}`);
          return (resolution?.state === 'Blind' && names[0]?.verdict === 'Resolved') || { resolution, names };
        });
        figure('API server away -> said', seconds);
        await sleep(120_000 - seconds * 1000);
      } finally {
        await run('sh', ['-c', thaw!]);
      }
      const { asked, unanswered, longestGapSeconds } = await watch.stop();
      figure('API server away for two minutes', `${unanswered} of ${asked} unanswered`, '');
      expect(longestGapSeconds).toBeLessThan(5);
      await until('the API server is back', 60, async () => (await kubectl('get', '--raw', '/readyz')) === 'ok');
      await until('the agent sees again', 60, async () => {
        const { resolution } = await tableAt(page, 'during');
        return resolution?.state === 'Serving' || resolution;
      });
      await apply(ingress({ name: 'after', hosts: [`after.${zone}`] }));
      figure('API server back -> a new name answers', await client.becomes(`after.${zone}`, address, 120));
      await quiet('crowd');
      await remove('ingress', 'after', shop);
    },
  );

  test('the crowd goes home', async () => {
    await remove('internaldns', 'crowd');
    await deleteAll();
  });
}
