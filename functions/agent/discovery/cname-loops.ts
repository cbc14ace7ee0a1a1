import { zoneOf } from '../../dns/name.ts';
import { endlessFrom, toldFrom, whyEndless } from '../../dns/zone/cname-chain.ts';
import { Lookup, type LookupZone } from '../../dns/zone/lookup.ts';
import { haveSameAnswer, ownershipOf, type RRset, resourceOf, type Zone } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { NameEvaluation } from './evaluate-name.ts';
import type { Owns } from './name-context.ts';
import { sharingGroup } from './resource-label.ts';

/** Why a name may not lead to some targets, or to any. */
export type LoopingTargets = ReadonlyMap<string | typeof everyTarget, string>;

const everyTarget = Symbol('every target');

export interface LoopContext {
  zones: readonly Zone[];
  owns: Owns;
  lister: SourceLister;
  /** Whether what stands is left as it is. */
  isCurrentKept: boolean;
}

/**
 * Without one CNAME another one that is asked for has the name, or a wildcard leads somewhere else. So often is looked for who
 * is at fault; then all in a circle are, with every CNAME of their names; and after as many rounds with every one of their
 * namespaces. So the objects of one namespace cannot ask for more rounds, each of which goes through all zones.
 */
const mostRounds = 8;

/**
 * Judges names again until none leads in a circle, or to one. Of a circle that goes which came last: what stands before
 * what does not, and older objects before younger ones. Where nothing in it is the owner's, whatever leads to it goes.
 */
export function breakLoops(
  evaluations: Map<string, NameEvaluation>,
  loopContext: LoopContext,
  reevaluate: (name: string, looping: LoopingTargets) => NameEvaluation,
): void {
  const looping = new Map<string, Map<string | typeof everyTarget, string>>();
  for (let round = 0; ; round++) {
    const aliases = [...evaluations].flatMap(([, verdict]) => contentOf(verdict, loopContext).filter(isAlias));
    if (aliases.length === 0) return;
    const atFault = closingAmong(aliases, evaluations, loopContext, round < mostRounds);
    const closing = round < 2 * mostRounds ? atFault : withNamespaces(atFault, aliases);
    const fresh = [...closing].filter(([rrset]) => !isLooping(rrset, looping.get(rrset.name)));
    if (fresh.length === 0) return;
    for (const [{ name, records }, message] of fresh) {
      looping.set(name, new Map(looping.get(name)).set(records[0] as string, message));
      if (round >= mostRounds) looping.get(name)?.set(everyTarget, tooManyCircles);
    }
    for (const name of new Set(fresh.map(([{ name }]) => name))) {
      evaluations.set(name, reevaluate(name, looping.get(name) as LoopingTargets));
    }
  }
}

/** Whether a name may not lead there. */
export const isLooping = (rrset: RRset, looping: LoopingTargets | undefined): boolean =>
  loopReason(rrset, looping) !== undefined;

/** Why a name may not lead there. */
export const loopReason = ({ type, records }: RRset, looping: LoopingTargets | undefined): string | undefined =>
  type === 'CNAME' ? (looping?.get(records[0] ?? '') ?? looping?.get(everyTarget)) : undefined;

const isAlias = ({ type }: RRset) => type === 'CNAME';

/** What a name has by its verdict. */
function contentOf({ accepted, current, looping }: NameEvaluation, { isCurrentKept }: LoopContext): RRset[] {
  const kept = isCurrentKept ? current.filter((rrset) => !looping.includes(rrset)) : [];
  return kept.length > 0 ? kept : accepted;
}

/** What is at fault that some chains have no end, and why. */
function closingAmong(
  aliases: RRset[],
  evaluations: ReadonlyMap<string, NameEvaluation>,
  loopContext: LoopContext,
  isOneEnough: boolean,
): ReadonlyMap<RRset, string> {
  const own = new Set(aliases);
  const rankOf = (rrset: RRset) => rankIn(evaluations, loopContext.lister, rrset);
  const closing = new Map<RRset, string>();
  for (const chain of endlessFrom(new Lookup(zonesAfter(evaluations, loopContext)), aliases)) {
    const [first, ...others] = chain.end === 'Circle' ? chain.links.filter((link) => own.has(link)) : [];
    const last = first && others.reduce((a, b) => (rankOf(a) > rankOf(b) ? a : b), first);
    const atFault = last ?? chain.approach?.findLast((link) => own.has(link)) ?? chain.start;
    const all = isOneEnough || !first ? [atFault] : [first, ...others];
    for (const rrset of all) closing.set(rrset, `cannot publish: ${whyEndless(toldFrom(rrset, chain))}: ${cure}`);
  }
  return closing;
}

/** With everything that leads elsewhere of those whose fault it is. */
function withNamespaces(atFault: ReadonlyMap<RRset, string>, aliases: RRset[]): ReadonlyMap<RRset, string> {
  const groups = new Set([...atFault.keys()].map((rrset) => sharingGroup(resourceOf(rrset))));
  const theirs = aliases.filter((rrset) => groups.has(sharingGroup(resourceOf(rrset))));
  return new Map([...theirs.map((rrset) => [rrset, tooManyCircles] as const), ...atFault]);
}

const cure = 'nobody would get an answer, so give the object another target';
const tooManyCircles =
  'cannot publish: the CNAMEs of its name or namespace lead in circles one after another: give those that do other targets';

function rankIn(evaluations: ReadonlyMap<string, NameEvaluation>, lister: SourceLister, rrset: RRset): string {
  const stands = evaluations.get(rrset.name)?.current.some((other) => haveSameAnswer(other, rrset));
  const resource = resourceOf(rrset);
  return [stands ? 0 : 1, lister.get(resource)?.created ?? '~', resource, rrset.name].join(' ');
}

/** All zones as they are after the evaluations. */
function zonesAfter(evaluations: ReadonlyMap<string, NameEvaluation>, loopContext: LoopContext): LookupZone<RRset>[] {
  const { zones, owns } = loopContext;
  const names = new Map(zones.map(({ name }) => [name, name]));
  const contents = [...evaluations.values()].flatMap((verdict) => contentOf(verdict, loopContext));
  const fresh = Map.groupBy(contents, ({ name }) => zoneOf(name, names));
  const isReplaced = (rrset: RRset) =>
    evaluations.has(rrset.name) && ownershipOf(rrset) === 'discovered' && owns(rrset);
  return zones.map(({ name, rrsets }) => ({
    name,
    records: [...rrsets.filter((rrset) => !isReplaced(rrset)), ...(fresh.get(name) ?? [])],
  }));
}
