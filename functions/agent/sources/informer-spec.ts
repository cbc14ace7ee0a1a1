import type { DeclaredDiscovery, DeclaredSource } from '../../contract/declaration.ts';
import { gateways } from '../../contract/source-kinds.ts';
import type { InformerOptions } from '../kubernetes/informer.ts';
import { isRoute, type Kind, kinds, pathOf } from './kind.ts';
import type { SourceFilters } from './kinds/annotation.ts';
import { type Gateway, gatewayOf } from './kinds/gateway.ts';
import type { Route } from './kinds/route.ts';
import type { SourceObject } from './source-object.ts';

/** What is to be followed. */
export interface InformerSpec<T> extends Pick<InformerOptions<T>, 'path' | 'labelSelector' | 'transform'> {
  /** Differs where anything differs that matters to what is seen. */
  id: string;
}

/** One kind in one namespace, or in all of them. */
export interface SourceInformerSpec extends InformerSpec<readonly SourceObject[] | Route> {
  kind: Kind;
  source: DeclaredSource;
  /** Empty for all. */
  namespace: string;
  /** Of routes. */
  gateways?: InformerSpec<Gateway>;
}

/** Pure: what to follow for a declaration, of what the cluster serves. */
export function informerSpecs(discovery: DeclaredDiscovery, served: ReadonlySet<string>): SourceInformerSpec[] {
  const { sources, namespaces } = discovery;
  return sources.flatMap((source) => {
    const kind = kinds[source.kind];
    const { resources = [] } = source;
    if (!kind || !resources.every((name) => served.has(name))) return [];
    return (namespaces.length > 0 ? namespaces : ['']).map((namespace) => {
      return sourceInformerSpec(kind, namespace, source, discovery);
    });
  });
}

function sourceInformerSpec(
  kind: Kind,
  namespace: string,
  source: DeclaredSource,
  discovery: DeclaredDiscovery,
): SourceInformerSpec {
  const { annotationPrefix, annotationSelector, hostnames, selector } = discovery;
  // Not for the API server to select by: whose object is left out wants to know why.
  const filters = { annotationPrefix, annotationSelector, hostnames, selector };
  const path = pathOf(kind, namespace);
  const through = isRoute(kind) ? gatewayInformerSpec(source, filters) : undefined;
  return {
    id: JSON.stringify([path, source, filters]),
    kind,
    source,
    namespace,
    path,
    transform: (object) => sourceObjectsIn(kind.read(object, filters, source)),
    ...(through && { gateways: through }),
  };
}

const sourceObjectsIn = (read: SourceObject[] | Route) => (Array.isArray(read) && read.length === 0 ? undefined : read);

/** Routes of any namespace have Gateways of any other: only their own filters narrow them. */
function gatewayInformerSpec(
  { gatewayNamespace, gatewayLabels }: DeclaredSource,
  filters: SourceFilters,
): InformerSpec<Gateway> {
  const path = pathOf(gateways, gatewayNamespace);
  const labelSelector = gatewayLabels ?? '';
  return {
    id: JSON.stringify([path, labelSelector, filters.annotationPrefix]),
    path,
    labelSelector,
    transform: (object) => gatewayOf(object, filters),
  };
}
