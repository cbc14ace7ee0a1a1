/** Every verdict on a name and its message, apart from those of `discovery/`. A message ends with what to do. */
import { letGoCommand } from '../../contract/declaration.ts';
import type { NameState, Reason, Verdict } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { type Chain, whyEndless } from '../../dns/zone/cname-chain.ts';
import type { RejectedRecord } from '../discovery/evaluate.ts';
import { shortList } from '../lib/short-list.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { OutOfZoneState } from '../resolver/out-of-zone-resolver.ts';

const externalDNSLog = 'see the log of the container external-dns';
const agentLog = 'see the log of the container agent';

// Resolved

/**
 * @param rejected what the object wants at the name besides, such as an IPv6 address in none of the networks
 * @param unreadTTL the annotation, if it is invalid
 */
export function resolved(
  answers: readonly string[],
  rejected: readonly Pick<RejectedRecord, 'message'>[],
  unreadTTL?: string,
): Pick<NameState, 'verdict' | 'message'> {
  const remarks = rejected.map(({ message }) => `left out of it: ${message}`);
  if (unreadTTL !== undefined) remarks.push(invalidTTL(unreadTTL));
  return { verdict: 'Resolved', message: [resolvesTo(answers), ...remarks].join('; ') };
}

const invalidTTL = (text: string) =>
  `its annotation ttl is not understood, so that the usual time to live holds: ${JSON.stringify(text)}: write seconds, such as 300, or 5m`;

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

export const aboutToBePublished: Reason = { verdict: 'Pending', message: 'PowerDNS is about to get it' };

export const aboutToBeRequested: Reason = { verdict: 'Pending', message: 'ExternalDNS is about to ask' };

export const notRequestedYet = (intervalSeconds: number): Reason => ({
  verdict: 'Pending',
  message: `ExternalDNS has not asked for it yet: it looks every ${intervalSeconds} s`,
});

export const notRequested: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS does not ask for it: ${externalDNSLog}`,
  isLate: true,
};

export const notSyncedSinceSpecChange: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS has not asked since the spec changed: ${externalDNSLog}`,
  isLate: true,
};

export const externalDNSSilent: Reason = {
  verdict: 'Pending',
  message: `ExternalDNS is not heard of: ${externalDNSLog}`,
  isLate: true,
};

export const agentFailing = (failure: string): Reason => ({
  verdict: 'Pending',
  message: `the agent cannot answer ExternalDNS (${failure}): ${agentLog}`,
  isLate: true,
});

// NoAddress

const noAddressAdvice =
  'its controller has written none into its status: see the log of the ingress controller or the load balancer, or set discovery.targets.default';

export const noAddressYet: Reason = { verdict: 'NoAddress', message: `no address yet: ${noAddressAdvice}` };

export const noReadyEndpoint: Reason = {
  verdict: 'NoAddress',
  message:
    'no ready Pod or Node answers for it: see the Pods of its spec.selector, and of a NodePort the addresses of the Nodes',
};

const otherTarget = 'give the object another target';

export function targetWithoutAddress(name: string, state: 'Absent' | 'NoAddress'): Reason {
  const [fault, cure] =
    state === 'Absent' ? ['which does not exist', 'declare it'] : ['which has no address', 'declare one'];
  return { verdict: 'NoAddress', message: `it leads to ${withoutDot(name)}, ${fault}: ${cure}, or ${otherTarget}` };
}

const outOfZoneFaults: Record<Exclude<OutOfZoneState, 'Addresses'>, string> = {
  Absent: `which does not exist to the pod's resolver: ${otherTarget}, or correct that name`,
  NoAddress: `which has no address to the pod's resolver: ${otherTarget}, or correct that name`,
  Failed: `of which the pod's resolver only says SERVFAIL: ${otherTarget}, or see why with dig`,
};

export const outOfZoneTarget = (name: string, state: keyof typeof outOfZoneFaults): Reason => ({
  verdict: 'NoAddress',
  message: `it leads to ${withoutDot(name)}, ${outOfZoneFaults[state]}`,
});

// Held

export type HeldBecause = 'Unsynced' | 'Deleted' | 'HostRemoved' | 'AddressLost' | 'NotRequested';

const heldBecause: Record<HeldBecause, string> = {
  Unsynced: 'cannot be seen, as its kind cannot be listed',
  Deleted: 'is gone',
  HostRemoved: 'no longer asks for it',
  AddressLost: 'has lost its address',
  NotRequested: 'is no longer asked for by ExternalDNS',
};

/** @param instance the name of the InternalDNS */
export const held = (resource: string, because: HeldBecause, answers: readonly string[], instance: string): Reason => ({
  verdict: 'Held',
  message: `${resource} ${heldBecause[because]}, and the delete guard keeps what it had: it still ${resolvesTo(answers)}; to let it go: ${letGoCommand(instance)}`,
});

// Refused

export const cnameLoop = (chain: Chain<RRset>): Reason => ({
  verdict: 'Refused',
  message: `it leads in a circle: ${whyEndless(chain)}: ${otherTarget}`,
});

export const refused = (message: string): Reason => ({ verdict: 'Refused', message });

// Filtered

export const excludedDomain = (domain: string): Reason => ({
  verdict: 'Filtered',
  message: `${domain} is one of discovery.excludedDomains: take it from there, or use another host`,
});

export const notPublishedByPolicy = (policy: string): Reason => ({
  verdict: 'Filtered',
  message: `discovery.policy ${policy} leaves it as it is: Sync or UpsertOnly publish it`,
});

export const undiscoverableType: Reason = {
  verdict: 'Filtered',
  message: 'records of its type are not discovered: declare them in spec.zones',
};

// OutsideZones

export const outsideZones = (name: string, zones: readonly string[]): Reason => ({
  verdict: 'OutsideZones',
  message: outsideZonesMessage(name, zones),
});

/** @param zones absolute names, at least one */
export function outsideZonesMessage(name: string, zones: readonly string[]): string {
  const list = shortList(zones.map(withoutDot));
  const nearest = nearestZone(name, zones);
  const place =
    zones.length === 1 ? `the zone ${list}` : `the zones ${list}${nearest && `; the nearest is ${nearest}`}`;
  return `outside ${place}: give it a name below a zone, or declare its zone in spec.zones`;
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

export function rejection({ verdict, message, because, isOwn }: RejectedRecord): Reason {
  const cure = isOwn ? undefined : advice[verdict];
  return { verdict, message: `${message}${because ? `, as ${because}` : ''}${cure ? `: ${cure}` : ''}` };
}
