import type { DeclaredSource } from '../declaration.ts';
import type { Claim } from '../discovery/claim.ts';
import { type Annotations, annotationsOf, isForeign, isRead, listIn, lowerCase, type Reading } from './annotation.ts';
import type { Gateway, Listener } from './gateway.ts';
import { claimOf, hostsOf, keyOf, type List, type Metadata, unique } from './metadata.ts';
import { ttlIn } from './ttl.ts';

export interface RouteObject {
  metadata: Metadata;
  spec?: { hostnames?: List<string>; parentRefs?: List<ParentRef> };
  status?: {
    parents?: List<{ parentRef?: ParentRef; conditions?: List<{ type?: string; status?: string }> }>;
  };
}

interface ParentRef {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

/** A route by itself: its hosts and its targets are also a matter of its Gateways. */
export interface Route {
  metadata: Metadata;
  /** Absolute; an empty one is whatever the listener has. */
  hosts: readonly string[];
  parents: readonly Parent[];
  /** Seconds. */
  ttl: number | undefined;
}

/** A Gateway that has taken the route. */
interface Parent {
  /** `namespace/name` */
  gateway: string;
  section?: string;
  port?: number;
}

/**
 * Undefined for a route that ExternalDNS leaves out.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go
 */
export function routeOf(
  route: RouteObject,
  reading: Reading,
  { gatewayName }: Pick<DeclaredSource, 'gatewayName'> = {},
): Route | undefined {
  const { namespace, name, creationTimestamp } = route.metadata;
  const annotations = annotationsOf(route.metadata, reading);
  if (isForeign(annotations) || !isRead(route.metadata, reading)) return undefined;
  const parents = parentsOf(route).filter(({ gateway }) => !gatewayName || gateway.endsWith(`/${gatewayName}`));
  const hosts = routeHosts(route.spec?.hostnames ?? [], annotations, reading);
  if (parents.length === 0 || hosts.length === 0) return undefined;
  return { metadata: { namespace, name, creationTimestamp }, hosts, parents, ttl: ttlIn(annotations('ttl')) };
}

/**
 * What a route claims through the Gateways there are. Which namespaces, kinds and protocols a listener takes is not
 * asked again: the Gateway's controller has accepted the route.
 */
export function routeClaim(
  kind: string,
  { metadata, hosts, parents, ttl }: Route,
  gatewayAt: (key: string) => Gateway | undefined,
): Claim | undefined {
  const places = parents.flatMap((parent) => {
    const gateway = gatewayAt(parent.gateway);
    if (!gateway) return [];
    const listeners = gateway.listeners.filter((listener) => isAt(parent, listener));
    const common = hosts.flatMap((host) => listeners.map((listener) => overlap(listener.host, host)));
    return [{ hosts: common.filter((host) => host !== ''), targets: gateway.targets }];
  });
  const taken = places.filter((place) => place.hosts.length > 0);
  const [names, targets] = [taken.flatMap((p) => p.hosts), taken.flatMap((p) => p.targets)];
  return claimOf(kind, metadata, unique(names), unique(targets), ttl);
}

/** The parents in the status count as long as the route still asks for them. */
function parentsOf({ metadata, spec, status }: RouteObject): Parent[] {
  const asked = new Set((spec?.parentRefs ?? []).map((ref) => JSON.stringify(identityOf(ref, metadata))));
  return (status?.parents ?? []).flatMap(({ parentRef, conditions }) => {
    const isAccepted = conditions?.find(({ type }) => type === 'Accepted')?.status === 'True';
    if (!parentRef || !isAccepted) return [];
    const identity = identityOf(parentRef, metadata);
    const isGateway = identity.group === gatewayGroup && identity.kind === 'Gateway';
    if (!isGateway || !asked.has(JSON.stringify(identity))) return [];
    const { sectionName, port } = parentRef;
    return [{ gateway: identity.key, ...(sectionName && { section: sectionName }), ...(port && { port }) }];
  });
}

const gatewayGroup = 'gateway.networking.k8s.io';

const identityOf = ({ group, kind, namespace, name }: ParentRef, route: Metadata) => ({
  group: group || gatewayGroup,
  kind: kind || 'Gateway',
  key: keyOf({ namespace: namespace || route.namespace, name }),
});

const isAt = ({ section, port }: Parent, listener: Listener) =>
  (section === undefined || section === listener.section) && (port === undefined || port === listener.port);

function routeHosts(hostnames: readonly string[], annotations: Annotations, { hostnames: named }: Reading): string[] {
  const annotated = named === 'Spec' ? [] : listIn(annotations('hostname'));
  switch (lowerCase(annotations('gateway-hostname-source'))) {
    case 'annotation-only':
      return withAny(annotated);
    case 'defined-hosts-only':
      return withAny(hostnames);
    default:
      return [...hostsOf([...hostnames, ...annotated]), ...(hostnames.length === 0 ? [''] : [])];
  }
}

/** Here an empty name is one: that of any listener. */
const withAny = (names: readonly string[]) => [...hostsOf(names), ...(names.includes('') ? [''] : [])];

/** The narrower one of two hosts that have names in common, else none. A wildcard stands for any number of labels. */
function overlap(a: string, b: string): string {
  if (a === '' || b === '' || a === b) return a || b;
  if (isBelow(b, a)) return b;
  return isBelow(a, b) ? a : '';
}

const isBelow = (host: string, wildcard: string) => wildcard.startsWith('*.') && host.endsWith(wildcard.slice(1));
