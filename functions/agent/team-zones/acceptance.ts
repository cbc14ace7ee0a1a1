import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import { parseZone } from '../../contract/zone-records.ts';
import { absolute, isWithin, withoutDot, zoneOf } from '../../dns/name.ts';
import { entriesOfRecords } from '../../dns/record.ts';
import { nameServersOf } from '../../dns/zone/apex.ts';
import { overlapIssue, overlapsIn } from '../../dns/zone/reverse.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';
import { NamePatterns, type Tenant, tenantsByNamespace, unknownLabels } from '../discovery/tenancy.ts';
import type { Labels } from '../kubernetes/object.ts';
import { type ServiceTest, unknownRanges } from '../machines/service-address.ts';
import { byAge } from '../sources/age.ts';
import { type Identity, isMalformed, type Malformed, type ZoneObject } from '../sources/own-object.ts';
import type { ServedZone } from '../zones/served-declaration.ts';

export interface AcceptanceInput {
  zones: readonly (ZoneObject | Malformed)[];
  declaration: Declaration;
  discovery: DeclaredDiscovery;
  /** The labels of a namespace; undefined while unknown. */
  labelsOf: (namespace: string) => Labels | undefined;
  isOfService: ServiceTest | undefined;
  /** How many ordinary records all Zones together can have. */
  mostRecords: number;
}

export interface Refusal {
  object: Identity;
  /** Why, and what to change. */
  refusal: string;
  /** Whether it is refused only until something is known. */
  isTemporary: boolean;
}

/** Each zone of a server costs it a question every few seconds, however small it is. */
export const mostZones = { inNamespace: 64, inAll: 256 };

/**
 * Decides which Zones are served, the oldest first, so that none loses its name to a newer one. A record that is wrong
 * refuses no Zone: see served-zones.ts. The order of the input has no influence.
 */
export function acceptedZones(input: AcceptanceInput): { accepted: ZoneObject[]; refused: Refusal[] } {
  const names = new TakenNames(input.declaration);
  const quota = new ZoneQuota(input.mostRecords);
  const tenancy = tenancyOf(input);
  const reserved = new NamePatterns(input.discovery.reservedNames.map((pattern) => [pattern, true]));
  const accepted: ZoneObject[] = [];
  const refused: Refusal[] = [];
  const reasonFor = (object: ZoneObject): Reason | undefined => {
    const ofTenant = tenancy(object);
    if (ofTenant) return ofTenant;
    if (!input.isOfService && object.spec.records.some(({ check }) => check)) {
      return { refusal: unknownRanges, isTemporary: true };
    }
    const refusal = reserved.match(absolute(object.spec.name)).length > 0 ? isReserved : names.conflictOf(object.spec);
    return permanent(refusal ?? quota.excessOf(object));
  };
  for (const object of input.zones.toSorted(byAge)) {
    const reason = isMalformed(object) ? permanent(object.fault) : reasonFor(object);
    if (reason) refused.push({ object, ...reason });
    if (reason || isMalformed(object)) continue;
    accepted.push(object);
    names.take(object);
    quota.take(object);
  }
  return { accepted, refused };
}

/** Without zones that the spec has itself by now, or that would hide its records: those go at once. */
export function besideSpec(zones: readonly ServedZone[], declaration: Declaration): ServedZone[] {
  if (zones.length === 0) return [];
  const names = new TakenNames(declaration);
  return zones.filter((zone) => names.conflictOf(zone) === undefined);
}

type Reason = Omit<Refusal, 'object'>;

const permanent = (refusal: string | undefined): Reason | undefined =>
  refusal === undefined ? undefined : { refusal, isTemporary: false };

const isReserved = 'the name is reserved (discovery.reservedNames): use another name';

/** Without a tenant that says so, a namespace can have no zone: with one it has every name below it. */
function tenancyOf({ discovery: { tenants }, labelsOf }: AcceptanceInput): (object: ZoneObject) => Reason | undefined {
  const patternsOf = new Map(
    tenants.map((tenant) => [tenant, new NamePatterns((tenant.zones ?? []).map((pattern) => [pattern, true]))]),
  );
  const tenantsOf = tenants.length === 0 ? () => [] : tenantsByNamespace(tenants, labelsOf);
  return ({ namespace, spec: { name } }) => {
    const own = tenantsOf(namespace);
    if (!own) return { refusal: unknownLabels(namespace), isTemporary: true };
    if (own.some((tenant) => (patternsOf.get(tenant)?.match(absolute(name)).length ?? 0) > 0)) return undefined;
    return permanent(notOf(namespace, own));
  };
}

