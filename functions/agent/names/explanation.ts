import { type Declaration, letGoCommand } from '../../contract/declaration.ts';
import { bySeverity, type NameState, type Reason } from '../../contract/verdict.ts';
import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import type { DesiredRecord } from '../discovery/desired-record.ts';
import { moreThanHost } from '../discovery/host-name.ts';
import type { ProviderSnapshot } from '../discovery/provider.ts';
import type { ProviderStatus } from '../discovery/providers.ts';
import { namespaceOf } from '../discovery/resource-label.ts';
import { targetsByType } from '../discovery/target.ts';
import { compare } from '../lib/compare.ts';
import { adviceOn, outsideZones, resolved } from '../lib/sentence.ts';
import { keyOf, type Zone } from '../powerdns/rrset.ts';
import type { OutOfZoneState } from '../resolver/out-of-zone-names.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { Answers } from './answers.ts';
import { deadEndOf } from './dead-end.ts';
import { essentialOf, type RequestedHost, requestedHosts } from './requested-host.ts';
import { faultAt, lossOf, targetsAt } from './source-targets.ts';

/** A name, without the dot at the end, and the object that asks for it. */
export type NameHost = Pick<NameState, 'name' | 'resource'>;

/** Everything that says whether and why names resolve. */
export interface Known {
  declaration: Declaration;
  /** As they answer now. */
  zones: readonly Zone[];
  lister: SourceLister;
  /** The last verdict of each owner. */
  snapshots: readonly ProviderSnapshot[];
  providers: readonly ProviderStatus[];
  /** What is known of names that are in none of the zones. */
  outside?: (name: string) => OutOfZoneState | undefined;
  /** Whether a name was first asked for so recently that its object may yet get what it lacks. */
  isYoung: (host: NameHost) => boolean;
  /** Whether a name, its object or the spec has changed so recently that ExternalDNS may not have come to it yet. */
  isJustChanged: (host: NameHost) => boolean;
}

/** Pure: the state of every host that an object asks for, sorted by name, and those of one name by their objects. */
export function explained(known: Known): NameState[] {
  const explanation = new Explanation(known);
  return requestedHosts(known.lister, known.snapshots)
    .flatMap((host) => explanation.of(host) ?? [])
    .sort((a, b) => compare(a.name, b.name) || compare(a.resource, b.resource));
}

type Evaluation = Pick<NameState, 'verdict' | 'message' | 'isLate'>;

class Explanation {
  readonly #known: Known;
  readonly #answers: Answers;
  /** Declared zones, and excluded domains, by their absolute names. */
  readonly #declared: ReadonlyMap<string, string>;
  readonly #excluded: ReadonlyMap<string, string>;

  constructor(known: Known) {
    const { declaration, zones, snapshots } = known;
    this.#known = known;
    this.#answers = new Answers(zones, snapshots);
    this.#declared = byAbsoluteName(declaration.zones.map(({ name }) => name));
    this.#excluded = byAbsoluteName(declaration.discovery?.excludedDomains ?? []);
  }

