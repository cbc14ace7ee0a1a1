/** The pods of the servers. */
import { get, kubectl } from './kubectl.ts';

const namespace = 'internal-dns';

/** Runs a command of a container's image in it; returns its output. */
export const inPod = (pod: string, container: string, ...command: string[]): Promise<string> =>
  kubectl('-n', namespace, 'exec', pod, '-c', container, '--', ...command);

/** Sends a signal to PowerDNS, which is a child of process 1, a script. */
export const signalPowerDNS = (pod: string, signal: 'STOP' | 'CONT' | 'KILL'): Promise<string> => {
  // Processes come and go meanwhile, so the exit code of the last test in the loop means nothing.
  const script = `cd /proc; for p in [0-9]*; do if grep -q pdns_server $p/comm; then kill -${signal} $p && sent=1; fi; done; [ "$sent" ]`;
  return inPod(pod, 'powerdns', 'sh', '-c', script);
};

/** Runs PowerDNS's own tool, as a person would. */
export const pdnsutil = (pod: string, ...command: string[]): Promise<string> =>
  inPod(pod, 'powerdns', 'pdnsutil', '--config-dir=/etc/internal-dns/powerdns', ...command);

/** Runs a script in the process namespace of ExternalDNS, whose image has no shell. The debug container stays in the pod. */
export const debugExternalDNS = (pod: string, script: string): Promise<string> =>
  kubectl(
    ...['-n', namespace, 'debug', pod, '--image=docker.io/powerdns/pdns-auth-51:5.1.5', '--profile=restricted'],
    ...['--target=external-dns', '--', 'sh', '-c', script],
  );

/** A container in the spec of a pod. */
export async function containerOf(pod: string, name: string) {
  const { spec } = await get('pod', pod, namespace);
  return [...spec.initContainers, ...spec.containers].find((container) => container.name === name);
}

/** Changes with a restart of the pod or of one of its containers, and then says how that container ended. */
export async function identityOf(pod: string): Promise<{ uid: string; ended: Record<string, unknown> }> {
  const { metadata, status } = await get('pod', pod, namespace);
  const all: { name: string; lastState: { terminated?: object } }[] = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ];
  const ended = Object.fromEntries(all.map(({ name, lastState }) => [name, lastState.terminated ?? 'never']));
  return { uid: metadata.uid ?? '', ended };
}

interface Usage {
  /** Of the container. */
  name: string;
  mebibytes: number;
  /** Since the container started. */
  cpuSeconds: number;
  /** When the CPU time was read: seconds since 1970. */
  at: number;
}

/** Memory and CPU time of a pod's containers, from the kubelet. */
export async function usageIn(pod: string): Promise<Usage[]> {
  const { spec } = await get('pod', pod, namespace);
  const path = `/api/v1/nodes/${spec.nodeName}/proxy/stats/summary?only_cpu_and_memory=true`;
  const { pods } = JSON.parse(await kubectl('get', '--raw', path));
  const { containers } = pods.find((p: { podRef: { name: string } }) => p.podRef.name === pod);
  return containers.map(
    ({ name, cpu, memory }: { name: string; cpu: Record<string, never>; memory: Record<string, number> }) => ({
      name,
      mebibytes: Number(memory.workingSetBytes) / 2 ** 20,
      cpuSeconds: Number(cpu.usageCoreNanoSeconds) / 1e9,
      at: Date.parse(cpu.time as never) / 1000,
    }),
  );
}
