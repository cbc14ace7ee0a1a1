import { bySeverity, type Reason } from '../../contract/verdict.ts';
import { withoutDot, zoneOf } from '../../dns/name.ts';
import { isEndless } from '../../dns/zone/cname-chain.ts';
import type { DesiredRecord } from '../discovery/desired-records.ts';
import { moreThanHost } from '../discovery/host-name.ts';
import type { ProviderStatus } from '../discovery/providers.ts';
import { isOwn, namespaceOf } from '../discovery/resource-label.ts';
import { keyOf } from '../powerdns/rrset.ts';
import type { ExplainInput, HostRef } from './explain-input.ts';
import * as reasons from './reasons.ts';
import { essentialRecords, ownRecords, type RequestedHost } from './requested-host.ts';
import { heldBecause, targetsAt, unpublishableHost } from './source-targets.ts';
import { isBehindSubnetRouter } from './tailnet-route.ts';
import type { ZoneIndex } from './zone-index.ts';

export interface CheckContext extends ExplainInput {
  index: ZoneIndex;
  /** Names without the trailing dot, by their absolute names. */
  declaredZones: ReadonlyMap<string, string>;
  excludedDomains: ReadonlyMap<string, string>;
}

export interface CheckedHost extends RequestedHost {
  /** The declared zone of the name, without the trailing dot. */
  zone: string | undefined;
  /** What the zones answer on behalf of the object. */
  answers: readonly string[];
}

/** Returns why a host does not resolve; undefined if the check does not apply. */
export type Check = (host: CheckedHost, context: CheckContext) => Reason | undefined;

/** Why a host that is not served does not resolve, in this order: the first reason is the verdict. */
export const checks: readonly Check[] = [
  sourceFiltered,
  rejected,
  specNotSynced,
  acceptedNotPublished,
  changeNotRequested,
  keptByPolicy,
  heldByDeleteGuard,
  domainExcluded,
  outsideDeclaredZones,
  neverPublishable,
  withoutTargets,
  notRequestedYet,
  providerSilent,
  withoutReadyEndpoints,
];

/** Whether the zones answer what a host's object wants, by which it resolves. */
export function isServed(host: CheckedHost, { index }: CheckContext): boolean {
  const { desiredRecords, rejected } = host;
  if (desiredRecords.length > 0) {
    const essential = essentialRecords(host);
    // The RRset of the object that has the name may contain the same target among others.
    const isDuplicate = (desired: DesiredRecord) =>
      rejected.some(({ rrset, verdict }) => verdict === 'Duplicate' && keyOf(rrset) === keyOf(desired));
    // A CNAME of the same target is only served until there are addresses instead.
    const isAnswered = (desired: DesiredRecord) =>
      !desired.unresolved && index.isServed(desired) && !isDuplicate(desired);
    return essential.length > 0 && essential.every(isAnswered);
  }
  const own = ownRecords(host);
  return own.length > 0 && own.every((record) => index.isServed(record));
}

/** For a host that is served: why its CNAME does not lead to an address. The target of a new host may be about to appear. */
export function unresolvableTarget(host: CheckedHost, context: CheckContext): Reason | undefined {
  const reason = chainFault(host, context);
  return reason?.verdict === 'NoAddress' ? pendingWhileNew(reason, host, context) : reason;
}

/** For a host that resolves: what to know about its answer. */
export function notesOn(
  { name, desiredRecords, answers }: CheckedHost,
  { index, declaration }: CheckContext,
): string[] {
  const notes = new Set(desiredRecords.flatMap(({ note }) => note ?? []));
  if (declaration.isTailnetOnly && answers.some(isBehindSubnetRouter)) notes.add(reasons.noteOnTailnetRoute);
  const { end: kind, names = [], links = [] } = index.cnameChain(name) ?? {};
  // PowerDNS itself resolves the target of an ALIAS.
  const end = kind === 'Outside' && links.every(({ type }) => type !== 'ALIAS') ? names.at(-1) : undefined;
  const hostNames = declaration.discovery?.targets.hostNames;
  return end === undefined || !hostNames
    ? [...notes]
    : [...notes, reasons.noteOnOutsideTarget(end, hostNames, declaration.resolver !== undefined)];
}

function chainFault({ name }: CheckedHost, { index, outOfZone }: CheckContext): Reason | undefined {
  const chain = index.cnameChain(name);
  if (!chain) return undefined;
  if (isEndless(chain)) return reasons.cnameLoop(chain);
  const { end } = chain;
  const target = chain.names.at(-1) as string;
  if (end === 'Absent' || end === 'NoAddress') return reasons.targetWithoutAddress(target, end);
  const state = end === 'Outside' ? outOfZone?.(target) : undefined;
  return state === undefined || state === 'Addresses' ? undefined : reasons.outOfZoneTarget(target, state);
}

function sourceFiltered(host: CheckedHost, context: CheckContext): Reason | undefined {
  const { filteredBy, isUnready, isRefused } = host.sourceObject ?? {};
  if (filteredBy === undefined) return undefined;
  if (isRefused) return reasons.refused(filteredBy);
  if (!isUnready) return { verdict: 'Filtered', message: filteredBy };
  return pendingWhileNew({ verdict: 'NoAddress', message: filteredBy }, host, context);
}

/** The worst of what discovery found wrong, unless that was by an older spec. */
function rejected(host: CheckedHost, context: CheckContext): Reason | undefined {
  if (isOutdated(host, context)) return undefined;
  const [worst] = [...host.rejected].sort(bySeverity);
  if (!worst) return undefined;
  // Of the least severity, so nothing else was wrong before the zone was declared.
  if (worst.verdict === 'OutsideZones') return outsideDeclaredZones(host, context);
  return reasons.rejection(worst);
}