  /** Undefined for what a filter leaves out and is not in the zones either. */
  of(host: RequestedHost): NameState | undefined {
    const zone = zoneOf(host.name, this.#declared);
    if (host.sourceObject?.filteredBy !== undefined && zone === undefined) return undefined;
    const answers = this.#answers.at(host);
    return {
      name: withoutDot(host.name),
      resource: host.resource,
      ...this.#verdictOn(host, zone, answers),
      answers,
      ...(zone && { zone }),
    };
  }

  #verdictOn(host: RequestedHost, zone: string | undefined, answers: string[]): Evaluation {
    if (this.#isAnswered(host)) return this.#deadEnd(host) ?? asWanted(host, answers);
    const reason = this.#objectionTo(host, zone) ?? this.#delayOf(host);
    if (!reason && host.held) return this.#guarded(host, answers);
    const why = reason ?? this.#unasked(host, zone);
    return answers.length > 0 ? { ...why, message: `${why.message}; it still ${resolved(answers)}` } : why;
  }

  #isAnswered(host: RequestedHost): boolean {
    const { name, resource, desiredRecords, refused, held, sourceObject } = host;
    if (desiredRecords.length > 0) {
      const asked = essentialOf(host);
      // Somebody else's answer may have it in it, among others.
      const isTaken = (desired: DesiredRecord) =>
        refused.some(({ rrset, verdict }) => verdict === 'Duplicate' && keyOf(rrset) === keyOf(desired));
      return asked.length > 0 && asked.every((desired) => this.#answers.has(desired) && !isTaken(desired));
    }
    // ExternalDNS has not spoken yet, as after a start, and what it published is there.
    if (held || !sourceObject || sourceObject.filteredBy !== undefined) return false;
    const mark = { account: '', content: resource };
    const own = [...targetsByType(targetsAt(name, sourceObject) ?? [])];
    return own.length > 0 && own.every(([type, records]) => this.#answers.has({ name, type, records, ttl: 0, mark }));
  }

  /** Why what is answered comes to no address. A moment ago there may have been no such name. */
  #deadEnd(host: RequestedHost): Reason | undefined {
    const chain = this.#answers.chainFrom(host.name);
    const reason = chain && deadEndOf(chain, this.#known.outside ?? (() => undefined));
    const mayCome = reason?.verdict === 'NoAddress' && this.#known.isYoung(asShown(host));
    return mayCome ? { verdict: 'Pending', message: reason.message } : reason;
  }

  /** The gravest of what is against it. */
  #objectionTo(host: RequestedHost, zone: string | undefined): Reason | undefined {
    if (host.sourceObject?.filteredBy !== undefined) return this.#filtered(host.sourceObject, host);
    if (this.#isOutdated(host.resource)) return undefined;
    const [worst] = [...host.refused].sort(bySeverity);
    if (!worst) return undefined;
    const { verdict, message, because, isOwn } = worst;
    // The gravest comes first, so nothing else was against it before its zone was declared.
    if (verdict === 'OutsideZones') return zone === undefined ? this.#outside(host.name) : undefined;
    return { verdict, message: `${message}${because ? `, ${because}` : ''}${isOwn ? '' : adviceOn(verdict)}` };
  }

  #filtered({ filteredBy = '', isUnready }: SourceObject, host: RequestedHost): Reason {
    if (!isUnready) return { verdict: 'Filtered', message: filteredBy };
    return { verdict: this.#known.isYoung(asShown(host)) ? 'Pending' : 'NoAddress', message: filteredBy };
  }

  /** What it waits for that ExternalDNS wants, and nothing is against. */
  #delayOf({ resource, desiredRecords, refused }: RequestedHost): Reason | undefined {
    if (desiredRecords.length === 0) return undefined;
    if (this.#isOutdated(resource)) {
      const message = `ExternalDNS has not asked since the spec changed: ${seeItsLog}`;
      return this.#failureAt(resource) ?? { verdict: 'Pending', message, isLate: true };
    }
    if (desiredRecords.every((desired) => this.#answers.isPromised(desired) || this.#answers.has(desired))) {
      return this.#unlessSilent(resource, 'PowerDNS is about to get it');
    }
    const { policy = 'Sync' } = this.#known.declaration.discovery ?? {};
    // What was outside the zones was refused before the policy was asked.
    const isOfBefore = refused.some(({ verdict }) => verdict === 'OutsideZones');
    if (policy === 'Sync' || isOfBefore) return this.#unlessSilent(resource, 'ExternalDNS is about to ask');
    return {
      verdict: 'Filtered',
      message: `discovery.policy ${policy} leaves it as it is: Sync or UpsertOnly publish it`,
    };
  }

  #guarded({ name: host, resource }: RequestedHost, answers: string[]): Reason {
    const why = lossOf(host, resource, this.#known.lister);
    const { name } = this.#known.declaration;
    return {
      verdict: 'Held',
      message: `${resource} ${why}, and the delete guard keeps what it had: it still ${resolved(answers)}; to let it go: ${letGoCommand(name)}`,
    };
  }

  /** Why ExternalDNS does not want what the object asks for. */
  #unasked(host: RequestedHost, zone: string | undefined): Reason {
    const { name, resource, sourceObject } = host;
    const { declaration } = this.#known;
    const excluded = zoneOf(name, this.#excluded);
    if (excluded !== undefined) {
      return {
        verdict: 'Filtered',
        message: `${excluded} is one of discovery.excludedDomains: take it from there, or use another host`,
      };
    }
    if (zone === undefined) return this.#outside(name);
    const fault = faultAt(name, sourceObject);
    if (fault) return fault;
    const targets = targetsAt(name, sourceObject);
    if (targets?.length === 0) {
      const verdict = this.#known.isYoung(asShown(host)) ? 'Pending' : 'NoAddress';
      return { verdict, message: `no address yet${adviceOn('NoAddress')}` };
    }
    if (this.#isEarly(host)) {
      const pace = `it looks every ${declaration.discovery?.intervalSeconds ?? 0} s`;
      return { verdict: 'Pending', message: `ExternalDNS has not asked for it yet: ${pace}` };
    }
    const silence = this.#silenceAt(resource);
    if (silence) return silence;
    // ExternalDNS says nothing of it in its log, either.
    if (sourceObject?.ofPodsOrNodes) return { verdict: 'NoAddress', message: noneReady };
    return { verdict: 'Pending', message: `ExternalDNS does not ask for it: ${seeItsLog}`, isLate: true };
  }

  /** Nobody comes to what has just changed while ExternalDNS is silent, which would only be said less clearly. */
  #isEarly(host: RequestedHost): boolean {
    const { isYoung, isJustChanged } = this.#known;
    return this.#isSilent(host.resource) ? isYoung(asShown(host)) : isJustChanged(asShown(host));
  }

  /** What is about to happen, where somebody is there to do it. */
  #unlessSilent(resource: string, message: string): Reason {
    return this.#silenceAt(resource) ?? { verdict: 'Pending', message };
  }

