/**
 * The sources of ExternalDNS: what it makes of objects before the webhook hears of it. Written after its Go, function by
 * function, and not after the agent's readers, which are compared with it.
 * https://github.com/kubernetes-sigs/external-dns/tree/v0.23.0/source
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { parseTTL } from '../../functions/agent/sources/kinds/annotation.ts';
import { type GeneratedObject as KubernetesObject, prefixes } from './sources/generated/objects.ts';

/** Flags, as the function sets them. */
export interface SourceFlags {
  ingressClassNames?: readonly string[];
  serviceTypes?: readonly string[];
  ignoreHostnameAnnotation?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: objects as JSON
type Json = any;

/** Go's nil and zero values: a field that is absent. */
const list = (value: Json): Json[] => value ?? [];

/** annotations.ResolveLegacyAnnotations: the new prefix wins. */
function annotationsOf({ metadata }: KubernetesObject): Map<string, string> {
  const [prefix, legacy] = prefixes;
  const all = new Map<string, string>();
  for (const from of [legacy, prefix])
    for (const [key, value] of Object.entries(metadata.annotations))
      if (key.startsWith(from)) all.set(key.slice(from.length), value);
  return all;
}

/** unicode.IsSpace, of what strings.TrimSpace takes away. */
const trimSpace = (text: string) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '');

/** annotations.SplitHostnameAnnotation */
const split = (text: string): string[] => trimSpace(text.replaceAll(' ', '')).split(',');

/** annotations.TargetsFromTargetAnnotation */
function targetAnnotation(annotations: Map<string, string>): string[] {
  const text = annotations.get('target');
  return text ? split(text).map((target) => target.replace(/\.$/, '')) : [];
}

const hostnames = (annotations: Map<string, string>, key = 'hostname'): string[] => {
  const text = annotations.get(key);
  return text === undefined ? [] : split(text);
};

/** endpoint.SuitableType */
function suitableType(target: string): 'A' | 'AAAA' | 'CNAME' {
  if (isIPv4(target)) return 'A';
  return isIPv6(target) ? 'AAAA' : 'CNAME';
}

type Whole = Endpoint & { setIdentifier: string };

/** endpoint.EndpointsForHostname with NewEndpointWithTTL */
function endpointsForHostname(host: string, targets: string[], about: About): Whole[] {
  if (host.split('.').some((label) => Buffer.byteLength(label) > 63)) return [];
  return ['A', 'AAAA', 'CNAME'].flatMap((recordType) => {
    const ofType = targets.filter((target) => suitableType(target) === recordType);
    if (ofType.length === 0) return [];
    return [
      {
        dnsName: host.replace(/\.$/, ''),
        recordType,
        targets: ofType.map((target) => target.replace(/\.$/, '')),
        ...(about.ttl && { recordTTL: about.ttl }),
        labels: { resource: about.resource },
        setIdentifier: about.setIdentifier,
      },
    ];
  });
}

interface About {
  ttl: number | undefined;
  resource: string;
  setIdentifier: string;
}

function aboutOf(object: KubernetesObject, annotations: Map<string, string>): About {
  const { namespace, name } = object.metadata;
  const ttl = annotations.get('ttl');
  return {
    ttl: ttl === undefined ? undefined : parseTTL(ttl),
    resource: `${object.kind.toLowerCase()}/${namespace}/${name}`,
    setIdentifier: annotations.get('set-identifier') ?? '',
  };
}

const isForeign = (annotations: Map<string, string>) =>
  (annotations.get('controller') ?? 'dns-controller') !== 'dns-controller';

const loadBalancerTargets = (status: Json): string[] =>
  list(status?.loadBalancer?.ingress).flatMap(({ ip, hostname }) => [
    ...(ip ? [ip] : []),
    ...(hostname ? [hostname] : []),
  ]);