function specNotSynced(host: CheckedHost, context: CheckContext): Reason | undefined {
  if (!isRequested(host) || !isOutdated(host, context)) return undefined;
  return agentFailure(host, context) ?? reasons.notSyncedSinceSpecChange;
}

function acceptedNotPublished(host: CheckedHost, context: CheckContext): Reason | undefined {
  const { index } = context;
  if (!isRequested(host)) return undefined;
  if (!host.desiredRecords.every((desired) => index.isAccepted(desired) || index.isServed(desired))) return undefined;
  return providerSilent(host, context) ?? reasons.aboutToBePublished;
}

function changeNotRequested(host: CheckedHost, context: CheckContext): Reason | undefined {
  if (!isRequested(host)) return undefined;
  // What was outside the zones was rejected before the policy was applied.
  const wasOutside = host.rejected.some(({ verdict }) => verdict === 'OutsideZones');
  if (policyOf(context) !== 'Sync' && !wasOutside) return undefined;
  return (
    providerSilent(host, context) ?? (isOwn(host.resource) ? reasons.aboutToBePublished : reasons.aboutToBeRequested)
  );
}

function keptByPolicy(host: CheckedHost, context: CheckContext): Reason | undefined {
  return isRequested(host) ? reasons.notPublishedByPolicy(policyOf(context)) : undefined;
}

function heldByDeleteGuard(host: CheckedHost, { lister, declaration }: CheckContext): Reason | undefined {
  const { name, resource, held, answers } = host;
  if (held.length === 0) return undefined;
  return reasons.held(resource, heldBecause(name, resource, lister), answers, declaration.name);
}

function domainExcluded({ name }: CheckedHost, { excludedDomains }: CheckContext): Reason | undefined {
  const domain = zoneOf(name, excludedDomains);
  return domain === undefined ? undefined : reasons.excludedDomain(domain);
}

function outsideDeclaredZones(
  { name, zone }: CheckedHost,
  { declaredZones, declaration }: CheckContext,
): Reason | undefined {
  if (zone !== undefined) return undefined;
  // `www.corp.internal:8080` is meant to be inside.
  const fault = moreThanHost(name, declaredZones);
  if (fault !== undefined) return reasons.refused(fault);
  return reasons.outsideZones(name, [...declaredZones.keys()], declaration.resolver?.check !== undefined);
}

function neverPublishable({ name, sourceObject }: CheckedHost): Reason | undefined {
  return unpublishableHost(name, sourceObject);
}

function withoutTargets(host: CheckedHost, context: CheckContext): Reason | undefined {
  if (targetsAt(host.name, host.sourceObject)?.length !== 0) return undefined;
  if (isOwn(host.resource)) return reasons.noOwnAddress;
  return pendingWhileNew(reasons.noAddressYet, host, context);
}

/** While ExternalDNS is silent only new hosts get time: for the others the silence is the better reason. */
function notRequestedYet(host: CheckedHost, context: CheckContext): Reason | undefined {
  const isEarly = providerSilent(host, context) ? context.isNew : context.isRecentlyChanged;
  if (!isEarly(hostRef(host))) return undefined;
  if (isOwn(host.resource)) return reasons.aboutToBePublished;
  return reasons.notRequestedYet(context.declaration.discovery?.intervalSeconds ?? 0);
}

/** The ExternalDNS that watches the object has stopped reporting, or gets no answer. Nothing of ours waits for it. */
function providerSilent(host: CheckedHost, context: CheckContext): Reason | undefined {
  if (!isOwn(host.resource) && providerOf(host, context)?.state === 'Stalled') return reasons.externalDNSSilent;
  return agentFailure(host, context);
}

/** ExternalDNS logs nothing about a Service without ready Pods or Nodes. */
function withoutReadyEndpoints({ sourceObject }: CheckedHost): Reason | undefined {
  return sourceObject?.ofPodsOrNodes ? reasons.noReadyEndpoint : undefined;
}

function agentFailure(host: CheckedHost, context: CheckContext): Reason | undefined {
  const { state, failure = '' } = providerOf(host, context) ?? {};
  if (state !== 'Failing') return undefined;
  return isOwn(host.resource) ? reasons.cannotPublish(failure) : reasons.agentFailing(failure);
}

/** Whether the evaluation is by an older spec, and no new one is to be expected. */
function isOutdated(host: CheckedHost, context: CheckContext): boolean {
  const { decisions, declaration } = context;
  return decisions.some((each) => each.declaration !== declaration) && providerSilent(host, context) !== undefined;
}

/** The ExternalDNS that watches the object. */
const providerOf = ({ resource }: CheckedHost, { providers }: CheckContext): ProviderStatus | undefined =>
  providers.find(({ namespace = '' }) => ['', namespaceOf(resource)].includes(namespace));

const isRequested = ({ desiredRecords }: CheckedHost) => desiredRecords.length > 0;

const policyOf = ({ declaration }: CheckContext) => declaration.discovery?.policy ?? 'Sync';

const pendingWhileNew = (reason: Reason, host: CheckedHost, { isNew }: CheckContext): Reason =>
  isNew(hostRef(host)) ? { ...reason, verdict: 'Pending' } : reason;

const hostRef = ({ name, resource }: CheckedHost): HostRef => ({ name: withoutDot(name), resource });
