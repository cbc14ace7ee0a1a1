import type { NameState, Reason } from '../../contract/verdict.ts';
import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import { compare } from '../lib/compare.ts';
import {
  type Check,
  type CheckContext,
  type CheckedHost,
  checks,
  isServed,
  notesOn,
  unresolvableTarget,
} from './checks.ts';
import type { ExplainInput } from './explain-input.ts';
import { notRequested, resolved, stillAnswering } from './reasons.ts';
import { requestedHosts } from './requested-host.ts';
import { ZoneIndex } from './zone-index.ts';

/**
 * Pure: returns the state of every host that an object requests, sorted by name and then by object. Omits hosts that a
 * filter leaves out and that are in none of the zones.
 */
export function explainNames(input: ExplainInput): NameState[] {
  const { declaration, zones, decisions, lister } = input;
  const context: CheckContext = {
    ...input,
    index: new ZoneIndex(zones, decisions),
    declaredZones: byAbsoluteName(declaration.zones.map(({ name }) => name)),
    excludedDomains: byAbsoluteName(declaration.discovery?.excludedDomains ?? []),
  };
  return requestedHosts(lister, decisions)
    .flatMap((host) => {
      const zone = zoneOf(host.name, context.declaredZones);
      const { filteredBy, isRefused } = host.sourceObject ?? {};
      const isOmitted = filteredBy !== undefined && !isRefused && zone === undefined;
      return isOmitted ? [] : stateOf({ ...host, zone, answers: context.index.answersFor(host) }, context);
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.resource, b.resource));
}

const byAbsoluteName = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [absolute(name), name]));

function stateOf(host: CheckedHost, context: CheckContext): NameState {
  const { name, resource, zone, answers } = host;
  return { name: withoutDot(name), resource, ...evaluate(host, context), answers, ...(zone && { zone }) };
}

function evaluate(host: CheckedHost, context: CheckContext): Pick<NameState, 'verdict' | 'message' | 'isLate'> {
  const { answers, rejected, sourceObject } = host;
  if (isServed(host, context))
    return (
      unresolvableTarget(host, context) ?? resolved(answers, rejected, sourceObject?.invalidTTL, notesOn(host, context))
    );
  const reason = firstReason(checks, host, context) ?? notRequested;
  // The message of Held says what is answered.
  return answers.length > 0 && reason.verdict !== 'Held' ? stillAnswering(reason, answers) : reason;
}

function firstReason(chain: readonly Check[], host: CheckedHost, context: CheckContext): Reason | undefined {
  for (const check of chain) {
    const reason = check(host, context);
    if (reason) return reason;
  }
  return undefined;
}
