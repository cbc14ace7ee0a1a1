import { expect, test } from 'vitest';
import { removalEvent } from '../../../functions/agent/peers/event.ts';

test('kubectl describe shows on the pod who has taken it out of its Services, and why', () => {
  const metadata = { name: 'idns-corp-1', namespace: 'dns', uid: 'u', resourceVersion: '7' };
  const event = removalEvent({ metadata }, 'idns-corp-0', new Date('2026-01-31T12:00:00Z'));
  expect(event).toMatchObject({
    metadata: { name: expect.stringMatching(/^idns-corp-1\.[0-9a-f]+$/), namespace: 'dns' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'dns', name: 'idns-corp-1', uid: 'u' },
    type: 'Warning',
    reason: 'NoAnswer',
    message:
      'idns-corp-0 gets no answer from this pod, and has taken it out of its Services until kubelet says that it is ready',
    eventTime: '2026-01-31T12:00:00.000000Z',
    reportingInstance: 'idns-corp-0',
  });
  const later = removalEvent({ metadata: { ...metadata, resourceVersion: '9' } }, 'idns-corp-0');
  expect(later.metadata.name).not.toBe(event.metadata.name);
});
