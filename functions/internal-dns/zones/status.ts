import * as z from 'zod';
import type { Condition } from '../../cdk8s-function-xp/composition.ts';
import type { DeclaredZone } from '../../contract/declaration.ts';
import { delegationLines } from '../../contract/delegation.ts';
import type { Report, ZoneReport } from '../../contract/report.ts';
import { zoneStatusTexts } from '../../contract/zone-schema.ts';
import { no, yes } from '../condition.ts';
import { type Endpoints, lacksAddresses } from '../server/service.ts';
import { reportedSignatures, type Signature, signature } from './signature.ts';

export const zoneStatus = z.object({
  name: z.string().describe('Name of the zone.'),
  state: z.string().describe('One of Serving, Pending, Failed, or Retained (no longer declared, but not empty).'),
  message: z.string().optional().describe(zoneStatusTexts.message),
  delegation: z.array(z.string()).optional().describe(zoneStatusTexts.delegation),
  dnssec: signature.optional().describe(zoneStatusTexts.dnssec),
});

export type ZoneStatus = z.output<typeof zoneStatus>;

/** What the status of the zones is derived from. */
export interface ZonesStatusInput {
  zones: DeclaredZone[];
  endpoints: Endpoints;
  /** The signatures published so far, by zone. */
  signatures: ReadonlyMap<string, Signature>;
  pods: string[];
  reports: (Report | undefined)[];
  /** The reports on the current declaration. */
  current: Report[];
}

/** The status of each declared zone, and of each retained one. */
export function zoneStatuses(input: ZonesStatusInput): ZoneStatus[] {
  const { zones } = input;
  const retained = new Map(
    latestOf(input).flatMap((r) =>
      r.zones.filter(({ state }) => state === 'Retained').map((zone) => [zone.name, zone] as const),
    ),
  );
  const declared = zones.map((zone) => statusOf(zone, retained.get(zone.name), input));
  const others = [...retained.values()].filter(({ name }) => zones.every((zone) => zone.name !== name));
  return [...declared, ...others.map(({ name, state, message }) => ({ name, state, ...(message && { message }) }))];
}

function statusOf(zone: DeclaredZone, retained: ZoneReport | undefined, input: ZonesStatusInput): ZoneStatus {
  const { zones, endpoints, signatures, current, pods } = input;
  const { name, dnssec } = zone;
  const reported = latestOf(input).flatMap((r) => r.zones.filter((each) => each.name === name));
  const found = dnssec ? reportedSignatures(name, current) : [];
  const signature = dnssec && (found.length === 1 ? found[0] : signatures.get(name));
  const ds = dnssec?.mode === 'Signed' ? (signature?.ds ?? []) : [];
  const delegation = delegationLines(zone, zones, ds, {
    addresses: endpoints.advertised.serverAddresses,
    replicaAddresses: endpoints.replicas.map((each) => each.serverAddresses),
    lacksAddresses: lacksAddresses(endpoints),
  });
  const state = found.length > 1 ? disagreement(name, found) : worstOf(name, reported, pods.length, retained);
  return { ...state, ...(delegation && { delegation }), ...(signature && { dnssec: signature }) };
}

/**
 * The last report of each replica, even on an earlier declaration: an edit in progress does not make a zone less
 * served, and each change of the status and back would cost Crossplane two writes.
 */
const latestOf = ({ reports }: ZonesStatusInput): Report[] => reports.filter((report) => report !== undefined);

type State = Pick<ZoneReport, 'name' | 'state' | 'message'>;

const severity = { Serving: 0, Retained: 1, Pending: 2, Failed: 3 };

/**
 * The worst state that a replica reports. Unless it is Failed, the zone is Pending while a replica does not report it.
 */
function worstOf(name: string, reported: ZoneReport[], replicas: number, retained: ZoneReport | undefined): State {
  const [worst] = [...reported].sort((a, b) => severity[b.state] - severity[a.state]);
  const isIncomplete = reported.length < replicas && !retained;
  if (!worst || (isIncomplete && worst.state !== 'Failed')) return { name, state: 'Pending' };
  return { name, state: worst.state, ...(worst.message && { message: worst.message }) };
}

function disagreement(name: string, signatures: Signature[]): State {
  const keys = signatures.map(({ ds }) => ds.join(', ')).sort();
  const message = `the replicas sign with different keys (DS ${keys.join(' and ')}): delete the volume claim and the pod of the replica whose DS the parent does not have`;
  return { name, state: 'Failed', message };
}

/** The condition ZonesReady: whether the zones are served as declared, with warnings if they are. */
export function zonesReady(statuses: ZoneStatus[], input: ZonesStatusInput): Condition {
  const { pods, reports, current, zones } = input;
  const type = 'ZonesReady';
  const unreported = pods.filter((_, index) => !reports[index]);
  if (unreported.length > 0) {
    return no(
      type,
      'WaitingForAgent',
      `no report from ${unreported.join(', ')}; if this lasts, see the log of the container agent`,
    );
  }
  if (current.length < pods.length) return no(type, 'Applying', 'the servers are applying this spec');
  const failed = statuses.filter((z) => z.state === 'Failed');
  if (failed.length > 0) return no(type, 'Failed', failed.map((z) => `${z.name}: ${z.message}`).join('; '));
  const pending = statuses.filter((z) => z.state === 'Pending');
  if (pending.length > 0) {
    const each = pending.map(({ name, message }) => (message ? `${name} (${message})` : name));
    return no(type, 'Pending', `not answering yet: ${each.join(', ')}`);
  }
  const unsigning = zones.filter(({ dnssec }) => dnssec?.mode === 'Unsigning').map(({ name }) => name);
  const notes = [
    ...statuses.filter((z) => z.state === 'Retained').map((z) => `${z.name}: ${z.message}`),
    ...statuses.filter((z) => unsigning.includes(z.name)).map(howToUnsign),
    ...zones.filter((z) => z.name === 'local' || z.name.endsWith('.local')).map((z) => multicastWarning(z.name)),
    ...truncated([...new Set(current.flatMap(({ warnings = [] }) => warnings))].sort()),
  ];
  return yes(type, 'Serving', notes.join('; '));
}

const maxWarnings = 3;

const truncated = (warnings: string[]) =>
  warnings.length > maxWarnings
    ? [...warnings.slice(0, maxWarnings), `and ${warnings.length - maxWarnings} more`]
    : warnings;

function howToUnsign({ name, dnssec }: ZoneStatus): string {
  const ds = dnssec?.ds ?? [];
  if (ds.length === 0) return `${name} has no key: set its dnssec.mode to "Off"`;
  return `remove DS ${ds.join(' and DS ')} of ${name} from its parent and from trust anchors, wait until their TTL has expired, then set its dnssec.mode to "Off"`;
}

const multicastWarning = (zone: string) =>
  `${zone} is under .local, which most machines resolve by multicast DNS only (RFC 6762): prefer a name under .internal`;
