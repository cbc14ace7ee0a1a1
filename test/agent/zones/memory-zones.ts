/** Zones in memory, with the rejections of PowerDNS. */
import type { CreateZoneOptions, Database, RejectedChange } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNSRejection } from '../../../functions/agent/powerdns/powerdns.ts';
import { type Change, declaredAccount, type RRset, type Zone } from '../../../functions/agent/powerdns/rrset.ts';

// Callers cannot change the zones through what is returned. structuredClone takes ten times as long.
const copyOf = ({ mark, ...rrset }: RRset): RRset => ({
  ...rrset,
  records: [...rrset.records],
  ...(mark && { mark: { ...mark } }),
});
const copyOfZone = (zone: Zone): Zone => ({ ...zone, rrsets: zone.rrsets.map(copyOf) });

export class MemoryZones implements Pick<Database, keyof Database> {
  readonly #zones = new Map<string, Zone>();
  /** By zone and kind. */
  readonly #metadata = new Map<string, string[]>();
  /** Writes so far. */
  writes = 0;
  /** Rejected changes so far. */
  rejections = 0;
  /** Every request fails with this while it is set. */
  failure: string | undefined;
  /** RRsets to reject, besides those that DNS forbids. */
  refuses: (rrset: RRset) => boolean = () => false;

  constructor(zones: Zone[] = []) {
    for (const zone of zones) this.#zones.set(zone.name, zone);
  }

  async zones(): Promise<Zone[]> {
    if (this.failure) throw new Error(this.failure);
    return [...this.#zones.values()].map(copyOfZone);
  }

  /** Everything in one list, for tests to compare. */
  get rrsets(): (RRset & { zone: string })[] {
    return [...this.#zones.values()].flatMap((zone) => zone.rrsets.map((rrset) => ({ ...rrset, zone: zone.name })));
  }

  get names(): string[] {
    return [...this.#zones.keys()];
  }

  /** Changes a zone by hand. */
  edit(name: string, change: (zone: Zone) => void): void {
    change(this.#zones.get(name) as Zone);
  }

  async refreshed({ name }: Zone): Promise<Zone> {
    if (this.failure) throw new Error(this.failure);
    return copyOfZone(this.#zones.get(name) as Zone);
  }

  invalidate(): void {}

  async metadata({ name }: Zone, kind: string): Promise<string[]> {
    if (this.failure) throw new Error(this.failure);
    return this.#metadata.get(`${name} ${kind}`) ?? [];
  }

  async setMetadata({ name }: Zone, kind: string, values: string[]): Promise<void> {
    this.#write();
    this.#metadata.set(`${name} ${kind}`, values);
  }

  /** Loses everything but the records. */
  wipeMetadata(): void {
    this.#metadata.clear();
  }

  wipe(): void {
    this.wipeMetadata();
    this.#zones.clear();
  }

  async create(
    name: string,
    rrsets: RRset[],
    { account = declaredAccount, metadata = {} }: CreateZoneOptions = {},
  ): Promise<RejectedChange[]> {
    this.#write();
    if (this.#zones.has(name)) throw new PowerDNSRejection(409, 'Conflict');
    const zone = { name, id: name, account, rrsets: [] };
    for (const rrset of rrsets) this.#put(zone, rrset);
    this.#zones.set(name, zone);
    for (const [kind, values] of Object.entries(metadata)) this.#metadata.set(`${name} ${kind}`, values);
    return [];
  }

  async apply({ name }: Zone, changes: Change[]): Promise<RejectedChange[]> {
    if (changes.length === 0) return [];
    this.#write();
    const zone = this.#zones.get(name);
    if (!zone) throw new PowerDNSRejection(404, 'Not Found');
    const rejected: RejectedChange[] = [];
    for (const ofName of Map.groupBy(changes, (change) => change.rrset.name).values()) {
      const before = zone.rrsets;
      try {
        for (const change of ofName) {
          if (change.action === 'replace') this.#put(zone, change.rrset);
          else zone.rrsets = zone.rrsets.filter((r) => r.name !== change.rrset.name || r.type !== change.rrset.type);
        }
      } catch (error) {
        zone.rrsets = before;
        this.rejections += 1;
        rejected.push(...ofName.map((change) => ({ change, message: (error as Error).message })));
      }
    }
    return rejected;
  }

  async remove({ name }: Zone): Promise<void> {
    this.#write();
    this.#zones.delete(name);
    for (const key of this.#metadata.keys()) if (key.startsWith(`${name} `)) this.#metadata.delete(key);
  }

  #write(): void {
    if (this.failure) throw new Error(this.failure);
    this.writes += 1;
  }

  #put(zone: Zone, rrset: RRset): void {
    const { name, type } = rrset;
    if (name !== zone.name && !name.endsWith(`.${zone.name}`))
      throw new PowerDNSRejection(422, `${name}: Name is out of zone`);
    const others = zone.rrsets.filter((r) => r.name === name && r.type !== type);
    if (others.some((r) => type === 'CNAME' || r.type === 'CNAME')) {
      throw new PowerDNSRejection(422, `RRset ${name} IN ${type}: Conflicts with pre-existing RRset`);
    }
    if (this.refuses(rrset))
      throw new PowerDNSRejection(422, `Record ${name}/${type} '${rrset.records[0]}': no, thank you`);
    zone.rrsets = [...zone.rrsets.filter((r) => r.name !== name || r.type !== type), copyOf(rrset)];
  }
}
