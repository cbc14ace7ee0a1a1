import type { Declaration, DeclaredZone } from '../../contract/declaration.ts';
import { absolute, parentOf, zoneOf } from '../../dns/name.ts';
import { apexOf, delegationOf, hostRRsets, nameServersOf } from '../../dns/zone/apex.ts';
import { octetsOf, rangeOf } from '../../dns/zone/reverse.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';
import { zoneContext } from '../../dns/zone/validate-zone.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';
import { canonicalAddress, isAddressType, keyOf, type RRset } from '../powerdns/rrset.ts';
import { misleadingIn } from './alias-loops.ts';
import type { ZoneFiles } from './zone-file.ts';
import { declaredMark, type SkippedRecords, type ZoneRecords, zoneRecords } from './zone-records.ts';

/** What is declared of one zone, ready to be compared with what is there. */
export interface DeclaredContent extends ZoneRecords {
  /** Seconds. */
  defaultTTL: number;
  /** Of the RRsets those that nobody wrote: a zone file that is held may have said otherwise, and what it said stands. */
  derived: Set<RRset>;
}

/** The DS records of each signed zone, by its absolute name. */
export type Signatures = ReadonlyMap<string, string[]>;

/** What stands already, in usual records. */
export interface CurrentCost {
  /** Of each zone file, by its zone and then by its name. */
  files: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What is not declared: discovered, or made by a person. */
  others: number;
}

/** How many usual records all zones may have together, and what is there already. */
export interface Room {
  most: number;
  current?: CurrentCost | undefined;
}

const nothingStands: CurrentCost = { files: new Map(), others: 0 };

/** Pure: everything that the zones must have, by their absolute names, but for what derives from what is there. */
export function declaredContent(
  declaration: Declaration,
  files: ZoneFiles = new Map(),
  signatures: Signatures = new Map(),
  room: Room = { most: Number.POSITIVE_INFINITY },
): Map<string, DeclaredContent> {
  const leftOut = new Map(declaration.zones.map(({ name }) => [absolute(name), new Map<string, ZoneIssue>()]));
  for (;;) {
    const contents = contentsOf(declaration, files, signatures, leftOut, room);
    const found = misleadingIn(contents);
    if (found.length === 0) return contents;
    // Without them a wildcard may lead to where it did not.
    for (const { zone, part, fault } of found) leftOut.get(zone)?.set(part, fault);
  }
}

function contentsOf(
  { zones, addresses }: Declaration,
  files: ZoneFiles,
  signatures: Signatures,
  leftOut: ReadonlyMap<string, SkippedRecords>,
  { most, current = nothingStands }: Room,
): Map<string, DeclaredContent> {
  const names = new Map(zones.map(({ name }) => [absolute(name), absolute(name)]));
  const servers = new Set(zones.flatMap(nameServersOf));
  // A server may be named by one zone and live in another: its address belongs to the zone that is asked for it.
  const hosts = Map.groupBy(servers, (server) => zoneOf(server, names));
  const canonical = [...new Set(addresses.map(canonicalAddress))];
  const inSpec = zones.flatMap(({ records = [] }) => records.flatMap(({ values }) => values));
  const ofFiles = current.files.values().flatMap((files) => files.values());
  const taken = [...ofFiles, ...inSpec.map(recordCost)].reduce((sum, each) => sum + each, current.others);
  let room = most - taken;
  const contents = new Map(
    zones.map((zone): [string, DeclaredContent] => {
      const frame = zoneContext(zone, zones);
      const content = zoneRecords(zone, frame, files, {
        leftOut: leftOut.get(frame.name),
        room,
        current: current.files.get(frame.name),
      });
      room -= content.room;
      const isTaken = new Set(content.rrsets.filter((r) => isAddressType(r.type)).map((r) => r.name));
      const addressed = (hosts.get(frame.name) ?? [])
        .filter((server) => !isTaken.has(server))
        .flatMap((server) => hostRRsets(server, canonical, frame.defaultTTL))
        .map(ours);
      const rrsets = [...apexOf(zone).map(ours), ...addressed, ...content.rrsets];
      return [frame.name, { ...content, rrsets, defaultTTL: frame.defaultTTL, derived: new Set(addressed) }];
    }),
  );
  for (const zone of zones) delegate(zone, contents, signatures.get(absolute(zone.name)) ?? []);
  for (const [name, { rrsets, derived }] of contents) {
    for (const alias of rangeAliases(name, rrsets)) {
      if (leftOut.get(name)?.has(keyOf(alias))) continue;
      rrsets.push(alias);
      derived.add(alias);
    }
  }
  return contents;
}

const ours = (rrset: RRset): RRset => ({ ...rrset, mark: declaredMark() });

/** Puts into the parent, where it is declared as well, what leads to a zone. */
function delegate(zone: DeclaredZone, contents: Map<string, DeclaredContent>, ds: string[]): void {
  const name = absolute(zone.name);
  const parent = zoneOf(parentOf(name), contents);
  if (!parent) return;
  parent.rrsets.push(...delegationOf(zone, ds, contents.get(name)?.rrsets ?? []).map(ours));
}

/** The CNAMEs of RFC 2317 section 4, for each part of a /24 that is delegated: of the source that delegates it. */
function rangeAliases(zone: string, rrsets: RRset[]): RRset[] {
  const taken = new Set(rrsets.map(({ name }) => name));
  const aliases: RRset[] = [];
  for (const { name: target, type, ttl, mark } of rrsets) {
    const range = type === 'NS' && target !== zone ? rangeOf(target) : undefined;
    if (range?.network !== zone) continue;
    for (const octet of octetsOf(range)) {
      const name = `${octet}.${zone}`;
      // Parts may overlap, and a name has one CNAME.
      if (taken.has(name)) continue;
      taken.add(name);
      aliases.push({ name, type: 'CNAME', ttl, records: [`${octet}.${target}`], ...(mark && { mark }) });
    }
  }
  return aliases;
}
