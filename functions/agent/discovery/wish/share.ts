import type { Claim, Claims } from '../claim.ts';
import { namespaceOf } from '../resource.ts';
import { isTargetType, typeOf } from './target.ts';

/** What one object wants of an endpoint, with its targets in canonical form. */
export interface Share {
  resource: string;
  records: string[];
  /** Why it cannot be told. */
  fault?: string;
}

/**
 * An endpoint taken apart again: ExternalDNS makes one of all that objects of a kind want of a name, a type and a TTL,
 * with every target and one object's label.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 *
 * A target is whose claim has it. Others, as when the view of the objects is a moment behind, belong to those who may
 * have brought them: objects whose targets are not known, or have just been others. Where these are of several
 * namespaces the target is nobody's, and who is left with nothing has a share with a fault: a refused wish, under which
 * what stands of that object stays as it is.
 * @param name absolute
 * @param whole the endpoint as its label has it
 * @param namespace the only one whose objects count
 */
export function sharesOf(name: string, type: string, whole: Share, claims: Claims, namespace?: string): Share[] {
  const claimants = claimantsOf(name, whole.resource, claims, namespace);
  if (claimants.length < 2) return [whole];
  const shares = claimants.map((claim) => ({ claim, records: ownOf(claim, whole.records) }));
  const explained = new Set(shares.flatMap(({ records }) => records));
  const unexplained = whole.records.filter((content) => !explained.has(content));
  const bringers = unexplained.length === 0 ? [] : bringersOf(shares, type, whole.resource);
  const bringer = bringerOf(bringers);
  return shares.flatMap(({ claim, records }) => {
    const { resource } = claim;
    if (claim === bringer) return [{ resource, records: [...records, ...unexplained].sort() }];
    if (records.length > 0) return [{ resource, records }];
    return bringers.includes(claim) && !bringer ? [{ resource, records, fault: unclear(unexplained, bringers) }] : [];
  });
}

/** The objects of a kind that want a name, oldest first. */
function claimantsOf(name: string, labelled: string, claims: Claims, namespace: string | undefined): Claim[] {
  const kind = labelled.slice(0, labelled.indexOf('/') + 1);
  const all = claims.on(name);
  // Of nearly all names.
  if (all.length === 0 || (all.length === 1 && all[0]?.resource === labelled)) return [];
  const ofKind = all.filter(
    (c) => c.resource.startsWith(kind) && (namespace === undefined || c.namespace === namespace),
  );
  const isKnown = ofKind.some(({ resource }) => resource === labelled);
  // What is not seen to want the name does so all the same.
  const claimants = isKnown ? ofKind : [...ofKind, unknown(labelled)];
  return claimants.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

const orderOf = ({ created, resource }: Claim) => `${created} ${resource}`;

/** As far as its label says. */
const unknown = (resource: string): Claim => ({ resource, namespace: namespaceOf(resource), created: '', hosts: [] });

const ownOf = ({ targets }: Claim, contents: string[]) => contents.filter((content) => targets?.includes(content));

/** Who may have brought targets that nobody is seen to have. */
function bringersOf(shares: { claim: Claim; records: string[] }[], type: string, labelled: string): Claim[] {
  const all = shares.map(({ claim }) => claim);
  // CNAMEs of different targets are not merged, so that the label is right.
  if (type === 'CNAME') return all.filter(({ resource }) => resource === labelled);
  const isOfType = (target: string) => !isTargetType(type) || typeOf(target) === type;
  const likely = shares.filter(
    ({ claim, records }) => claim.targets === undefined || (records.length === 0 && claim.targets.some(isOfType)),
  );
  return likely.length === 0 ? all : likely.map(({ claim }) => claim);
}

/** Who has brought them, if it can be told. */
function bringerOf(bringers: Claim[]): Claim | undefined {
  const [first] = bringers;
  return bringers.every(({ namespace }) => namespace === first?.namespace) ? first : undefined;
}

const unclear = (targets: string[], bringers: Claim[]) =>
  `cannot tell whose target ${targets.join(', ')} is, of ${bringers.map(({ resource }) => resource).join(' and ')}`;
