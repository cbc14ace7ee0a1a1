import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import { type Declaration, letGoAnnotation } from '../declaration.ts';
import type { Claim, Claims } from '../discovery/claim.ts';
import type { Judged } from '../discovery/owner.ts';
import type { Refused } from '../discovery/verdict/judge.ts';
import type { Wish } from '../discovery/wish/wish.ts';
import type { Report } from '../report.ts';
import { canonicalAddress, claimantOf, keyOf, type RRset, type Zone } from '../zone.ts';
import { adviceOn, listed, outsideZones, resolved } from './sentence.ts';
import { type NameState, type Reason, verdicts } from './verdict.ts';

/** Everything that says whether and why names resolve. */
export interface Known {
  declaration: Declaration;
  /** As they answer now. */
  zones: readonly Zone[];
  claims: Claims;
  /** The last verdict of each owner. */
  judged: readonly Judged[];
  discovery: Report['discovery']['state'];
  /** Whether a name is asked for so recently that it may still be on its way: by `nameKey`. */
  isYoung: (key: string) => boolean;
}

/** Identifies a host of an object. */
export const nameKey = ({ name, resource }: Pick<NameState, 'name' | 'resource'>) => `${name} ${resource}`;

/** One host of one object, and all that is known of it. */
interface Asked {
  /** Absolute. */
  name: string;
  resource: string;
  claim?: Claim;
  wishes: Wish[];
  refused: Refused[];
  held?: RRset;
}

/** Pure: the state of every host that an object asks for, sorted by name. */
export function explained(known: Known): NameState[] {
  const explanation = new Explanation(known);
  return [...askedFor(known)]
    .flatMap((asked) => explanation.of(asked) ?? [])
    .sort((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1));
}

function askedFor({ claims, judged }: Known): Iterable<Asked> {
  const all = new Map<string, Asked>();
  const at = (name: string, resource: string): Asked => {
    const key = nameKey({ name, resource });
    const asked = all.get(key) ?? { name, resource, wishes: [], refused: [] };
    all.set(key, asked);
    return asked;
  };
  for (const claim of claims.leftOut()) for (const host of claim.hosts) at(host, claim.resource).claim = claim;
  for (const claim of claims.all()) for (const host of claim.hosts) at(host, claim.resource).claim = claim;
  for (const { wishes, refused, held } of judged) {
    for (const wish of wishes) at(wish.name, claimantOf(wish)).wishes.push(wish);
    for (const each of refused) at(each.rrset.name, claimantOf(each.rrset)).refused.push(each);
    for (const rrset of held) at(rrset.name, claimantOf(rrset)).held = rrset;
  }
  return all.values();
}

class Explanation {
  readonly #known: Known;
  readonly #declared: ReadonlyMap<string, string>;
  readonly #there: ReadonlyMap<string, ReadonlyMap<string, RRset>>;
  readonly #answered: ReadonlyMap<string, RRset>;
  readonly #excluded: ReadonlyMap<string, string>;

  constructor(known: Known) {
    const { declaration, zones, judged } = known;
    this.#known = known;
    this.#declared = new Map(declaration.zones.map(({ name }) => [absolute(name), name]));
    this.#there = new Map(zones.map(({ name, rrsets }) => [name, byKey(rrsets)]));
    this.#answered = byKey(judged.flatMap(({ answer }) => answer));
    this.#excluded = new Map((declaration.discovery?.excludedDomains ?? []).map((name) => [absolute(name), name]));
  }

