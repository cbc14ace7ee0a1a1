import { createHash } from 'node:crypto';
import type { NameState, Verdict } from '../../contract/verdict.ts';
import type { CoreEvent, ObjectReference } from '../kubernetes/object.ts';
import { printable } from '../lib/printable.ts';

export interface EventProps {
  state: NameState;
  object: ObjectReference;
  /** The name of the InternalDNS: several may tell of one object. */
  instance: string;
  /** The pod. */
  reporter: string;
  /** When the verdict became this one: milliseconds since 1970. */
  since: number;
  /** Tells it apart from one that says the same, as it was at another time. */
  occasion?: number;
  /** How many more hosts of the object do not resolve, where this one is told for all of them. */
  others?: number;
}

/** Of Kubernetes: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const longestName = 253;
/** https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/events.go#L32: in Go, so bytes. */
const longest = { message: 1024, instance: 128 };

/** Those who leave something out by intention need no warning. */
const asIntended: readonly Verdict[] = ['Resolved', 'Filtered', 'OutsideZones'];

/**
 * Kubernetes forgets an event after an hour (`--event-ttl`). What still does not resolve is told again before, and what
 * is first told has one name for as long. Milliseconds.
 */
export const eventPeriod = 45 * 60_000;

export const typeOf = (verdict: Verdict) => (asIntended.includes(verdict) ? 'Normal' : 'Warning');

/**
 * Pure: what `kubectl describe` shows on the object. The same news have the same name, whoever tells them and how often:
 * the API server takes each name once.
 */
export function eventOf({ state, object, instance, reporter, since, occasion, others = 0 }: EventProps): CoreEvent {
  const { name: host, verdict } = state;
  const digest = digestOf([object.uid, host, verdict, messageOn(state, instance), occasion]);
  const message = messageOn(state, others > 0 ? `${instance}; ${others} more of its hosts do not resolve` : instance);
  const at = new Date(since).toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: nameOf(object, digest), namespace: object.namespace ?? 'default' },
    involvedObject: { ...object },
    type: typeOf(verdict),
    reason: verdict,
    message,
    // kubectl sorts by `lastTimestamp`, and shows the age of `eventTime`, which must not be without an action.
    action: 'Resolving',
    eventTime: at.replace('Z', '000Z'),
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    source: { component: 'internal-dns' },
    reportingComponent: 'internal-dns',
    reportingInstance: reporter.slice(0, longest.instance),
  };
}

function nameOf({ name }: ObjectReference, digest: string): string {
  const beginning = name.slice(0, longestName - digest.length - 1).replace(/(?<![^a-z0-9])[^a-z0-9]+$/, '');
  return `${beginning}.${digest}`;
}

const digestOf = (parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

/** One host an event, so it begins with the host, and ends with who says so however long the rest is. */
function messageOn({ name, verdict, message }: NameState, instance: string): string {
  const origin = ` (InternalDNS ${instance})`;
  const text = printable(`${name}${verdict === 'Resolved' ? '' : ':'} ${message}`);
  return cut(text, longest.message - Buffer.byteLength(origin)) + origin;
}

/** @param most bytes */
function cut(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most - Buffer.byteLength('…')));
  return `${text.slice(0, read)}…`;
}
