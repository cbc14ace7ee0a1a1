/** Every verdict on a name and its message, apart from those of `discovery/`. A message ends with what to do. */
import { letGoCommand } from '../../contract/declaration.ts';
import type { NameState, Reason, Verdict } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { type Chain, whyEndless } from '../../dns/zone/cname-chain.ts';
import type { RejectedRecord } from '../discovery/evaluation.ts';
import { shortList } from '../lib/short-list.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { OutOfZoneState } from '../resolver/out-of-zone-resolver.ts';

const externalDNSLog = 'see the log of the container external-dns';
const agentLog = 'see the log of the container agent';

// Resolved

/**
 * @param rejected what the object wants at the name besides, such as an IPv6 address in none of the networks
 * @param unreadTTL the annotation, if it is invalid
 * @param notes what to know about the answers
 */
export function resolved(
  answers: readonly string[],
  rejected: readonly Pick<RejectedRecord, 'message'>[],
  unreadTTL?: string,
  notes: readonly string[] = [],
): Pick<NameState, 'verdict' | 'message'> {
  const additions = rejected.map(({ message }) => `not published: ${message}`);
  if (unreadTTL !== undefined) additions.push(invalidTTL(unreadTTL));
  return { verdict: 'Resolved', message: [resolvesTo(answers), ...notes, ...additions].join('; ') };
}

const invalidTTL = (text: string) =>
  `invalid ttl annotation ${JSON.stringify(text)}, using the default TTL: write seconds, such as 300, or a duration, such as 5m`;

/** @param answers such as `A 192.0.2.7` */
function resolvesTo(answers: readonly string[]): string {
  const isTarget = (answer: string) => /^(A|AAAA|CNAME) /.test(answer);
  const texts = answers.map((answer) => (isTarget(answer) ? answer.slice(answer.indexOf(' ') + 1) : answer));
  return answers.every(isTarget) ? `resolves to ${shortList(texts)}` : `answers ${shortList(answers)}`;
}

/** Adds what a name answers although its object is to have something else, or nothing. */
export const stillAnswering = (reason: Reason, answers: readonly string[]): Reason => ({
  ...reason,
  message: `${reason.message}; it still ${resolvesTo(answers)}`,
});

// Pending

export const aboutToBePublished: Reason = { verdict: 'Pending', message: 'about to be written to PowerDNS' };

export const aboutToBeRequested: Reason = { verdict: 'Pending', message: 'about to be requested by ExternalDNS' };

export const notRequestedYet = (intervalSeconds: number): Reason => ({
  verdict: 'Pending',
  message: `not requested by ExternalDNS yet: it syncs every ${intervalSeconds} s`,
});

export const notRequested: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS does not request this name: ${externalDNSLog}`,
  isLate: true,
};

export const notSyncedSinceSpecChange: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS has not synced since the spec changed: ${externalDNSLog}`,
  isLate: true,
};

export const externalDNSSilent: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS has stopped reporting: ${externalDNSLog}`,
  isLate: true,
};

export const agentFailing = (failure: string): Reason => ({
  verdict: 'Pending',
  message: `the agent cannot answer ExternalDNS (${failure}): ${agentLog}`,
  isLate: true,
});

export const cannotPublish = (failure: string): Reason => ({
  verdict: 'Pending',
  message: `the agent cannot write to PowerDNS (${failure}): ${agentLog}`,
  isLate: true,
});

// NoAddress

const noAddressAdvice =
  'its controller has not written one to its status: check the log of the ingress controller or load balancer, or set discovery.targets.default';

export const noAddressYet: Reason = { verdict: 'NoAddress', message: `no address yet: ${noAddressAdvice}` };

/** Of a Machine or a claim. */
export const noOwnAddress: Reason = {
  verdict: 'NoAddress',
  message: 'no address that it can have: add one to spec.addresses or, for a NameClaim, Machines that have its labels',
};

export const noReadyEndpoint: Reason = {
  verdict: 'NoAddress',
  message:
    'no ready Pod or Node: check the Pods that spec.selector matches, or for a NodePort the addresses of the Nodes',
};

const otherTarget = 'give the object another target';

export function targetWithoutAddress(name: string, state: 'Absent' | 'NoAddress'): Reason {
  const [fault, cure] =
    state === 'Absent' ? ['which does not exist', 'declare it'] : ['which has no address', 'declare one'];
  return {
    verdict: 'NoAddress',
    message: `the CNAME chain ends at ${withoutDot(name)}, ${fault}: ${cure}, or ${otherTarget}`,
  };
}

const outOfZoneFaults: Record<Exclude<OutOfZoneState, 'Addresses'>, string> = {
  Absent: `which the pod's resolver cannot find (NXDOMAIN): ${otherTarget}, or fix that name`,
  NoAddress: `for which the pod's resolver has no address (NODATA): ${otherTarget}, or fix that name`,
  Failed: `for which the pod's resolver answers SERVFAIL: ${otherTarget}, or find the cause with dig`,
};

