import { k8s } from 'cdk8s-plus-28';
import { discoverable } from '../../contract/declaration.ts';
import { printedSelector } from '../../contract/label-selector.ts';
import { pinned } from '../build.ts';
import { intervalOf } from '../discovery/anticipation.ts';
import { flagOf, unlessOverridden } from '../discovery/extra-args.ts';
import { routes } from '../discovery/kind.ts';
import { watchedByExternalDNS } from '../discovery/served.ts';
import { type SpecSource, serviceTypesOf } from '../discovery/source.ts';
import { ports } from '../names.ts';
import type { Spec } from '../spec.ts';
import {
  type ContainerOptions,
  hardened,
  liveness,
  memoryLimitOf,
  type Resources,
  resourcesOf,
  tokenMount,
} from './container.ts';

export const image = 'registry.k8s.io/external-dns/external-dns:v0.23.0';

export interface ExternalDNSOptions extends ContainerOptions {
  discovery: Spec['discovery'];
  /** The sources that the cluster serves: ExternalDNS exits if it cannot watch one. */
  sources: SpecSource[];
}

/** ExternalDNS, with the agent as its provider: one for the whole cluster, or one for each namespace. */
export function externalDNS(options: ExternalDNSOptions): k8s.Container[] {
  const { namespaces } = options.discovery;
  return namespaces.length === 0
    ? [container(options, 0)]
    : namespaces.map((namespace, index) => container(options, index, namespace));
}

const defaults: Resources = { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } };

/** The rest of the limit is for memory outside the Go runtime, and for when garbage collection falls behind. */
const heapShare = 0.9;

/** The port on which each ExternalDNS serves its metrics. */
export const metricsPorts = ({ namespaces, sources }: Spec['discovery']): number[] =>
  Array.from(
    { length: watchedByExternalDNS(sources).length === 0 ? 0 : Math.max(1, namespaces.length) },
    (_, index) => ports.externalDNS + index,
  );

function container(options: ExternalDNSOptions, index: number, namespace?: string): k8s.Container {
  const suffix = index === 0 ? '' : `-${index + 1}`;
  const port = ports.externalDNS + index;
  const memoryLimit = memoryLimitOf(options.resources, defaults);
  return {
    name: `external-dns${suffix}`,
    image: options.image ?? pinned(image),
    imagePullPolicy: options.pullPolicy,
    args: argumentsOf(options.discovery, options.sources, port, namespace),
    // Go collects garbage when its heap has doubled, whatever the limit:
    // https://pkg.go.dev/runtime#hdr-Environment_Variables
    env:
      memoryLimit === undefined ? undefined : [{ name: 'GOMEMLIMIT', value: `${Math.floor(memoryLimit * heapShare)}` }],
    securityContext: hardened,
    resources: resourcesOf(options.resources, defaults),
    ports: [{ name: `discovery${suffix}`, containerPort: port }],
    livenessProbe: { httpGet: { path: '/healthz', port: k8s.IntOrString.fromNumber(port) }, ...liveness },
    volumeMounts: [tokenMount],
  };
}

function argumentsOf(
  discovery: Spec['discovery'],
  sources: SpecSource[],
  port: number,
  namespace: string | undefined,
): string[] {
  const { annotationPrefix, extraArgs } = discovery;
  const webhook = `--webhook-provider-url=http://127.0.0.1:${ports.webhook}`;
  return [
    ...watchedByExternalDNS(sources).map(({ flag }) => `--source=${flag}`),
    ...sources.flatMap(filtersOf),
    ...gatewayFilters(sources),
    ...(namespace ? [`--namespace=${namespace}`] : []),
    ...selection(discovery),
    // All types, whatever the spec selects: ExternalDNS never deletes records of a type that it does not manage.
    ...discoverable.map((type) => `--managed-record-types=${type}`),
    '--provider=webhook',
    namespace ? `${webhook}/namespaces/${namespace}` : webhook,
    // Regardless of the spec: the agent is the registry, and applies the policy in its answers.
    '--registry=noop',
    '--policy=sync',
    `--interval=${intervalOf(discovery)}`,
    // v0.22 changed the prefix of the annotations and deletes the records of objects that have the old one:
    // https://github.com/kubernetes-sigs/external-dns/issues/6424
    annotationPrefix ? `--annotation-prefix=${annotationPrefix}` : '--enable-legacy-annotation-prefix',
    `--metrics-address=:${port}`,
    '--log-format=json',
    ...unlessOverridden(extraArgs, sources.some(({ kind }) => kind === 'DNSEndpoint') ? statusRateLimits : []),
    ...extraArgs,
  ];
}

/**
 * ExternalDNS updates the status of each new DNSEndpoint within its loop. At its default of five requests per second,
 * sixty of them took eleven seconds, in which no other object got a record:
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/crd.go#L176
 */
const statusRateLimits = ['--kube-api-qps=100', '--kube-api-burst=200'];

function filtersOf(source: SpecSource): string[] {
  const { kind, ingressClassNames = [], resources = [] } = source;
  const types = kind === 'Service' ? serviceTypesOf(source) : [];
  return [
    ...ingressClassNames.map((name) => `--ingress-class=${name}`),
    // Without a filter ExternalDNS reads all Pods and Nodes of the cluster.
    ...types.map((type) => `--service-type-filter=${type}`),
    ...(types.includes('ClusterIP') ? ['--publish-internal-services'] : []),
    ...resources.map((resource) => `--unstructured-resource=${resource}`),
  ];
}

/** The filters of routes. A spec has the same for all of them: ExternalDNS has one set of flags. */
function gatewayFilters(sources: SpecSource[]): string[] {
  const { gatewayName, gatewayNamespace, gatewayLabels } = sources.find(({ kind }) => routes.includes(kind)) ?? {};
  const labels = printedSelector({ matchLabels: gatewayLabels });
  return [
    ...(gatewayName ? [`--gateway-name=${gatewayName}`] : []),
    ...(gatewayNamespace ? [`--gateway-namespace=${gatewayNamespace}`] : []),
    ...(labels ? [`--gateway-label-filter=${labels}`] : []),
  ];
}

function selection({ selector, annotationSelector, hostnames, extraArgs }: Spec['discovery']): string[] {
  const labels = printedSelector(selector ?? {});
  const annotations = printedSelector(annotationSelector ?? {});
  // --ignore-hostname-annotation requires a template, and this one yields no names.
  const noTemplate = extraArgs.some((argument) => flagOf(argument) === 'fqdn-template')
    ? []
    : ['--fqdn-template={{""}}'];
  return [
    ...(labels ? [`--label-filter=${labels}`] : []),
    ...(annotations ? [`--annotation-filter=${annotations}`] : []),
    ...(hostnames === 'Spec' ? ['--ignore-hostname-annotation', ...noTemplate] : []),
  ];
}
