import { absolute, isWithin, withoutDot } from '../name.ts';
import { defaultTTL, isAddress, nameServersOf, type ZoneSettings } from './apex.ts';
import { cnameLoopIssues, nameServerIssues } from './cname-loops.ts';
import { isReverse, overlapIssue, overlapsIn, ptrIssue } from './reverse.ts';
import type { DeclaredRRset, Entry, ZoneIssue } from './rrset.ts';
import { RRsetConflicts } from './rrset-conflicts.ts';
import { cutAbove, cutsOf } from './zone-cut.ts';

/** What the validation of a zone's records depends on. */
export interface ZoneContext {
  /** Fully qualified. */
  name: string;
  /** In seconds, for records without a TTL. */
  defaultTTL: number;
  /** The declared zones below it, which answer for their names. */
  children: string[];
  /** The names of the servers of all zones. */
  servers: string[];
  /** Whether the zone may have names beyond the validated entries. */
  isPartial?: boolean;
}

/** The context of one of the zones that an instance serves. */
export function zoneContext(zone: ZoneSettings, zones: ZoneSettings[]): ZoneContext {
  const name = absolute(zone.name);
  const below = zones.map((other) => absolute(other.name)).filter((other) => other !== name && isWithin(other, name));
  return {
    name,
    defaultTTL: zone.defaultTTL ?? defaultTTL,
    children: below.sort((a, b) => b.length - a.length),
    servers: [...new Set(zones.flatMap(nameServersOf))],
  };
}

/** Seconds. If a checked answer were cached for longer, clients would keep using an address that has failed. */
export const checkedTTL = 10;

/** Groups the entries of a zone into RRsets. The issue of a conflict is reported for the later entry. */
export function validateZone(zone: ZoneContext, entries: Entry[]): { rrsets: DeclaredRRset[]; issues: ZoneIssue[] } {
  const names = Map.groupBy(entries, ({ name }) => name);
  const cuts = cutsOf(zone.name, entries);
  const glue = new Set(entries.filter(({ type }) => type === 'NS').map(({ content }) => content));
  const nameServers = nameServerIssues(entries);
  const loops = cnameLoopIssues([zoneOf(zone, entries), ...zone.children.map(unknownZone)]);
  const parts = [...zone.children, ...entries.filter(({ type }) => type === 'NS').map(({ name }) => name)];
  const overlaps = isReverse(zone.name) ? overlapsIn(parts) : new Map<string, string>();
  const issues: ZoneIssue[] = [];
  const rrsets: DeclaredRRset[] = [];
  for (const [name, here] of names) {
    const cut = cutAbove(name, zone.name, cuts);
    const conflicts = new RRsetConflicts();
    const count = issues.length;
    for (const entry of here) {
      const message =
        misplaced(entry, zone) ??
        (cut && occluded(entry, cut, glue)) ??
        conflictAtCut(entry, cuts.get(name), glue) ??
        overlapWith(entry, overlaps) ??
        conflicts.conflictOf(entry) ??
        nameServers.get(entry) ??
        loops.get(entry);
      if (message !== undefined) issues.push({ at: entry.at, message });
      conflicts.add(entry);
    }
    if (issues.length > count) continue;
    for (const [type, ofType] of Map.groupBy(here, (e) => e.type)) rrsets.push(rrsetOf(name, type, ofType, zone));
  }
  return { rrsets, issues };
}

const zoneOf = ({ name, isPartial = false }: ZoneContext, records: Entry[]) => ({ name, records, isPartial });
const unknownZone = (name: string) => ({ name, records: [], isPartial: true });

function rrsetOf(name: string, type: string, [first, ...others]: Entry[], zone: ZoneContext): DeclaredRRset {
  const { ttl, ptr, answer } = first as Entry;
  const usual = answer?.check ? Math.min(checkedTTL, zone.defaultTTL) : zone.defaultTTL;
  const records = [first as Entry, ...others].map(({ content }) => content);
  return { name, type, ttl: ttl ?? usual, records, ...(ptr && { ptr }), ...(answer && { answer }) };
}

