import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import { type Declaration, letGoAnnotation } from '../declaration.ts';
import type { Claim, Claims } from '../discovery/claim.ts';
import type { Judged } from '../discovery/owner.ts';
import type { Report } from '../report.ts';
import type { Zone } from '../zone.ts';
import { Answers } from './answers.ts';
import { type AskedHost, askedHosts } from './asked-host.ts';
import { adviceOn, outsideZones, resolved } from './sentence.ts';
import { type NameState, nameKey, type Reason, verdicts } from './verdict.ts';

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

/** Pure: the state of every host that an object asks for, sorted by name, and those of one name by their objects. */
export function explained(known: Known): NameState[] {
  const explanation = new Explanation(known);
  return askedHosts(known.claims, known.judged)
    .flatMap((host) => explanation.of(host) ?? [])
    .sort((a, b) => compare(a.name, b.name) || compare(a.resource, b.resource));
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

class Explanation {
  readonly #known: Known;
  readonly #answers: Answers;
  /** Declared zones, and excluded domains, by their absolute names. */
  readonly #declared: ReadonlyMap<string, string>;
  readonly #excluded: ReadonlyMap<string, string>;

  constructor(known: Known) {
    const { declaration, zones, judged } = known;
    this.#known = known;
    this.#answers = new Answers(zones, judged);
    this.#declared = byAbsoluteName(declaration.zones.map(({ name }) => name));
    this.#excluded = byAbsoluteName(declaration.discovery?.excludedDomains ?? []);
  }

  /** Undefined for what a filter leaves out and is not in the zones either. */
  of(host: AskedHost): NameState | undefined {
    const zone = zoneOf(host.name, this.#declared);
    if (host.claim?.leftOut !== undefined && zone === undefined) return undefined;
    const answers = this.#answers.at(host);
    const { verdict, message } = this.#verdictOn(host, zone, answers);
    return {
      name: withoutDot(host.name),
      resource: host.resource,
      verdict,
      message,
      answers,
      ...(zone && { zone }),
    };
  }

  #verdictOn(host: AskedHost, zone: string | undefined, answers: string[]): Pick<NameState, 'verdict' | 'message'> {
    if (host.wishes.some((wish) => this.#answers.has(wish))) return asWanted(host, answers);
    const reason = this.#objectionTo(host) ?? this.#delayOf(host);
    if (!reason && host.held) return this.#guarded(host, answers);
    const { verdict, message } = reason ?? this.#unasked(host, zone);
    return { verdict, message: answers.length > 0 ? `${message}; it still ${resolved(answers)}` : message };
  }

  /** The gravest of what is against it. */
  #objectionTo({ refused, claim }: AskedHost): Reason | undefined {
    if (claim?.leftOut !== undefined) return { verdict: 'Filtered', message: claim.leftOut };
    const [gravest] = [...refused].sort((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict));
    if (!gravest) return undefined;
    const { verdict, message, because, rrset } = gravest;
    if (verdict === 'OutsideZones') return this.#outside(rrset.name);
    return { verdict, message: `${message}${because ? `, as ${because}` : ''}${adviceOn(verdict)}` };
  }

  /** What it waits for that ExternalDNS wants, and nothing is against. */
  #delayOf({ wishes }: AskedHost): Reason | undefined {
    if (wishes.length === 0) return undefined;
    if (wishes.some((wish) => this.#answers.isPromised(wish))) {
      return { verdict: 'Pending', message: 'PowerDNS is about to get it' };
    }
    const { policy = 'Sync' } = this.#known.declaration.discovery ?? {};
    if (policy === 'Sync') return { verdict: 'Pending', message: 'ExternalDNS is about to ask' };
    return { verdict: 'Filtered', message: `discovery.policy ${policy} leaves it as it is` };
  }

  #guarded({ claim, resource }: AskedHost, answers: string[]): Reason {
    const why = claim ? 'has lost its address' : 'is gone';
    const { name } = this.#known.declaration;
    return {
      verdict: 'Held',
      message: `${resource} ${why}, and the delete guard keeps what it had: it still ${resolved(answers)}; to let it go: kubectl annotate internaldns ${name} --overwrite ${letGoAnnotation}=$(date -u +%FT%TZ)`,
    };
  }

  /** Why ExternalDNS does not want what the object asks for. */
  #unasked({ name, resource, claim }: AskedHost, zone: string | undefined): Reason {
    const { declaration, isYoung, discovery } = this.#known;
    const excluded = zoneOf(name, this.#excluded);
    if (excluded !== undefined) {
      return { verdict: 'Filtered', message: `${excluded} is one of discovery.excludedDomains` };
    }
    if (zone === undefined) return this.#outside(name);
    const young = isYoung(nameKey({ name: withoutDot(name), resource }));
    if (targetsOf(claim, name)?.length === 0) {
      return { verdict: young ? 'Pending' : 'NoAddress', message: `no address yet${adviceOn('NoAddress')}` };
    }
    if (young) {
      const pace = `it looks every ${declaration.discovery?.intervalSeconds ?? 0} s`;
      return { verdict: 'Pending', message: `ExternalDNS has not asked for it yet: ${pace}` };
    }
    const silence = discovery === 'Stalled' ? 'is not heard of' : 'does not ask for it';
    return { verdict: 'Pending', message: `ExternalDNS ${silence}: see the log of the container external-dns` };
  }

  #outside(name: string): Reason {
    return { verdict: 'OutsideZones', message: outsideZones(name, [...this.#declared.keys()]) };
  }
}

const byAbsoluteName = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [absolute(name), name]));

function asWanted({ refused }: AskedHost, answers: string[]): Pick<NameState, 'verdict' | 'message'> {
  // What else the object wants there, such as an IPv6 address that no network allows.
  const besides = refused.map(({ message }) => `left out of it: ${message}`);
  return { verdict: 'Resolved', message: [resolved(answers), ...besides].join('; ') };
}

/** Undefined where it is not known what the object answers with. */
function targetsOf(claim: Claim | undefined, name: string): readonly string[] | undefined {
  if (!claim?.parts) return claim?.targets;
  const ofName = [...claim.parts].filter(([key]) => key.startsWith(`${name} `));
  return ofName.flatMap(([, { targets = [] }]) => targets);
}
