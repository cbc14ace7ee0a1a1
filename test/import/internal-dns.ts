import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { recordsOf } from '../../functions/internal-dns/zones/records.ts';

/** Returns the errors of an InternalDNS with such a zone, with placeholders replaced. Empty if it is accepted. */
export function refusalOf(zone: object): string | undefined {
  try {
    declaredOf(zone);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns the records of an InternalDNS with such a zone as declared to its agent. Throws if it is invalid. */
export function declaredOf(zone: object): DeclaredRecord[] {
  const composite = { apiVersion: 'v1', kind: 'InternalDNS', metadata: { name: 'moved' }, spec: { zones: [zone] } };
  const records = recordsOf('moved', parseSpec(composite), []);
  return [...records.values()].flat();
}
