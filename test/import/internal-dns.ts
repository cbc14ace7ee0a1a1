import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { recordsOf } from '../../functions/internal-dns/zones/records.ts';

/** What an InternalDNS with such a zone is refused for, and none if it is accepted. Placeholders are filled in. */
export function refusalOf(zone: object): string | undefined {
  try {
    declaredOf(zone);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The records of an InternalDNS with such a zone, as its agent gets them. Throws what is wrong. */
export function declaredOf(zone: object): DeclaredRecord[] {
  const composite = { apiVersion: 'v1', kind: 'InternalDNS', metadata: { name: 'moved' }, spec: { zones: [zone] } };
  const records = recordsOf('moved', parseSpec(composite), { addresses: [], clusterIPs: [], port: 53 });
  return [...records.values()].flat();
}
