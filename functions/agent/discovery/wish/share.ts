import { keyOf } from '../../zone.ts';
import type { Claim, Claims, Part } from '../claim.ts';
import { hasTooManyTargets, isBeyond, tooManyTargets } from '../excess.ts';
import { namespaceOf } from '../resource.ts';
import { isTargetType, typeOf } from './target.ts';

/** What one object wants of an endpoint, with its targets in canonical form. */
export interface Share {
  resource: string;
  records: string[];
  /** Seconds; undefined for none of its own. */
  ttl?: number | undefined;
  /** Why it cannot be told. */
  fault?: string;
}

/** A claim with those of an endpoint's records that it is seen to want. */
interface Seen {
  claim: Claim;
  part: Part;
  records: string[];
  /** Whether it has too many targets for any of them to count. */
  isExcessive: boolean;
}

/**
 * An endpoint taken apart again: ExternalDNS makes one of all that objects of a kind want of a name, a type and a TTL,
 * with every target and one object's label, and leaves out what says the same as another, whosever it is.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/wrappers/dedupsource.go
 *
 * A target is whose claim has it. Others, as when the view of the objects is a moment behind, belong to those who may
 * have brought them: objects whose targets are not known, or have just been others. Where these are of several
 * namespaces the target is nobody's, and who is left with nothing has a share with a fault: a refused wish, under which
 * what stands of that object stays as it is. Nor is it anybody's where each is seen to have what it wants: an object
 * that is not seen at all has brought it.
 * @param name absolute
 * @param whole the endpoint as its label has it
 * @param namespace the only one whose objects count
 */
export function sharesOf(name: string, type: string, whole: Share, claims: Claims, namespace?: string): Share[] {
  const all = claims.on(name).filter((claim) => namespace === undefined || claim.namespace === namespace);
  if (all.length === 0) return [whole];
  const kind = whole.resource.slice(0, whole.resource.indexOf('/') + 1);
  const { own = [], others = [] } = Object.groupBy(all, ({ resource }) =>
    resource.startsWith(kind) ? 'own' : 'others',
  );
  const seen = (claim: Claim) => seenOf(claim, name, type, whole.records);
  const ofKind = claims.sees(whole.resource) ? claimantsOf(own, whole.resource).map(seen) : [];
  const ofOthers = others.map(seen).filter(({ records }) => records.length > 0);
  return [...(ofKind.length === 0 ? [whole] : apart(type, whole, ofKind)), ...ofOthers.map(shareOf)];
}

/** What the objects of one kind want of it. */
function apart(type: string, whole: Share, seen: Seen[]): Share[] {
  const explained = new Set(seen.flatMap(({ records }) => records));
  // Whatever there is beyond the targets of those who have too many is theirs.
  const isExcessive = seen.some((each) => each.isExcessive);
  const unexplained = isExcessive ? [] : whole.records.filter((content) => !explained.has(content));
  const bringers = unexplained.length === 0 ? [] : bringersOf(seen, type, whole.resource);
  const bringer = bringerOf(bringers);
  return seen.flatMap((each) => {
    const { claim, records } = each;
    if (each.isExcessive) return [{ ...shareOf(each), fault: tooManyTargets }];
    // The time to live is that of the labelled one.
    const share = claim.resource === whole.resource ? { ...whole, records } : shareOf(each);
    if (claim === bringer) return [{ ...share, records: [...records, ...unexplained].sort() }];
    if (records.length > 0) return [share];
    return bringers.includes(claim) && !bringer ? [{ ...share, fault: unclear(unexplained, bringers) }] : [];
  });
}

const shareOf = ({ claim: { resource }, part: { ttl }, records }: Seen): Share => ({ resource, records, ttl });

function seenOf(claim: Claim, name: string, type: string, contents: string[]): Seen {
  // Of a host beyond the bound it is not known which of its targets are for it.
  const isWhole = !claim.parts || isBeyond(claim, name);
  const part = isWhole ? claim : (claim.parts?.get(keyOf({ name, type })) ?? { targets: [] });
  const isExcessive = hasTooManyTargets(part.targets);
  const records = isExcessive ? [] : contents.filter((content) => part.targets?.includes(content));
  return { claim, part, records, isExcessive };
}

/** The objects of a kind that want a name, oldest first. What is not seen to want it does so all the same. */
function claimantsOf(ofKind: Claim[], labelled: string): Claim[] {
  const isKnown = ofKind.some(({ resource }) => resource === labelled);
  const claimants = isKnown ? ofKind : [...ofKind, unknown(labelled)];
  return claimants.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

const orderOf = ({ created, resource }: Claim) => `${created} ${resource}`;

/** As far as its label says. */
const unknown = (resource: string): Claim => ({ resource, namespace: namespaceOf(resource), created: '', hosts: [] });

/** Who may have brought targets that nobody is seen to have. */
function bringersOf(seen: Seen[], type: string, labelled: string): Claim[] {
  const all = seen.map(({ claim }) => claim);
  // CNAMEs of different targets are not merged, so that the label is right.
  if (type === 'CNAME') return all.filter(({ resource }) => resource === labelled);
  const isOfType = (target: string) => !isTargetType(type) || typeOf(target) === type;
  const likely = seen.filter(
    ({ part: { targets }, records }) => targets === undefined || (records.length === 0 && targets.some(isOfType)),
  );
  if (likely.length > 0) return likely.map(({ claim }) => claim);
  return seen.some(({ records }) => records.length === 0) ? all : [];
}

/** Who has brought them, if it can be told. */
function bringerOf(bringers: Claim[]): Claim | undefined {
  const [first] = bringers;
  return bringers.every(({ namespace }) => namespace === first?.namespace) ? first : undefined;
}

/** A few of them: of an object's hundreds nobody reads more. */
const unclear = (targets: string[], bringers: Claim[]) =>
  `cannot tell whose target ${listed(targets, ', ')} is, of ${listed(
    bringers.map(({ resource }) => resource),
    ' and ',
  )}`;

const listed = (texts: string[], separator: string) =>
  texts.length > 4 ? `${texts.slice(0, 3).join(separator)}${separator}${texts.length - 3} more` : texts.join(separator);
