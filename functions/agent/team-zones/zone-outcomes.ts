import { isDeepStrictEqual } from 'node:util';
import { delegationLines } from '../../contract/delegation.ts';
import type { ZoneReport } from '../../contract/report.ts';
import type { NameState } from '../../contract/verdict.ts';
import { areSame, Memo, MemoByKey } from '../lib/memo.ts';
import type { Identity } from '../sources/own-object.ts';
import type { ServedDeclaration, ServedZone } from '../zones/served-declaration.ts';
import type { Refusal } from './acceptance.ts';
import type { Served } from './served-zones.ts';

/** What became of a Zone. The same object until something of it changes. */
export interface ZoneOutcome {
  object: Identity;
  /** What it names, without the dot at the end; the object if that is not known. */
  name: string;
  state: ZoneReport['state'] | 'Refused';
  message?: string;
  delegation?: readonly string[];
  dnssec?: NonNullable<ZoneReport['dnssec']>;
}

export interface ZoneOutcomesInput {
  served: readonly Served[];
  refused: readonly Refusal[];
  /** The Zones, by resource, whose zones the delete guard holds. The same set until it changes. */
  held: ReadonlySet<string>;
  /** Of what is declared: see `LoadedDeclaration`. */
  outline: ServedDeclaration;
  reports: readonly ZoneReport[];
}

/** Keeps what became of each Zone, for those who write it into statuses. */
export class ZoneOutcomes {
  readonly #outcomes = new Memo<readonly ZoneOutcome[]>();
  readonly #delegations = new MemoByKey<Served, readonly string[] | undefined>();
  #last: readonly ZoneOutcome[] = [];
  #byResource: ReadonlyMap<string, ZoneOutcome> = new Map();

  /** The same array until something changes. */
  of(input: ZoneOutcomesInput): readonly ZoneOutcome[] {
    const { served, refused, held, outline, reports } = input;
    return this.#outcomes.get([served, refused, held, outline, reports], () => this.#take(input));
  }

  /** The object of an outcome. */
  objectOf(resource: string): Identity | undefined {
    return this.#byResource.get(resource)?.object;
  }

  #take({ served, refused, held, outline, reports }: ZoneOutcomesInput): readonly ZoneOutcome[] {
    const byName = new Map(reports.map((each) => [each.name, each]));
    const all = [
      ...served.map((each) => this.#servedOutcome(each, byName.get(each.zone.name), outline)),
      ...refused.map((each) => refusedOutcome(each, held.has(each.object.resource))),
    ].map((outcome) => {
      const before = this.#byResource.get(outcome.object.resource);
      return before && isSame(before, outcome) ? before : outcome;
    });
    this.#byResource = new Map(all.map((each) => [each.object.resource, each]));
    if (!areSame(all, this.#last)) this.#last = all;
    return this.#last;
  }

  #servedOutcome(served: Served, report: ZoneReport | undefined, outline: ServedDeclaration): ZoneOutcome {
    const { object, zone, problem } = served;
    const { state = 'Pending', dnssec } = report ?? {};
    // What is left out is told once the rest is served.
    const isFlawed = state === 'Serving' && problem !== undefined;
    const message = isFlawed ? problem : report?.message;
    const ds = zone.dnssec?.mode === 'Signed' ? (dnssec?.ds ?? []) : [];
    const delegation = this.#delegations.get(served, [outline, ds.join()], () => delegationOf(zone, ds, outline));
    return {
      object,
      name: zone.name,
      state: isFlawed ? 'Failed' : state,
      ...(message !== undefined && { message }),
      ...(delegation && { delegation }),
      ...(dnssec && { dnssec }),
    };
  }
}

const isSame = ({ object, ...before }: ZoneOutcome, { object: after, ...outcome }: ZoneOutcome) =>
  object === after && isDeepStrictEqual(before, outcome);

/** What its parent must have, unless that is a zone of the instance, too. */
function delegationOf(zone: ServedZone, ds: string[], outline: ServedDeclaration): string[] | undefined {
  const { addresses, replicaAddresses } = outline;
  const zones = [...outline.zones.filter(({ name }) => name !== zone.name), zone];
  return delegationLines(zone, zones, ds, { addresses, replicaAddresses, lacksAddresses: false });
}

const refusedOutcome = ({ object, refusal, isTemporary }: Refusal, isHeld: boolean): ZoneOutcome => ({
  object,
  name: nameIn(object),
  state: isTemporary ? 'Pending' : 'Refused',
  message: isHeld ? `${refusal}; still served, as the delete guard holds zones that would go together` : refusal,
});

const nameIn = (object: Identity & { spec?: { name: string } }): string => object.spec?.name ?? object.name;

/** As the state of a host, for an Event on the object. */
export const nameStateOf = ({ object, name, state, message = '' }: ZoneOutcome): NameState => ({
  name,
  resource: object.resource,
  ...(state === 'Serving'
    ? { verdict: 'Resolved', message: 'is served' }
    : { verdict: state === 'Pending' ? 'Pending' : 'Refused', message }),
  answers: [],
});
