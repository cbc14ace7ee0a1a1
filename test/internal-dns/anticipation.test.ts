import { expect, test } from 'vitest';
import { intervalOf } from '../../functions/internal-dns/discovery/anticipation.ts';
import { declaredDiscovery } from '../../functions/internal-dns/discovery/declaration.ts';
import { discovery } from '../../functions/internal-dns/discovery/discovery.ts';

const [ingress, service, route, endpoint] = ['Ingress', 'Service', 'HTTPRoute', 'DNSEndpoint'].map((kind) => ({
  kind,
}));

/** The interval, and the kinds that are anticipated. */
const outcomeOf = (spec: object): string => {
  const parsed = discovery.parse(spec);
  const { intervalSeconds, sources } = declaredDiscovery(parsed, 'corp', undefined);
  expect(intervalOf(parsed)).toBe(parsed.interval ?? `${intervalSeconds}s`);
  return [`${intervalSeconds}s`, ...sources.filter(({ isAnticipated }) => isAnticipated).map(({ kind }) => kind)].join(
    ' ',
  );
};

test.each<[string, object, string]>([
  ['the default sources', {}, '10s Ingress Service'],
  ['no sources', { sources: [] }, '10s'],
  ['routes and DNSEndpoints', { sources: [route, endpoint] }, '10s HTTPRoute DNSEndpoint'],
  ['a kind that the agent does not read', { sources: [ingress, { kind: 'Node' }] }, '2s Ingress'],
  ['an interval of its own', { interval: '7s' }, '7s Ingress Service'],
  ['an interval of its own, with a kind that is left', { sources: [{ kind: 'Pod' }], interval: '1m' }, '60s'],
  ['anticipation that is disabled', { anticipation: 'Disabled' }, '2s'],
  [
    'templates, which DNSEndpoints do not have',
    { sources: [ingress, endpoint], extraArgs: ['--fqdn-template={{.Name}}.corp.internal'] },
    '2s DNSEndpoint',
  ],
  ['targets from templates', { extraArgs: ['--target-template=192.0.2.1'] }, '2s'],
  ['flags that change nothing', { extraArgs: ['--log-level=debug', '--kube-api-qps=50'] }, '10s Ingress Service'],
  ['parts of Ingresses that are ignored', { extraArgs: ['--ignore-ingress-tls-spec'] }, '10s Ingress Service'],
  ['Services of Pods', { sources: [{ ...service, serviceTypes: ['ClusterIP'] }] }, '2s Service'],
  ['Services of Nodes', { sources: [{ ...service, serviceTypes: ['NodePort'] }] }, '2s Service'],
  ['Services with names elsewhere', { sources: [{ ...service, serviceTypes: ['ExternalName'] }] }, '10s Service'],
  [
    'addresses that ExternalDNS resolves',
    { extraArgs: ['--resolve-service-load-balancer-hostname'] },
    '2s Ingress Service',
  ],
  ['ListenerSets', { sources: [route], extraArgs: ['--gateway-listener-sets'] }, '2s HTTPRoute'],
])('with %s', (_, spec, outcome) => {
  expect(outcomeOf(spec)).toBe(outcome);
});
