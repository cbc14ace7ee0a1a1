import { canaryZone } from '../../contract/canary-zone.ts';
import type { Resolution } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { QueryFailure, QueryResult, TestResult } from './canary.ts';

/** What a test shows about the DNS as clients see it. The message includes what to do, without a dot at the end. */
export type Diagnosis = Pick<Resolution, 'state' | 'message'>;

/** The agent's own pod, for the commands in messages. */
export interface PodRef {
  namespace: string;
  pod: string;
}

export const isSameDiagnosis = (a: Diagnosis | undefined, b: Diagnosis | undefined) =>
  a?.state === b?.state && a?.message === b?.message;

/**
 * Diagnoses one test by its worst failure.
 * @param isServiceUntestable a Service that does not answer is no failure
 * @param hasResolver whether the Service leads to the resolver
 */
export function diagnose(
  { writeError, pod, service }: TestResult,
  isServiceUntestable: boolean,
  podRef: PodRef | undefined,
  hasResolver = false,
): Diagnosis {
  const log = `see ${logOf('powerdns', podRef)}`;
  const unanswered = failedBy(pod, 'Timeout', 'Error');
  if (unanswered.length > 0) {
    return { state: 'NotAnswering', message: `PowerDNS does not answer ${describe(unanswered)}: ${log}` };
  }
  if (writeError !== undefined) {
    const message = `PowerDNS gives old answers and accepts no changes (${writeError}): ${log}`;
    return { state: 'NotUpdating', message };
  }
  const unchanged = failedBy(pod, 'WrongAnswer', 'Outdated');
  if (unchanged.length > 0) {
    const message = `PowerDNS accepts changes, but does not serve them ${describe(unchanged)}: ${log}`;
    return { state: 'NotUpdating', message };
  }
  return diagnoseService(service, isServiceUntestable, podRef, hasResolver);
}

function diagnoseService(
  service: TestResult['service'],
  isServiceUntestable: boolean,
  podRef: PodRef | undefined,
  hasResolver: boolean,
): Diagnosis {
  const outdated = failedBy(service, 'Outdated');
  if (outdated.length > 0) {
    const reasons = 'another replica is not updated, or the clocks of the nodes differ';
    const message = `the Service gives old answers ${describeByAddress(outdated)}: ${reasons}: see ${logOf('agent')} of each pod`;
    return { state: 'NotUpdating', message };
  }
  const failed = failedBy(service, 'Timeout', 'Error', 'WrongAnswer');
  if (failed.length === 0) return { state: 'Serving' };
  const addresses = [...new Set(failed.map(({ address }) => address))];
  if (isServiceUntestable) {
    const commands = addresses.map((address) => `dig @${address} ${withoutDot(canaryZone)} TXT`);
    const why = 'not every cluster lets a pod reach a Service that it is behind';
    const message = `PowerDNS answers, but its Service could not be tested from inside the pod (${why})`;
    return { state: 'Serving', message: `${message}: try ${commands.join(' and ')} from another pod` };
  }
  const namespace = podRef ? ` -n ${podRef.namespace}` : '';
  const checks = `kubectl${namespace} get endpointslices, then check NetworkPolicies and kube-proxy`;
  return {
    state: 'Unreachable',
    message: `PowerDNS answers, but ${hasResolver ? 'not through the resolver' : 'its Service does not'} ${describeByAddress(failed)}: see ${hasResolver ? `its pods and ${checks}` : checks}`,
  };
}

export function externalDNSStalled(
  podRef: PodRef | undefined,
  hasReported: boolean,
  apiFailure: string | undefined,
): Diagnosis {
  const what = hasReported ? 'has stopped reporting' : 'has not finished a loop since the agent started';
  const cause = apiFailure === undefined ? '' : `, and the API server is unreachable (${apiFailure})`;
  const message = `ExternalDNS ${what}, so names stay as they were${cause}: see ${logOf('external-dns', podRef)}`;
  return { state: 'Stalled', message };
}

export const webhookFailing = (podRef: PodRef | undefined, failure = 'no reason given'): Diagnosis => ({
  state: 'Stalled',
  message: `the agent cannot answer ExternalDNS (${failure}), so names stay as they were: see ${logOf('agent', podRef)}`,
});

export const apiUnreachable = (podRef: PodRef | undefined, failure: string): Diagnosis => ({
  state: 'Blind',
  message: `the API server is unreachable (${failure}), so names stay as they were: see ${logOf('agent', podRef)}`,
});

const failedBy = (results: readonly QueryResult[], ...kinds: QueryFailure['kind'][]) =>
  results.filter(({ failure }) => failure && kinds.includes(failure.kind));

/** `over UDP and TCP (no answer within 1000 ms)` */
function describe(results: readonly QueryResult[]): string {
  const messages = new Set(results.map(({ failure }) => failure?.message));
  return `over ${results.map(({ transport }) => transport).join(' and ')} (${[...messages].join(', ')})`;
}

/** `at 192.0.2.53 over UDP (no answer within 1000 ms) and at ...` */
const describeByAddress = (results: readonly QueryResult[]) =>
  [...Map.groupBy(results, ({ address }) => address)]
    .map(([address, ofAddress]) => `at ${address} ${describe(ofAddress)}`)
    .join(' and ');

const logOf = (container: string, podRef?: PodRef) =>
  podRef
    ? `kubectl -n ${podRef.namespace} logs ${podRef.pod} -c ${container}`
    : `the log of the container ${container}`;
