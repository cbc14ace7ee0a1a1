import { setTimeout as sleep } from 'node:timers/promises';
import { apply, remove } from '../e2e/cluster/kubectl.ts';
import type { Client } from '../e2e/cluster/names.ts';
import { objectsIn, target } from '../e2e/cluster/objects.ts';
import { clientTo, stacks } from './stacks.ts';
import { printTable, quantile, seconds } from './table.ts';

const trials = 20;
const everyMs = 50;
const deadlineMs = 60_000;
// More than a loop of ExternalDNS has room for: each is asked for once, so no negative answer was ever cached for it.
const freshNames = 100;
/** What the Ingresses say their address is, so that no controller's time is in the figures. */
const address = '192.0.2.1';

/** Ingresses with hosts in both zones come and go; both stacks are watched at once. */
export async function benchLatency(namespace: string): Promise<void> {
  const clients = await Promise.all(stacks.map(clientTo));
  /** The seconds from `change` to the first `wanted`, of each stack. */
  const observe = async (change: () => Promise<unknown>, hosts: string[], wanted: string, askBefore: boolean) => {
    const watch = () =>
      stacks.map(({ zone }, index) => {
        const names = hosts.map((host) => `${host}.${zone}`);
        return noticed(clients[index]!, names, wanted);
      });
    const early = askBefore ? watch() : undefined;
    // At any moment of the stacks' loops.
    await sleep(500 + Math.random() * 2_000);
    await change();
    const changed = performance.now();
    const times = await Promise.all(early ?? watch());
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
      return [0.5, 0.95].map((share) => seconds(quantile(values, share)));
    }),
    trials,
  ];
  printTable(
    'Ingress -> answer, both stacks at once on the same Ingresses (s after `kubectl` has returned)',
    ['', ...stacks.flatMap(({ title }) => [`${title}, p50`, 'p95']), 'n'],
    [
      row('applied -> first right answer, asked for all the while', times.asked!),
      row(`applied -> first right answer, never asked for before (of ${freshNames} names)`, times.fresh!),
      row('deleted -> NXDOMAIN', times.gone!),
    ],
  );
}

/** When the first of `names`, asked for in turn, was answered with `wanted`. */
async function noticed(client: Client, names: string[], wanted: string): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  for (let question = 0; performance.now() < deadline; question++) {
    const name = names[Math.min(question, names.length - 1)]!;
    if ((await client.answer(name).catch(() => 'nothing')) === wanted) return performance.now();
    await sleep(everyMs);
  }
  throw new Error(`cannot wait longer for ${names[0]}: it is not ${wanted} after ${deadlineMs / 1000} s`);
}
