import { keyOf } from '../powerdns/rrset.ts';
import { byAge } from '../sources/age.ts';
import { hasTooManyTargets, isOverLimit, tooManyTargets } from '../sources/host-limit.ts';
import type { Part, SourceLister, SourceObject } from '../sources/source-object.ts';
import { isTargetType, typeOf } from '../sources/target.ts';
import { isOwn, namespaceOf } from './resource-label.ts';

/** What one object contributes to an endpoint, with its targets in canonical form. */
export interface EndpointPart {
  resource: string;
  records: string[];
  /** Seconds; undefined if the object has none of its own. */
  ttl?: number | undefined;
  /** Why the object's targets are unknown. */
  fault?: string;
}

/** A source object that requests the name, with what it requests of one type. */
interface Candidate {
  sourceObject: SourceObject;
  part: Part;
  /** Whether it has more targets than the limit, so that none of them counts. */
  isOverLimit: boolean;
}

/** A candidate with those of an endpoint's records that it is seen to have. */
interface Match extends Candidate {
  records: string[];
}

/** The candidates of one type. */
interface Candidates {
  all: readonly Candidate[];
  byResource: ReadonlyMap<string, Candidate>;
  byTarget: ReadonlyMap<string, readonly Candidate[]>;
  overLimit: readonly Candidate[];
}

/**
 * Splits the endpoints of one name by object. ExternalDNS merges what the objects of a kind request of a name, a type
 * and a TTL into one endpoint with all targets and the label of one object, and drops an endpoint that repeats another
 * one, whichever object it is for.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/wrappers/dedupsource.go
 *
 * A target belongs to the objects that have it. Any other target, as when the informers lag behind, belongs to the
 * possible contributors: objects whose targets are unknown, or have just changed. If these are of several namespaces,
 * the target belongs to none, and an object left without targets gets a part with a fault: it is rejected, and its
 * current record stays as it is. If every object is seen to have what it requests, an object that is not seen has
 * contributed the target, and it belongs to none either.
 *
 * A thousand objects may request the same thousand names, with an endpoint each: only objects that have one of an
 * endpoint's targets are looked at.
 */
export class EndpointSplitter {
  readonly #name: string;
  readonly #lister: SourceLister;
  readonly #objects: readonly SourceObject[];
  readonly #byType = new Map<string, Candidates>();
  /** The types and kinds whose objects over the limit have been returned. */
  readonly #reported = new Set<string>();

  /**
   * @param name absolute
   * @param namespace the only one whose objects count
   */
  constructor(name: string, lister: SourceLister, namespace?: string) {
    this.#name = name;
    this.#lister = lister;
    // ExternalDNS has merged nothing of Machines and claims.
    const all = lister.byHost(name).filter(({ resource }) => !isOwn(resource));
    this.#objects = namespace === undefined ? all : all.filter((sourceObject) => sourceObject.namespace === namespace);
  }

  /** @param whole the endpoint as a part of the object in its label */
  split(type: string, whole: EndpointPart): EndpointPart[] {
    if (this.#objects.length === 0) return [whole];
    const { all, byTarget } = this.#candidatesFor(type);
    const kind = whole.resource.slice(0, whole.resource.indexOf('/') + 1);
    const isOfKind = ({ sourceObject }: Candidate) => sourceObject.resource.startsWith(kind);
    const { own = [], others = [] } = Object.groupBy(matchesAmong(byTarget, whole.records), (match) =>
      isOfKind(match) ? 'own' : 'others',
    );
    if (!this.#lister.hasSynced(whole.resource) || !all.some(isOfKind)) return [whole, ...others.map(partOf)];
    return [...this.#splitByObject(type, kind, whole, own), ...others.map(partOf)];
  }

  /** Splits an endpoint among the objects of its kind. */
  #splitByObject(type: string, kind: string, whole: EndpointPart, matches: Match[]): EndpointPart[] {
    const partIn = (match: Match): EndpointPart =>
      // The endpoint's TTL is that of the labelled object.
      match.sourceObject.resource === whole.resource ? { ...whole, records: match.records } : partOf(match);
    // Targets without a match come from the objects over the limit.
    const overLimit = this.#candidatesFor(type).overLimit.filter(({ sourceObject }) =>
      sourceObject.resource.startsWith(kind),
    );
    if (overLimit.length > 0) return [...matches.map(partIn), ...this.#overLimitParts(overLimit, type, kind)];
    const matched = new Set(matches.flatMap(({ records }) => records));
    const unmatched = whole.records.filter((content) => !matched.has(content));
    if (unmatched.length === 0) return matches.map(partIn);
    const all = this.#allOfKind(type, kind, whole.resource, matches);
    const contributors = contributorsAmong(all, type, whole.resource);
    const contributor = soleContributor(contributors);
    const isContributor = new Set(contributors);
    return all.flatMap((match) => {
      const part = partIn(match);
      if (match.sourceObject === contributor) return [{ ...part, records: [...match.records, ...unmatched].sort() }];
      if (match.records.length > 0) return [part];
      const isUnclear = isContributor.has(match.sourceObject) && !contributor;
      return isUnclear ? [{ ...part, fault: unclear(unmatched, contributors) }] : [];
    });
  }

  /** Returns the objects over the limit once: each endpoint would repeat them. */
  #overLimitParts(overLimit: readonly Candidate[], type: string, kind: string): EndpointPart[] {
    const key = `${type} ${kind}`;
    if (this.#reported.has(key)) return [];
    this.#reported.add(key);
    return overLimit.map((each) => ({ ...partOf({ ...each, records: [] }), fault: tooManyTargets }));
  }

  /**
   * Returns the objects of a kind that request the name, oldest first, and the labelled one even if it is not seen to.
   * CNAMEs with different targets are not merged: a target without a match is the labelled object's.
   */
  #allOfKind(type: string, kind: string, labelled: string, matches: Match[]): Match[] {
    const { all, byResource } = this.#candidatesFor(type);
    const own = byResource.get(labelled) ?? this.#candidate(unseen(labelled), type);
    const others = type === 'CNAME' ? [] : all.filter(({ sourceObject }) => sourceObject.resource.startsWith(kind));
    const recordsOf = new Map(matches.map(({ sourceObject, records }) => [sourceObject, records]));
    const byObject = new Map([own, ...others, ...matches].map((each) => [each.sourceObject, each]));
    return [...byObject.values()]
      .map((each) => ({ ...each, records: recordsOf.get(each.sourceObject) ?? [] }))
      .sort((a, b) => byAge(a.sourceObject, b.sourceObject));
  }

  #candidatesFor(type: string): Candidates {
    const known = this.#byType.get(type);
    if (known) return known;
    const all = this.#objects.map((sourceObject) => this.#candidate(sourceObject, type));
    const candidates = {
      all,
      byResource: new Map(all.map((each) => [each.sourceObject.resource, each])),
      byTarget: groupByTarget(all),
      overLimit: all.filter((each) => each.isOverLimit),
    };
    this.#byType.set(type, candidates);
    return candidates;
  }

