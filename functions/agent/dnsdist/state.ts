import type { DeclaredResolver } from '../../contract/declaration.ts';
import { bounds, certificateWarningDays, type Report } from '../../contract/report.ts';
import { timestamp } from '../../contract/timestamp.ts';
import type { BackendStates } from './backend-states.ts';

export type ResolverState = NonNullable<Report['resolver']>;
type CertificateState = NonNullable<ResolverState['certificates']>[number];
type Field = CertificateState['field'];

/** What was seen of one pod. */
export interface PodFindings {
  ip: string;
  backends: BackendStates;
  /** When its certificates expire, in milliseconds since 1970; undefined for one that it does not show. */
  expiries: ReadonlyMap<Field, number | undefined>;
  /** Why it does not answer for names elsewhere. */
  unforwarded?: string | undefined;
  hostIPs: readonly string[];
}

/**
 * A failure counts once it has been seen twice in a row, and keeps its words: a report must not change while it lasts.
 * @param before the same pod when it was last seen
 * @param reported what was confirmed of it then
 */
export const confirmed = (
  pod: PodFindings,
  before: PodFindings | undefined,
  reported: PodFindings | undefined,
): PodFindings => ({
  ...pod,
  expiries: new Map([...pod.expiries].map(([field, expiry]) => [field, expiry ?? before?.expiries.get(field)])),
  unforwarded:
    before?.unforwarded === undefined || pod.unforwarded === undefined
      ? undefined
      : (reported?.unforwarded ?? pod.unforwarded),
});

const dayMs = 24 * 60 * 60 * 1000;
const warningMs = certificateWarningDays * dayMs;

/** What is reported of the pods together, each thing in its worst state. */
export function stateOf(
  { upstreams, certificates, reportsNodes }: DeclaredResolver,
  pods: readonly PodFindings[],
  circles: readonly string[],
  now: number,
): ResolverState {
  const states = upstreams.flatMap(({ name, address }) => {
    const known = pods.flatMap(({ backends }) => backends.get(name) ?? []);
    return known.length === 0 ? [] : [{ address, state: known.includes(false) ? ('Down' as const) : ('Up' as const) }];
  });
  const unforwarded = pods.flatMap((pod) => pod.unforwarded ?? [])[0];
  const shown = pods.length === 0 ? [] : certificates.map(({ field }) => certificateState(field, pods, now));
  return {
    upstreams: worst(states).slice(0, bounds.upstreams),
    ...(circles.length > 0 && { circles: [...circles] }),
    ...(unforwarded !== undefined && { unforwarded: unforwarded.slice(0, bounds.message) }),
    ...(shown.length > 0 && { certificates: shown }),
    ...(reportsNodes && {
      hostIPs: [...new Set(pods.flatMap(({ hostIPs }) => hostIPs))].sort().slice(0, bounds.hostIPs),
    }),
  };
}

/** One for each address, which can have several protocols. */
function worst(states: ResolverState['upstreams']): ResolverState['upstreams'] {
  const down = new Set(states.filter(({ state }) => state === 'Down').map(({ address }) => address));
  return [...new Set(states.map(({ address }) => address))].map((address) => ({
    address,
    state: down.has(address) ? 'Down' : 'Up',
  }));
}

function certificateState(field: Field, pods: readonly PodFindings[], now: number): CertificateState {
  const expiry = earliestExpiry(field, pods);
  if (expiry === undefined) return { field, state: 'Missing' };
  const left = expiry - now;
  const state = left <= 0 ? 'Expired' : left < warningMs ? 'Expiring' : 'Valid';
  return { field, state, notAfter: timestamp(new Date(expiry)) };
}

/** Of all pods; undefined if there is none, or one shows no certificate. */
export function earliestExpiry(field: Field, pods: readonly PodFindings[]): number | undefined {
  const expiries = pods.map((pod) => pod.expiries.get(field));
  if (expiries.length === 0) return undefined;
  return expiries.some((each) => each === undefined) ? undefined : Math.min(...(expiries as number[]));
}
