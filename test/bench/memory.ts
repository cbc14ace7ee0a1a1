import { setTimeout as sleep } from 'node:timers/promises';
import { answeredIn, startAgent } from './agent.ts';
import { changed, type Host, hostsOf, zone } from './declared-zone.ts';
import { idle } from './process.ts';
import { mebibytes, printTable } from './table.ts';

const changes = 10;
const settleMs = 10_000;
const windowMs = 30_000;

interface Memory {
  memory: number;
  anonymous: number;
}

type Usage = Memory & { millicores: number };

/** Prints the memory and CPU of the idle agent with `size` records. */
export async function benchMemory(bundle: string, size: number): Promise<void> {
  const full = await idleUsageOf(bundle, hostsOf(size));
  const empty = await idleUsageOf(bundle, []);
  const bare = await bareMemory();
  const sizesOf = ({ memory, anonymous }: Memory) => [mebibytes(memory), mebibytes(anonymous)];
  printTable(
    `The idle agent, ${windowMs / 1_000} s, with Node's heap as under the pod's limit`,
    ['', 'RSS MiB', 'of which anonymous', 'CPU millicores', 'n'],
    [
      [
        `${size.toLocaleString('en')} records, after ${changes} changes`,
        ...sizesOf(full),
        full.millicores.toFixed(1),
        1,
      ],
      ['an empty zone', ...sizesOf(empty), empty.millicores.toFixed(1), 1],
      ['bare node', ...sizesOf(bare), '', 1],
    ],
  );
}

async function idleUsageOf(bundle: string, hosts: Host[]): Promise<Usage> {
  const agent = await startAgent(bundle);
  try {
    agent.declare(hosts);
    await answeredIn(agent.server, `ns1.${zone}`, '127.0.0.1');
    for (let change = 0; change < Math.min(changes, hosts.length); change++) {
      const next = changed(hosts, change);
      const [name, address] = next[change]!;
      agent.declare(next);
      await answeredIn(agent.server, `${name}.${zone}`, address);
    }
    await sleep(settleMs);
    const before = agent.cpu();
    await sleep(windowMs);
    const millicores = ((agent.cpu() - before) / windowMs) * 1_000;
    return { memory: agent.memory(), anonymous: agent.anonymous(), millicores };
  } finally {
    await agent.stop();
  }
}

async function bareMemory(): Promise<Memory> {
  const node = await idle();
  const memory = { memory: node.memory(), anonymous: node.anonymous() };
  await node.stop();
  return memory;
}