/** The issue of an entry that cannot be in this zone, whatever its other entries are. */
function misplaced({ name, type, content, answer }: Entry, zone: ZoneContext): string | undefined {
  if (!isWithin(name, zone.name)) return `${withoutDot(name)} is outside the zone ${withoutDot(zone.name)}`;
  const child = zone.children.find((c) => isWithin(name, c));
  if (child) {
    return name === child && (type === 'NS' || type === 'DS')
      ? `${withoutDot(child)} is a zone of this instance and delegated automatically: leave it out`
      : `${withoutDot(name)} belongs to the zone ${withoutDot(child)}, which is also declared: put it there`;
  }
  if (name === zone.name) {
    if (type === 'NS') return 'the NS records of the zone itself come from nameServers: set those instead';
    if (type === 'CNAME') return 'a CNAME cannot be at the apex of a zone (RFC 1034 section 3.6.2): use ALIAS';
    if (type === 'DS') return 'the DS of a zone belongs in its parent zone (RFC 4034 section 5)';
  }
  if (type === 'NS' && name.startsWith('*.')) return 'a wildcard cannot be delegated (RFC 4592 section 4.2)';
  if (type === 'DNAME' && name.startsWith('*.')) return 'a wildcard cannot have a DNAME (RFC 4592 section 4.4)';
  if (type === 'ALIAS' && name.startsWith('*.')) return 'PowerDNS does not answer an ALIAS of a wildcard: use CNAME';
  if ((type === 'CNAME' || type === 'DNAME' || type === 'ALIAS') && content === name) return `${type} to itself`;
  if ((type === 'HTTPS' || type === 'SVCB') && content === `0 ${name}`) {
    return 'AliasMode to itself (RFC 9460 section 2.4.2)';
  }
  if (zone.servers.includes(name)) {
    if (type === 'CNAME') return "the name of a zone's server must have addresses (RFC 2181 section 10.3)";
    if (type === 'ALIAS' || answer) {
      return "the name of a zone's server must have plain addresses: referrals do not include computed answers (RFC 1034 section 4.2.1)";
    }
  }
  const server = type === 'DNAME' && zone.servers.find((s) => s !== name && isWithin(s, name));
  if (server) {
    return `it would cover ${withoutDot(server)}, the name of a server that has its addresses here (RFC 6672 section 2.4): name another in nameServers`;
  }
  return type === 'PTR' ? ptrIssue(name, content, zone.name) : undefined;
}

/** The issue of an entry below a cut. Only glue is ever answered there. */
function occluded(entry: Entry, cut: Entry, glue: ReadonlySet<string>): string | undefined {
  const above = withoutDot(cut.name);
  if (cut.type === 'DNAME') return `never answered: the DNAME of ${above} covers it (RFC 6672 section 2.4)`;
  if (isAddress(entry.type) && glue.has(entry.name)) return computedGlue(entry, cut);
  return `never answered: ${above} is delegated (${cut.at}), and below it only glue is answered`;
}

function overlapWith({ name, type }: Entry, overlaps: ReadonlyMap<string, string>): string | undefined {
  const other = type === 'NS' ? overlaps.get(name) : undefined;
  return other && `${withoutDot(name)} ${overlapIssue(other)}`;
}

/** The issue of an entry at the owner name of a delegation. */
function conflictAtCut(entry: Entry, cut: Entry | undefined, glue: ReadonlySet<string>): string | undefined {
  const { name, type } = entry;
  if (cut?.type !== 'NS') {
    return type === 'DS' ? 'a DS needs the NS of the delegation at the same name (RFC 4034 section 5)' : undefined;
  }
  if (type === 'NS' || type === 'DS') return undefined;
  if (isAddress(type) && glue.has(name)) return computedGlue(entry, cut);
  return `never answered: ${withoutDot(name)} is delegated (${cut.at})`;
}

/** PowerDNS adds glue to referrals as it is, without computing answers. */
function computedGlue({ name, answer }: Entry, cut: Entry): string | undefined {
  if (!answer) return undefined;
  return `${withoutDot(name)} is glue of a delegation (${cut.at}): leave check, answer and weights out, or referrals lack its address (RFC 1034 section 4.2.1)`;
}
