import { canaryZone } from '../../contract/canary-zone.ts';
import { apexOf } from '../../dns/zone/apex.ts';
import { type PowerDNS, PowerDNSRejection } from '../powerdns/powerdns.ts';
import { replacement } from '../powerdns/rrset.ts';
import type { AnswerRecord } from './dns-query.ts';

/** Not the account of declared zones: an agent of a version without the canary would remove the zone as undeclared. */
const account = 'internal-dns-canary';

export const slotMs = 30_000;

/** The content of the canary: a number that all replicas agree on without communicating, since any may be queried. */
export const slotAt = (now: number) => Math.floor(now / slotMs);

/** Writes the record as a discovered name is written; creates the zone if it does not exist. Throws PowerDNS's errors. */
export async function writeCanary(powerdns: Pick<PowerDNS, 'create' | 'patch'>, slot: number): Promise<void> {
  const record = replacement({ name: canaryZone, type: 'TXT', ttl: 0, records: [`"${slot}"`] });
  const write = () => powerdns.patch({ id: canaryZone }, [record]);
  try {
    await write();
  } catch (error) {
    // The first write, or the database was lost.
    if (!(error instanceof PowerDNSRejection && error.status === 404)) throw error;
    await createCanaryZone(powerdns);
    await write();
  }
}

/** Creates the zone unless it exists. */
export async function createCanaryZone(powerdns: Pick<PowerDNS, 'create'>): Promise<void> {
  try {
    await powerdns.create(canaryZone, apexOf({ name: canaryZone, nameServers: [] }), account);
  } catch (error) {
    if (!(error instanceof PowerDNSRejection && error.status === 409)) throw error;
  }
}

/** The slot in an answer; undefined without one. */
export function slotIn(answers: readonly AnswerRecord[]): number | undefined {
  const record = answers.find(({ type }) => type === 'TXT');
  if (record?.type !== 'TXT') return undefined;
  const text = [record.data].flat().join('');
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
