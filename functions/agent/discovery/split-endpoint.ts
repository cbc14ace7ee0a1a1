import { keyOf } from '../powerdns/rrset.ts';
import { hasTooManyTargets, isOverLimit, tooManyTargets } from '../sources/host-limit.ts';
import { byAge, type Part, type SourceLister, type SourceObject } from '../sources/source-object.ts';
import { namespaceOf } from './resource-label.ts';
import { isTargetType, typeOf } from './target.ts';

/** What one object wants of an endpoint, with its targets in canonical form. */
export interface EndpointPart {
  resource: string;
  records: string[];
  /** Seconds; undefined for none of its own. */
  ttl?: number | undefined;
  /** Why it cannot be told. */
  fault?: string;
}

/** A claim with what it wants of a name and a type. */
interface Candidate {
  sourceObject: SourceObject;
  part: Part;
  /** Whether it has too many targets for any of them to count. */
  isExcessive: boolean;
}

/** A claimant with those of an endpoint's records that it is seen to want. */
interface Seen extends Candidate {
  records: string[];
}

/** Those who want a name and a type. */
interface Candidates {
  all: readonly Candidate[];
  byResource: ReadonlyMap<string, Candidate>;
  byTarget: ReadonlyMap<string, readonly Candidate[]>;
  overLimit: readonly Candidate[];
}

/**
 * The endpoints of one name taken apart again: ExternalDNS makes one of all that objects of a kind want of a name, a type
 * and a TTL, with every target and one object's label, and leaves out what says the same as another, whosever it is.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/wrappers/dedupsource.go
 *
 * A target is whose claim has it. Others, as when the view of the objects is a moment behind, belong to those who may
 * have brought them: objects whose targets are not known, or have just been others. Where these are of several
 * namespaces the target is nobody's, and who is left with nothing has a share with a fault: a refused wish, under which
 * what stands of that object stays as it is. Nor is it anybody's where each is seen to have what it wants: an object
 * that is not seen at all has brought it.
 *
 * Each of a thousand objects may ask for the same thousand names, with an endpoint of its own: for an endpoint only those
 * are looked at that have one of its targets.
 */
export class EndpointSplitter {
  readonly #name: string;
  readonly #lister: SourceLister;
  readonly #all: readonly SourceObject[];
  readonly #ofType = new Map<string, Candidates>();
  /** The types and kinds of which it has been said who has too many targets. */
  readonly #toldOf = new Set<string>();

  /**
   * @param name absolute
   * @param namespace the only one whose objects count
   */
  constructor(name: string, lister: SourceLister, namespace?: string) {
    this.#name = name;
    this.#lister = lister;
    const all = lister.byHost(name);
    this.#all = namespace === undefined ? all : all.filter((sourceObject) => sourceObject.namespace === namespace);
  }

  /** @param whole an endpoint as its label has it */
  split(type: string, whole: EndpointPart): EndpointPart[] {
    if (this.#all.length === 0) return [whole];
    const { all, byTarget } = this.#candidatesOf(type);
    const kind = whole.resource.slice(0, whole.resource.indexOf('/') + 1);
    const isOfKind = ({ sourceObject }: Candidate) => sourceObject.resource.startsWith(kind);
    const { own = [], others = [] } = Object.groupBy(seenAmong(byTarget, whole.records), (seen) =>
      isOfKind(seen) ? 'own' : 'others',
    );
    if (!this.#lister.hasSynced(whole.resource) || !all.some(isOfKind)) return [whole, ...others.map(partOf)];
    return [...this.#apart(type, kind, whole, own), ...others.map(partOf)];
  }

  /** What the objects of one kind want of it. */
  #apart(type: string, kind: string, whole: EndpointPart, seen: Seen[]): EndpointPart[] {
    const shareIn = (each: Seen): EndpointPart =>
      // The time to live is that of the labelled one.
      each.sourceObject.resource === whole.resource ? { ...whole, records: each.records } : partOf(each);
    // Whatever there is beyond the targets of those who have too many is theirs.
    const overLimit = this.#candidatesOf(type).overLimit.filter(({ sourceObject }) =>
      sourceObject.resource.startsWith(kind),
    );
    if (overLimit.length > 0) return [...seen.map(shareIn), ...this.#faultsOf(overLimit, type, kind)];
    const explained = new Set(seen.flatMap(({ records }) => records));
    const unexplained = whole.records.filter((content) => !explained.has(content));
    if (unexplained.length === 0) return seen.map(shareIn);
    const all = this.#ofKind(type, kind, whole.resource, seen);
    const bringers = contributorsOf(all, type, whole.resource);
    const bringer = soleContributor(bringers);
    const isBringer = new Set(bringers);
    return all.flatMap((each) => {
      const share = shareIn(each);
      if (each.sourceObject === bringer) return [{ ...share, records: [...each.records, ...unexplained].sort() }];
      if (each.records.length > 0) return [share];
      return isBringer.has(each.sourceObject) && !bringer ? [{ ...share, fault: unclear(unexplained, bringers) }] : [];
    });
  }

  /** Of those who have too many targets, once: each endpoint would say the same of them. */
  #faultsOf(overLimit: readonly Candidate[], type: string, kind: string): EndpointPart[] {
    const key = `${type} ${kind}`;
    if (this.#toldOf.has(key)) return [];
    this.#toldOf.add(key);
    return overLimit.map((each) => ({ ...partOf({ ...each, records: [] }), fault: tooManyTargets }));
  }

  /**
   * The objects of a kind that want it, oldest first. What is not seen to want it does so all the same. CNAMEs of different
   * targets are not merged: whatever nobody has of one is the labelled object's.
   */
  #ofKind(type: string, kind: string, labelled: string, seen: Seen[]): Seen[] {
    const { all, byResource } = this.#candidatesOf(type);
    const there = byResource.get(labelled) ?? this.#candidate(unknown(labelled), type);
    const others = type === 'CNAME' ? [] : all.filter(({ sourceObject }) => sourceObject.resource.startsWith(kind));
    const recordsOf = new Map(seen.map(({ sourceObject, records }) => [sourceObject, records]));
    const lister = new Map([there, ...others, ...seen].map((each) => [each.sourceObject, each]));
    return [...lister.values()]
      .map((each) => ({ ...each, records: recordsOf.get(each.sourceObject) ?? [] }))
      .sort((a, b) => (byAge(a.sourceObject) < byAge(b.sourceObject) ? -1 : 1));
  }

  #candidatesOf(type: string): Candidates {
    const known = this.#ofType.get(type);
    if (known) return known;
    const all = this.#all.map((sourceObject) => this.#candidate(sourceObject, type));
    const candidates = {
      all,
      byResource: new Map(all.map((each) => [each.sourceObject.resource, each])),
      byTarget: byTargetOf(all),
      overLimit: all.filter(({ isExcessive }) => isExcessive),
    };
    this.#ofType.set(type, candidates);
    return candidates;
  }

