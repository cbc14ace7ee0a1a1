import type { Resolution } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { Finding, QueryFailure, Result } from './canary.ts';
import { canaryZone } from './canary-record.ts';

/** What a test says of the DNS that is served; the message says what to do, without a dot at the end. */
export type Diagnosis = Pick<Resolution, 'state' | 'message'>;

/** The pod that speaks, so that people can be told what to type. */
export interface PodRef {
  namespace: string;
  pod: string;
}

export const isSame = (a: Diagnosis | undefined, b: Diagnosis | undefined) =>
  a?.state === b?.state && a?.message === b?.message;

/** What one test finds, the gravest first. `mayBeSilent`: nothing can be said of a Service that does not answer. */
export function diagnose({ write, pod, service }: Result, mayBeSilent: boolean, place: PodRef | undefined): Diagnosis {
  const log = `see ${logOf('powerdns', place)}`;
  const unanswered = faulty(pod, 'Silent', 'Failed');
  if (unanswered.length > 0) {
    return { state: 'NotAnswering', message: `PowerDNS does not answer ${wordsOf(unanswered)}: ${log}` };
  }
  if (write !== undefined) {
    const message = `PowerDNS answers with what it had before, and takes no change (${write}): ${log}`;
    return { state: 'NotUpdating', message };
  }
  const unchanged = faulty(pod, 'Other', 'Old');
  if (unchanged.length > 0) {
    const message = `PowerDNS takes changes, and does not answer with them ${wordsOf(unchanged)}: ${log}`;
    return { state: 'NotUpdating', message };
  }
  return diagnoseService(service, mayBeSilent, place);
}

function diagnoseService(service: Result['service'], mayBeSilent: boolean, place: PodRef | undefined): Diagnosis {
  const old = faulty(service, 'Old');
  if (old.length > 0) {
    const reasons = 'another replica is not updated, or the clocks of the nodes differ';
    const message = `the Service gives old answers ${wordsAt(old)}: ${reasons}; see ${logOf('agent')} of each pod`;
    return { state: 'NotUpdating', message };
  }
  const lost = faulty(service, 'Silent', 'Failed', 'Other');
  if (lost.length === 0) return { state: 'Serving' };
  const addresses = [...new Set(lost.map(({ address }) => address))];
  if (mayBeSilent) {
    const questions = addresses.map((address) => `dig @${address} ${withoutDot(canaryZone)} TXT`);
    const why = 'a pod that is behind a Service cannot reach it in every cluster';
    const message = `PowerDNS answers, and its Service could not be tested from inside the pod (${why})`;
    return { state: 'Serving', message: `${message}: try ${questions.join(' and ')} from another pod` };
  }
  const namespace = place ? ` -n ${place.namespace}` : '';
  const places = `kubectl${namespace} get endpointslices, and whether a NetworkPolicy or kube-proxy is in the way`;
  return {
    state: 'Unreachable',
    message: `PowerDNS answers, and its Service does not ${wordsAt(lost)}: see ${places}`,
  };
}

/** What ExternalDNS and the cluster do not do, as the test says nothing of them. */
export function stalled(place: PodRef | undefined, wasHeard: boolean, reach: string | undefined): Diagnosis {
  const what = wasHeard ? 'is no longer heard of' : 'has not finished a loop since the agent started';
  const cause = reach === undefined ? '' : `, and the API server cannot be asked (${reach})`;
  const message = `ExternalDNS ${what}, so names stay as they were${cause}: see ${logOf('external-dns', place)}`;
  return { state: 'Stalled', message };
}

/** What the agent itself cannot do for ExternalDNS. */
export const failing = (place: PodRef | undefined, failure = 'it has not said why'): Diagnosis => ({
  state: 'Stalled',
  message: `the agent cannot answer ExternalDNS (${failure}), so names stay as they were: see ${logOf('agent', place)}`,
});

export const blind = (place: PodRef | undefined, reach: string): Diagnosis => ({
  state: 'Blind',
  message: `the API server cannot be asked (${reach}), so names stay as they were: see ${logOf('agent', place)}`,
});

const faulty = (findings: readonly Finding[], ...kinds: QueryFailure['kind'][]) =>
  findings.filter(({ fault }) => fault && kinds.includes(fault.kind));

/** `over UDP and TCP (no answer within 1000 ms)` */
function wordsOf(findings: readonly Finding[]): string {
  const failures = new Set(findings.map(({ fault }) => fault?.message));
  return `over ${findings.map(({ transport }) => transport).join(' and ')} (${[...failures].join(', ')})`;
}

/** The same for each address: `at 192.0.2.53 over UDP (no answer within 1000 ms)` */
const wordsAt = (findings: readonly Finding[]) =>
  [...Map.groupBy(findings, ({ address }) => address)]
    .map(([address, ofAddress]) => `at ${address} ${wordsOf(ofAddress)}`)
    .join(' and ');

const logOf = (container: string, place?: PodRef) =>
  place ? `kubectl -n ${place.namespace} logs ${place.pod} -c ${container}` : `the log of the container ${container}`;
