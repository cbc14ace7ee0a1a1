import { k8s } from 'cdk8s-plus-28';
import { declarationKey } from '../../contract/declaration.ts';
import { readinessTimeoutSeconds } from '../../contract/readiness.ts';
import { agentImage } from '../build.ts';
import { claimOf, type Names, paths, ports } from '../names.ts';
import {
  type ContainerOptions,
  hardened,
  liveness,
  memoryLimitOf,
  type Resources,
  resourcesOf,
  tokenMount,
} from './container.ts';

const defaults: Resources = { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '256Mi' } };

export interface AgentOptions extends ContainerOptions {
  names: Names;
  /** Whether ExternalDNS runs beside it. */
  sidecar: boolean;
  replicas: number;
}

/**
 * The agent, the only writer to PowerDNS. It is a native sidecar, which starts before ExternalDNS; without ExternalDNS
 * it is the main container.
 */
export function agent(options: AgentOptions): k8s.Container {
  const { names, resources } = options;
  const memoryLimit = memoryLimitOf(resources, defaults);
  return {
    name: 'agent',
    image: options.image ?? agentImage,
    imagePullPolicy: options.pullPolicy,
    ...(options.sidecar && { restartPolicy: 'Always' }),
    // The entry point of the image serves the function: functions/package/build.sh.
    command: ['/nodejs/bin/node', '/app/agent.cjs'],
    args: [
      `--declaration=${paths.declared}/${declarationKey}`,
      `--powerdns-api=http://127.0.0.1:${ports.powerdnsAPI}`,
      `--powerdns-key=${paths.key}/api.conf`,
      `--dns=127.0.0.1:${ports.dns}`,
      `--webhook=127.0.0.1:${ports.webhook}`,
      `--http=:${ports.agent}`,
      `--probes=:${ports.probes}`,
      `--declared-config-map=${names.declared}`,
      `--status-config-map=${names.status}`,
      // Set even if the Secret does not exist: signing a first zone must not restart the pod.
      `--keys-secret=${names.dnssec}`,
      `--kept-config-map=${names.kept}`,
      // Likewise.
      `--tailnet-config-map=${names.tailnet}`,
      '--pod=$(POD_NAME)',
      '--namespace=$(POD_NAMESPACE)',
      // Set even if there is none: the agent expands it only if the declaration has a size.
      `--claim=${claimOf('$(POD_NAME)')}`,
      '--host-ips=$(HOST_IPS)',
      ...(memoryLimit === undefined ? [] : [`--memory-limit=${memoryLimit}`]),
    ],
    env: [
      // Arenas of mostly idle threads are the largest part of Node's memory outside its heap.
      { name: 'MALLOC_ARENA_MAX', value: '1' },
      // Request bodies are large and short-lived: by default malloc keeps up to 32 MiB of them for reuse.
      // https://man7.org/linux/man-pages/man3/mallopt.3.html (M_MMAP_THRESHOLD)
      { name: 'MALLOC_MMAP_THRESHOLD_', value: '131072' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'HOST_IPS', valueFrom: { fieldRef: { fieldPath: 'status.hostIPs' } } },
    ],
    securityContext: hardened,
    resources: resourcesOf(resources, defaults),
    ports: [{ name: 'http', containerPort: ports.agent }],
    startupProbe: { httpGet: { path: '/healthz', port: probesPort }, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { httpGet: { path: '/healthz', port: probesPort }, ...liveness },
    readinessProbe: { httpGet: { path: '/readyz', port: probesPort }, ...readinessOf(options) },
    volumeMounts: [
      { name: 'declared', mountPath: paths.declared, readOnly: true },
      { name: 'key', mountPath: paths.key, readOnly: true },
      tokenMount,
    ],
  };
}

// A ready agent stays ready until it exits, so a single late answer must not remove the pod from the Service.
const failureThreshold = 3;

/** How often each of several replicas is asked. That of a single one tells nobody to go elsewhere. */
const periodSeconds = { several: 2, single: 10 };

const readinessOf = ({ replicas }: Pick<AgentOptions, 'replicas'>) => ({
  periodSeconds: replicas > 1 ? periodSeconds.several : periodSeconds.single,
  timeoutSeconds: readinessTimeoutSeconds,
  failureThreshold,
});

/** How long one of several pods can stay marked as ready after its agent has exited. */
export const staleReadySeconds = periodSeconds.several * failureThreshold;

// Only kubelet uses this port, so that no other client can delay the probes.
const probesPort = k8s.IntOrString.fromNumber(ports.probes);