  #candidate(sourceObject: SourceObject, type: string): Candidate {
    const name = this.#name;
    // Of a host beyond the bound it is not known which of its targets are for it.
    const isWhole = !sourceObject.parts || isOverLimit(sourceObject, name);
    const part = isWhole ? sourceObject : (sourceObject.parts?.get(keyOf({ name, type })) ?? { targets: [] });
    return { sourceObject, part, isExcessive: hasTooManyTargets(part.targets) };
  }
}

const partOf = ({ sourceObject: { resource }, part: { ttl }, records }: Seen): EndpointPart => ({
  resource,
  records,
  ttl,
});

function byTargetOf(candidates: readonly Candidate[]): ReadonlyMap<string, Candidate[]> {
  const byTarget = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    if (candidate.isExcessive) continue;
    for (const target of new Set(candidate.part.targets)) {
      const there = byTarget.get(target);
      if (there) there.push(candidate);
      else byTarget.set(target, [candidate]);
    }
  }
  return byTarget;
}

/** Who has some of these contents, oldest first. */
function seenAmong(byTarget: ReadonlyMap<string, readonly Candidate[]>, contents: readonly string[]): Seen[] {
  const found = new Map<Candidate, Seen>();
  for (const content of contents) {
    for (const candidate of byTarget.get(content) ?? []) {
      const there = found.get(candidate);
      if (there) there.records.push(content);
      else found.set(candidate, { ...candidate, records: [content] });
    }
  }
  const seen = [...found.values()];
  return seen.length > 1 ? seen.sort((a, b) => (byAge(a.sourceObject) < byAge(b.sourceObject) ? -1 : 1)) : seen;
}

/** As far as its label says. */
const unknown = (resource: string): SourceObject => ({
  resource,
  namespace: namespaceOf(resource),
  created: '',
  hosts: [],
});

/** Who may have brought targets that nobody is seen to have. */
function contributorsOf(seen: Seen[], type: string, labelled: string): SourceObject[] {
  const all = seen.map(({ sourceObject }) => sourceObject);
  // CNAMEs of different targets are not merged, so that the label is right.
  if (type === 'CNAME') return all.filter(({ resource }) => resource === labelled);
  const isOfType = (target: string) => !isTargetType(type) || typeOf(target) === type;
  const likely = seen.filter(
    ({ part: { targets }, records }) => targets === undefined || (records.length === 0 && targets.some(isOfType)),
  );
  if (likely.length > 0) return likely.map(({ sourceObject }) => sourceObject);
  return seen.some(({ records }) => records.length === 0) ? all : [];
}

/** Who has brought them, if it can be told. */
function soleContributor(bringers: SourceObject[]): SourceObject | undefined {
  const [first] = bringers;
  return bringers.every(({ namespace }) => namespace === first?.namespace) ? first : undefined;
}

/** A few of them: of an object's hundreds nobody reads more. */
const unclear = (targets: string[], bringers: SourceObject[]) =>
  `cannot tell whose target ${listed(targets, ', ')} is, of ${listed(
    bringers.map(({ resource }) => resource),
    ' and ',
  )}`;

const listed = (texts: string[], separator: string) =>
  texts.length > 4 ? `${texts.slice(0, 3).join(separator)}${separator}${texts.length - 3} more` : texts.join(separator);
