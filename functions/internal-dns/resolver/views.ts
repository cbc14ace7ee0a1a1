import type { KubernetesObject, Required, Selector } from '../../cdk8s-function-xp/composition.ts';
import { namesOf, selectorLabels } from '../names.ts';
import type { Spec } from '../spec.ts';

const key = (view: string) => `view-${view}`;

const others = ({ resolver }: Spec) =>
  (resolver?.views ?? []).flatMap(({ name, internalDNS }) =>
    internalDNS === undefined ? [] : [{ name, internalDNS }],
  );

/** Selects the Services of the other InternalDNSes that answer in views. */
export const viewSelectors = (spec: Spec): Record<string, Selector> =>
  Object.fromEntries(
    others(spec).map(({ name, internalDNS }) => [
      key(name),
      { apiVersion: 'v1', kind: 'Service', matchLabels: selectorLabels(internalDNS) },
    ]),
  );

/**
 * The addresses of those InternalDNSes, by view; none if one is missing. Those of its replicas if they have Services, so
 * that it is asked itself even if it has a resolver, which would take this one for a client.
 */
export function viewServersOf(spec: Spec, required: Required): Map<string, string[]> {
  return new Map(
    others(spec).map(({ name, internalDNS }) => {
      const { server } = namesOf(internalDNS, 0);
      const services = (required[key(name)] ?? []).filter(({ metadata }) => metadata.namespace === spec.namespace);
      const addressesOf = (isWanted: (service: string) => boolean) =>
        services
          .filter(({ metadata }) => isWanted(metadata.name))
          .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
          .flatMap((service) => clusterIPOf(service) ?? []);
      const isReplica = new RegExp(`^${server}-[0-9]+$`);
      const replicas = addressesOf((service) => isReplica.test(service));
      return [name, replicas.length > 0 ? replicas : addressesOf((service) => service === server)];
    }),
  );
}

/** The first cluster IP of a Service. */
export function clusterIPOf(service: KubernetesObject | undefined): string | undefined {
  const { clusterIPs = [] }: { clusterIPs?: string[] } = service?.spec ?? {};
  return clusterIPs.find((address) => address !== 'None');
}
