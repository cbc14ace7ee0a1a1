import { zoneOf } from '../../dns/name.ts';
import { endlessChains, rotatedTo, whyEndless } from '../../dns/zone/cname-chain.ts';
import { Lookup, type LookupZone } from '../../dns/zone/lookup.ts';
import { haveSameAnswer, ownershipOf, type RRset, resourceOf, type Zone } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { LoopingTargets, NameEvaluation } from './evaluation.ts';
import type { Owns } from './name-context.ts';
import { sharingGroup } from './resource-label.ts';

/** What a search for CNAME loops needs beside the evaluations. */
export interface LoopContext {
  zones: readonly Zone[];
  owns: Owns;
  lister: SourceLister;
}

/**
 * When a CNAME is rejected, another object's CNAME may get its name, or a wildcard may answer there, and close the next
 * loop. For this many rounds only the latest CNAME of each loop is rejected; then all CNAMEs in it with every CNAME of
 * their names; after twice as many rounds also every CNAME of their namespaces. So the objects of one namespace cannot
 * cause any number of rounds, each of which goes through all zones.
 */
const mostRounds = 8;

/**
 * Evaluates names again until no CNAME is in a loop or leads to one. The latest CNAME of a loop is rejected: a desired one
 * before a current one, and that of a younger object before that of an older one. If the loop has no CNAME of this
 * provider, whatever leads to it is rejected.
 */
export function breakLoops(
  evaluations: Map<string, NameEvaluation>,
  loopContext: LoopContext,
  reevaluate: (name: string, looping: LoopingTargets) => NameEvaluation,
): void {
  const looping = new Map<string, LoopingTargets>();
  for (let round = 0; ; round++) {
    const cnames = [...evaluations.values()].flatMap(({ published }) => published.filter(isCNAME));
    if (cnames.length === 0) return;
    const atFault = loopClosers(cnames, evaluations, loopContext, round < mostRounds ? 'latest' : 'all');
    const rejected = round < 2 * mostRounds ? atFault : withNamespaces(atFault, cnames);
    const fresh = [...rejected].filter(([rrset]) => !isLooping(rrset, looping.get(rrset.name)));
    if (fresh.length === 0) return;
    for (const [{ name, records }, message] of fresh) {
      const { byTarget, everyTarget } = looping.get(name) ?? {};
      looping.set(name, {
        byTarget: new Map(byTarget).set(records[0] as string, message),
        everyTarget: round < mostRounds ? everyTarget : tooManyLoops,
      });
    }
    for (const name of new Set(fresh.map(([{ name }]) => name))) {
      evaluations.set(name, reevaluate(name, looping.get(name) as LoopingTargets));
    }
  }
}

/** Adds the targets of later rounds to those that a name may not have already. */
export const mergeLooping = (a: LoopingTargets | undefined, b: LoopingTargets): LoopingTargets => ({
  byTarget: new Map([...(a?.byTarget ?? []), ...b.byTarget]),
  everyTarget: b.everyTarget ?? a?.everyTarget,
});

export const isLooping = (rrset: RRset, looping: LoopingTargets | undefined): boolean =>
  loopReason(rrset, looping) !== undefined;

/** Returns why a name may not have a CNAME. */
export const loopReason = ({ type, records }: RRset, looping: LoopingTargets | undefined): string | undefined =>
  type === 'CNAME' ? (looping?.byTarget.get(records[0] ?? '') ?? looping?.everyTarget) : undefined;

const isCNAME = ({ type }: RRset) => type === 'CNAME';

/** Returns the CNAMEs to reject so that no chain is endless, and why. */
function loopClosers(
  cnames: RRset[],
  evaluations: ReadonlyMap<string, NameEvaluation>,
  loopContext: LoopContext,
  which: 'latest' | 'all',
): ReadonlyMap<RRset, string> {
  const own = new Set(cnames);
  const seniority = (rrset: RRset) => seniorityOf(rrset, evaluations, loopContext.lister);
  const closers = new Map<RRset, string>();
  for (const chain of endlessChains(new Lookup(zonesAfter(evaluations, loopContext)), cnames)) {
    const [first, ...others] = chain.end === 'Loop' ? chain.links.filter((link) => own.has(link)) : [];
    const latest = first && others.reduce((a, b) => (seniority(a) > seniority(b) ? a : b), first);
    const atFault = latest ?? chain.leadIn?.findLast((link) => own.has(link)) ?? chain.start;
    const all = which === 'latest' || !first ? [atFault] : [first, ...others];
    for (const rrset of all) closers.set(rrset, `cannot publish: ${whyEndless(rotatedTo(rrset, chain))}: ${cure}`);
  }
  return closers;
}

/** Adds all CNAMEs of the namespaces whose CNAMEs are to be rejected. */
function withNamespaces(atFault: ReadonlyMap<RRset, string>, cnames: RRset[]): ReadonlyMap<RRset, string> {
  const groups = new Set([...atFault.keys()].map((rrset) => sharingGroup(resourceOf(rrset))));
  const theirs = cnames.filter((rrset) => groups.has(sharingGroup(resourceOf(rrset))));
  return new Map([...theirs.map((rrset) => [rrset, tooManyLoops] as const), ...atFault]);
}

const cure = 'it would never resolve, so give the object another target';
const tooManyLoops =
  'cannot publish: the CNAMEs of its name or namespace close one loop after another: give those that do other targets';

/** A sort key: current records before desired ones, then by age (unknown is youngest: `~` follows every digit). */
function seniorityOf(rrset: RRset, evaluations: ReadonlyMap<string, NameEvaluation>, lister: SourceLister): string {
  const isCurrent = evaluations.get(rrset.name)?.current.some((other) => haveSameAnswer(other, rrset));
  const resource = resourceOf(rrset);
  return [isCurrent ? 0 : 1, lister.get(resource)?.created ?? '~', resource, rrset.name].join(' ');
}

/** Returns all zones as they will be after the evaluations. */
function zonesAfter(
  evaluations: ReadonlyMap<string, NameEvaluation>,
  { zones, owns }: LoopContext,
): LookupZone<RRset>[] {
  const zoneNames = new Map(zones.map(({ name }) => [name, name]));
  const published = [...evaluations.values()].flatMap((each) => each.published);
  const byZone = Map.groupBy(published, ({ name }) => zoneOf(name, zoneNames));
  const isReplaced = (rrset: RRset) =>
    evaluations.has(rrset.name) && ownershipOf(rrset) === 'discovered' && owns(rrset);
  return zones.map(({ name, rrsets }) => ({
    name,
    records: [...rrsets.filter((rrset) => !isReplaced(rrset)), ...(byZone.get(name) ?? [])],
  }));
}
