import { shortDigest } from '../../contract/digest.ts';
import { printable } from '../../contract/printable.ts';
import type { NameState, Verdict } from '../../contract/verdict.ts';
import { coreEvent, mostEventBytes } from '../kubernetes/core-event.ts';
import type { CoreEvent, ObjectReference } from '../kubernetes/object.ts';

export interface EventProps {
  state: NameState;
  object: ObjectReference;
  /** The name of the InternalDNS: an object may have events from several. */
  instance: string;
  /** The pod. */
  reporter: string;
  /** When the host got this state: milliseconds since 1970. */
  since: number;
  /** Distinguishes this event from one with the same content at another time. */
  dedupeKey?: number;
  /** How many other unresolved hosts of the object the event stands for. */
  otherHosts?: number;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const mostNameCharacters = 253;

/** A host that the spec leaves out on purpose needs no warning. */
const normalVerdicts: readonly Verdict[] = ['Resolved', 'Filtered', 'OutsideZones'];

/**
 * Milliseconds. Kubernetes deletes an event after an hour (`--event-ttl`), so an unresolved host gets another one before
 * that; and the first event of a host keeps its name for as long.
 */
export const eventPeriod = 45 * 60_000;

/** The type of an event: `Normal` or `Warning`. */
export const eventType = (verdict: Verdict) => (normalVerdicts.includes(verdict) ? 'Normal' : 'Warning');

/**
 * Pure: returns the event that `kubectl describe` shows on an object. Equal content gives an equal name, whichever replica
 * creates it and however often, so the API server keeps one of them.
 */
export function eventOf({
  state,
  object,
  instance,
  reporter,
  since,
  dedupeKey,
  otherHosts = 0,
}: EventProps): CoreEvent {
  const { name: host, verdict } = state;
  // Not the number of other hosts, which may change while the event is repeated.
  const digest = digestOf([object.uid, host, verdict, messageOf(state, instance), dedupeKey]);
  const origin = otherHosts > 0 ? `${instance}; ${otherHosts} more hosts of this object do not resolve` : instance;
  return coreEvent({
    name: nameOf(object, digest),
    object,
    type: eventType(verdict),
    reason: verdict,
    message: messageOf(state, origin),
    action: 'Resolving',
    at: new Date(since),
    reporter,
  });
}

function nameOf({ name }: ObjectReference, digest: string): string {
  const prefix = name.slice(0, mostNameCharacters - digest.length - 1).replace(/(?<![^a-z0-9])[^a-z0-9]+$/, '');
  return `${prefix}.${digest}`;
}

const digestOf = (parts: readonly unknown[]) => shortDigest(JSON.stringify(parts));

/** The host first, since an object may have several; the InternalDNS last, which is never cut off. */
function messageOf({ name, verdict, message }: NameState, instance: string): string {
  const origin = ` (InternalDNS ${instance})`;
  const text = printable(`${name}${verdict === 'Resolved' ? '' : ':'} ${message}`);
  return truncated(text, mostEventBytes.message - Buffer.byteLength(origin)) + origin;
}

/** @param most bytes */
function truncated(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most - Buffer.byteLength('…')));
  return `${text.slice(0, read)}…`;
}
