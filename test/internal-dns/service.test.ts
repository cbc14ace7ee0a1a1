import { App, Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { instanceOf } from '../../functions/internal-dns/instance.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { hasReplicaServices, replicaServicesOf } from '../../functions/internal-dns/server/replica-service.ts';
import { endpointsOf, replicasOf, Services, unawaitedKeys } from '../../functions/internal-dns/server/service.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { internalDNSOf } from './refusals.ts';

const zones = [{ name: 'corp.internal' }];

/** The Services of a spec, by the last part of their name. */
function servicesOf(given: object, withReplicas = false): Record<string, KubernetesObject> {
  const chart = new Chart(new App(), 'corp');
  const spec = parseSpec(internalDNSOf({ zones, ...given }));
  const replicas = withReplicas ? replicaServicesOf(spec) : [];
  new Services(chart, 'services', { ...instanceOf('corp', spec), replicas });
  return Object.fromEntries(chart.toJson().map((object) => [object.metadata.name.replace(/^idns-corp-?/, ''), object]));
}

const udp = { name: 'dns', port: 53, protocol: 'UDP', targetPort: 5353 };
const tcp = { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 5353 };

const fields = {
  type: 'LoadBalancer',
  annotations: { 'example.com/pool': 'lan' },
  labels: { team: 'net' },
  loadBalancerIP: '192.0.2.53',
  loadBalancerClass: 'example.com/lb',
  loadBalancerSourceRanges: ['192.0.2.0/24'],
  externalTrafficPolicy: 'Local',
  nodePort: 30053,
  clusterIP: '198.18.0.54',
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
};

describe('a DNS Service', () => {
  test.for([
    ['the own one', { service: fields }, ''],
    ['an additional one', { additionalServices: [{ name: 'lan', ...fields }] }, 'lan'],
  ] as const)('has every field of the spec: $0', ([, spec, name]) => {
    const { metadata, spec: service } = servicesOf(spec)[name]!;
    expect(metadata.annotations).toEqual(fields.annotations);
    expect(metadata.labels).toMatchObject({ team: 'net', 'app.kubernetes.io/instance': 'corp' });
    const { annotations: _, labels: __, nodePort, ...rest } = fields;
    expect(service).toEqual({
      ...rest,
      selector: { 'app.kubernetes.io/name': 'internal-dns', 'app.kubernetes.io/instance': 'corp' },
      publishNotReadyAddresses: true,
      ports: [
        { ...udp, nodePort },
        { ...tcp, nodePort },
      ],
    });
  });

  test('has only what the API server needs without fields', () => {
    expect(Object.keys(servicesOf({})).sort()).toEqual(['', 'status']);
    expect(servicesOf({})['']?.spec).toEqual({
      type: 'ClusterIP',
      ipFamilyPolicy: 'PreferDualStack',
      selector: { 'app.kubernetes.io/name': 'internal-dns', 'app.kubernetes.io/instance': 'corp' },
      publishNotReadyAddresses: true,
      ports: [udp, tcp],
    });
  });

  test('has the protocols of the spec, so that two can share an address', () => {
    const shared = { type: 'LoadBalancer', loadBalancerIP: '192.0.2.53' };
    const services = servicesOf({
      additionalServices: [
        { name: 'udp', protocols: ['UDP'], ...shared },
        { name: 'tcp', protocols: ['TCP'], ...shared },
      ],
    });
    expect(services.udp?.spec.ports).toEqual([udp]);
    expect(services.tcp?.spec.ports).toEqual([tcp]);
  });

  test('waits for readiness of its pods if there are several', () => {
    const services = servicesOf({ replicas: 2, additionalServices: [{ name: 'lan' }] });
    for (const name of ['', 'lan']) expect(services[name]?.spec.publishNotReadyAddresses).toBe(false);
  });
});

describe('the Service of a replica', () => {
  const ofReplicas = (spec: object) => {
    const services = servicesOf({ replicas: 2, ...spec }, true);
    return ['0', '1'].map((ordinal) => services[ordinal]!);
  };

  test('selects its pod, and only while that is ready', () => {
    for (const [ordinal, { spec }] of ofReplicas({}).entries()) {
      expect(spec).toEqual({
        type: 'ClusterIP',
        ipFamilyPolicy: 'PreferDualStack',
        selector: {
          'app.kubernetes.io/name': 'internal-dns',
          'app.kubernetes.io/instance': 'corp',
          'statefulset.kubernetes.io/pod-name': `idns-corp-${ordinal}`,
        },
        publishNotReadyAddresses: false,
        ports: [udp, tcp],
      });
    }
  });

  test('has the settings of the advertised one, without what only one Service can have', () => {
    const { clusterIP: _, nodePort: __, loadBalancerIP: ___, annotations, labels, ...rest } = fields;
    for (const { metadata, spec } of ofReplicas({
      additionalServices: [{ name: 'lan', ...fields }],
      advertise: 'lan',
    })) {
      expect(metadata.annotations).toEqual(annotations);
      expect(metadata.labels).toMatchObject(labels);
      expect(spec).toMatchObject({ ...rest, ports: [udp, tcp] });
      expect(Object.keys(spec)).not.toEqual(expect.arrayContaining(['clusterIP']));
      expect(spec.loadBalancerIP).toBeUndefined();
    }
  });

  test('has an address of its own, where the spec gives one', () => {
    const overrides = [
      { loadBalancerIP: '192.0.2.54', annotations: { 'example.com/pool': 'first' } },
      { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.55' } },
    ];
    const [first, second] = ofReplicas({ service: fields, replicaServices: { overrides } });
    expect(first?.spec.loadBalancerIP).toBe('192.0.2.54');
    expect(first?.metadata.annotations).toEqual({ 'example.com/pool': 'first' });
    expect(second?.spec.loadBalancerIP).toBeUndefined();
    expect(second?.metadata.annotations).toEqual({
      'example.com/pool': 'lan',
      'metallb.io/loadBalancerIPs': '192.0.2.55',
    });
  });

  test.for([
    ['metallb.io/loadBalancerIPs', '192.0.2.53,2001:db8::53'],
    ['metallb.io/allow-shared-ip', 'dns'],
    ['kube-vip.io/loadbalancerIPs', '192.0.2.53'],
    ['lbipam.cilium.io/ips', '192.0.2.53, 2001:db8::53'],
    ['lbipam.cilium.io/sharing-key', 'dns'],
    ['service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses', '10.0.1.53, 10.0.2.53'],
    ['service.beta.kubernetes.io/aws-load-balancer-name', 'dns'],
    ['service.beta.kubernetes.io/azure-load-balancer-ipv4', '10.224.0.53'],
    ['networking.gke.io/load-balancer-ip-addresses', 'dns-v4'],
    ['external-dns.alpha.kubernetes.io/hostname', 'dns.example.com'],
    ['tailscale.com/hostname', 'dns'],
  ] as const)('does not have the annotation $0, which is for one Service', ([annotation, value]) => {
    for (const { metadata } of ofReplicas({ service: { type: 'LoadBalancer', annotations: { [annotation]: value } } }))
      expect(metadata.annotations ?? {}).toEqual({});
  });

  test.for([
    ['service.beta.kubernetes.io/aws-load-balancer-scheme', 'internal'],
    ['service.beta.kubernetes.io/azure-load-balancer-internal', 'true'],
    ['networking.gke.io/load-balancer-type', 'Internal'],
    ['metallb.io/address-pool', 'lan'],
  ] as const)('has the annotation $0, without which it may be reached from everywhere', ([annotation, value]) => {
    for (const { metadata } of ofReplicas({ service: { type: 'LoadBalancer', annotations: { [annotation]: value } } }))
      expect(metadata.annotations).toEqual({ [annotation]: value });
  });

  test('is a machine of its own in a tailnet', () => {
    const hostname = 'd'.repeat(63);
    const names = ofReplicas({ service: { tailscale: { hostname, tags: ['tag:dns'] } } }).map(
      ({ metadata }) => metadata.annotations,
    );
    expect(names).toEqual(
      ['0', '1'].map((ordinal) => ({
        'tailscale.com/hostname': `${'d'.repeat(61)}-${ordinal}`,
        'tailscale.com/tags': 'tag:dns',
      })),
    );
  });

  describe('is composed', () => {
    const composed = (given: object, observed: Record<string, object>) => {
      const spec = parseSpec(internalDNSOf({ zones, replicas: 2, ...given }));
      const objects = observed as Observed;
      return replicasOf(spec, endpointsOf(spec, namesOf('corp', 2), objects, []), objects).length;
    };
    const balanced = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } };

    test.for<[string, object, Record<string, object>, number]>([
      [
        'not before the advertised one has an address',
        { service: { type: 'LoadBalancer' } },
        { 'services/dns': {} },
        0,
      ],
      ['when it has one', { service: { type: 'LoadBalancer' } }, { 'services/dns': balanced }, 2],
      ['still when it has lost it', { service: { type: 'LoadBalancer' } }, { 'services/replicas/0': {} }, 2],
      ['not when the spec wants none', { replicaServices: { mode: 'None' } }, { 'services/replicas/0': {} }, 0],
      ['not for one replica', { replicas: 1 }, { 'services/dns': { spec: { clusterIPs: ['198.18.0.53'] } } }, 0],
    ])('$0', ([, spec, observed, count]) => expect(composed(spec, observed)).toBe(count));
  });

  test.for([
    ['there is one replica', { replicas: 1 }],
    ['the spec wants none', { replicas: 2, replicaServices: { mode: 'None' } }],
    ['the advertised Service has one protocol only', { replicas: 2, service: { protocols: ['UDP'] } }],
  ] as const)('does not exist if $0', ([, spec]) => {
    expect(hasReplicaServices(parseSpec(internalDNSOf({ zones, ...spec })))).toBe(false);
  });
});

test('only the additional Services and those of replicas are not awaited', () => {
  const spec = parseSpec(internalDNSOf({ zones, additionalServices: [{ name: 'dns' }, { name: 'lan' }], replicas: 2 }));
  expect(unawaitedKeys(spec)).toEqual([
    'services/additional/dns',
    'services/additional/lan',
    'services/replicas/0',
    'services/replicas/1',
  ]);
});
