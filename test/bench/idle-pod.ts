/** CPU and memory of what is idle: of a pod from the kubelet, of a process from the kernel. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl, list } from '../e2e/cluster/kubectl.ts';
import type { ProcessUsage } from './process.ts';

/** Samples of the kubelet may be so old that the time before the last change is in them. */
const settleMs = 45_000;
const windowMs = 60_000;

/** Of a container or of the whole pod: mean CPU over the window in thousandths of a core, working set at its end in bytes. */
export interface Usage {
  name: string;
  millicores: number;
  memory: number;
}

interface Sample {
  name?: string;
  cpu: { time: string; usageCoreNanoSeconds: number };
  memory: { workingSetBytes: number };
}

/** Measures the first pod of `selector` for a minute; returns the whole pod first, then its containers. */
export async function idlePod({
  namespace,
  selector,
}: {
  namespace: string;
  selector: string;
}): Promise<[Usage, ...Usage[]]> {
  const [pod] = await list('pod', { namespace, labels: selector });
  if (!pod) throw new Error(`cannot find the pod ${selector} in ${namespace}`);
  const { nodeName } = pod.spec;
  await sleep(settleMs);
  const before = await samples(nodeName, pod.metadata.uid!);
  await sleep(windowMs);
  const after = await samples(nodeName, pod.metadata.uid!);
  const [whole, ...containers] = after.map(({ name = 'pod', cpu, memory }, index) => {
    const { time, usageCoreNanoSeconds } = before[index]!.cpu;
    // The kubelet's samples are seconds old, so their own times count.
    const nanoseconds = (Date.parse(cpu.time) - Date.parse(time)) * 1e6;
    const millicores = ((cpu.usageCoreNanoSeconds - usageCoreNanoSeconds) / nanoseconds) * 1000;
    return { name, millicores, memory: memory.workingSetBytes };
  });
  return [whole!, ...containers];
}

/** Measures a process for a minute. */
export async function idleProcess(name: string, { cpu, memory }: Omit<ProcessUsage, 'stop'>): Promise<[Usage]> {
  await sleep(settleMs);
  const before = { cpu: cpu(), at: performance.now() };
  await sleep(windowMs);
  const millicores = ((cpu() - before.cpu) / (performance.now() - before.at)) * 1000;
  return [{ name, millicores, memory: memory() }];
}

async function samples(node: string, uid: string): Promise<Sample[]> {
  const summary = await kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary?only_cpu_and_memory=true`);
  const pods = JSON.parse(summary).pods as (Sample & { podRef: { uid: string }; containers: Sample[] })[];
  const pod = pods.find(({ podRef }) => podRef.uid === uid);
  if (!pod) throw new Error(`cannot find the pod ${uid} in kubelet's summary`);
  return [pod, ...pod.containers.sort((a, b) => (a.name! < b.name! ? -1 : 1))];
}
