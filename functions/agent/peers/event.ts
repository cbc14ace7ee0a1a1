import { shortDigest } from '../../contract/digest.ts';
import { coreEvent } from '../kubernetes/core-event.ts';
import type { CoreEvent } from '../kubernetes/object.ts';
import type { Pod } from '../kubernetes/pod.ts';

/** The event on a pod that was taken out of its Services, which `kubectl describe pod` shows. */
export function removalEvent({ metadata }: Pod, reporter: string, now = new Date()): CoreEvent {
  const { name, namespace = '', uid = '', resourceVersion } = metadata;
  return coreEvent({
    name: `${name}.${shortDigest(`${uid} ${resourceVersion}`)}`,
    object: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type: 'Warning',
    reason: 'NoAnswer',
    message: `${reporter} gets no answer from this pod, and has taken it out of its Services until kubelet says that it is ready`,
    action: 'RemovingFromServices',
    at: now,
    reporter,
  });
}
