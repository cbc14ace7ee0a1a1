import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import { parseTeamZone, type ZoneSpec, type ZoneSurroundings } from '../../contract/kinds/zone.ts';
import { declaredZone, serverNames } from '../../contract/zone-records.ts';
import { maxChecks } from '../../dns/health-check.ts';
import { isWithin } from '../../dns/name.ts';
import { checkCount, type DeclaredRecord } from '../../dns/record.ts';
import type { ZoneSettings } from '../../dns/zone/apex.ts';
import { zoneContext } from '../../dns/zone/validate-zone.ts';
import type { Labels } from '../kubernetes/object.ts';
import { MemoByKey } from '../lib/memo.ts';
import type { ServiceTest } from '../machines/service-address.ts';
import { TenantRights } from '../machines/tenant-rights.ts';
import type { ZoneObject } from '../sources/own-object.ts';
import type { ServedZone } from '../zones/served-declaration.ts';

export interface ServedInput {
  /** The oldest first. */
  accepted: readonly ZoneObject[];
  declaration: Declaration;
  discovery: DeclaredDiscovery;
  labelsOf: (namespace: string) => Labels | undefined;
  isOfService: ServiceTest | undefined;
  /** The DS records that the zone of an object has been published with. */
  dsOf: (resource: string) => readonly string[];
}

/** An accepted Zone as it is served. */
export interface Served {
  object: ZoneObject;
  zone: ServedZone;
  /** What is left out of it, and why. */
  problem?: string;
}

interface Content {
  /** Without what is wrong. */
  spec: ZoneSpec;
  records: DeclaredRecord[];
  problem?: string;
}

/**
 * Turns accepted Zones into zones. A wrong record is left out and told, so that a slip does not take a domain away. The same
 * Zone gives the same object until something changes.
 */
export class ServedZones {
  readonly #contents = new MemoByKey<ZoneObject, Content>();
  readonly #served = new MemoByKey<ZoneObject, Served>();

  of({ accepted, declaration, discovery, labelsOf, isOfService, dsOf }: ServedInput): Served[] {
    const specs = accepted.map(({ spec }) => withServers(spec, declaration));
    const zones = [...declaration.zones, ...specs];
    const rights = new TenantRights(discovery.tenants, labelsOf);
    let checksLeft = maxChecks - checkCount(declaration.zones.flatMap(({ records = [] }) => records));
    return accepted.map((object, index) => {
      const spec = specs[index] ?? object.spec;
      const { allows, networks } = rights.of(object.namespace) ?? nothing;
      const { name: composite, addresses } = declaration;
      const content = this.#contents.get(object, [declaration, around(spec, zones), networks, isOfService], () =>
        contentOf(spec, { composite, addresses, zones, rights: { allows, networks, isOfService } }),
      );
      const checks = checkCount(content.records);
      const isChecked = checks <= checksLeft;
      if (isChecked) checksLeft -= checks;
      const ds = dsOf(object.resource);
      return this.#served.get(object, [content, isChecked, ds.join()], () =>
        servedAs(object, isChecked ? content : unchecked(content), [...ds]),
      );
    });
  }
}

/** As a zone of the spec: a server for each replica with a Service. */
const withServers = (spec: ZoneSpec, { replicas, replicaAddresses }: Declaration): ZoneSpec =>
  replicaAddresses && spec.nameServers.length === 0 ? { ...spec, nameServers: serverNames(spec.name, replicas) } : spec;

/** For the types: the labels of an accepted Zone's namespace are known. */
const nothing = { allows: () => false, networks: 'none' };

/** What of the other zones matters to the records of one, as text. */
function around(spec: ZoneSpec, zones: ZoneSettings[]): string {
  const { name, children, servers } = zoneContext(spec, zones);
  return [...children, '', ...servers.filter((server) => isWithin(server, name))].join(' ');
}

/** Leaving records out can show that others need them, such as a DS its NS. */
const mostPasses = 3;

function contentOf(spec: ZoneSpec, surroundings: ZoneSurroundings): Content {
  let valid = spec;
  let problem: string | undefined;
  for (let pass = 1; ; pass++) {
    const { records, issues } = parseTeamZone(valid, surroundings);
    const [first] = issues;
    problem ??= first && `spec.${first.at}: ${first.message}`;
    if (!first || pass === mostPasses) return { spec: valid, records, ...(problem !== undefined && { problem }) };
    const wrong = new Set(issues.map(({ at }) => /^records\[(\d+)\]/.exec(at)?.[1] ?? 'settings'));
    valid = {
      ...valid,
      ...(wrong.has('settings') && { soa: undefined }),
      records: valid.records.filter((_, index) => !wrong.has(String(index))),
    };
  }
}

/** The addresses of an answer that nobody checks are all in it. */
const unchecked = (content: Content): Content => ({
  ...content,
  records: content.records.map(({ check: _, whenAllDown: __, backup: ___, ...record }) => record),
  problem:
    content.problem ??
    `spec.records: PowerDNS can check ${maxChecks} addresses in all, and the spec and older Zones have the rest: these are answered without a check`,
});

const servedAs = (object: ZoneObject, { spec, records, problem }: Content, ds: string[]): Served => ({
  object,
  zone: { ...declaredZone(spec, { records, ds }), resource: object.resource },
  ...(problem !== undefined && { problem }),
});

/** What discovery needs of a zone: names, TTLs, whether it is signed, and how many addresses are checked. */
export function outlineOf({ name, nameServers, defaultTTL, dnssec, records, resource }: ServedZone): ServedZone {
  const checked = records?.filter(({ check }) => check) ?? [];
  return {
    name,
    nameServers,
    ...(defaultTTL !== undefined && { defaultTTL }),
    ...(dnssec && { dnssec: { ...dnssec, ds: [] } }),
    ...(checked.length > 0 && { records: checked }),
    ...(resource !== undefined && { resource }),
  };
}