  #candidate(sourceObject: SourceObject, type: string): Candidate {
    const name = this.#name;
    // Which targets are those of a host over the host limit is unknown.
    const isWhole = !sourceObject.parts || isOverLimit(sourceObject, name);
    const part = isWhole ? sourceObject : (sourceObject.parts?.get(keyOf({ name, type })) ?? { targets: [] });
    return { sourceObject, part, isOverLimit: hasTooManyTargets(part.targets) };
  }
}

const partOf = ({ sourceObject: { resource }, part: { ttl }, records }: Match): EndpointPart => ({
  resource,
  records,
  ttl,
});

function groupByTarget(candidates: readonly Candidate[]): ReadonlyMap<string, Candidate[]> {
  const byTarget = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    if (candidate.isOverLimit) continue;
    for (const target of new Set(candidate.part.targets)) {
      const group = byTarget.get(target);
      if (group) group.push(candidate);
      else byTarget.set(target, [candidate]);
    }
  }
  return byTarget;
}

/** Returns the candidates that have some of these contents, oldest first. */
function matchesAmong(byTarget: ReadonlyMap<string, readonly Candidate[]>, contents: readonly string[]): Match[] {
  const found = new Map<Candidate, Match>();
  for (const content of contents) {
    for (const candidate of byTarget.get(content) ?? []) {
      const match = found.get(candidate);
      if (match) match.records.push(content);
      else found.set(candidate, { ...candidate, records: [content] });
    }
  }
  const matches = [...found.values()];
  return matches.length > 1 ? matches.sort((a, b) => byAge(a.sourceObject, b.sourceObject)) : matches;
}

/** An object of which only the label is known. */
const unseen = (resource: string): SourceObject => ({
  resource,
  namespace: namespaceOf(resource),
  created: '',
  hosts: [],
});

/** Returns the objects that may have contributed targets without a match. */
function contributorsAmong(matches: Match[], type: string, labelled: string): SourceObject[] {
  const all = matches.map(({ sourceObject }) => sourceObject);
  // CNAMEs with different targets are not merged, so the label is right.
  if (type === 'CNAME') return all.filter(({ resource }) => resource === labelled);
  const isOfType = (target: string) => !isTargetType(type) || typeOf(target) === type;
  const likely = matches.filter(
    ({ part: { targets }, records }) => targets === undefined || (records.length === 0 && targets.some(isOfType)),
  );
  if (likely.length > 0) return likely.map(({ sourceObject }) => sourceObject);
  return matches.some(({ records }) => records.length === 0) ? all : [];
}

/** Returns the oldest contributor if all are of one namespace. */
function soleContributor(contributors: SourceObject[]): SourceObject | undefined {
  const [first] = contributors;
  return contributors.every(({ namespace }) => namespace === first?.namespace) ? first : undefined;
}

function unclear(targets: string[], contributors: SourceObject[]): string {
  const objects = contributors.map(({ resource }) => resource);
  return `cannot tell which of ${listed(objects, ' and ')} has the target${targets.length > 1 ? 's' : ''} ${listed(targets, ', ')}`;
}

/** The first few: an object may have hundreds. */
const listed = (texts: string[], separator: string) =>
  texts.length > 4 ? `${texts.slice(0, 3).join(separator)}${separator}${texts.length - 3} more` : texts.join(separator);
