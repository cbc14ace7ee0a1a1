import { serverNames } from '../../contract/zone-records.ts';
import { hasReplicaServices } from '../server/replica-service.ts';
import type { Spec } from '../spec.ts';

/** The spec with the names that zones without `nameServers` have: ns1, and one for each further replica with a Service. */
export function withNameServers(spec: Spec): Spec {
  if (!hasReplicaServices(spec)) return spec;
  const zones = spec.zones.map((zone) =>
    zone.nameServers.length > 0 ? zone : { ...zone, nameServers: serverNames(zone.name, spec.replicas) },
  );
  return { ...spec, zones };
}
