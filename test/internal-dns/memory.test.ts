import { expect, test } from 'vitest';
import { numberOf } from '../../functions/contract/rules.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { agent } from '../../functions/internal-dns/server/agent.ts';
import { externalDNS } from '../../functions/internal-dns/server/external-dns.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { internalDNSOf } from './refusals.ts';

const memoryLimits = (resources: object) => {
  const spec = parseSpec(
    internalDNSOf({ zones: [{ name: 'corp.internal' }], discovery: { sources: [{ kind: 'Ingress' }] }, resources }),
  );
  const options = { image: undefined, pullPolicy: 'Always' };
  const { args = [] } = agent({
    ...options,
    resources: spec.resources.agent,
    names: namesOf('corp', 1),
    sidecar: true,
    replicas: 1,
  });
  const [container] = externalDNS({
    ...options,
    resources: spec.resources.externalDNS,
    discovery: spec.discovery,
    sources: spec.discovery.sources,
  });
  const limit = args.find((arg) => arg.startsWith('--memory-limit='))?.split('=')[1];
  return [limit, container?.env?.find(({ name }) => name === 'GOMEMLIMIT')?.value];
};

test('each program gets the memory limit of its container, default or declared', () => {
  expect(memoryLimits({})).toEqual(['268435456', '241591910']);
  const limits = (memory: string | number) => ({ limits: { memory } });
  expect(memoryLimits({ agent: limits('1Gi'), externalDNS: limits('100M') })).toEqual(['1073741824', '90000000']);
  expect(memoryLimits({ agent: limits(500_000_000), externalDNS: limits('1e9') })).toEqual(['500000000', '900000000']);
  const unlimited = { requests: { memory: '1Gi' }, limits: { cpu: '1' } };
  expect(memoryLimits({ agent: unlimited, externalDNS: unlimited })).toEqual([undefined, undefined]);
});

test.each([
  ['128Mi', 134217728],
  ['0.5Gi', 536870912],
  ['.5k', 500],
  ['+1.5e3', 1500],
  ['100m', 0.1],
  ['1E', 1e18],
  ['', Number.NaN],
  ['1 Gi', Number.NaN],
])('%j is the quantity %d', (text, number) => {
  expect(numberOf(text)).toBe(number);
});
