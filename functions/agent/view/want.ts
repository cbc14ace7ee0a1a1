import type { DeclaredDiscovery, DeclaredSource } from '../declaration.ts';
import type { Claim } from '../discovery/claim.ts';
import type { InformerOptions } from '../kubernetes/informer.ts';
import type { Reading } from './claims/annotation.ts';
import { type Gateway, gatewayOf } from './claims/gateway.ts';
import type { Route } from './claims/route.ts';
import { gateways, isRoute, type Kind, kinds, pathOf } from './kind.ts';

/** What is to be followed. */
export interface Want<T> extends Pick<InformerOptions<T>, 'path' | 'labelSelector' | 'transform'> {
  /** Differs where anything differs that matters to what is seen. */
  id: string;
}

/** One kind in one namespace, or in all of them. */
export interface ClaimsWant extends Want<readonly Claim[] | Route> {
  kind: Kind;
  source: DeclaredSource;
  /** Empty for all. */
  namespace: string;
  /** Of routes. */
  gateways?: Want<Gateway>;
}

/** Pure: what to follow for a declaration, of what the cluster serves. */
export function wantsOf(discovery: DeclaredDiscovery, served: ReadonlySet<string>): ClaimsWant[] {
  const { sources, namespaces } = discovery;
  return sources.flatMap((source) => {
    const kind = kinds[source.kind];
    const { resources = [] } = source;
    if (!kind || !resources.every((name) => served.has(name))) return [];
    return (namespaces.length > 0 ? namespaces : ['']).map((namespace) => {
      return claimsWant(kind, namespace, source, discovery);
    });
  });
}

function claimsWant(kind: Kind, namespace: string, source: DeclaredSource, discovery: DeclaredDiscovery): ClaimsWant {
  const { annotationPrefix, annotationSelector, hostnames, selector } = discovery;
  // Not for the API server to select by: whose object is left out wants to know why.
  const reading = { annotationPrefix, annotationSelector, hostnames, selector };
  const path = pathOf(kind, namespace);
  const through = isRoute(kind) ? gatewaysWant(source, reading) : undefined;
  return {
    id: JSON.stringify([path, source, reading]),
    kind,
    source,
    namespace,
    path,
    transform: (object) => claimsIn(kind.read(object, reading, source)),
    ...(through && { gateways: through }),
  };
}

const claimsIn = (read: Claim[] | Route) => (Array.isArray(read) && read.length === 0 ? undefined : read);

/** Routes of any namespace have Gateways of any other: only their own filters narrow them. */
function gatewaysWant({ gatewayNamespace, gatewayLabels }: DeclaredSource, reading: Reading): Want<Gateway> {
  const path = pathOf(gateways, gatewayNamespace);
  const labelSelector = gatewayLabels ?? '';
  return {
    id: JSON.stringify([path, labelSelector, reading.annotationPrefix]),
    path,
    labelSelector,
    transform: (object) => gatewayOf(object, reading),
  };
}
