import { setTimeout as sleep } from 'node:timers/promises';
import { apply, remove } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import { objectsIn, target } from '../e2e/cluster/objects.ts';
import { clientTo, stacks } from './stacks.ts';
import { printTable, quantile, seconds } from './table.ts';

const trials = 20;
const everyMs = 50;
const deadlineMs = 60_000;
// Enough for more than a loop of ExternalDNS: each is queried only once, so no negative answer is cached for it.
const freshNames = 100;
/** The target of the Ingresses, so that the figures do not include a controller. */
const address = '192.0.2.1';

/** Creates and deletes Ingresses with hosts in both zones, and measures both stacks at once. */
export async function benchLatency(namespace: string): Promise<void> {
  const clients = await Promise.all(stacks.map(clientTo));
  /** The seconds from `change` to the first expected answer, of each stack. */
  const observe = async (change: () => Promise<unknown>, hosts: string[], expected: string, queryBefore: boolean) => {
    const watch = () =>
      stacks.map(({ zone }, index) => {
        const names = hosts.map((host) => `${host}.${zone}`);
        return firstAnswerAt(clients[index]!, names, expected);
      });
    const running = queryBefore ? watch() : undefined;
    // At a random moment of the stacks' loops.
    await sleep(500 + Math.random() * 2_000);
    await change();
    const changed = performance.now();
    const times = await Promise.all(running ?? watch());
    return times.map((time) => Math.max(0, time - changed) / 1000);
  };
  const add = (name: string, hosts: string[]) => () => {
    const all = stacks.flatMap(({ zone }) => hosts.map((host) => `${host}.${zone}`));
    return apply(objectsIn(namespace).ingress({ name, hosts: all, annotations: { [target]: address } }));
  };

  const times: Record<string, number[][]> = { asked: [], fresh: [], gone: [] };
  for (let trial = 0; trial < trials; trial++) {
    const asked = `asked-${trial}`;
    times.asked!.push(await observe(add(asked, [asked]), [asked], address, true));
    times.gone!.push(await observe(() => remove('ingress', asked, namespace), [asked], 'NXDOMAIN', true));
    const fresh = Array.from({ length: freshNames }, (_, index) => `fresh-${trial}-${index}`);
    times.fresh!.push(await observe(add(`fresh-${trial}`, fresh), fresh, address, false));
    await remove('ingress', `fresh-${trial}`, namespace);
  }

  const row = (what: string, measured: number[][]) => [
    what,
    ...stacks.flatMap((_, index) => {
      const values = measured.map((each) => each[index]!);
      return [0.5, 0.95].map((fraction) => seconds(quantile(values, fraction)));
    }),
    trials,
  ];
  printTable(
    'Latency, both stacks at once on the same Ingresses (s after `kubectl` has returned)',
    ['', ...stacks.flatMap(({ title }) => [`${title}, p50`, 'p95']), 'n'],
    [
      row('Ingress applied -> first right answer, queried continuously', times.asked!),
      row(`the same, never queried before (${freshNames} names)`, times.fresh!),
      row('Ingress deleted -> NXDOMAIN', times.gone!),
    ],
  );
}

/** When the first of `names`, queried in turn, was answered with `expected`. */
async function firstAnswerAt(client: Client, names: string[], expected: string): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  for (let question = 0; performance.now() < deadline; question++) {
    const name = names[Math.min(question, names.length - 1)]!;
    if ((await client.answer(name).catch(() => 'nothing')) === expected) return performance.now();
    await sleep(everyMs);
  }
  throw new Error(`${names[0]} is not ${expected} after ${deadlineMs / 1000} s`);
}