export const outOfZoneTarget = (name: string, state: keyof typeof outOfZoneFaults): Reason => ({
  verdict: 'NoAddress',
  message: `the CNAME chain ends at ${withoutDot(name)}, ${outOfZoneFaults[state]}`,
});

/**
 * @param hostNames the mode of the spec
 * @param hasResolver whether dnsdist is in front of the server: it follows no CNAME
 */
export const noteOnOutsideTarget = (name: string, hostNames: 'Addresses' | 'CNAME', hasResolver: boolean) =>
  `clients ${hasResolver ? 'of the resolver' : 'whose resolver queries this server for nothing but its zones'} get no address for ${withoutDot(name)}: ${
    hostNames === 'CNAME' ? 'set discovery.targets.hostNames: Addresses' : 'give the object that name as target'
  }`;

export const noteOnTailnetRoute =
  'a client in the tailnet connects only with a route there: set up a subnet router, or use ingressClassName tailscale';

// Held

export type HeldBecause = 'Unsynced' | 'Deleted' | 'HostRemoved' | 'AddressLost' | 'NotRequested';

const heldBecause: Record<HeldBecause, string> = {
  Unsynced: 'cannot be read, as its kind cannot be listed',
  Deleted: 'is gone',
  HostRemoved: 'no longer has this host',
  AddressLost: 'no longer has an address',
  NotRequested: 'is no longer requested by ExternalDNS',
};

/** @param instance the name of the InternalDNS */
export function held(resource: string, because: HeldBecause, answers: readonly string[], instance: string): Reason {
  // A delegation may hide them.
  const still = answers.length > 0 ? `: it still ${resolvesTo(answers)}` : '';
  const message = `${resource} ${heldBecause[because]}; the delete guard keeps its records${still}; to delete them now: ${letGoCommand(instance)}`;
  return { verdict: 'Held', message };
}

// Refused

export const cnameLoop = (chain: Chain<RRset>): Reason => ({
  verdict: 'Refused',
  message: `${whyEndless(chain)}: ${otherTarget}`,
});

export const refused = (message: string): Reason => ({ verdict: 'Refused', message });

// Filtered

export const excludedDomain = (domain: string): Reason => ({
  verdict: 'Filtered',
  message: `${domain} is in discovery.excludedDomains: remove it there, or use another host`,
});

export const notPublishedByPolicy = (policy: string): Reason => ({
  verdict: 'Filtered',
  message: `discovery.policy ${policy} does not publish this change: set Sync or UpsertOnly`,
});

export const undiscoverableType: Reason = {
  verdict: 'Filtered',
  message: 'records of this type are not discovered: declare them in spec.zones',
};

// OutsideZones

export const outsideZones = (name: string, zones: readonly string[], isForwarded: boolean): Reason => ({
  verdict: 'OutsideZones',
  message: outsideZonesMessage(name, zones, isForwarded),
});

/**
 * @param zones absolute names, at least one
 * @param isForwarded whether the resolver asks upstreams for all names outside
 */
export function outsideZonesMessage(name: string, zones: readonly string[], isForwarded = false): string {
  const list = shortList(zones.map(withoutDot));
  const nearest = nearestZone(name, zones);
  const place =
    zones.length === 1 ? `the zone ${list}` : `the zones ${list}${nearest && `; the nearest is ${nearest}`}`;
  const elsewhere = isForwarded ? ', so that the resolver asks upstreams for it' : '';
  return `outside ${place}${elsewhere}: use a name in a zone, or declare its zone in spec.zones`;
}

/** The zone with the longest common suffix, without the trailing dot; empty if none has the same top-level domain. */
function nearestZone(name: string, zones: readonly string[]): string {
  const [nearest] = zones
    .filter((zone) => topLevelOf(zone) === topLevelOf(name))
    .map((zone) => ({ zone, common: commonSuffixLength(name, zone) }))
    .sort((a, b) => b.common - a.common || (a.zone < b.zone ? -1 : 1));
  return nearest ? withoutDot(nearest.zone) : '';
}

const topLevelOf = (name: string) => withoutDot(name).split('.').at(-1);

function commonSuffixLength(a: string, b: string): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}

// What discovery rejected

/** What to do, for verdicts whose messages in `discovery/` do not say it. */
const advice: Partial<Record<Verdict, string>> = {
  NoAddress: noAddressAdvice,
  Duplicate: 'give one of them another host, or see discovery.sharedHosts',
  DeclaredElsewhere: 'remove the record from the spec, or the host from the object',
};

export function rejection({ rrset, verdict, message, because, isOwn }: RejectedRecord): Reason {
  const cure = isOwn || rrset.unresolved ? undefined : advice[verdict];
  return { verdict, message: `${message}${because ? `, ${because}` : ''}${cure ? `: ${cure}` : ''}` };
}