/** source/ingress.go */
function ingressEndpoints(ingress: KubernetesObject, flags: SourceFlags): Whole[] {
  const annotations = annotationsOf(ingress);
  const { rules, tls, ingressClassName } = ingress.spec as Json;
  const classes = flags.ingressClassNames ?? [];
  const className = ingressClassName || ingress.metadata.annotations['kubernetes.io/ingress.class'];
  if (classes.length > 0 && !classes.includes(className ?? '')) return [];
  const annotated = targetAnnotation(annotations);
  const targets = annotated.length > 0 ? annotated : loadBalancerTargets(ingress.status);
  const about = aboutOf(ingress, annotations);
  const endpointsOf = (hosts: string[]) => hosts.flatMap((host) => endpointsForHostname(host, targets, about));
  const hosts = [...list(rules).map(({ host }) => host), ...list(tls).flatMap((each) => list(each.hosts))].filter(
    Boolean,
  );
  const defined = endpointsOf(hosts);
  const fromAnnotation = flags.ignoreHostnameAnnotation ? [] : endpointsOf(hostnames(annotations));
  const source = annotations.get('ingress-hostname-source');
  if (source === undefined) return [...defined, ...fromAnnotation];
  if (source.toLowerCase() === 'defined-hosts-only') return defined;
  return source.toLowerCase() === 'annotation-only' ? fromAnnotation : [];
}

/** source/service.go, without headless Services and those of type NodePort */
function serviceEndpoints(service: KubernetesObject, flags: SourceFlags): Whole[] {
  const annotations = annotationsOf(service);
  const { type, clusterIP = '', externalIPs, externalName = '' } = service.spec as Json;
  const types = flags.serviceTypes ?? ['LoadBalancer'];
  if (!types.includes(type) || flags.ignoreHostnameAnnotation) return [];
  const about = aboutOf(service, annotations);
  const ips = clusterIP === 'None' ? [] : [clusterIP];
  const targetsFor = (useClusterIP: boolean): string[] => {
    const annotated = targetAnnotation(annotations);
    if (annotated.length > 0) return annotated;
    if (type === 'LoadBalancer')
      return useClusterIP ? ips : externalIPs?.length ? externalIPs : loadBalancerTargets(service.status);
    if (type === 'ExternalName') return externalIPs?.length ? externalIPs : [externalName];
    if (type === 'ClusterIP' && (useClusterIP || types.includes('ClusterIP'))) return ips;
    return [];
  };
  const endpointsOf = (hosts: string[], useClusterIP: boolean) =>
    hosts.flatMap((host) => endpointsForHostname(host.replace(/\.$/, ''), targetsFor(useClusterIP), about));
  return [
    ...endpointsOf(hostnames(annotations), false),
    ...endpointsOf(hostnames(annotations, 'internal-hostname'), true),
  ];
}

/** Whether only other objects, which are not generated, know its targets. */
export function needsPodsOrNodes({ kind, spec, metadata }: KubernetesObject): boolean {
  if (kind !== 'Service') return false;
  const { type, clusterIP } = spec as Json;
  const hasTargets = targetAnnotation(annotationsOf({ metadata } as KubernetesObject)).length > 0;
  return !hasTargets && (type === 'NodePort' || (type === 'ClusterIP' && clusterIP === 'None'));
}

const gatewayGroup = 'gateway.networking.k8s.io';
const protocols: Record<string, string> = {
  HTTPRoute: 'HTTP',
  GRPCRoute: 'HTTPS',
  TLSRoute: 'TLS',
  TCPRoute: 'TCP',
  UDPRoute: 'UDP',
};

/** gwProtocolMatches */
function matchesProtocol(route: string, listener: string): boolean {
  const [a, b] = [route, listener].map((protocol) => (protocol === 'HTTPS' ? 'HTTP' : protocol));
  return a === b || (a === 'TCP' && b === 'TLS');
}

/** gwHost; undefined if it is not valid */
function gwHost(host: string): string | undefined {
  if (host === '') return '';
  const domain = host.replace(/^\*\./, '');
  const labels = domain.endsWith('.') ? domain.slice(0, -1).split('.') : domain.split('.');
  const isValid = domain.length > 0 && labels.every((label) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i.test(label));
  return suitableType(host) === 'CNAME' && isValid && domain.length <= 255 ? host.toLowerCase() : undefined;
}

