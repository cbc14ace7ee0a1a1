import { setTimeout as sleep } from 'node:timers/promises';
import { applyLarge, kubectl } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import { objectsIn, target } from '../e2e/cluster/objects.ts';
import { apiRequests, idlePod } from './idle-pod.ts';
import { clientTo, type Stack } from './stacks.ts';

const hostsPerIngress = 100;
const concurrency = 20;
const everyMs = 50;
const address = '192.0.2.1';

export interface HostsResult {
  hosts: number;
  /** Seconds from the return of kubectl to the last answer. */
  answeredIn: number;
  usage: Awaited<ReturnType<typeof idlePod>>;
  /** Of idle ExternalDNS to the API server, per minute. */
  requests: number;
}

/** Creates hosts in a stack, waits until all are answered, measures the idle pod, and deletes the hosts. */
export async function benchHosts(stack: Stack, hosts: number, namespace: string): Promise<HostsResult> {
  const client = await clientTo(stack);
  const { ingress } = objectsIn(namespace);
  const names = Array.from({ length: hosts }, (_, index) => `host-${index}.${stack.zone}`);
  const ingresses = Array.from({ length: Math.ceil(hosts / hostsPerIngress) }, (_, index) =>
    ingress({
      name: `hosts-${index}`,
      hosts: names.slice(index * hostsPerIngress, (index + 1) * hostsPerIngress),
      annotations: { [target]: address },
    }),
  );
  await applyLarge(...ingresses);
  const applied = performance.now();
  await waitForAnswers(client, names, address);
  const answeredIn = (performance.now() - applied) / 1000;
  const before = { count: await apiRequests(stack), at: performance.now() };
  const usage = await idlePod(stack);
  const requests = ((await apiRequests(stack)) - before.count) / ((performance.now() - before.at) / 60_000);
  await kubectl('-n', namespace, 'delete', 'ingress', '--all');
  await waitForAnswers(client, names, 'NXDOMAIN');
  return { hosts, answeredIn, usage, requests };
}

/** Resolves when each of `names` is answered with `expected`. */
async function waitForAnswers(client: Client, names: string[], expected: string): Promise<void> {
  const deadline = performance.now() + 300_000;
  const left = [...names];
  const query = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      while ((await client.answer(name).catch(() => 'nothing')) !== expected) {
        if (performance.now() > deadline) throw new Error(`${name} is not ${expected} after 300 s`);
        await sleep(everyMs);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, query));
}