  /** Whether what was decided follows a spec of before, and nobody comes to decide anew. */
  #isOutdated(resource: string): boolean {
    const { snapshots, declaration } = this.#known;
    return snapshots.some((each) => each.declaration !== declaration) && this.#isSilent(resource);
  }

  #isSilent(resource: string): boolean {
    return this.#silenceAt(resource) !== undefined;
  }

  /** Why nothing comes from the ExternalDNS that sees an object: it is not heard of, or gets no answer. */
  #silenceAt(resource: string): Reason | undefined {
    return this.#providerOf(resource)?.state === 'Stalled' ? unheard : this.#failureAt(resource);
  }

  #failureAt(resource: string): Reason | undefined {
    const { state, failure = '' } = this.#providerOf(resource) ?? {};
    if (state !== 'Failing') return undefined;
    return {
      verdict: 'Pending',
      message: `the agent cannot answer ExternalDNS (${failure}): ${seeAgentsLog}`,
      isLate: true,
    };
  }

  /** The ExternalDNS that sees an object. */
  #providerOf(resource: string): ProviderStatus | undefined {
    return this.#known.providers.find(({ namespace = '' }) => ['', namespaceOf(resource)].includes(namespace));
  }

  #outside(name: string): Reason {
    const more = moreThanHost(name, this.#declared);
    if (more !== undefined) return { verdict: 'Refused', message: more };
    return { verdict: 'OutsideZones', message: outsideZones(name, [...this.#declared.keys()]) };
  }
}

const asShown = ({ name, resource }: RequestedHost): NameHost => ({ name: withoutDot(name), resource });

const seeItsLog = 'see the log of the container external-dns';
const seeAgentsLog = 'see the log of the container agent';
const unheard: Reason = { verdict: 'Pending', message: `ExternalDNS is not heard of: ${seeItsLog}`, isLate: true };
const noneReady =
  'no ready Pod or Node answers for it: see the Pods of its spec.selector, and of a NodePort the addresses of the Nodes';

const unread = (text: string) =>
  `its annotation ttl is not understood, so that the usual time to live holds: ${JSON.stringify(text)}: write seconds, such as 300, or 5m`;

const byAbsoluteName = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [absolute(name), name]));

function asWanted({ refused, sourceObject }: RequestedHost, answers: string[]): Evaluation {
  // What else the object wants there, such as an IPv6 address that no network allows.
  const besides = refused.map(({ message }) => `left out of it: ${message}`);
  const { unreadTTL } = sourceObject ?? {};
  if (unreadTTL !== undefined) besides.push(unread(unreadTTL));
  return { verdict: 'Resolved', message: [resolved(answers), ...besides].join('; ') };
}
