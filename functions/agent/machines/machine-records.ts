import { absolute, isWithin, withoutDot, zoneOf } from '../../dns/name.ts';
import { isReverse } from '../../dns/zone/reverse.ts';
import type { Endpoint } from '../discovery/endpoint.ts';
import { unknownLabels } from '../discovery/tenancy.ts';
import type { Machine } from '../sources/own-object.ts';
import type { TenantRights } from './tenant-rights.ts';
import { hostEndpoints, permitted, refused, type Translated } from './translated.ts';

/** What a Machine's records depend on besides itself. */
export interface MachineContext {
  /** Absolute, in the order of the spec. */
  zones: readonly string[];
  rights: TenantRights;
  /** Whether tenants and reservedNames let an object have an absolute name. */
  mayHave: (resource: string, name: string) => boolean;
}

/** A Machine with the addresses that it can have. */
export interface TranslatedMachine extends Translated {
  machine: Machine;
  addresses: readonly string[];
}

/**
 * Returns a Machine's A and AAAA endpoints, and a CNAME for each alias. Whether it gets the names is decided with all other
 * objects: here is refused only what names nothing.
 */
export function machineRecords(machine: Machine, context: MachineContext): TranslatedMachine {
  const { spec, name } = machine;
  const refuse = (refusal: string, more = {}): TranslatedMachine => ({
    ...refused(machine, refusal, more),
    machine,
    addresses: [],
  });
  const rights = context.rights.of(machine.namespace);
  if (!rights) return refuse(unknownLabels(machine.namespace), { isTemporary: true });
  const host = spec.hostname ?? name;
  const zone = spec.zone === undefined ? usualZone(machine, host, context) : absolute(spec.zone);
  if (zone === undefined) return refuse('the InternalDNS has no zone for hosts: declare one in spec.zones');
  const fqdn = ownerOf(host, zone);
  const { addresses, notes } = permitted(spec.addresses, machine, rights);
  const hosts = [...new Set([fqdn, ...spec.aliases.map((alias) => ownerOf(alias, zone))])];
  const aliases = addresses.length === 0 ? [] : hosts.slice(1).map((alias) => aliasOf(alias, fqdn, machine));
  const endpoints = [...hostEndpoints(fqdn, addresses, machine, spec.ttl), ...aliases];
  const finding = { notes, fqdn: withoutDot(fqdn) };
  return { object: machine, hosts, machine, addresses, endpoints, answers: new Map(), finding };
}

/** As for declared records: nobody means `nas.corp.internal.corp.internal`. */
const ownerOf = (host: string, zone: string) => (isWithin(absolute(host), zone) ? absolute(host) : `${host}.${zone}`);

/**
 * The zone that a full name is in; else the first in which the Machine can have its name or, so that its status says why
 * not, the first of all.
 */
function usualZone(machine: Machine, host: string, { zones, mayHave }: MachineContext): string | undefined {
  const forward = zones.filter((zone) => !isReverse(zone));
  const own = zoneOf(absolute(host), new Map(forward.map((zone) => [zone, zone])));
  if (own !== undefined) return own;
  return forward.find((zone) => mayHave(machine.resource, ownerOf(host, zone))) ?? forward[0];
}

const aliasOf = (alias: string, fqdn: string, { resource, spec: { ttl } }: Machine): Endpoint => ({
  dnsName: withoutDot(alias),
  targets: [withoutDot(fqdn)],
  recordType: 'CNAME',
  ...(ttl && { recordTTL: ttl }),
  labels: { resource },
});
