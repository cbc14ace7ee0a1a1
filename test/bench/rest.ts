/** What kubelet says of a pod that has nothing to do but to look whether there is something to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl, list } from '../e2e/cluster/kubectl.ts';

const settleMs = 15_000;
const windowMs = 60_000;

/** A container, or the whole pod: mean processor use over the window in thousandths of a core, working set at its end in bytes. */
export interface Rest {
  name: string;
  millicores: number;
  memory: number;
}

interface Sample {
  name?: string;
  cpu: { time: string; usageCoreNanoSeconds: number };
  memory: { workingSetBytes: number };
}

/** Watches the first pod of `selector` for a minute; the whole pod first, then its containers. */
export async function podAtRest({
  namespace,
  selector,
}: {
  namespace: string;
  selector: string;
}): Promise<[Rest, ...Rest[]]> {
  const [pod] = await list('pod', '-n', namespace, '-l', selector);
  if (!pod) throw new Error(`cannot find the pod ${selector} in ${namespace}`);
  const { nodeName } = pod.spec;
  await sleep(settleMs);
  const before = await samples(nodeName, pod.metadata.uid!);
  await sleep(windowMs);
  const after = await samples(nodeName, pod.metadata.uid!);
  const [whole, ...containers] = after.map(({ name = 'pod', cpu, memory }, index) => {
    const { time, usageCoreNanoSeconds } = before[index]!.cpu;
    // kubelet's samples are seconds old; each says how old.
    const nanoseconds = (Date.parse(cpu.time) - Date.parse(time)) * 1e6;
    const millicores = ((cpu.usageCoreNanoSeconds - usageCoreNanoSeconds) / nanoseconds) * 1000;
    return { name, millicores, memory: memory.workingSetBytes };
  });
  return [whole!, ...containers];
}

/** How often ExternalDNS has asked the API server since it started; a watch that goes on is one request. */
export async function apiRequests({ namespace, selector }: { namespace: string; selector: string }): Promise<number> {
  const [pod] = await list('pod', '-n', namespace, '-l', selector);
  const path = `/api/v1/namespaces/${namespace}/pods/${pod?.metadata.name}:7979/proxy/metrics`;
  const lines = (await kubectl('get', '--raw', path)).split('\n');
  return lines
    .filter((line) => /^external_dns_http_request_duration_seconds_count\{.*scheme="https"/.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function samples(node: string, uid: string): Promise<Sample[]> {
  const summary = await kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary?only_cpu_and_memory=true`);
  const pods = JSON.parse(summary).pods as (Sample & { podRef: { uid: string }; containers: Sample[] })[];
  const pod = pods.find(({ podRef }) => podRef.uid === uid);
  if (!pod) throw new Error(`cannot find the pod ${uid} in kubelet's summary`);
  return [pod, ...pod.containers.sort((a, b) => (a.name! < b.name! ? -1 : 1))];
}