function notOf(namespace: string, tenants: readonly Tenant[]): string {
  const patterns = [...new Set(tenants.flatMap(({ zones = [] }) => zones))];
  if (patterns.length === 0) {
    return `namespace ${namespace} can have no zones (discovery.tenants): add the name to zones of a tenant that includes it`;
  }
  const shown = patterns.slice(0, 4).map(withoutDot).join(', ');
  const more = patterns.length > 4 ? ` and ${patterns.length - 4} more` : '';
  return `namespace ${namespace} can have only the zones ${shown}${more} (discovery.tenants): use one of these`;
}

type Settings = Pick<ServedZone, 'name' | 'nameServers'>;

interface Holder {
  /** In words. */
  who: string;
  /** The absolute names of its records. */
  names: () => readonly string[];
}

/** The names that zones have, and those in other zones that a new one would take away. */
class TakenNames {
  readonly #declaration: Declaration;
  /** By absolute name. */
  readonly #zones = new Map<string, Holder>();
  readonly #servers: ReadonlySet<string>;

  constructor(declaration: Declaration) {
    this.#declaration = declaration;
    this.#servers = new Set(declaration.zones.flatMap(nameServersOf));
    for (const { name, records = [] } of declaration.zones) {
      this.#zones.set(absolute(name), {
        who: `spec.zones of InternalDNS ${declaration.name}`,
        names: once(() => entriesOfRecords(records, absolute(name)).entries.map((entry) => entry.name)),
      });
    }
  }

  take({ namespace, name, spec }: ZoneObject): void {
    const { name: composite, addresses } = this.#declaration;
    this.#zones.set(absolute(spec.name), {
      who: `Zone ${namespace}/${name}, which is older`,
      names: once(() => parseZone(spec, composite, addresses).entries.map((entry) => entry.name)),
    });
  }

  conflictOf(zone: Settings): string | undefined {
    const name = absolute(zone.name);
    const holder = this.#zones.get(name);
    if (holder) return `${zone.name} is in ${holder.who}: use another name`;
    const overlap = overlapsIn([...this.#zones.keys(), name]).get(name);
    if (overlap !== undefined) return `${zone.name} ${overlapIssue(overlap)}`;
    return this.#hiddenBy(name) ?? this.#foreignServerOf(zone, name);
  }

  /** Names in a zone above it, which would no longer be answered. */
  #hiddenBy(name: string): string | undefined {
    for (const [zone, { who, names }] of this.#zones) {
      const hidden = isWithin(name, zone) && names().find((each) => isWithin(each, name));
      if (!hidden) continue;
      return `${withoutDot(zone)} has a record of ${withoutDot(hidden)}, which the Zone would hide: remove it there (${who})`;
    }
    return undefined;
  }

  /** A server gets the addresses of the DNS Service, and no other records that are computed. */
  #foreignServerOf(settings: Settings, name: string): string | undefined {
    const zones = new Map([...this.#zones.keys(), name].map((zone) => [zone, zone]));
    for (const server of nameServersOf(settings)) {
      const zone = zoneOf(server, zones);
      if (zone === undefined || zone === name || this.#servers.has(server)) continue;
      return `nameServers: ${withoutDot(server)} is in the zone ${withoutDot(zone)}: use names in ${settings.name}`;
    }
    return undefined;
  }
}

function once<T>(work: () => T): () => T {
  let result: { value: T } | undefined;
  return () => {
    result ??= { value: work() };
    return result.value;
  };
}

/** Bounds how much work teams choose. */
class ZoneQuota {
  readonly #mostRecords: number;
  readonly #zones = new Map<string, number>();
  #all = 0;
  #records = 0;

  constructor(mostRecords: number) {
    this.#mostRecords = mostRecords;
  }

  excessOf(object: ZoneObject): string | undefined {
    const { namespace } = object;
    if ((this.#zones.get(namespace) ?? 0) >= mostZones.inNamespace)
      return `namespace ${namespace} has ${mostZones.inNamespace} older Zones, and can have no more: delete some`;
    if (this.#all >= mostZones.inAll)
      return `an InternalDNS serves ${mostZones.inAll} Zones at most, and there are as many older ones: delete some`;
    if (this.#records + costOf(object) > this.#mostRecords) {
      return `the Zones have more records than resources.agent.limits.memory has room for, which is ${this.#mostRecords}, and older ones have the rest: remove some, or raise it`;
    }
    return undefined;
  }

  take(object: ZoneObject): void {
    this.#zones.set(object.namespace, (this.#zones.get(object.namespace) ?? 0) + 1);
    this.#all += 1;
    this.#records += costOf(object);
  }
}

const costOf = ({ spec }: ZoneObject) =>
  spec.records.reduce((sum, { values }) => sum + values.reduce((cost, value) => cost + recordCost(value), 0), 0);
