import { mayCheck } from '../../contract/source-kinds.ts';
import { type SpecSource, serviceTypesOf } from '../discovery/source.ts';
import type { Spec } from '../spec.ts';

const namespacesRole = 'namespaces';
const rangesRole = 'servicecidrs';

/** The roles that are bound in the whole cluster even if the spec sets `namespaces`: what they allow to read is in none. */
export const clusterRoles: readonly string[] = [namespacesRole, rangesRole];

/** The static ClusterRoles (configuration/sources.yaml) that discovery needs, without `internal-dns:source:`. */
export function rolesOf({ sources, tenants }: Pick<Spec['discovery'], 'sources' | 'tenants'>): string[] {
  const roles = new Set(sources.flatMap(sourceRoles));
  // Tenants select Namespaces by their labels.
  if (tenants.length > 0 && sources.length > 0) roles.add(namespacesRole);
  if (mayCheck(sources)) roles.add(rangesRole);
  return [...roles];
}

function sourceRoles(source: SpecSource): string[] {
  const role = source.kind.toLowerCase();
  if (source.kind !== 'Service') return [role];
  const types = serviceTypesOf(source);
  // The records of headless Services have the addresses of Pods:
  // https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/service.go#L126
  const onPods = types.includes('ClusterIP') || types.includes('NodePort');
  return [role, ...(onPods ? ['service-clusterip'] : []), ...(types.includes('NodePort') ? ['service-nodeport'] : [])];
}
