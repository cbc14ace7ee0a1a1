import { setTimeout as sleep } from 'node:timers/promises';
import { applyLarge, kubectl } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import { objectsIn, target } from '../e2e/cluster/objects.ts';
import { apiRequests, podAtRest } from './rest.ts';
import { clientTo, type Stack } from './stacks.ts';

const hostsPerIngress = 100;
const askers = 20;
const everyMs = 50;
const address = '192.0.2.1';

export interface HostsResult {
  hosts: number;
  /** From kubectl's return to the last answer, in seconds. */
  answeredIn: number;
  rest: Awaited<ReturnType<typeof podAtRest>>;
  /** Of ExternalDNS to the API server, a minute at rest. */
  requests: number;
}

/** Gives `stack` hosts, waits until all are answered, watches it at rest, and takes the hosts away again. */
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
  await answered(client, names, address);
  const answeredIn = (performance.now() - applied) / 1000;
  const before = { count: await apiRequests(stack), at: performance.now() };
  const rest = await podAtRest(stack);
  const requests = ((await apiRequests(stack)) - before.count) / ((performance.now() - before.at) / 60_000);
  await kubectl('-n', namespace, 'delete', 'ingress', '--all');
  await answered(client, names, 'NXDOMAIN');
  return { hosts, answeredIn, rest, requests };
}

/** Resolves when every one of `names` is answered with `wanted`. */
async function answered(client: Client, names: string[], wanted: string): Promise<void> {
  const deadline = performance.now() + 300_000;
  const left = [...names];
  const ask = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      while ((await client.answer(name).catch(() => 'nothing')) !== wanted) {
        if (performance.now() > deadline) throw new Error(`cannot wait longer for ${name}: it is not ${wanted}`);
        await sleep(everyMs);
      }
    }
  };
  await Promise.all(Array.from({ length: askers }, ask));
}
