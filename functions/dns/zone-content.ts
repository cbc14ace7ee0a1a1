import { defaultTTL, isAddress, serversOf, type ZoneSettings } from './apex.ts';
import { cutAbove, cutsOf } from './cut.ts';
import { absolute, isWithin, withoutDot } from './name.ts';
import type { DeclaredRRset, Entry, Fault } from './rrset.ts';

/** What a zone is, as far as its records must fit it. */
export interface ZoneFrame {
  /** Absolute. */
  name: string;
  /** Seconds, of records that state none. */
  defaultTTL: number;
  /** Declared zones below it: their names are answered from there. */
  children: string[];
  /** The names of the zone's servers, wherever they are. */
  servers: string[];
}

/** The frame of one of several zones that are served together. */
export function frameOf(zone: ZoneSettings, zones: ZoneSettings[]): ZoneFrame {
  const name = absolute(zone.name);
  const below = zones.map((other) => absolute(other.name)).filter((other) => other !== name && isWithin(other, name));
  return {
    name,
    defaultTTL: zone.defaultTTL ?? defaultTTL,
    children: below.sort((a, b) => b.length - a.length),
    servers: [...new Set(zones.flatMap(serversOf))],
  };
}

/** A checked answer that is cached for longer would outlive what it stands for. Seconds. */
export const checkedTTL = 10;

/** The RRsets of several entries of one zone, and what cannot stand together: each fault is the later entry's. */
export function contentOf(zone: ZoneFrame, entries: Entry[]): { rrsets: DeclaredRRset[]; faults: Fault[] } {
  const names = Map.groupBy(entries, ({ name }) => name);
  const cuts = cutsOf(zone.name, entries);
  const glue = new Set(entries.filter(({ type }) => type === 'NS').map(({ content }) => content));
  const faults: Fault[] = [];
  const rrsets: DeclaredRRset[] = [];
  for (const [name, here] of names) {
    const cut = cutAbove(name, zone.name, cuts);
    const neighbours = new Neighbours();
    const count = faults.length;
    for (const entry of here) {
      const message =
        outOfPlace(entry, zone) ??
        (cut && occluded(entry, cut, glue)) ??
        notAtCut(entry, cuts.get(name), glue) ??
        neighbours.whyNot(entry);
      if (message !== undefined) faults.push({ at: entry.at, message });
      neighbours.add(entry);
    }
    if (faults.length > count) continue;
    for (const [type, ofType] of Map.groupBy(here, (e) => e.type)) rrsets.push(rrsetOf(name, type, ofType, zone));
  }
  return { rrsets, faults };
}

function rrsetOf(name: string, type: string, [first, ...others]: Entry[], zone: ZoneFrame): DeclaredRRset {
  const { ttl, ptr, answer } = first as Entry;
  const usual = answer?.check ? Math.min(checkedTTL, zone.defaultTTL) : zone.defaultTTL;
  const records = [first as Entry, ...others].map(({ content }) => content);
  return { name, type, ttl: ttl ?? usual, records, ...(ptr && { ptr }), ...(answer && { answer }) };
}

/** What an entry cannot be in this zone, whatever else is there. */
function outOfPlace({ name, type, content }: Entry, zone: ZoneFrame): string | undefined {
  if (!isWithin(name, zone.name)) return `${withoutDot(name)} is outside the zone ${withoutDot(zone.name)}`;
  const child = zone.children.find((c) => isWithin(name, c));
  if (child) {
    return name === child && (type === 'NS' || type === 'DS')
      ? `${withoutDot(child)} is a zone of this instance and delegated by itself: leave it out`
      : `${withoutDot(name)} belongs to the zone ${withoutDot(child)}, which is declared as well: put it there`;
  }
  if (name === zone.name) {
    if (type === 'NS') return 'the servers of the zone itself are said by its nameServers';
    if (type === 'CNAME') return 'a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2): use ALIAS';
    if (type === 'DS') return 'the DS of a zone stands in its parent (RFC 4034 section 5)';
  }
  if (type === 'NS' && name.startsWith('*.')) return 'a wildcard cannot be delegated (RFC 4592 section 4.2)';
  if ((type === 'CNAME' || type === 'DNAME' || type === 'ALIAS') && content === name) return `${type} to itself`;
  if (type === 'CNAME' && zone.servers.includes(name)) {
    return "the name of a zone's server must have addresses (RFC 2181 section 10.3)";
  }
  return undefined;
}

/** Nobody is ever answered with what is below a cut, but for the addresses that lead beyond it. */
function occluded({ name, type }: Entry, cut: Entry, glue: ReadonlySet<string>): string | undefined {
  const above = withoutDot(cut.name);
  if (cut.type === 'DNAME') return `never answered: the DNAME of ${above} covers it (RFC 6672 section 2.4)`;
  if ((type === 'A' || type === 'AAAA') && glue.has(name)) return undefined;
  return `never answered: ${above} is delegated (${cut.at}), and below it only its servers have addresses here`;
}

/** What cannot be where a child zone begins. */
function notAtCut({ name, type }: Entry, cut: Entry | undefined, glue: ReadonlySet<string>): string | undefined {
  if (cut?.type !== 'NS') {
    return type === 'DS' ? 'a DS needs the NS of the delegation beside it (RFC 4034 section 5)' : undefined;
  }
  if (type === 'NS' || type === 'DS' || (isAddress(type) && glue.has(name))) return undefined;
  return `never answered: ${withoutDot(name)} is delegated (${cut.at})`;
}

/** The entries of one name so far; there may be tens of thousands, so each is compared with the first of a type. */
class Neighbours {
  readonly #firsts = new Map<string, Entry>();
  readonly #contents = new Map<string, Entry>();

  add(entry: Entry): void {
    if (!this.#firsts.has(entry.type)) this.#firsts.set(entry.type, entry);
    this.#contents.set(`${entry.type} ${entry.content}`, entry);
  }

  /** What an entry cannot stand beside. */
  whyNot({ type, content, ttl }: Entry): string | undefined {
    const same = this.#contents.get(`${type} ${content}`);
    if (same) return `the same as ${same.at}`;
    for (const other of this.#firsts.values()) {
      if (other.type === type) {
        if (isSingle(type)) return `a name has one ${type} (${other.at})`;
        if (other.ttl !== ttl) return `another ttl than ${other.at} of the same RRset (RFC 2181 section 5.2)`;
      } else if (type === 'CNAME' || other.type === 'CNAME') {
        return `nothing stands beside a CNAME (RFC 1034 section 3.6.2), and ${other.at} has the ${other.type} of this name`;
      } else if (isAlias(type, other.type)) {
        return `${type} beside the ${other.type} of ${other.at}: ALIAS gives the addresses`;
      }
    }
    return undefined;
  }
}

const isSingle = (type: string) => type === 'CNAME' || type === 'DNAME' || type === 'ALIAS';
const isAlias = (a: string, b: string) => (a === 'ALIAS' && isAddress(b)) || (b === 'ALIAS' && isAddress(a));
