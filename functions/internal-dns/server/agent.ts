import { k8s } from 'cdk8s-plus-28';
import { declarationKey } from '../../contract/declaration.ts';
import { agentImage } from '../build.ts';
import { claimTemplate, type Names, paths, ports } from '../names.ts';
import {
  type ContainerOptions,
  hardened,
  memoryLimitOf,
  type Resources,
  resourcesOf,
  tokenMount,
} from './container.ts';

const defaults: Resources = { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '256Mi' } };

/** The agent: PowerDNS's only writer. As a sidecar it is up before ExternalDNS asks; without ExternalDNS it is the main container. */
export function agent(options: ContainerOptions & { names: Names; sidecar: boolean }): k8s.Container {
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
      // Also while there is none: a first signed zone must not restart the pod.
      `--keys-secret=${names.dnssec}`,
      `--kept-config-map=${names.kept}`,
      '--pod=$(POD_NAME)',
      '--namespace=$(POD_NAMESPACE)',
      `--claim=${claimTemplate}-$(POD_NAME)`,
      ...(memoryLimit === undefined ? [] : [`--memory-limit=${memoryLimit}`]),
    ],
    env: [
      // Of the memory that Node takes besides its heap, arenas for threads that hardly run are the largest part.
      { name: 'MALLOC_ARENA_MAX', value: '1' },
      // The bodies of requests are large and gone at once: by default malloc keeps up to 32 MiB for the next ones.
      // https://man7.org/linux/man-pages/man3/mallopt.3.html (M_MMAP_THRESHOLD)
      { name: 'MALLOC_MMAP_THRESHOLD_', value: '131072' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ],
    securityContext: hardened,
    resources: resourcesOf(resources, defaults),
    ports: [{ name: 'http', containerPort: ports.agent }],
    startupProbe: { httpGet: { path: '/healthz', port: probesPort }, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { httpGet: { path: '/healthz', port: probesPort }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: '/readyz', port: probesPort }, ...readiness },
    volumeMounts: [
      { name: 'declared', mountPath: paths.declared, readOnly: true },
      { name: 'key', mountPath: paths.key, readOnly: true },
      tokenMount,
    ],
  };
}

// What was ready once stays so: a late answer must not take the pod out of the Service.
const readiness = { periodSeconds: 2, failureThreshold: 3 };

/** How long a pod may still be called ready after its agent has ended. */
export const staleReadySeconds = readiness.periodSeconds * readiness.failureThreshold;

// Where nobody but kubelet comes, so that no stranger can make it wait.
const probesPort = k8s.IntOrString.fromNumber(ports.probes);