/** gwMatchingHost */
function matchingHost(one: string, other: string): string | undefined {
  let [a, b] = [gwHost(one), gwHost(other)];
  if (a === undefined || b === undefined) return undefined;
  if (a === '') return b;
  if (b === '' || a === b) return a;
  if (b.length < a.length || (a.length === b.length && b.startsWith('*.'))) [a, b] = [b, a];
  return a.startsWith('*.') && b.endsWith(a.slice(1)) ? b : undefined;
}

/** resolveHostnames */
function routeHosts(route: KubernetesObject, flags: SourceFlags): string[] {
  const annotations = annotationsOf(route);
  const spec: string[] = list((route.spec as Json).hostnames);
  const source = annotations.get('gateway-hostname-source')?.toLowerCase();
  if (source === 'annotation-only') return flags.ignoreHostnameAnnotation ? [] : hostnames(annotations);
  if (source === 'defined-hosts-only') return spec;
  const annotated = flags.ignoreHostnameAnnotation ? [] : hostnames(annotations).filter((host) => host !== '');
  return [...spec, ...annotated, ...(spec.length === 0 ? [''] : [])];
}

/** source/gateway.go, without ListenerSets */
function routeEndpoints(route: KubernetesObject, objects: readonly KubernetesObject[], flags: SourceFlags): Whole[] {
  const { namespace = '' } = route.metadata;
  const refs = list((route.spec as Json).parentRefs);
  const identityOf = (ref: Json) => [
    ref.group || gatewayGroup,
    ref.kind || 'Gateway',
    ref.namespace || namespace,
    ref.name,
  ];
  const requested = refs.map((ref) => identityOf(ref).join());
  const hostTargets = new Map<string, string[]>();
  const rtHosts = routeHosts(route, flags);
  for (const { parentRef: ref, conditions } of list((route.status as Json)?.parents)) {
    const [group, kind, ofNamespace, name] = identityOf(ref);
    if (!requested.includes(identityOf(ref).join()) || group !== gatewayGroup || kind !== 'Gateway') continue;
    const gateway = objects.find(
      (each) => each.kind === 'Gateway' && each.metadata.namespace === ofNamespace && each.metadata.name === name,
    );
    if (!gateway || isForeign(annotationsOf(gateway))) continue;
    if (list(conditions).find(({ type }) => type === 'Accepted')?.status !== 'True') continue;
    for (const listener of list((gateway.spec as Json).listeners)) {
      if (ref.sectionName && ref.sectionName !== listener.name) continue;
      if (!matchesProtocol(protocols[route.kind] ?? '', listener.protocol)) continue;
      if (ref.port !== undefined && ref.port !== listener.port) continue;
      if (!isAllowed(route, listener.allowedRoutes, ofNamespace, objects)) continue;
      const overrides = targetAnnotation(annotationsOf(gateway));
      const own = list((gateway.status as Json)?.addresses).map(({ value }) => value);
      for (const rtHost of rtHosts) {
        if (rtHost === '' && !listener.hostname) continue;
        const host = matchingHost(listener.hostname ?? '', rtHost);
        if (host === undefined) continue;
        hostTargets.set(host, [...(hostTargets.get(host) ?? []), ...(overrides.length > 0 ? overrides : own)]);
      }
    }
  }
  const about = aboutOf(route, annotationsOf(route));
  return [...hostTargets].flatMap(([host, targets]) => endpointsForHostname(host, [...new Set(targets)], about));
}

