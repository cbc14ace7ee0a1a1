import { zoneOf } from '../../dns/name.ts';
import { type Chain, chainFrom } from '../../dns/zone/cname-chain.ts';
import { Lookup } from '../../dns/zone/lookup.ts';
import { cutAt, cutsOf, isGlue } from '../../dns/zone/zone-cut.ts';
import type { DesiredRecord } from '../discovery/desired-record.ts';
import type { ProviderSnapshot } from '../discovery/provider.ts';
import { listed } from '../lib/sentence.ts';
import { canonicalAddress, keyOf, type RRset, resourceOf, type Zone } from '../powerdns/rrset.ts';
import type { RequestedHost } from './requested-host.ts';

type RRsets = ReadonlyMap<string, RRset>;

/** What the zones answer, and what they are to answer by the last verdicts. */
export class Answers {
  readonly #all: readonly Zone[];
  #lookup: Lookup<RRset> | undefined;
  readonly #zones: ReadonlyMap<string, RRsets>;
  readonly #promised: RRsets;

  constructor(zones: readonly Zone[], snapshots: readonly ProviderSnapshot[]) {
    this.#all = zones;
    this.#zones = new Map(zones.map((zone) => [zone.name, byKey(answering(zone))]));
    this.#promised = byKey(snapshots.flatMap(({ answer }) => answer));
  }

  /** Whether a wish is answered. */
  has(desired: DesiredRecord): boolean {
    return holds(zoneOf(desired.name, this.#zones)?.get(keyOf(desired)), desired);
  }

  /** Whether ExternalDNS was told to go on with it. */
  isPromised(desired: DesiredRecord): boolean {
    return holds(this.#promised.get(keyOf(desired)), desired);
  }

  /** Where the CNAME of a name leads in the end; undefined where it has none. */
  chainFrom(name: string): Chain<RRset> | undefined {
    if (!zoneOf(name, this.#zones)?.has(keyOf({ name, type: 'CNAME' }))) return undefined;
    this.#lookup ??= new Lookup(this.#all.map(({ name, rrsets }) => ({ name, records: rrsets })));
    return chainFrom(this.#lookup, name);
  }

  /** What is answered at a host for its object, such as `A 192.0.2.7`: what it wants, or what it had. */
  at({ name, resource, desiredRecords }: RequestedHost): string[] {
    const zone = zoneOf(name, this.#zones);
    const types = new Set(['A', 'AAAA', 'CNAME', ...desiredRecords.map(({ type }) => type).sort()]);
    const rrsets = [...types].flatMap((type) => zone?.get(keyOf({ name, type })) ?? []);
    return rrsets
      .filter((rrset) => resourceOf(rrset) === resource || desiredRecords.some((desired) => holds(rrset, desired)))
      .flatMap(({ type, records }) => records.map((content) => `${type} ${shown(content)}`));
  }
}

/** Without what is beneath a cut, or beside a delegation, but for the addresses of its servers. */
function answering({ name, rrsets }: Zone): readonly RRset[] {
  const cuts = cutsOf(name, rrsets);
  if (cuts.size === 0) return rrsets;
  return rrsets.filter((rrset) => {
    const cut = cutAt(rrset.name, name, cuts);
    return cut === undefined || cut === rrset || isGlue(rrset, cut);
  });
}

const byKey = (rrsets: readonly RRset[]): RRsets => new Map(rrsets.map((rrset) => [keyOf(rrset), rrset]));

/** Whether an RRset answers with everything that a wish says. */
function holds(rrset: RRset | undefined, desired: DesiredRecord): boolean {
  if (rrset?.name !== desired.name || rrset.type !== desired.type || desired.records.length === 0) return false;
  const there = contentsOf(rrset);
  return desired.records.every((content) => there.has(canonicalAddress(content)));
}

/** Of an RRset, whose records never change: each of those who share a name asks for them. */
const contents = new WeakMap<RRset, ReadonlySet<string>>();

function contentsOf(rrset: RRset): ReadonlySet<string> {
  const known = contents.get(rrset) ?? new Set(rrset.records.map(canonicalAddress));
  contents.set(rrset, known);
  return known;
}

const shown = (content: string) => listed([content.replace(/(?<=\S)\.$/, '')]);
