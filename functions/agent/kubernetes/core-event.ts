import type { CoreEvent, ObjectReference } from './object.ts';

export interface CoreEventProps {
  /** That of the Event. */
  name: string;
  /** What it is about. */
  object: ObjectReference;
  type: CoreEvent['type'];
  reason: string;
  message: string;
  action: string;
  at: Date;
  /** The pod. */
  reporter: string;
}

/** Bytes: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/events.go#L32 */
export const mostEventBytes = { message: 1024, instance: 128 };

/** Pure: an event that `kubectl describe` shows on its object. */
export function coreEvent({ name, object, type, reason, message, action, at, reporter }: CoreEventProps): CoreEvent {
  const time = at.toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: object.namespace ?? 'default' },
    involvedObject: { ...object },
    type,
    reason,
    message,
    // kubectl sorts by `lastTimestamp` and shows the age of `eventTime`, which requires an `action`.
    action,
    eventTime: time.replace('Z', '000Z'),
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    source: { component: 'internal-dns' },
    reportingComponent: 'internal-dns',
    reportingInstance: reporter.slice(0, mostEventBytes.instance),
  };
}