/** routeIsAllowed */
function isAllowed(
  route: KubernetesObject,
  allowed: Json,
  owner: string,
  objects: readonly KubernetesObject[],
): boolean {
  const { namespace } = route.metadata;
  const { from = 'Same', selector } = allowed?.namespaces ?? {};
  if (from === 'Same' && owner !== namespace) return false;
  if (from === 'Selector') {
    const space = objects.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === namespace);
    const labels = Object.entries<string>(selector?.matchLabels ?? {});
    if (!space || !labels.every(([key, value]) => space.metadata.labels[key] === value)) return false;
  }
  const kinds = list(allowed?.kinds);
  return (
    kinds.length === 0 ||
    kinds.some((each) => (each.group || gatewayGroup) === gatewayGroup && each.kind === route.kind)
  );
}

/** source/crd.go */
function crdEndpoints({ metadata, spec }: KubernetesObject): Whole[] {
  const resource = `crd/${metadata.namespace}/${metadata.name}`;
  return list((spec as Json).endpoints).flatMap(({ targets, providerSpecific: _, setIdentifier = '', ...endpoint }) => {
    const isUnchecked = ['CNAME', 'DNAME', 'TXT', 'MX', 'SRV'].includes(endpoint.recordType);
    if (!isUnchecked && list(targets).some((target: string) => target.endsWith('.'))) return [];
    return [{ ...endpoint, targets: list(targets), labels: { resource }, setIdentifier }];
  });
}

/** endpoint.CheckEndpoint, for the types of the generated objects */
function isValid({ recordType, targets }: Endpoint): boolean {
  if (recordType === 'A') return targets.every((target) => isIPv4(target));
  if (recordType === 'AAAA') return targets.every((target) => isIPv6(target));
  if (recordType === 'MX') return targets.every((target) => /^\d+ \S+$/.test(target));
  return recordType !== 'SRV' || targets.every((target) => /^(\d+ ){3}\S+\.$/.test(target));
}

/** What service.go does before: whatever the TTLs, and the first one by its label keeps its own */
function mergedServices(endpoints: Whole[]): Whole[] {
  const sorted = endpoints.toSorted((a, b) => ((a.labels?.resource ?? '') < (b.labels?.resource ?? '') ? -1 : 1));
  const keyOf = ({ dnsName, recordType, setIdentifier, targets }: Whole) =>
    JSON.stringify([dnsName, recordType, setIdentifier, recordType === 'CNAME' && targets]);
  return [...Map.groupBy(sorted, keyOf).values()].map((same) => ({
    ...(same[0] as Whole),
    targets: [...new Set(same.flatMap(({ targets }) => targets))],
  }));
}

/** endpoint.MergeEndpoints */
function merged(endpoints: Whole[]): Whole[] {
  const keyOf = ({ dnsName, recordType, recordTTL = 0, targets, setIdentifier }: Whole) =>
    JSON.stringify([dnsName, recordType, recordTTL, setIdentifier, recordType === 'CNAME' && targets[0]]);
  return [...Map.groupBy(endpoints, keyOf).values()].map((same) => ({
    ...(same[0] as Whole),
    targets: [...new Set(same.flatMap(({ targets }) => targets))].sort(),
  }));
}

/** What the webhook hears of objects, in the order of the flags `--source`. */
export function endpointsOf(objects: readonly KubernetesObject[], flags: SourceFlags = {}): Endpoint[] {
  const own = (kind: string) =>
    objects.filter((object) => object.kind === kind && (kind === 'DNSEndpoint' || !isForeign(annotationsOf(object))));
  const sources = [
    own('Ingress').flatMap((object) => ingressEndpoints(object, flags)),
    mergedServices(own('Service').flatMap((object) => serviceEndpoints(object, flags))),
    ...Object.keys(protocols).map((kind) => own(kind).flatMap((object) => routeEndpoints(object, objects, flags))),
    own('DNSEndpoint').flatMap(crdEndpoints),
  ];
  const all = sources.flatMap(merged).filter(isValid);
  const identityOf = ({ recordType, dnsName, setIdentifier, targets }: Whole) =>
    [recordType, dnsName, setIdentifier, targets.join(';')].join('/');
  return [...Map.groupBy(all, identityOf).values()].flatMap(([first]) => {
    if (!first) return [];
    const { setIdentifier: _, ...endpoint } = first;
    return [endpoint];
  });
}
