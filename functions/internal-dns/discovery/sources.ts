import { type Kind, routes, type ServiceType, sourceKind } from './source-kinds.ts';

/** A source as the spec has it. */
export interface WantedSource {
  kind: Kind;
  ingressClassNames?: string[] | undefined;
  serviceTypes?: ServiceType[] | undefined;
  gatewayName?: string | undefined;
  gatewayNamespace?: string | undefined;
  gatewayLabels?: Record<string, string> | undefined;
  resources?: string[] | undefined;
}

/** Of Services: those of type LoadBalancer, unless the spec says more. The other types need more rights. */
export const typesOf = (source: WantedSource): ServiceType[] => source.serviceTypes ?? ['LoadBalancer'];

/** The static ClusterRoles (configuration/sources.yaml) that a source needs, without `internal-dns:source:`. */
export function rolesOf(source: WantedSource): string[] {
  const role = source.kind.toLowerCase();
  if (source.kind !== 'Service') return [role];
  const wanted = new Set<string>(typesOf(source));
  // Headless Services have the addresses of their Pods:
  // https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/service.go#L126
  const onPods = wanted.has('ClusterIP') || wanted.has('NodePort');
  return [role, ...(onPods ? ['service-clusterip'] : []), ...(wanted.has('NodePort') ? ['service-nodeport'] : [])];
}

const listenerSets = 'listenersets.v1.gateway.networking.k8s.io';

/** What the cluster has to serve beyond Kubernetes' own kinds: `plural.version.group`. */
export function watchedOf(source: WantedSource, { extraArgs }: { extraArgs: string[] }): string[] {
  const isRoute = routes.includes(source.kind);
  const sets = isRoute && extraArgs.includes('--gateway-listener-sets') ? [listenerSets] : [];
  // The core group, which has no name, is always served.
  const chosen = (source.resources ?? []).filter((resource) => resource.split('.').length > 2);
  return [...(sourceKind(source.kind).resources ?? []), ...sets, ...chosen];
}

/** Kinds of which nothing is heard, because the cluster does not serve what ExternalDNS watches. */
export interface Missing {
  kind: string;
  resource: string;
}

/** The sources that ExternalDNS can watch: it ends when one of them is not served. */
export function servedOf<S extends WantedSource>(sources: S[], missing: Missing[]): S[] {
  return sources.flatMap((source) => {
    const lacking = missing.filter(({ kind }) => kind === source.kind).map(({ resource }) => resource);
    if (lacking.length === 0) return [source];
    const resources = source.resources?.filter((resource) => !lacking.includes(resource)) ?? [];
    return resources.length > 0 ? [{ ...source, resources }] : [];
  });
}
