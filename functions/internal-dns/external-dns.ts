import { k8s } from 'cdk8s-plus-28';
import { type ContainerOptions, hardened, resourcesOf, tokenMount } from './container.ts';
import { ports } from './names.ts';
import type { Spec } from './spec.ts';

const image = 'registry.k8s.io/external-dns/external-dns:v0.23.0';

const policies = { Sync: 'sync', UpsertOnly: 'upsert-only', CreateOnly: 'create-only' } as const;

/** ExternalDNS, with the agent as its provider. The agent is the registry, too: hence `noop`. */
export function externalDNS(options: ContainerOptions & { discovery: Spec['discovery'] }): k8s.Container {
  const { sources, interval, policy } = options.discovery;
  return {
    name: 'external-dns',
    image: options.image ?? image,
    imagePullPolicy: options.pullPolicy,
    args: [
      ...sources.map(({ kind }) => `--source=${kind.toLowerCase()}`),
      // The other types need to read every Pod and Node of the cluster.
      ...(sources.some(({ kind }) => kind === 'Service') ? ['--service-type-filter=LoadBalancer'] : []),
      '--provider=webhook',
      `--webhook-provider-url=http://127.0.0.1:${ports.webhook}`,
      '--registry=noop',
      `--policy=${policies[policy]}`,
      `--interval=${interval}`,
      // v0.22 changed the prefix of the annotations and deletes the records of objects that bear the old one:
      // https://github.com/kubernetes-sigs/external-dns/issues/6424
      '--enable-legacy-annotation-prefix',
      `--metrics-address=:${ports.externalDNS}`,
      '--log-format=json',
    ],
    securityContext: hardened,
    resources: resourcesOf(options.resources, {
      requests: { cpu: '10m', memory: '64Mi' },
      limits: { memory: '256Mi' },
    }),
    ports: [{ name: 'discovery', containerPort: ports.externalDNS }],
    livenessProbe: {
      httpGet: { path: '/healthz', port: k8s.IntOrString.fromNumber(ports.externalDNS) },
      periodSeconds: 10,
      failureThreshold: 3,
    },
    volumeMounts: [tokenMount],
  };
}