  /** Undefined for what a filter leaves out and is not in the zones either. */
  of(asked: Asked): NameState | undefined {
    const zone = zoneOf(asked.name, this.#declared);
    if (asked.claim?.leftOut !== undefined && zone === undefined) return undefined;
    const answers = this.#answersOf(asked);
    const { verdict, message } = this.#verdictOn(asked, zone, answers);
    const { resource } = asked;
    return { name: withoutDot(asked.name), resource, verdict, message, answers, ...(zone && { zone }) };
  }

  #verdictOn(
    asked: Asked,
    zone: string | undefined,
    answers: string[],
  ): Reason | { verdict: 'Resolved'; message: string } {
    const { wishes, held } = asked;
    const isAnswered = wishes.some((wish) => this.#isThere(wish));
    const reason = isAnswered ? undefined : (this.#objection(asked) ?? this.#waiting(asked, zone));
    const still = answers.length > 0 ? `; it still ${resolved(answers)}` : '';
    if (reason) return { verdict: reason.verdict, message: reason.message + still };
    if (held && !isAnswered) return this.#held(asked, answers);
    // What else the object wants there, such as an IPv6 address that no network allows.
    const besides = asked.refused.map(({ message }) => message);
    const message = [resolved(answers), ...besides.map((each) => `left out of it: ${each}`)].join('; ');
    return { verdict: 'Resolved', message };
  }

  /** The gravest of what is against it. */
  #objection({ refused, claim }: Asked): Reason | undefined {
    if (claim?.leftOut !== undefined) return { verdict: 'Filtered', message: claim.leftOut };
    const [first] = [...refused].sort((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict));
    if (!first) return undefined;
    if (first.verdict === 'OutsideZones') return this.#outside(first.rrset.name);
    const because = first.because ? `, as ${first.because}` : '';
    return { verdict: first.verdict, message: `${first.message}${because}${adviceOn(first.verdict)}` };
  }

  /** Why there is nothing against it and nothing to be found, unless the delete guard has the name. */
  #waiting(asked: Asked, zone: string | undefined): Reason | undefined {
    const { name, claim, wishes, held } = asked;
    const { declaration, isYoung, discovery } = this.#known;
    if (wishes.length > 0) return this.#unpublished(wishes);
    if (held) return undefined;
    const excluded = zoneOf(name, this.#excluded);
    if (excluded !== undefined)
      return { verdict: 'Filtered', message: `${excluded} is one of discovery.excludedDomains` };
    if (zone === undefined) return this.#outside(name);
    const young = isYoung(nameKey({ name: withoutDot(name), resource: asked.resource }));
    if (targetsOf(claim, name)?.length === 0) {
      return { verdict: young ? 'Pending' : 'NoAddress', message: `no address yet${adviceOn('NoAddress')}` };
    }
    const pace = `it looks every ${declaration.discovery?.intervalSeconds ?? 0} s`;
    const message = young
      ? `ExternalDNS has not asked for it yet: ${pace}`
      : discovery === 'Stalled'
        ? 'ExternalDNS is not heard of: see the log of the container external-dns'
        : 'ExternalDNS does not ask for it: see the log of the container external-dns';
    return { verdict: 'Pending', message };
  }

  #unpublished(wishes: Wish[]): Reason {
    const isAnswered = wishes.some((wish) => holds(this.#answered.get(keyOf(wish)), wish));
    if (isAnswered) return { verdict: 'Pending', message: 'PowerDNS is about to get it' };
    const policy = this.#known.declaration.discovery?.policy;
    if (policy === undefined || policy === 'Sync')
      return { verdict: 'Pending', message: 'ExternalDNS is about to ask' };
    return { verdict: 'Filtered', message: `discovery.policy ${policy} leaves it as it is` };
  }

  #held({ claim, resource }: Asked, answers: string[]): Reason {
    const why = claim ? 'has lost its address' : 'is gone';
    const { name } = this.#known.declaration;
    return {
      verdict: 'Held',
      message: `${resource} ${why}, and the delete guard keeps what it had: it still ${resolved(answers)}; to let it go: kubectl annotate internaldns ${name} --overwrite ${letGoAnnotation}=$(date -u +%FT%TZ)`,
    };
  }

  #outside(name: string): Reason {
    return { verdict: 'OutsideZones', message: outsideZones(name, [...this.#declared.keys()]) };
  }

  /** What is answered at the name for the object: what it wants, or what it had. */
  #answersOf({ name, resource, wishes }: Asked): string[] {
    const there = zoneOf(name, this.#there);
    const types = new Set([...wishes.map(({ type }) => type), 'A', 'AAAA', 'CNAME']);
    const rrsets = [...types].flatMap((type) => there?.get(keyOf({ name, type })) ?? []);
    return rrsets
      .filter((rrset) => claimantOf(rrset) === resource || wishes.some((wish) => holds(rrset, wish)))
      .flatMap(({ type, records }) => records.map((content) => `${type} ${shown(content)}`));
  }

  #isThere(wish: Wish): boolean {
    return holds(zoneOf(wish.name, this.#there)?.get(keyOf(wish)), wish);
  }
}

const byKey = (rrsets: readonly RRset[]): ReadonlyMap<string, RRset> =>
  new Map(rrsets.map((rrset) => [keyOf(rrset), rrset]));

/** Whether an RRset answers with everything that a wish says. */
function holds(rrset: RRset | undefined, wish: Wish): boolean {
  if (rrset?.name !== wish.name || rrset.type !== wish.type || wish.records.length === 0) return false;
  const there = new Set(rrset.records.map(canonicalAddress));
  return wish.records.every((content) => there.has(canonicalAddress(content)));
}

/** Undefined where it is not known what the object answers with. */
function targetsOf(claim: Claim | undefined, name: string): readonly string[] | undefined {
  if (!claim?.parts) return claim?.targets;
  const ofName = [...claim.parts].filter(([key]) => key.startsWith(`${name} `));
  return ofName.flatMap(([, { targets = [] }]) => targets);
}

const shown = (content: string) => listed([content.replace(/(?<=\S)\.$/, '')]);
