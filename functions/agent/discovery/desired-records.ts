import { isIP } from 'node:net';
import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import { isTTL } from '../../dns/ttl.ts';
import { defaultTTL as usualTTL } from '../../dns/zone/apex.ts';
import { inNetworks } from '../lib/networks.ts';
import { discoveredMark, type RRset } from '../powerdns/rrset.ts';
import { hasTooManyTargets, tooManyTargets } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { contentsOf, isTargetType, targetsByType } from '../sources/target.ts';
import { type Endpoint, misspeltType, nameOf, resourceLabel, typeFault } from './endpoint.ts';
import { isOwn } from './resource-label.ts';
import { type EndpointPart, EndpointSplitter } from './split-endpoint.ts';

/** The record that one source object requests, in canonical form. */
export interface DesiredRecord extends RRset {
  /** Why it cannot be published, where the record itself does not show it. */
  fault?: string;
  /** Whether a filter of the spec excludes it. Then its current record is deleted, which other rejected records keep. */
  isFiltered?: boolean;
  /** Set on a CNAME that should be addresses, while its target has none. `fault` says why. */
  unresolved?: Pick<Reason, 'verdict'> & { isFinal?: boolean };
  /** What to know about the addresses although they are published. */
  note?: string;
}

export interface DesiredRecordsOptions {
  /** The owner ID of the ExternalDNS, and the only namespace that it watches, if any. */
  scope: { ownerID: string; namespace?: string };
  discovery: DeclaredDiscovery;
  lister: SourceLister;
  /** The default TTL of a name's zone, in seconds. */
  ttlOf: (name: string) => number | undefined;
}

/**
 * The endpoints of ExternalDNS as one record for each object, name and type; more only if an object contradicts itself.
 * Pure. The order of the endpoints changes only the order of the result.
 */
export function desiredRecordsOf(endpoints: readonly Endpoint[], context: DesiredRecordsOptions): DesiredRecord[] {
  const desiredRecords = new DesiredRecords(context);
  for (const [name, ofName] of Map.groupBy(endpoints, nameOf)) desiredRecords.add(name, ofName);
  desiredRecords.addDefaults();
  return desiredRecords.list();
}

/** What endpoints at one name request, without default targets. */
export function desiredRecordsAt(
  name: string,
  endpoints: readonly Endpoint[],
  context: DesiredRecordsOptions,
): DesiredRecord[] {
  const desiredRecords = new DesiredRecords(context);
  desiredRecords.add(name, endpoints);
  return desiredRecords.list();
}

class DesiredRecords {
  readonly #context: DesiredRecordsOptions;
  readonly #recordTypes: ReadonlySet<string>;
  readonly #excluded: ReadonlyMap<string, true>;
  readonly #override: ReadonlyMap<string, string[]>;
  readonly #default: ReadonlyMap<string, string[]>;
  readonly #networks: Networks | undefined;
  /** By name, type, object and RDATA. */
  readonly #desiredRecords = new Map<string, DesiredRecord>();

  constructor(context: DesiredRecordsOptions) {
    const { recordTypes, excludedDomains, targets } = context.discovery;
    this.#context = context;
    this.#recordTypes = new Set(recordTypes);
    this.#excluded = new Map(excludedDomains.map((name) => [absolute(name), true]));
    this.#override = targetsByType(targets.override);
    this.#default = targetsByType(targets.default);
    this.#networks = networksOf(targets);
  }

  add(name: string, endpoints: readonly Endpoint[]): void {
    if (this.#isExcluded(name)) return;
    const { scope, lister } = this.#context;
    const splitter = new EndpointSplitter(name, lister, scope.namespace);
    for (const endpoint of endpoints) {
      const { recordType: type, recordTTL: ttl } = endpoint;
      const whole = { resource: resourceLabel(endpoint), records: contentsOf(type, endpoint.targets), ttl };
      const parts = isOwn(whole.resource) ? [whole] : splitter.split(type, whole);
      for (const part of parts) this.#addPart(name, type, part);
    }
  }

  #addPart(name: string, type: string, part: EndpointPart): void {
    const instead = this.#insteadOf(type, part);
    if (!instead) this.#add(name, type, part);
    else for (const [other, records] of instead) this.#add(name, other, { ...part, records });
  }

