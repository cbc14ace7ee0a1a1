import { setTimeout as sleep } from 'node:timers/promises';
import { writeAddresses } from '../e2e/cluster/ingress-status.ts';
import { kubectl } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import type { Usage } from './idle-pod.ts';
import { createIngress } from './ingress.ts';
import type { Contender } from './stacks.ts';

const hostsPerIngress = 100;
const concurrency = 20;
const everyMs = 50;
const address = '192.0.2.1';

export interface HostsResult {
  hosts: number;
  /** Seconds from the moment when the last Ingress got its address to the last answer. */
  answeredIn: number;
  usage: [Usage, ...Usage[]];
}

/** Creates hosts, waits until all are answered, measures who answers at rest, and deletes the hosts. */
export async function benchHosts(contender: Contender, hosts: number, namespace: string): Promise<HostsResult> {
  const client = await contender.client();
  const names = Array.from({ length: hosts }, (_, index) => `host-${index}.${contender.zone}`);
  const ingresses = Array.from({ length: Math.ceil(hosts / hostsPerIngress) }, (_, index) => ({
    name: `hosts-${index}`,
    hosts: names.slice(index * hostsPerIngress, (index + 1) * hostsPerIngress),
  }));
  for (const { name, hosts } of ingresses) await createIngress(namespace, name, hosts);
  await Promise.all(ingresses.map(({ name }) => writeAddresses(namespace, name, address)));
  const given = performance.now();
  await waitForAnswers(client, names, address);
  const answeredIn = (performance.now() - given) / 1000;
  const usage = await contender.idle();
  await kubectl('-n', namespace, 'delete', 'ingress', '--all');
  await waitForAnswers(client, names, 'NXDOMAIN');
  return { hosts, answeredIn, usage };
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
