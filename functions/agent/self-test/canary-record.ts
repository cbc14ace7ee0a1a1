import { apexOf } from '../../dns/zone/apex.ts';
import { type PowerDNS, PowerDNSRejection } from '../powerdns/powerdns.ts';
import { replacement } from '../powerdns/rrset.ts';
import type { Resource } from './dns-query.ts';

/**
 * The zone of the canary. It is its own: in a zone of the user's the serial would count up all the time. Nobody has names
 * in `.invalid` (RFC 6761 section 6.4), and nobody asks for them.
 */
export const canaryZone = 'canary.internal-dns.invalid.';

/** Not one of ours: an agent that knows no canary would take the zone for one that is no longer declared. */
const account = 'internal-dns-canary';

export const slotMs = 30_000;

/** What the canary says: the same in all replicas, which share nothing, as any of them may be asked. */
export const slotAt = (now: number) => Math.floor(now / slotMs);

/** Writes it as a discovered name is written, in a zone that is made where there is none. Throws what PowerDNS says. */
export async function writeCanary(powerdns: Pick<PowerDNS, 'create' | 'patch'>, slot: number): Promise<void> {
  const record = replacement({ name: canaryZone, type: 'TXT', ttl: 0, records: [`"${slot}"`] });
  const write = () => powerdns.patch({ id: canaryZone }, [record]);
  try {
    await write();
  } catch (error) {
    // It is the first time, or the database was lost.
    if (!(error instanceof PowerDNSRejection && error.status === 404)) throw error;
    await makeCanaryZone(powerdns);
    await write();
  }
}

/** Makes the zone, unless somebody has just done so. */
export async function makeCanaryZone(powerdns: Pick<PowerDNS, 'create'>): Promise<void> {
  try {
    await powerdns.create(canaryZone, apexOf({ name: canaryZone, nameServers: [] }), account);
  } catch (error) {
    if (!(error instanceof PowerDNSRejection && error.status === 409)) throw error;
  }
}

/** The slot in an answer; undefined when there is none. */
export function slotIn(answers: readonly Resource[]): number | undefined {
  const record = answers.find(({ type }) => type === 'TXT');
  if (record?.type !== 'TXT') return undefined;
  const text = [record.data].flat().join('');
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
