import { expect, test } from 'vitest';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { internalDNSOf } from './refusals.ts';

test('labels and annotations that the API server accepts are accepted', () => {
  const labels = { a: '', 'example.com/Team_1.x': 'A.b_c-1', [`${'a'.repeat(63)}`]: 'a'.repeat(63) };
  const more = { 'Example.com/a': 'anything at all\nü', [`${'a.'.repeat(126)}a/b`]: '' };
  const spec = parseSpec(
    internalDNSOf({
      zones: [{ name: 'corp.internal' }],
      podLabels: labels,
      scheduling: { nodeSelector: { 'kubernetes.io/os': 'linux', ...labels } },
      podAnnotations: { ...labels, ...more },
      service: { annotations: { ...labels, ...more } },
    }),
  );
  expect(spec.podLabels).toEqual(labels);
  expect(spec.service.annotations).toEqual({ ...labels, ...more });
});
