import { type LabelSelector, matchesSelector } from '../../../contract/label-selector.ts';
import { gatewayGroup } from '../../../contract/source-kinds.ts';
import type { Labels, List, ObjectMeta } from '../../kubernetes/object.ts';
import { annotatedTargets, annotationsOf, foreignAnnotation, type SourceFilters } from './annotation.ts';
import { hostsOf, targetsOf } from './conversion.ts';
import { isPlain } from './exactness.ts';

export interface GatewayObject {
  metadata: ObjectMeta;
  spec?: { listeners?: List<ListenerObject> };
  status?: { addresses?: List<{ value?: string }> };
}

interface ListenerObject {
  name: string;
  hostname?: string;
  port?: number;
  protocol?: string;
  allowedRoutes?: {
    namespaces?: { from?: string; selector?: LabelSelector };
    kinds?: List<{ group?: string; kind: string }>;
  };
}

/** The part of a Gateway that routes depend on. */
export interface Gateway {
  targets: readonly string[];
  listeners: readonly Listener[];
  /** The annotation that assigns it, and so its routes, to another controller. */
  foreign?: string;
  /** Whether ExternalDNS may read other targets. */
  isInexact?: true;
}

export interface Listener {
  section: string;
  port?: number;
  /** Absolute; empty for a listener of every host. */
  host: string;
  /** Kinds of routes that may attach. */
  kinds: readonly string[];
  /** Namespaces whose routes may attach; undefined for none. */
  namespaces?: 'All' | 'Same' | LabelSelector;
}

/** A route that asks to be attached to a listener. */
export interface AttachingRoute {
  kind: string;
  namespace: string;
  /** Labels of its namespace; undefined while unknown. */
  labels?: Labels | undefined;
}

export function gatewayOf(
  { metadata, spec, status }: GatewayObject,
  filters: Pick<SourceFilters, 'annotationPrefix'>,
): Gateway {
  const foreign = foreignAnnotation(metadata, filters);
  if (foreign !== undefined) return { targets: [], listeners: [], foreign };
  const annotations = annotationsOf(metadata, filters);
  const annotated = annotatedTargets(annotations);
  const addresses = (status?.addresses ?? []).map(({ value = '' }) => value);
  const targets = annotated.length > 0 ? annotated : addresses;
  const isExact = isPlain(annotations('target')) && !targets.includes('');
  return {
    targets: targetsOf(targets),
    ...(!isExact && { isInexact: true }),
    listeners: (spec?.listeners ?? []).map(listenerOf),
  };
}

const http = ['HTTPRoute', 'GRPCRoute'];

/** As ExternalDNS maps them; other protocols have no routes. */
const kindsByProtocol: ReadonlyMap<string, readonly string[]> = new Map([
  ['HTTP', http],
  ['HTTPS', http],
  ['TLS', ['TLSRoute', 'TCPRoute']],
  ['TCP', ['TCPRoute']],
  ['UDP', ['UDPRoute']],
]);

function listenerOf({ name, hostname = '', port, protocol = '', allowedRoutes }: ListenerObject): Listener {
  const namespaces = namespacesOf(allowedRoutes?.namespaces);
  return {
    section: name,
    host: hostsOf([hostname])[0] ?? '',
    ...(port !== undefined && { port }),
    kinds: allowedKinds(kindsByProtocol.get(protocol) ?? [], allowedRoutes?.kinds ?? []),
    ...(namespaces !== undefined && { namespaces }),
  };
}

/** Returns `kinds` itself if all are allowed, so that listeners share the list. */
function allowedKinds(kinds: readonly string[], refs: readonly { group?: string; kind: string }[]): readonly string[] {
  if (refs.length === 0) return kinds;
  return kinds.filter((each) =>
    refs.some(({ group, kind }) => (group || gatewayGroup) === gatewayGroup && kind === each),
  );
}

function namespacesOf(allowed: NonNullable<ListenerObject['allowedRoutes']>['namespaces']): Listener['namespaces'] {
  const from = allowed?.from ?? 'Same';
  if (from === 'All' || from === 'Same') return from;
  return from === 'Selector' ? allowed?.selector : undefined;
}

/**
 * Returns why a listener does not accept a route, whatever its hosts; undefined if it does. A Gateway's controller accepts
 * a route that one listener accepts, while ExternalDNS checks each of them.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go (matchRouteToListener)
 */
export function attachmentFailure(
  { kinds, namespaces }: Listener,
  gateway: string,
  route: AttachingRoute,
): string | undefined {
  const { kind, namespace } = route;
  if (!kinds.includes(kind)) return `accepts no ${kind}: see its protocol and allowedRoutes.kinds`;
  if (isNamespaceAllowed(route, namespaces, gateway)) return undefined;
  return `accepts no routes of namespace ${namespace}: see its allowedRoutes.namespaces`;
}

function isNamespaceAllowed(
  { namespace, labels }: AttachingRoute,
  namespaces: Listener['namespaces'],
  gateway: string,
): boolean {
  if (namespaces === undefined || namespaces === 'All') return namespaces === 'All';
  if (namespaces === 'Same') return gateway.startsWith(`${namespace}/`);
  // Without tenants, Namespaces are not watched: the Gateway's acceptance of the route has to do.
  return labels === undefined || matchesSelector(namespaces, labels);
}

/** Reports whether a listener selects namespaces by labels that are unknown here, and known to ExternalDNS. */
export const isUnknownSelection = ({ namespaces }: Listener, { labels }: AttachingRoute): boolean =>
  typeof namespaces === 'object' && labels === undefined;
