import { nameServersOf } from '../dns/zone/apex.ts';
import type { Declaration } from './declaration.ts';

/**
 * The addresses of each name server of the zones, by its fully qualified name. If the replicas have addresses of their own,
 * the first name of a zone has those of the first replica, and so on; of fewer names than replicas each stands for several.
 * A replica that has none yet is reached at the shared addresses, as are all without addresses of their own.
 */
export function serverAddressesOf({
  zones,
  addresses,
  replicaAddresses = [],
}: Pick<Declaration, 'zones' | 'addresses' | 'replicaAddresses'>): Map<string, string[]> {
  const replicas = replicaAddresses.map((own) => (own.length > 0 ? own : addresses));
  const found = new Map<string, string[]>();
  for (const zone of zones) {
    const servers = nameServersOf(zone);
    for (const [index, server] of servers.entries()) {
      if (found.has(server)) continue;
      const own = replicas.filter((_, ordinal) => ordinal % servers.length === index);
      const others = replicas.slice(index % replicas.length).slice(0, 1);
      const all = own.length > 0 ? own : others;
      found.set(server, all.length > 0 ? [...new Set(all.flat())] : addresses);
    }
  }
  return found;
}
