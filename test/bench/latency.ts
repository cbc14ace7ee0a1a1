import { setTimeout as sleep } from 'node:timers/promises';
import { writeAddresses } from '../e2e/cluster/ingress-status.ts';
import { remove } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import { createIngress } from './ingress.ts';
import type { Contender } from './stacks.ts';
import { printTable, quantile, seconds } from './table.ts';

const trials = 40;
const everyMs = 50;
const deadlineMs = 60_000;
// Enough for more than a loop of ExternalDNS: each is queried only once, so no negative answer is cached for it.
const freshNames = 100;
const address = '192.0.2.1';

/** Creates and deletes Ingresses with hosts in every zone, and measures all contenders at once. */
export async function benchLatency(contenders: readonly Contender[], namespace: string): Promise<void> {
  const clients = await Promise.all(contenders.map(({ client }) => client()));
  /** The seconds from `change` to the first expected answer, of each contender. */
  const observe = async (change: () => Promise<unknown>, hosts: string[], expected: string, queryBefore: boolean) => {
    const watch = () =>
      contenders.map(({ zone }, index) => {
        const names = hosts.map((host) => `${host}.${zone}`);
        return firstAnswerAt(clients[index]!, names, expected);
      });
    const running = queryBefore ? watch() : undefined;
    // At a random moment of the loops.
    await sleep(500 + Math.random() * 2_000);
    await change();
    const changed = performance.now();
    const times = await Promise.all(running ?? watch());
    return times.map((time) => Math.max(0, time - changed) / 1000);
  };
  const create = (name: string, hosts: string[]) =>
    createIngress(
      namespace,
      name,
      contenders.flatMap(({ zone }) => hosts.map((host) => `${host}.${zone}`)),
    );
  const give = (name: string) => () => writeAddresses(namespace, name, address);

  const times: Record<string, number[][]> = { asked: [], fresh: [], gone: [] };
  for (let trial = 0; trial < trials; trial++) {
    const asked = `asked-${trial}`;
    await create(asked, [asked]);
    times.asked!.push(await observe(give(asked), [asked], address, true));
    times.gone!.push(await observe(() => remove('ingress', asked, namespace), [asked], 'NXDOMAIN', true));
    const names = Array.from({ length: freshNames }, (_, index) => `fresh-${trial}-${index}`);
    const fresh = `fresh-${trial}`;
    await create(fresh, names);
    times.fresh!.push(await observe(give(fresh), names, address, false));
    await remove('ingress', fresh, namespace);
  }

  const row = (what: string, measured: number[][]) => [
    what,
    ...contenders.flatMap((_, index) => {
      const values = measured.map((each) => each[index]!);
      return [0.5, 0.95].map((fraction) => seconds(quantile(values, fraction)));
    }),
    trials,
  ];
  printTable(
    'Latency, all at once on the same Ingresses (s after the API server has returned)',
    ['', ...contenders.flatMap(({ title }) => [`${title}, p50`, 'p95']), 'n'],
    [
      row('Ingress gets its address -> first right answer, queried continuously', times.asked!),
      row(`the same, never queried before (${freshNames} names)`, times.fresh!),
      row('Ingress deleted -> NXDOMAIN', times.gone!),
    ],
  );
}

/** When the first of `names`, queried in turn, was answered with `expected`. */
export async function firstAnswerAt(client: Client, names: string[], expected: string): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  for (let question = 0; performance.now() < deadline; question++) {
    const name = names[Math.min(question, names.length - 1)]!;
    if ((await client.answer(name).catch(() => 'nothing')) === expected) return performance.now();
    await sleep(everyMs);
  }
  throw new Error(`${names[0]} is not ${expected} after ${deadlineMs / 1000} s`);
}
