import { absolute } from '../../dns/name.ts';
import { hasZones } from '../discovery/scope.ts';
import { Memo } from '../lib/memo.ts';
import { ownershipOf, type RRset, totalCost, type Zone } from '../powerdns/rrset.ts';
import { type CurrentCost, type DesiredZone, type DSRecords, desiredZones } from './desired-zone.ts';
import { type PlanOptions, planZones, type ZonesPlan } from './plan.ts';
import { type LoadedDeclaration, type ServedDeclaration, teamShare } from './served-declaration.ts';
import { nameOf } from './zone-file.ts';

/** Computes desired zones and plans, again only when an input changed: zones may have tens of thousands of records. */
export class ZonePlanner {
  readonly #mostRecords: number;
  readonly #cost = new Memo<CurrentCost | undefined>();
  readonly #desired = new Memo<Map<string, DesiredZone>>();
  readonly #plan = new Memo<ZonesPlan>();

  constructor(mostRecords = Number.POSITIVE_INFINITY) {
    this.#mostRecords = mostRecords;
  }

  desired(loaded: LoadedDeclaration, zones: Zone[], dsRecords: DSRecords): Map<string, DesiredZone> {
    const { declaration, files } = loaded;
    const most = Math.floor(this.#mostRecords * (hasZones(declaration.discovery) ? 1 - teamShare : 1));
    const current = this.#cost.get([declaration, ...zones], () => currentCost(declaration, zones, most));
    const ofFiles = current && [...current.files].map(([name, files]) => [name, ...files]);
    return this.#desired.get([loaded, JSON.stringify([[...dsRecords], ofFiles, current?.others])], () =>
      desiredZones(declaration, files, dsRecords, { most, current }),
    );
  }

  plan(desired: Map<string, DesiredZone>, zones: Zone[], options: PlanOptions): ZonesPlan {
    return this.#plan.get([desired, ...zones, ...Object.values(options)], () => planZones(desired, zones, options));
  }
}

/**
 * Returns the cost of the current RRsets, which limits what zone files may add; undefined if no limit or no zone file needs it.
 * That of discovered RRsets changes all the time: it is rounded up, as all zone files are parsed again when it changes.
 */
function currentCost({ zones: declared }: ServedDeclaration, zones: Zone[], most: number): CurrentCost | undefined {
  const refs = declared.map(({ name, recordsFrom = [] }) => ({
    zone: absolute(name),
    sources: recordsFrom.map(nameOf),
  }));
  if (most === Number.POSITIVE_INFINITY || refs.every(({ sources }) => sources.length === 0)) return undefined;
  const current = new Map(zones.map(({ name, rrsets }) => [name, rrsets]));
  const files = refs.map(({ zone, sources }) => {
    const bySource = Map.groupBy(current.get(zone)?.filter(isDeclared) ?? [], ({ mark }) => mark?.content ?? '');
    return [zone, new Map(sources.map((source) => [source, totalCost(bySource.get(source) ?? [])]))] as const;
  });
  const step = Math.max(1, Math.floor(most / 64));
  const others = totalCost(zones.flatMap(({ rrsets }) => rrsets.filter((rrset) => !isDeclared(rrset))));
  return { files: new Map(files), others: Math.ceil(others / step) * step };
}

const isDeclared = (rrset: RRset) => ownershipOf(rrset) === 'declared';
