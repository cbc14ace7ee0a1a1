import { k8s } from 'cdk8s-plus-28';
import { pinned } from '../build.ts';
import type { Instance } from '../instance.ts';
import { paths, resolverLabels, resolverPorts } from '../names.ts';
import { hardened, liveness, resourcesOf } from '../server/container.ts';
import { restricted, spread } from '../server/pod.ts';
import { certificateFolder, defaults, encrypted, image } from './dnsdist.ts';
import type { Resolver } from './settings.ts';

/** A new pod gets questions once it knows which of its upstreams answer: it checks them every second. */
const readiness = { initialDelaySeconds: 2, periodSeconds: 3, failureThreshold: 1 };

/**
 * How long a terminating pod keeps answering while its clients move to another one, as of a server: the time in which it
 * becomes unready, and for every node to learn of it.
 */
const drainSeconds = readiness.periodSeconds + 12;

/** Exists in a pod that is about to stop. */
const stopping = `${paths.resolver}/stopping`;

/** Whether one pod answers while another one is taken away. */
export const hasDisruptionBudget = ({ replicas }: Resolver): boolean => replicas > 1;

/** The pods of the resolver: dnsdist, with neither a token nor a writable disk. */
export function podOf({ spec, names }: Instance, resolver: Resolver, configMap: string): k8s.PodSpec {
  const certificates = encrypted.filter((field) => resolver[field]);
  return {
    ...restricted(spec, names.resolver),
    // On a single node, too: two pods there are no worse than one.
    // Without those that an update is about to replace.
    topologySpreadConstraints: [
      { ...spread(resolverLabels(names.composite), 'ScheduleAnyway'), matchLabelKeys: ['pod-template-hash'] },
    ],
    containers: [dnsdist({ spec, certificates })],
    volumes: [
      { name: 'dnsdist', configMap: { name: configMap } },
      { name: 'state', emptyDir: { medium: 'Memory', sizeLimit: k8s.Quantity.fromString('1Mi') } },
      ...certificates.map((field) => certificateVolume(field, resolver[field]?.certificate.secretRef.name as string)),
    ],
  };
}

const volumeName = (field: (typeof encrypted)[number]) => field.toLowerCase();

/** Without one of its keys a pod does not start, so that those that run stay. */
const certificateVolume = (field: (typeof encrypted)[number], secretName: string): k8s.Volume => ({
  name: volumeName(field),
  secret: {
    secretName,
    items: ['tls.crt', 'tls.key'].map((key) => ({ key, path: key })),
    defaultMode: 0o440,
  },
});

interface DnsdistOptions extends Pick<Instance, 'spec'> {
  certificates: (typeof encrypted)[number][];
}

function dnsdist({ spec, certificates }: DnsdistOptions): k8s.Container {
  const port = (name: string, containerPort: number, protocol = 'TCP') => ({ name, containerPort, protocol });
  const metrics = { path: '/metrics', port: k8s.IntOrString.fromNumber(resolverPorts.metrics) };
  return {
    name: 'dnsdist',
    image: spec.images.dnsdist ?? pinned(image),
    imagePullPolicy: spec.images.pullPolicy,
    // The image's own start script would add settings from the environment.
    command: ['/usr/local/bin/dnsdist', '--supervised', '--disable-syslog', '--config', `${paths.dnsdist}/dnsdist.yml`],
    securityContext: hardened,
    resources: resourcesOf(spec.resources.resolver, defaults),
    ports: [
      port('dns', resolverPorts.dns, 'UDP'),
      port('dns-tcp', resolverPorts.dns),
      port('agents', resolverPorts.agents, 'UDP'),
      port('agents-tcp', resolverPorts.agents),
      ...certificates.map((field) => port(volumeName(field), resolverPorts[volumeName(field) as 'dot' | 'doh'])),
      port('metrics', resolverPorts.metrics),
    ],
    startupProbe: { httpGet: metrics, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { httpGet: metrics, ...liveness },
    // A node forgets which pod a client has asked only when that pod is unready, not when it terminates:
    // https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/proxy/conntrack/cleanup.go#L76-L86
    readinessProbe: { exec: { command: ['test', '!', '-e', stopping] }, ...readiness },
    // dnsdist exits within a second of SIGTERM, whatever waits for an answer.
    lifecycle: { preStop: { exec: { command: ['sh', '-c', `touch ${stopping}; sleep ${drainSeconds}`] } } },
    volumeMounts: [
      { name: 'dnsdist', mountPath: paths.dnsdist, readOnly: true },
      { name: 'state', mountPath: paths.resolver },
      ...certificates.map((field) => ({
        name: volumeName(field),
        mountPath: certificateFolder(field),
        readOnly: true,
      })),
    ],
  };
}
