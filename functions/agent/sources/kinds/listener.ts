import { type LabelSelector, matchesSelector } from '../../../contract/label-selector.ts';
import { hostsOf, type Labels, type List } from './metadata.ts';

/** One of a Gateway. */
export interface ListenerObject {
  name: string;
  hostname?: string;
  port?: number;
  protocol?: string;
  allowedRoutes?: {
    namespaces?: { from?: string; selector?: LabelSelector };
    kinds?: List<{ group?: string; kind: string }>;
  };
}

export interface Listener {
  section: string;
  port?: number;
  /** Absolute; empty when it takes every host. */
  host: string;
  /** Of routes that it takes. */
  kinds: readonly string[];
  /** Whose routes it takes; without it, nobody's. */
  namespaces?: 'All' | 'Same' | LabelSelector;
}

/** A route, at a listener. */
export interface Visitor {
  kind: string;
  namespace: string;
  /** Those of its namespace; undefined while they are not known. */
  labels?: Labels | undefined;
}

export const gatewayGroup = 'gateway.networking.k8s.io';

const http = ['HTTPRoute', 'GRPCRoute'];

/** As ExternalDNS pairs them: other protocols have no route. */
const kindsByProtocol: ReadonlyMap<string, readonly string[]> = new Map([
  ['HTTP', http],
  ['HTTPS', http],
  ['TLS', ['TLSRoute', 'TCPRoute']],
  ['TCP', ['TCPRoute']],
  ['UDP', ['UDPRoute']],
]);

export function listenerOf({ name, hostname = '', port, protocol = '', allowedRoutes }: ListenerObject): Listener {
  const namespaces = namespacesOf(allowedRoutes?.namespaces);
  return {
    section: name,
    host: hostsOf([hostname])[0] ?? '',
    ...(port !== undefined && { port }),
    kinds: allowed(kindsByProtocol.get(protocol) ?? [], allowedRoutes?.kinds ?? []),
    ...(namespaces !== undefined && { namespaces }),
  };
}

/** The list itself where all of it is allowed: listeners share it. */
function allowed(kinds: readonly string[], refs: readonly { group?: string; kind: string }[]): readonly string[] {
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
 * Why a listener of a Gateway does not take a route, whatever its hosts are; undefined if it does. A Gateway's controller
 * accepts a route that one listener takes, and ExternalDNS asks each of them.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go (matchRouteToListener)
 */
export function refusalOf({ kinds, namespaces }: Listener, gateway: string, visitor: Visitor): string | undefined {
  const { kind, namespace } = visitor;
  if (!kinds.includes(kind)) return `takes no ${kind}: see its protocol and allowedRoutes.kinds`;
  if (isWelcome(visitor, namespaces, gateway)) return undefined;
  return `takes no route of namespace ${namespace}: see its allowedRoutes.namespaces`;
}

function isWelcome({ namespace, labels }: Visitor, namespaces: Listener['namespaces'], gateway: string): boolean {
  if (namespaces === undefined || namespaces === 'All') return namespaces === 'All';
  if (namespaces === 'Same') return gateway.startsWith(`${namespace}/`);
  // Where there are no tenants, nobody looks at namespaces: that the Gateway has accepted the route has to do.
  return labels === undefined || matchesSelector(namespaces, labels);
}
