import * as z from 'zod';
import type { WaysIn } from '../../contract/ways-in.ts';
import type { Spec } from '../spec.ts';
import { replicaServicesOf } from './replica-service.ts';
import { type Endpoint, type Endpoints, lacksAddresses } from './service.ts';
import { ownService, serviceNamed } from './service-schema.ts';

const ofEach = {
  addresses: z
    .array(z.string())
    .describe(
      'Addresses at which clients reach the server. Empty while there are none. With type NodePort those of the nodes that run the server or, if there is one, the resolver.',
    ),
  hostname: z.string().optional().describe('Hostname of the load balancer, which it can have instead of an address.'),
  port: z.int().describe('Port at these addresses.'),
};

export const addressStatus = z.object({
  service: z.string().describe(`${ownService}, or the name of one of additionalServices.`),
  type: z.string().describe('Type of the Service: ClusterIP, NodePort or LoadBalancer.'),
  ...ofEach,
  replicas: z
    .array(z.object({ service: z.string().describe('Name of the Service.'), ...ofEach }))
    .optional()
    .describe(
      "Of the advertised Service: where clients reach each replica, through the replica's own Service, in the order of the replicas. Clients that can ask several servers should have all of them.",
    ),
});

export const addressStatuses = ({ all, advertised, replicas }: Endpoints): z.output<typeof addressStatus>[] =>
  all.map((each) => ({
    service: each.service,
    type: each.type,
    ...placesOf(each),
    ...(each === advertised &&
      replicas.length > 0 && {
        replicas: replicas.map((replica) => ({ service: replica.object, ...placesOf(replica) })),
      }),
  }));

const placesOf = ({ addresses, hostname, port }: Endpoint) => ({ addresses, ...(hostname && { hostname }), port });

/** Why clients cannot reach the server through a Service, and the cure; undefined if they can. */
export function noAddress(endpoint: Endpoint, spec: Spec): string | undefined {
  const { object, type, addresses, hostname } = endpoint;
  if (addresses.length > 0 || hostname) return undefined;
  if (type === 'ClusterIP') return `Service ${object} has no address yet`;
  if (type === 'NodePort') return `no agent has reported the addresses of its node for Service ${object} yet`;
  const { tailscale, loadBalancerClass } = settingsOf(endpoint, spec);
  const otherwise = cureOf(endpoint);
  if (tailscale) {
    const without = endpoint.service === ownService ? 'remove service.tailscale' : otherwise;
    return `Tailscale's operator has given Service ${object} no address: install it, see its log, or ${without}`;
  }
  return loadBalancerClass
    ? `no load balancer of class ${loadBalancerClass} has given Service ${object} an address: install it, or ${otherwise}`
    : `no load balancer has given Service ${object} an address: install one, or ${otherwise}`;
}

/**
 * How clients reach the server, for the agents' page.
 * @param toResolver whether they are led to the resolver
 */
export function waysInOf(endpoints: Endpoints, spec: Spec, toResolver: boolean): WaysIn {
  return {
    ways: endpoints.all.map((each) => ({
      service: each.service,
      type: each.type,
      servers: serversOf(each, endpoints).flatMap(({ addresses, port }) =>
        addresses.map((address) => ({ address, port })),
      ),
      ...(each.hostname && { hostname: each.hostname }),
    })),
    notes: [noAddress(endpoints.own, spec) ?? [], serviceNotes(endpoints, spec)].flat(),
    ...(toResolver && (spec.resolver?.forward?.upstreams ?? []).length > 0 && { answersAll: true as const }),
  };
}

/** A resolver that has all replicas asks another one when one is silent; the Service of all of them still has it for a while. */
function serversOf(each: Endpoint, { advertised, replicas }: Endpoints): Endpoint[] {
  const isComplete = replicas.length > 0 && replicas.every(({ addresses }) => addresses.length > 0);
  return each === advertised && isComplete ? replicas : [each];
}

/** What is wrong with Services while the server is ready, each with its cure. */
export function serviceNotes(endpoints: Endpoints, spec: Spec): string[] {
  const { own, advertised, all, replicas } = endpoints;
  const pending = [...all, ...replicas].flatMap((each) => (each === own ? [] : (noAddress(each, spec) ?? [])));
  const named = [...all, ...replicas]
    .filter(({ addresses, hostname }) => addresses.length === 0 && hostname)
    .map(onlyName);
  const lost = lacksAddresses(endpoints)
    ? [
        `until Service ${advertised.object} has an address, the zones' name servers have none, and their delegation has no glue`,
      ]
    : [];
  return [...pending, ...named, ...lost];
}

/** Resolvers forward queries to addresses only, and a name of one of its own zones could not be resolved at all. */
const onlyName = ({ service, object, hostname }: Endpoint) =>
  `Service ${object} has only the name ${hostname}, to which no resolver can forward: give it fixed addresses by its provider's annotation, and list them in ${pathOf(service)}.addresses`;

function cureOf({ service }: Endpoint): string {
  if (service === ownService) return 'set service.type to ClusterIP or NodePort';
  return isReplica(service) ? 'set replicaServices.mode to None' : `remove ${pathOf(service)}`;
}

function pathOf(service: string): string {
  if (isReplica(service)) return `replicaServices.overrides[${service}]`;
  return service === ownService ? service : `additionalServices[${service}]`;
}

/** Names of Services begin with a letter. */
const isReplica = (service: string) => /^\d/.test(service);

function settingsOf({ service }: Endpoint, spec: Spec): Spec['service'] {
  if (isReplica(service)) return replicaServicesOf(spec)[Number(service)] as Spec['service'];
  return serviceNamed(spec, service);
}
