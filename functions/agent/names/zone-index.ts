import { zoneOf } from '../../dns/name.ts';
import { type Chain, chainFrom } from '../../dns/zone/cname-chain.ts';
import { Lookup } from '../../dns/zone/lookup.ts';
import { cutAt, cutsOf, isGlue } from '../../dns/zone/zone-cut.ts';
import type { DesiredRecord } from '../discovery/desired-records.ts';
import type { Decision } from '../discovery/pipeline.ts';
import { shortList } from '../lib/short-list.ts';
import { canonicalAddress, keyOf, type RRset, resourceOf, type Zone } from '../powerdns/rrset.ts';
import { ownRecords, type RequestedHost } from './requested-host.ts';

type RRsets = ReadonlyMap<string, RRset>;

/** Looks up what the zones answer, and what ExternalDNS was allowed to publish. */
export class ZoneIndex {
  readonly #all: readonly Zone[];
  readonly #served: ReadonlyMap<string, RRsets>;
  readonly #accepted: RRsets;
  #lookup: Lookup<RRset> | undefined;

  constructor(zones: readonly Zone[], decisions: readonly Decision[]) {
    this.#all = zones;
    this.#served = new Map(zones.map((zone) => [zone.name, byKey(servedRRsets(zone))]));
    this.#accepted = byKey(decisions.flatMap(({ answer }) => answer));
  }

  /** Whether the zones answer with every content of a record. */
  isServed(record: DesiredRecord): boolean {
    return includes(zoneOf(record.name, this.#served)?.get(keyOf(record)), record);
  }

  /** Whether the last evaluation lets ExternalDNS publish a record. */
  isAccepted(record: DesiredRecord): boolean {
    return includes(this.#accepted.get(keyOf(record)), record);
  }

  /** Follows the CNAME of a name; undefined if it has none. */
  cnameChain(name: string): Chain<RRset> | undefined {
    if (!zoneOf(name, this.#served)?.has(keyOf({ name, type: 'CNAME' }))) return undefined;
    this.#lookup ??= new Lookup(this.#all.map(({ name, rrsets }) => ({ name, records: rrsets })));
    return chainFrom(this.#lookup, name);
  }

  /** What is answered at a host on behalf of its object, such as `A 192.0.2.7`: what it wants, or has published before. */
  answersFor(host: RequestedHost): string[] {
    const { name, resource, held } = host;
    const zone = zoneOf(name, this.#served);
    const desiredRecords = host.desiredRecords.length > 0 ? host.desiredRecords : ownRecords(host);
    const types = new Set(['A', 'AAAA', 'CNAME', ...[...desiredRecords, ...held].map(({ type }) => type).sort()]);
    const rrsets = [...types].flatMap((type) => zone?.get(keyOf({ name, type })) ?? []);
    return rrsets
      .filter((rrset) => resourceOf(rrset) === resource || desiredRecords.some((desired) => includes(rrset, desired)))
      .flatMap(({ type, records }) => records.map((content) => `${type} ${abbreviated(content)}`));
  }
}

/** Without what a delegation or a DNAME hides, except glue. */
function servedRRsets({ name, rrsets }: Zone): readonly RRset[] {
  const cuts = cutsOf(name, rrsets);
  if (cuts.size === 0) return rrsets;
  return rrsets.filter((rrset) => {
    const cut = cutAt(rrset.name, name, cuts);
    return cut === undefined || cut === rrset || isGlue(rrset, cut);
  });
}

const byKey = (rrsets: readonly RRset[]): RRsets => new Map(rrsets.map((rrset) => [keyOf(rrset), rrset]));

/** Whether an RRset has every content of a record. */
function includes(rrset: RRset | undefined, record: DesiredRecord): boolean {
  if (rrset?.name !== record.name || rrset.type !== record.type || record.records.length === 0) return false;
  const contents = contentsOf(rrset);
  return record.records.every((content) => contents.has(canonicalAddress(content)));
}

/** By the RRset, which is immutable: every object that shares a name asks for them. */
const contentsCache = new WeakMap<RRset, ReadonlySet<string>>();

function contentsOf(rrset: RRset): ReadonlySet<string> {
  const contents = contentsCache.get(rrset) ?? new Set(rrset.records.map(canonicalAddress));
  contentsCache.set(rrset, contents);
  return contents;
}

const abbreviated = (content: string) => shortList([content.replace(/(?<=\S)\.$/, '')]);
