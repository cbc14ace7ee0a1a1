import type { DeclaredSource } from '../../contract/declaration.ts';
import { type ApiResource, type SourceResource, sourceResources } from '../../contract/source-kinds.ts';
import type { KubernetesObject, ObjectReference } from '../kubernetes/object.ts';
import type { SourceFilters } from './kinds/annotation.ts';
import { fromDNSEndpoint } from './kinds/dns-endpoint.ts';
import { selectorReason } from './kinds/filter.ts';
import { fromIngress } from './kinds/ingress.ts';
import { type Route, routeOf } from './kinds/route.ts';
import { fromService } from './kinds/service.ts';
import { machineOf, nameClaimOf, type OwnObject, zoneObjectOf } from './own-object.ts';
import type { SourceObject } from './source-object.ts';

/** A kind of which the agent reads objects. */
export interface Kind extends SourceResource {
  read: (object: never, filters: SourceFilters, source: DeclaredSource) => SourceObject[] | Route | OwnObject;
}

export const kinds: Readonly<Record<string, Kind>> = {
  Ingress: { ...sourceResources.Ingress, read: fromIngress },
  Service: { ...sourceResources.Service, read: fromService },
  HTTPRoute: { ...sourceResources.HTTPRoute, read: routeOf },
  GRPCRoute: { ...sourceResources.GRPCRoute, read: routeOf },
  TLSRoute: { ...sourceResources.TLSRoute, read: routeOf },
  TCPRoute: { ...sourceResources.TCPRoute, read: routeOf },
  UDPRoute: { ...sourceResources.UDPRoute, read: routeOf },
  DNSEndpoint: { ...sourceResources.DNSEndpoint, read: fromDNSEndpoint },
  Machine: { ...sourceResources.Machine, read: selected(machineOf) },
  NameClaim: { ...sourceResources.NameClaim, read: selected(nameClaimOf) },
  Zone: { ...sourceResources.Zone, read: selected(zoneObjectOf) },
};

/** Leaves out what the selectors of the spec do not match: its status is for those who read it. */
function selected<T>(read: (object: KubernetesObject) => T) {
  return (object: KubernetesObject, filters: SourceFilters): T | SourceObject[] =>
    selectorReason(object.metadata, filters) === undefined ? read(object) : [];
}

export const namespaces: ApiResource = { group: '', version: 'v1', plural: 'namespaces' };

/** Reports whether objects of a kind also depend on their Gateways. */
export const isRoute = ({ read }: Kind) => read === routeOf;

/** Path of the objects in one namespace, or in all of them. */
export function pathOf({ group, version, plural }: ApiResource, namespace = ''): string {
  const api = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace ? `${api}/namespaces/${namespace}/${plural}` : `${api}/${plural}`;
}

/**
 * Returns what an Event on an object refers to; undefined for a kind that the agent does not read.
 * @param resource as in ExternalDNS's label: `ingress/shop/web`
 */
export function referenceOf(resource: string, uid: string): ObjectReference | undefined {
  const [label, ...path] = resource.split('/');
  const [kind, api] = Object.entries(kinds).find(([, each]) => each.label === label) ?? [];
  const [name, namespace] = path.reverse();
  if (!kind || !api || !name) return undefined;
  const apiVersion = api.group === '' ? api.version : `${api.group}/${api.version}`;
  return { apiVersion, kind, ...(namespace && { namespace }), name, uid };
}
