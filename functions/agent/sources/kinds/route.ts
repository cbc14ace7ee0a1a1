import type { DeclaredSource } from '../../../contract/declaration.ts';
import { gatewayGroup, listenerSets, resourceName } from '../../../contract/source-kinds.ts';
import type { SourceObject } from '../source-object.ts';
import { type Annotations, annotationsOf, listIn, lowerCase, type SourceFilters } from './annotation.ts';
import { annotationsIgnored, filterReason } from './filter.ts';
import { hostsOf, keyOf, type List, type Metadata, toFilteredObject, without } from './metadata.ts';
import { type StatedTTL, statedTTL } from './ttl.ts';

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
  /** Absolute, with commas between them: of 36,000 this takes a fifth. An empty one is whatever the listener has. */
  hosts: string;
  parents: readonly Parent[];
  /** Seconds. */
  ttl: StatedTTL;
  /** Its hosts that do not count, whatever its Gateways are. */
  filtered: readonly SourceObject[];
  /** Whether it has listeners that are not seen here: those of ListenerSets. */
  isPartial: boolean;
}

/** A Gateway that has taken the route. */
export interface Parent {
  /** `namespace/name` */
  gateway: string;
  section?: string;
  port?: number;
}

/** As ExternalDNS calls its kind. */
export const labelOf = ({ kind }: Pick<DeclaredSource, 'kind'>) => kind.toLowerCase();

/**
 * Claims alone where Gateways do not matter.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go
 */
export function routeOf(route: RouteObject, filters: SourceFilters, source: DeclaredSource): Route | SourceObject[] {
  const { namespace, name, uid, creationTimestamp } = route.metadata;
  const metadata = { namespace, name, uid, creationTimestamp };
  const annotations = annotationsOf(route.metadata, filters);
  const annotated = listIn(annotations('hostname'));
  const asked = routeHosts(route, annotations, annotated);
  const hosts = filters.hostnames === 'Spec' ? routeHosts(route, annotations, []) : asked;
  const inVain = (names: string[], why: string, isUnready?: boolean) =>
    toFilteredObject(labelOf(source), metadata, without(names, ['']), why, isUnready);
  const why = filterReason(route.metadata, filters);
  if (why !== undefined) return inVain(asked, why);
  const filtered = inVain(without(asked, hosts), annotationsIgnored);
  if (hosts.length === 0) return filtered;
  const parents = parentsOf(route);
  const isPartial = hasListenerSet(route, source);
  const ttl = statedTTL(annotations('ttl'));
  if (parents.length > 0) return { metadata, hosts: hosts.join(','), parents, ttl, filtered, isPartial };
  if (isPartial) return filtered;
  // A route of a mesh alone has no Gateway to wait for.
  const isUnready = (route.spec?.parentRefs ?? []).some((ref) => isOfKind('Gateway', identityOf(ref, metadata)));
  return inVain(
    asked,
    'no Gateway that it names has accepted it (status.parents): see the log of the controller of that Gateway',
    isUnready,
  );
}

/** The parents in the status count as long as the route still asks for them. */
function parentsOf({ metadata, spec, status }: RouteObject): Parent[] {
  const asked = new Set((spec?.parentRefs ?? []).map((ref) => JSON.stringify(identityOf(ref, metadata))));
  return (status?.parents ?? []).flatMap(({ parentRef, conditions }) => {
    const isAccepted = conditions?.find(({ type }) => type === 'Accepted')?.status === 'True';
    if (!parentRef || !isAccepted) return [];
    const identity = identityOf(parentRef, metadata);
    if (!isOfKind('Gateway', identity) || !asked.has(JSON.stringify(identity))) return [];
    const { sectionName, port } = parentRef;
    return [{ gateway: identity.key, ...(sectionName && { section: sectionName }), ...(port && { port }) }];
  });
}

const identityOf = ({ group, kind, namespace, name }: ParentRef, route: Metadata) => ({
  group: group || gatewayGroup,
  kind: kind || 'Gateway',
  key: keyOf({ namespace: namespace || route.namespace, name }),
});

const isOfKind = (wanted: string, { group, kind }: Pick<ParentRef, 'group' | 'kind'>) =>
  group === gatewayGroup && kind === wanted;

/** Where ExternalDNS looks at ListenerSets, which is not the usual thing. */
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

/** Here an empty name is one: that of any listener. */
const withAny = (names: readonly string[]) => [...hostsOf(names), ...(names.includes('') ? [''] : [])];
