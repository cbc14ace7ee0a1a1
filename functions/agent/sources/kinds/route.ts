import type { DeclaredSource } from '../../../contract/declaration.ts';
import { gatewayGroup, listenerSets, resourceName } from '../../../contract/source-kinds.ts';
import { keyOf, type List, type ObjectMeta } from '../../kubernetes/object.ts';
import type { SourceObject } from '../source-object.ts';
import {
  type AnnotatedTTL,
  type Annotations,
  annotatedTTL,
  annotationsOf,
  listIn,
  lowerCase,
  type SourceFilters,
} from './annotation.ts';
import { hostsOf, toFilteredObject, without } from './conversion.ts';
import { arePlain, isRouteHost } from './exactness.ts';
import { annotationsIgnored, filterReason } from './filter.ts';

export interface RouteObject {
  metadata: ObjectMeta;
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

/** A route before its Gateways are looked up: they decide on its hosts and targets. */
export interface Route {
  metadata: ObjectMeta;
  /** Absolute names, comma-separated: 36,000 of them take a fifth of an array's memory. An empty one means the listener's. */
  hosts: string;
  parents: readonly Parent[];
  ttl: AnnotatedTTL;
  /** Hosts that are dropped whatever its Gateways are. */
  filtered: readonly SourceObject[];
  /** Whether it also attaches to ListenerSets, which the agent does not watch. */
  isPartial: boolean;
  /** Whether ExternalDNS may read other hosts. */
  isInexact?: true;
}

/** A Gateway that has accepted the route. */
export interface Parent {
  /** `namespace/name` */
  gateway: string;
  section?: string;
  port?: number;
}

/** Its kind in ExternalDNS's label `resource`. */
export const labelOf = ({ kind }: Pick<DeclaredSource, 'kind'>) => kind.toLowerCase();

/**
 * Returns source objects if they do not depend on Gateways.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go
 */
export function routeOf(route: RouteObject, filters: SourceFilters, source: DeclaredSource): Route | SourceObject[] {
  const { namespace, name, uid, creationTimestamp } = route.metadata;
  const metadata = { namespace, name, uid, creationTimestamp };
  const annotations = annotationsOf(route.metadata, filters);
  const annotated = listIn(annotations('hostname'));
  const requested = routeHosts(route, annotations, annotated);
  const hosts = filters.hostnames === 'Spec' ? routeHosts(route, annotations, []) : requested;
  const drop = (names: string[], why: string, isUnready?: boolean) =>
    toFilteredObject(labelOf(source), metadata, without(names, ['']), why, isUnready);
  const why = filterReason(route.metadata, filters);
  if (why !== undefined) return drop(requested, why);
  const filtered = drop(without(requested, hosts), annotationsIgnored);
  if (hosts.length === 0) return filtered;
  const parents = parentsOf(route);
  const isPartial = hasListenerSet(route, source);
  const ttl = annotatedTTL(annotations);
  const isExact = arePlain(annotations, ['hostname']) && annotated.every(isRouteHost);
  const inexact = !isExact && { isInexact: true as const };
  if (parents.length > 0) return { metadata, hosts: hosts.join(','), parents, ttl, filtered, isPartial, ...inexact };
  if (isPartial) return filtered;
  // A route of a service mesh has no Gateway to wait for.
  const isUnready = (route.spec?.parentRefs ?? []).some((ref) => isOfKind('Gateway', identityOf(ref, metadata)));
  return drop(
    requested,
    'no Gateway in its parentRefs has accepted it (status.parents): see the log of the controller of that Gateway',
    isUnready,
  );
}

/** Parents of the status count only while they are still in the spec. */
function parentsOf({ metadata, spec, status }: RouteObject): Parent[] {
  const requested = new Set((spec?.parentRefs ?? []).map((ref) => JSON.stringify(identityOf(ref, metadata))));
  return (status?.parents ?? []).flatMap(({ parentRef, conditions }) => {
    const isAccepted = conditions?.find(({ type }) => type === 'Accepted')?.status === 'True';
    if (!parentRef || !isAccepted) return [];
    const identity = identityOf(parentRef, metadata);
    if (!isOfKind('Gateway', identity) || !requested.has(JSON.stringify(identity))) return [];
    const { sectionName, port } = parentRef;
    return [{ gateway: identity.key, ...(sectionName && { section: sectionName }), ...(port && { port }) }];
  });
}

const identityOf = ({ group, kind, namespace, name }: ParentRef, route: ObjectMeta) => ({
  group: group || gatewayGroup,
  kind: kind || 'Gateway',
  key: keyOf({ namespace: namespace || route.namespace, name }),
});

const isOfKind = (name: string, { group, kind }: Pick<ParentRef, 'group' | 'kind'>) =>
  group === gatewayGroup && kind === name;

/** Only with --gateway-listener-sets does ExternalDNS read ListenerSets. */
const hasListenerSet = ({ metadata, spec }: RouteObject, { resources = [] }: DeclaredSource) =>
  resources.includes(resourceName(listenerSets)) &&
  (spec?.parentRefs ?? []).some((ref) => isOfKind('ListenerSet', identityOf(ref, metadata)));

function routeHosts({ spec }: RouteObject, annotations: Annotations, annotated: readonly string[]): string[] {
  const hostnames = spec?.hostnames ?? [];
  switch (lowerCase(annotations('gateway-hostname-source'))) {
    case 'annotation-only':
      return withAny(annotated);
    case 'defined-hosts-only':
      return withAny(hostnames);
    default:
      return [...hostsOf([...hostnames, ...annotated]), ...(hostnames.length === 0 ? [''] : [])];
  }
}

/** Keeps an empty name, which stands for the listener's. */
const withAny = (names: readonly string[]) => [...hostsOf(names), ...(names.includes('') ? [''] : [])];
