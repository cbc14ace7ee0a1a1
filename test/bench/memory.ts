import { setTimeout as sleep } from 'node:timers/promises';
import { answeredIn, startAgent } from './agent.ts';
import { changed, type Host, hostsOf, zone } from './declared-zone.ts';
import { idle } from './process.ts';
import { mebibytes, printTable } from './table.ts';

const changes = 10;
const settleMs = 10_000;
const restMs = 30_000;

interface Memory {
  memory: number;
  anonymous: number;
}

type Rest = Memory & { millicores: number };

/** Prints what the agent takes when it has `size` records and nothing to do. */
export async function benchMemory(bundle: string, size: number): Promise<void> {
  const full = await restOf(bundle, hostsOf(size));
  const empty = await restOf(bundle, []);
  const bare = await bareMemory();
  const sizesOf = ({ memory, anonymous }: Memory) => [mebibytes(memory), mebibytes(anonymous)];
  printTable(
    `The agent at rest, ${restMs / 1_000} s, with the heap that Node gives itself under the pod's limit`,
    ['', 'RSS MiB', 'of it anonymous', 'CPU millicores', 'n'],
    [
      [`${size} records, after ${changes} changes`, ...sizesOf(full), full.millicores.toFixed(1), 1],
      ['baseline: an empty zone', ...sizesOf(empty), empty.millicores.toFixed(1), 1],
      ['baseline: bare node', ...sizesOf(bare), '', 1],
    ],
  );
}

async function restOf(bundle: string, hosts: Host[]): Promise<Rest> {
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
    await sleep(restMs);
    const millicores = ((agent.cpu() - before) / restMs) * 1_000;
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
