import type { DeclaredDiscovery, DeclaredSource } from '../../contract/declaration.ts';
import { gateways } from '../../contract/source-kinds.ts';
import type { InformerOptions } from '../kubernetes/informer.ts';
import { isRoute, type Kind, kinds, pathOf } from './kind.ts';
import type { SourceFilters } from './kinds/annotation.ts';
import { type Gateway, gatewayOf } from './kinds/gateway.ts';
import type { Route } from './kinds/route.ts';
import type { OwnObject } from './own-object.ts';
import type { SourceObject } from './source-object.ts';

/** What an informer lists, watches and stores. */
export interface InformerSpec<T> extends Pick<InformerOptions<T>, 'path' | 'labelSelector' | 'transform'> {
  /** Equal for informers that are interchangeable. */
  id: string;
}

/** What is stored of an object: Machines and claims are translated together, once all are there. */
export type SourceEntry = readonly SourceObject[] | Route | OwnObject;

/** Informer of one kind in one namespace, or in all of them. */
export interface SourceInformerSpec extends InformerSpec<SourceEntry> {
  kind: Kind;
  source: DeclaredSource;
  /** Empty for all. */
  namespace: string;
  /** For routes: their Gateways. */
  gateways?: InformerSpec<Gateway>;
}

/** Returns the informers that a declaration needs, of the kinds that the cluster serves. */
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
  // Not a labelSelector of the request: the owner of a filtered object wants to know why it is filtered.
  const filters = { annotationPrefix, annotationSelector, hostnames, selector };
  const path = pathOf(kind, namespace);
  const gateways = isRoute(kind) ? gatewayInformerSpec(source, filters) : undefined;
  return {
    id: JSON.stringify([path, source, filters]),
    kind,
    source,
    namespace,
    path,
    transform: (object) => nonEmpty(kind.read(object, filters, source)),
    ...(gateways && { gateways }),
  };
}

const nonEmpty = (read: SourceEntry) => (Array.isArray(read) && read.length === 0 ? undefined : read);

/** Routes of one namespace may have Gateways in any other, so only the Gateway filters narrow them. */
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