  /** Default targets for objects that have no address, of which ExternalDNS sends no endpoint. */
  addDefaults(): void {
    if (this.#default.size === 0) return;
    const { scope, lister } = this.#context;
    const requested = this.#requested(() => true);
    for (const sourceObject of lister.list()) {
      const { resource, namespace } = sourceObject;
      if (isOwn(resource) || (scope.namespace !== undefined && scope.namespace !== namespace)) continue;
      for (const name of addresslessHosts(sourceObject)) {
        if (this.#isExcluded(name) || requested.has(`${name} ${resource}`)) continue;
        for (const [type, records] of this.#default) this.#add(name, type, { resource, records });
      }
    }
  }

  /** Filtered records are listed only where a filter leaves an object without any address at a name. */
  list(): DesiredRecord[] {
    const desiredRecords = aliasesTogether([...this.#desiredRecords.values()]);
    const isFiltered = (desired: DesiredRecord) => desired.isFiltered === true && isTargetType(desired.type);
    if (!desiredRecords.some(isFiltered)) return desiredRecords;
    const answered = this.#requested((desired) => !desired.isFiltered);
    return desiredRecords.filter((desired) => !isFiltered(desired) || !answered.has(placeOf(desired)));
  }

  #isExcluded(name: string): boolean {
    return this.#excluded.size > 0 && zoneOf(name, this.#excluded) === true;
  }

  /** The targets that replace an object's own, by record type. No load balancer has the addresses of a Machine. */
  #insteadOf(type: string, { resource, records, fault }: EndpointPart): ReadonlyMap<string, string[]> | undefined {
    if (!isTargetType(type) || fault !== undefined || isOwn(resource)) return undefined;
    if (this.#override.size > 0) return this.#override;
    return records.length === 0 && this.#default.size > 0 ? this.#default : undefined;
  }

  #add(name: string, type: string, { resource, records, ttl, fault }: EndpointPart): void {
    const { scope, discovery } = this.#context;
    const whole: DesiredRecord = {
      name,
      type,
      ttl: this.#ttlOf(name, ttl),
      records,
      mark: discoveredMark(scope.ownerID, resource),
    };
    if (fault !== undefined) whole.fault = fault;
    else if (hasTooManyTargets(records)) whole.fault = tooManyTargets;
    const desired =
      this.#recordTypes.has(type) || misspeltType(type) !== undefined
        ? (this.#networks?.within(whole) ?? whole)
        : { ...whole, isFiltered: true, ...withFault(typeFault(type, discovery.recordTypes)) };
    // RFC 2181 section 5.2: an RRset has one TTL. An invalid TTL is checked separately.
    const faulty = isTTL(desired.ttl) ? '' : `\n${desired.ttl}`;
    const key = `${name} ${type} ${resource} ${desired.records.join('\n')}${faulty}`;
    const same = this.#desiredRecords.get(key);
    if (!same) this.#desiredRecords.set(key, desired);
    else same.ttl = Math.min(same.ttl, desired.ttl);
  }

  #ttlOf(name: string, ttl: number | undefined): number {
    const { discovery, ttlOf } = this.#context;
    const requested = ttl || (discovery.defaultTTL ?? ttlOf(name) ?? usualTTL);
    return isTTL(requested) ? Math.max(requested, discovery.minimumTTL ?? 0) : requested;
  }

  /** The names and objects with an address or a CNAME. */
  #requested(which: (desired: DesiredRecord) => boolean): ReadonlySet<string> {
    const places = new Set<string>();
    for (const desired of this.#desiredRecords.values())
      if (isTargetType(desired.type) && which(desired)) places.add(placeOf(desired));
    return places;
  }
}

/** Joins the CNAMEs of one object at one name, whether they came in one endpoint or in several. */
function aliasesTogether(desiredRecords: DesiredRecord[]): DesiredRecord[] {
  const aliases = Map.groupBy(
    desiredRecords.filter(({ type, fault }) => type === 'CNAME' && fault === undefined),
    placeOf,
  );
  if (aliases.values().every(({ length }) => length === 1)) return desiredRecords;
  const seen = new Set<string>();
  return desiredRecords.flatMap((desired) => {
    const same = desired.type === 'CNAME' && desired.fault === undefined ? (aliases.get(placeOf(desired)) ?? []) : [];
    if (same.length < 2) return [desired];
    if (seen.has(placeOf(desired))) return [];
    seen.add(placeOf(desired));
    return [{ ...desired, records: [...new Set(same.flatMap(({ records }) => records))].sort() }];
  });
}

/** The hosts of an object without a target. */
function addresslessHosts({ hosts, targets, parts }: SourceObject): readonly string[] {
  if (!parts) return targets?.length === 0 ? hosts : [];
  const hasTargets = new Set<string>();
  for (const [key, part] of parts) if (part.targets?.length !== 0) hasTargets.add(key.slice(0, key.lastIndexOf(' ')));
  return hosts.filter((host) => !hasTargets.has(host));
}

const placeOf = ({ name, mark }: DesiredRecord) => `${name} ${mark?.content}`;
const withFault = (fault: string | undefined) => (fault === undefined ? {} : { fault });

export interface Networks {
  /** The record with the addresses that may be published. Other types are not limited. */
  within(desired: DesiredRecord): DesiredRecord;
}

/** The networks of `discovery.targets`; undefined if none are set. */
export function networksOf({ networks, excludedNetworks }: DeclaredDiscovery['targets']): Networks | undefined {
  if (networks.length === 0 && excludedNetworks.length === 0) return undefined;
  const [isIncluded, isExcluded] = [inNetworks(networks), inNetworks(excludedNetworks)];
  const whyNot = (address: string): string | undefined => {
    if (isExcluded(address)) return 'in discovery.targets.excludedNetworks';
    return networks.length > 0 && !isIncluded(address) ? 'outside discovery.targets.networks' : undefined;
  };
  return {
    within(desired) {
      if (desired.type !== 'A' && desired.type !== 'AAAA') return desired;
      // An invalid address is found by the checks.
      const kept = desired.records.filter((address) => isIP(address) === 0 || whyNot(address) === undefined);
      if (kept.length === desired.records.length) return desired;
      if (kept.length > 0) return { ...desired, records: kept };
      const [first = '', ...others] = desired.records;
      const rest = others.length === 0 ? '' : ', and none of the others may be published';
      return { ...desired, records: [], isFiltered: true, fault: `${first} is ${whyNot(first)}${rest}` };
    },
  };
}
