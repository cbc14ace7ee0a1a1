/** The objects of the resolver, how Services are led to it and past it, and its state. */
import { Ready, type RunFunctionResponse, Status } from '@crossplane-org/function-sdk-typescript';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { bounds, type Report } from '../../functions/contract/report.ts';
import { internalDNS, internalDNSUnder } from '../../functions/internal-dns/composition.ts';
import { upstreamsOf } from '../../functions/internal-dns/resolver/backends.ts';
import { circleOf } from '../../functions/internal-dns/resolver/circle.ts';
import { dnsdistFilesFor, image } from '../../functions/internal-dns/resolver/dnsdist.ts';
import { cacheEntries, tuningOf } from '../../functions/internal-dns/resolver/dnsdist-bounds.ts';
import { queryRulesOf } from '../../functions/internal-dns/resolver/query-rules.ts';
import { parseUpstreamAddress } from '../../functions/internal-dns/resolver/upstream-address.ts';
import { viewSelectors, viewServersOf } from '../../functions/internal-dns/resolver/views.ts';
import { unrestricted } from '../../functions/internal-dns/restrictions.ts';
import { parseSpec, type Spec } from '../../functions/internal-dns/spec.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { running } from '../golden/cluster.ts';
import { readComposite } from '../render.ts';
import { faultsOf } from './kubernetes.ts';
import { violations } from './pod-security.ts';
import { internalDNSOf } from './refusals.ts';

const zones = [{ name: 'corp.internal' }];
const forward = { upstreams: [{ address: '192.0.2.53' }, { address: '192.0.2.54' }] };

const specOf = (fields: object) => parseSpec(internalDNSOf({ zones, ...fields }));
const compositeOf = (fields: object, status?: object): KubernetesObject => ({
  ...defaulted(internalDNSOf({ zones, ...fields })),
  ...(status && { status }),
});

const objectsIn = (response: RunFunctionResponse) =>
  Object.fromEntries(
    Object.entries(response.desired?.resources ?? {}).map(([key, { resource }]) => [key, resource as KubernetesObject]),
  );
const leadsTo = (response: RunFunctionResponse, key = 'services/dns') =>
  objectsIn(response)[key]?.spec.selector['app.kubernetes.io/name'];
const keysOf = (response: RunFunctionResponse, prefix: string) =>
  Object.keys(objectsIn(response))
    .filter((key) => key.startsWith(prefix))
    .sort();
const conditionIn = ({ conditions }: RunFunctionResponse) => conditions.find(({ type }) => type === 'ResolverReady');
const isReady = ({ desired }: RunFunctionResponse) => desired?.composite?.ready !== Ready.READY_FALSE;

const start = Date.parse('2026-01-31T12:00:00Z');

/** Six answers, one every ten seconds, each to what the cluster has made of the one before. */
function history(composite: KubernetesObject, observed: Observed = {}, changes: Partial<Report> = {}) {
  const answers: RunFunctionResponse[] = [];
  const before = { composite, observed };
  for (let seconds = 0; seconds < 60; seconds += 10) {
    const composition = internalDNSUnder(unrestricted, () => new Date(start + seconds * 1000));
    const answer = run(requestFor(before.composite, before.observed), composition);
    answers.push(answer);
    const status = { ...composite.status, ...answer.desired?.composite?.resource?.status };
    before.composite = { ...composite, status };
    before.observed = running(composite, answer, changes);
  }
  return answers;
}

/** What the cluster has made of a spec. */
const clusterOf = (fields: object) => {
  const composite = compositeOf(fields);
  return running(composite, history(composite).at(-1)!);
};

const settled = (fields: object, changes: Partial<Report> = {}) =>
  history(compositeOf(fields), {}, changes).at(-1) as RunFunctionResponse;

const allOfResolver = ['account', 'agents', 'disruption', 'dnsdist', 'network', 'pods'].map((id) => `resolver/${id}`);

const leading = ['internal-dns', 'internal-dns-resolver'];
const clientsOfServer = (answer: RunFunctionResponse) => objectsIn(answer)['access/network']!.spec.ingress[0].from;
const onlyResolversAndAgents = [
  { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'internal-dns-resolver' } } },
  {
    podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'corp', 'app.kubernetes.io/name': 'internal-dns' } },
  },
];

describe('a resolver is put in front without a lost question', () => {
  const additionalServices = [{ name: 'lan' }];
  const composite = compositeOf({ resolver: {}, additionalServices });
  const answers = history(composite, clusterOf({ additionalServices }));

  test('once the cluster has given the replica an address', () => {
    expect(keysOf(answers[0]!, 'resolver/')).toEqual(['resolver/agents']);
    expect(keysOf(answers[1]!, 'resolver/')).toEqual(allOfResolver);
    expect(keysOf(answers[0]!, 'services/replicas')).toEqual(['services/replicas/0']);
  });

  test('Services lead to it once it is available, all at once', () => {
    for (const key of ['services/dns', 'services/additional/lan']) {
      expect(answers.map((answer) => leadsTo(answer, key))).toEqual([0, 0, 1, 1, 1, 1].map((which) => leading[which]));
    }
  });

  test('the server admits all clients until every node has had the time to lead past it', () => {
    const since = answers.map((answer) => answer.desired?.composite?.resource?.status?.resolver?.since);
    expect(since).toEqual([undefined, undefined, undefined, ...Array(3).fill('2026-01-31T12:00:30Z')]);
    expect(answers.map(clientsOfServer)).toEqual([...Array(5).fill(undefined), onlyResolversAndAgents]);
    expect(answers.map(({ meta }) => meta?.ttl?.seconds)).toEqual([10, 10, 10, 15, 5, 10]);
  });

  test('and Services stay, whatever becomes of its pods', () => {
    const observed = running(composite, answers.at(-1)!);
    const gone = { ...observed, 'resolver/pods': { ...observed['resolver/pods']!, status: {} } };
    const answer = run(requestFor(composite, gone), internalDNS);
    expect(leadsTo(answer)).toBe('internal-dns-resolver');
    expect(clientsOfServer(answer)).toEqual(onlyResolversAndAgents);
    expect(conditionIn(answer)).toMatchObject({ reason: 'PodsNotReady' });
  });

  test('and so does its disruption budget', () => {
    const observed = running(composite, answers.at(-1)!);
    const restarting = { ...observed, 'resolver/pods': { ...observed['resolver/pods']!, status: {} } };
    expect(keysOf(run(requestFor(composite, restarting), internalDNS), 'resolver/')).toEqual(allOfResolver);
  });
});

describe('a new instance, which nobody has asked yet', () => {
  const answers = history(compositeOf({ resolver: {} }));

  test('has Services that lead to the resolver from the beginning', () => {
    expect(answers.map((answer) => leadsTo(answer))).toEqual(Array(6).fill('internal-dns-resolver'));
    expect(answers.map(clientsOfServer)).toEqual(Array(6).fill(onlyResolversAndAgents));
  });

  test('is not ready before one of the pods is', () => {
    const composite = compositeOf({ resolver: {} });
    const observed = running(composite, answers.at(-1)!);
    const waiting = { ...observed, 'resolver/pods': { ...observed['resolver/pods']!, status: {} } };
    expect([observed, waiting].map((of) => isReady(run(requestFor(composite, of), internalDNS)))).toEqual([
      true,
      false,
    ]);
  });

  test('leads to the server itself while pods may wait for the Secret of a certificate', () => {
    const composite = compositeOf({ resolver: { doH: { certificate: { secretRef: { name: 'dns-tls' } } } } });
    const [first, second] = history(composite);
    expect([first, second].map((answer) => leadsTo(answer!))).toEqual(['internal-dns', 'internal-dns']);
    const observed = running(composite, second!);
    const waiting = { ...observed, 'resolver/pods': { ...observed['resolver/pods']!, status: {} } };
    const answer = run(requestFor(composite, waiting), internalDNS);
    expect([leadsTo(answer), clientsOfServer(answer), isReady(answer)]).toEqual(['internal-dns', undefined, true]);
  });

  test('is tested by its agents through it', () => {
    const declared = (answer: RunFunctionResponse) =>
      JSON.parse(objectsIn(answer)['mailboxes/declared']!.data['declaration.json']);
    expect(declared(answers[0]!).service).toEqual([]);
    expect(declared(answers.at(-1)!).service).toEqual(['198.18.0.53', '2001:db8:f::53']);
    const udp = history(compositeOf({ resolver: {}, service: { protocols: ['UDP'] } }));
    expect(udp.map((answer) => declared(answer).protocols)).toEqual([['UDP'], ...Array(5).fill(undefined)]);
  });
});

describe('a resolver is taken away without a lost question', () => {
  const observed = clusterOf({ resolver: { forward } });
  const after = compositeOf({}, { conditions: [{ type: 'ResolverReady', status: 'True' }] });
  const [first, second, third, fourth] = history(after, observed) as [
    RunFunctionResponse,
    RunFunctionResponse,
    RunFunctionResponse,
    RunFunctionResponse,
  ];

  test('the server admits all clients, then Services lead past it while it stays as it is', () => {
    expect([first, second].map((answer) => leadsTo(answer))).toEqual(leading.toReversed());
    for (const answer of [first, second]) {
      expect(clientsOfServer(answer)).toBeUndefined();
      expect(keysOf(answer, 'resolver/')).toEqual(allOfResolver);
    }
    for (const key of allOfResolver) {
      const { metadata, spec, data } = objectsIn(second)[key]!;
      expect({ spec, data }, key).toEqual({ spec: observed[key]!.spec, data: observed[key]!.data });
      expect(metadata.name).toBe('idns-corp-resolver');
    }
  });

  test('then it goes, and last what it asks', () => {
    expect(keysOf(third, 'resolver/')).toEqual([]);
    expect(keysOf(third, 'services/replicas')).toEqual(['services/replicas/0']);
    expect(keysOf(fourth, 'services/replicas')).toEqual([]);
  });

  test('replicas keep their Services if clients are to have them', () => {
    const several = { replicas: 2 };
    const with2 = compositeOf({ ...several, resolver: {} });
    const was = running(with2, history(with2).at(-1)!);
    for (const answer of history(compositeOf(several), was))
      expect(keysOf(answer, 'services/replicas')).toEqual(['services/replicas/0', 'services/replicas/1']);
  });

  test('and its condition says so', () => {
    expect(conditionIn(first)).toMatchObject({ reason: 'Off' });
    expect(conditionIn(run(requestFor(compositeOf({})), internalDNS))).toBeUndefined();
  });
});

describe('behind a resolver, replicas', () => {
  const exposed = {
    replicas: 2,
    service: {
      type: 'LoadBalancer',
      annotations: { 'example.com/pool': 'lan' },
      loadBalancerSourceRanges: ['192.0.2.0/24'],
    },
  };

  test('have a cluster IP each, whatever clients reach', () => {
    const objects = objectsIn(settled({ ...exposed, resolver: {} }));
    for (const ordinal of [0, 1]) {
      const { metadata, spec } = objects[`services/replicas/${ordinal}`]!;
      expect(metadata.name).toBe(`idns-corp-${ordinal}`);
      expect(metadata.annotations).not.toHaveProperty('example.com/pool');
      expect(spec).toMatchObject({
        type: 'ClusterIP',
        selector: {
          'app.kubernetes.io/name': 'internal-dns',
          'statefulset.kubernetes.io/pod-name': `idns-corp-${ordinal}`,
        },
      });
      for (const field of ['loadBalancerSourceRanges', 'externalTrafficPolicy', 'loadBalancerClass'])
        expect(spec).not.toHaveProperty(field);
    }
  });

  test('are no name servers of their own', () => {
    const delegation = (answer: RunFunctionResponse) =>
      JSON.stringify(answer.desired?.composite?.resource?.status?.zones[0].delegation);
    expect(delegation(settled(exposed))).toContain('ns2.corp.internal');
    expect(delegation(settled({ ...exposed, resolver: {} }))).not.toContain('ns2.corp.internal');
  });

  test('are asked as soon as they have an address', () => {
    const composite = compositeOf({ replicas: 2, resolver: {} });
    const observed = running(composite, history(composite).at(-1)!);
    const { 'services/replicas/1': _, ...without } = observed;
    const files = (of: Observed) =>
      objectsIn(run(requestFor(composite, of), internalDNS))['resolver/dnsdist']!.data['dnsdist.yml'] as string;
    expect(files(observed)).toContain('own-1');
    expect(files(without)).not.toContain('own-1');
    expect(files(without)).toContain('own-0');
  });
});

test('dnsdist listens on the IP families of the cluster', () => {
  const composite = compositeOf({ resolver: {} });
  const observed = running(composite, history(composite).at(-1)!);
  const agents = observed['resolver/agents']!;
  const listens = (ipFamilies: string[]) => {
    const of = { ...observed, 'resolver/agents': { ...agents, spec: { ...agents.spec, ipFamilies } } };
    const { data } = objectsIn(run(requestFor(composite, of), internalDNS))['resolver/dnsdist']!;
    return [data['dnsdist.yml'].includes('0.0.0.0:'), data['dnsdist.yml'].includes('[::]:')];
  };
  expect(listens(['IPv4', 'IPv6'])).toEqual([true, true]);
  expect(listens(['IPv4'])).toEqual([true, false]);
  expect(listens(['IPv6'])).toEqual([false, true]);
});

describe('every way in', () => {
  const tls = { certificate: { secretRef: { name: 'dns-tls' } } };
  const portsOf = (fields: object) =>
    objectsIn(settled(fields))['services/dns']!.spec.ports.map(
      ({ name, port, targetPort }: Record<string, unknown>) => [name, port, targetPort],
    );

  test('has the ports of DoT and DoH, if it has TCP', () => {
    const resolver = { doT: tls, doH: { ...tls, port: 8443 } };
    expect(portsOf({ resolver })).toEqual([
      ['dns', 53, 5353],
      ['dns-tcp', 53, 5353],
      ['dot', 853, 8853],
      ['doh', 8443, 8443],
    ]);
    expect(portsOf({ resolver, service: { protocols: ['UDP'] } })).toEqual([['dns', 53, 5353]]);
    expect(portsOf({ resolver: {} })).toHaveLength(2);
  });

  test.for([
    ['a load balancer', { type: 'LoadBalancer' }, 'Local'],
    ['a node port', { type: 'NodePort' }, 'Local'],
    ['a load balancer as the spec has it', { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' }, 'Cluster'],
    ['a tailnet, whose proxy hides them', { tailscale: {} }, undefined],
    ['a cluster IP', {}, undefined],
  ] as const)('keeps the addresses of clients: %s', ([, service, policy]) => {
    const of = (fields: object) => objectsIn(settled(fields))['services/dns']!.spec.externalTrafficPolicy;
    expect(of({ service, resolver: {} })).toBe(policy);
    const chosen = 'externalTrafficPolicy' in service ? service.externalTrafficPolicy : undefined;
    expect(of({ service })).toBe(chosen);
  });
});

describe('the state of the resolver', () => {
  const resolver = { forward };
  const addresses = ['192.0.2.53:53', '192.0.2.54:53'];
  const reported = (...states: ('Up' | 'Down')[]): Partial<Report> => ({
    resolver: { upstreams: states.map((state, index) => ({ address: addresses[index]!, state })) },
  });
  const statusOf = (answer: RunFunctionResponse) => answer.desired?.composite?.resource?.status?.resolver;

  test('is unknown of upstreams until an agent has told', () => {
    const answer = settled({ resolver }, { resolver: undefined });
    expect(statusOf(answer)).toEqual({
      since: '2026-01-31T12:00:10Z',
      addresses: ['198.18.0.53', '2001:db8:f::53'],
      upstreams: addresses.map((address) => ({ address, state: 'Unknown' })),
    });
    expect(conditionIn(answer)).toMatchObject({ reason: 'Resolving' });
  });

  test('names the upstreams that are down, and holds nothing else back', () => {
    const answer = settled({ resolver }, reported('Up', 'Down'));
    expect(statusOf(answer).upstreams.map(({ state }: { state: string }) => state)).toEqual(['Up', 'Down']);
    expect(conditionIn(answer)).toMatchObject({
      reason: 'UpstreamDown',
      message: 'no answer from 192.0.2.54:53: see resolver.forward, and whether pods can reach it',
    });
    expect(isReady(answer)).toBe(true);
    const others = answer.conditions.filter(({ type }) => type !== 'ResolverReady');
    expect(others.filter(({ status }) => status !== Status.STATUS_CONDITION_TRUE).map(({ type }) => type)).toEqual([]);
    expect(conditionIn(settled({ resolver }, reported('Up', 'Up')))).toMatchObject({ reason: 'Resolving' });
  });

  test('says why names elsewhere are not answered, and by whom', () => {
    const unforwarded = (...states: ('Up' | 'Down')[]) => {
      const { upstreams } = reported(...states).resolver!;
      const answer = settled({ resolver }, { resolver: { upstreams, unforwarded: 'REFUSED' } });
      expect(isReady(answer)).toBe(true);
      return conditionIn(answer);
    };
    expect(unforwarded('Up', 'Up')).toMatchObject({
      reason: 'NotForwarding',
      message:
        'the question for . NS gets no answer (REFUSED) from 192.0.2.53:53, 192.0.2.54:53: see whether it answers questions from this cluster, or set resolver.forward.check',
    });
    expect(unforwarded('Down', 'Up')?.message).toBe(
      'the question for . NS gets no answer (REFUSED); no answer from 192.0.2.53:53: see resolver.forward, and whether pods can reach it',
    );
  });

  test('names an upstream that agents have found to ask it', () => {
    const answer = settled(
      { resolver },
      { resolver: { ...reported('Down').resolver!, circles: ['192.0.2.54:53', 'x'] } },
    );
    expect(conditionIn(answer)).toMatchObject({
      reason: 'Circle',
      message:
        'resolver.forward: upstream 192.0.2.54:53 asks this resolver, so that questions go round: let it ask another server, or name another one',
    });
    expect(isReady(answer)).toBe(true);
    expect(conditionIn(settled({ resolver }, { resolver: { upstreams: [], circles: ['x'] } }))?.reason).toBe(
      'Resolving',
    );
  });

  test('names a certificate that is about to expire, has expired, or cannot be used', () => {
    const tls = { certificate: { secretRef: { name: 'dns-tls' } } };
    const notAfter = '2026-12-03T10:00:00Z';
    const of = (state: 'Valid' | 'Expiring' | 'Expired' | 'Missing') => {
      const certificates = [{ field: 'doT' as const, state, ...(state !== 'Missing' && { notAfter }) }];
      const answer = settled({ resolver: { doT: tls } }, { resolver: { upstreams: [], certificates } });
      expect(isReady(answer)).toBe(true);
      const { reason, message, status } = conditionIn(answer)!;
      return [status === Status.STATUS_CONDITION_TRUE, reason, message];
    };
    const secret = 'resolver.doT: the certificate in the Secret dns-tls';
    expect(of('Valid')).toEqual([true, 'Resolving', undefined]);
    expect(of('Expiring')).toEqual([true, 'Resolving', `${secret} expires at ${notAfter}: renew it`]);
    expect(of('Expired')).toEqual([false, 'CertificateInvalid', `${secret} has expired at ${notAfter}: renew it`]);
    expect(of('Missing')).toEqual([
      false,
      'CertificateInvalid',
      `${secret} cannot be used: correct tls.crt and tls.key, and delete the pods of the resolver`,
    ]);
  });

  test('has the nodes of its pods as the addresses of node ports', () => {
    const addressesOf = (fields: object, changes?: Partial<Report>) =>
      settled({ service: { type: 'NodePort' }, ...fields }, changes).desired?.composite?.resource?.status?.addresses[0]
        .addresses;
    const ofServer = ['192.0.2.11', '2001:db8:11::1'];
    expect(addressesOf({ resolver: {} })).toEqual(['192.0.2.12', '2001:db8:12::1']);
    expect(addressesOf({})).toEqual(ofServer);
    expect(addressesOf({ resolver: {} }, { resolver: undefined })).toEqual(ofServer);
  });

  test('is not ready while pods are not, which holds nothing else back', () => {
    const tls = { certificate: { secretRef: { name: 'dns-tls' } } };
    const composite = compositeOf({ resolver: { doT: tls } });
    const [, created] = history(composite, clusterOf({}));
    const observed = running(composite, created!);
    const waiting = { ...observed, 'resolver/pods': { ...observed['resolver/pods']!, status: {} } };
    const answer = run(requestFor(composite, waiting), internalDNS);
    expect(leadsTo(answer)).toBe('internal-dns');
    const { message } = conditionIn(answer)!;
    expect(message).toContain('they wait for resolver.doT on the Secret dns-tls, with tls.crt and tls.key');
    expect(message).toContain('until then Services lead to the server itself');
    expect(answer.desired?.resources['resolver/pods']?.ready).toBe(Ready.READY_TRUE);
  });

  test('names an upstream that is this server itself', () => {
    const circle = { forward: { upstreams: [{ address: '198.18.0.53' }] } };
    expect(conditionIn(settled({ resolver: circle }))).toMatchObject({
      reason: 'Circle',
      message: 'resolver.forward: upstream 198.18.0.53:53 is this server itself: name another one',
    });
  });

  test('names a view whose InternalDNS is missing', () => {
    const views = [{ name: 'guests', from: ['10.0.0.0/8'], internalDNS: 'other' }];
    expect(conditionIn(settled({ resolver: { views } }))?.message).toMatch(
      /^resolver.views\[guests\]: namespace internal-dns has no InternalDNS other, so that clients of this view get SERVFAIL/,
    );
  });

  test('has room for every upstream in a report', () => {
    const address = (index: number) => ({ address: `192.0.2.${index}` });
    const zone = (index: number) => ({
      name: `z${index}.internal`,
      upstreams: Array.from({ length: 4 }, (_, each) => ({ address: `198.51.${index}.${each}` })),
    });
    const spec = specOf({
      resolver: {
        forward: {
          upstreams: Array.from({ length: 8 }, (_, i) => address(i)),
          zones: Array.from({ length: 32 }, (_, i) => zone(i)),
        },
      },
    });
    expect(upstreamsOf(spec.resolver!.forward!)).toHaveLength(bounds.upstreams);
  });
});

test('clients learn that it can be their only server, once Services lead to it', () => {
  const told = (answer: RunFunctionResponse) =>
    JSON.parse(objectsIn(answer)['mailboxes/declared']!.data['ways-in.json']).answersAll;
  const answers = history(compositeOf({ resolver: { forward } }), clusterOf({}));
  expect([told(answers[0]!), told(answers.at(-1)!)]).toEqual([undefined, true]);
  const zone = { name: 'a.test', upstreams: [{ address: '192.0.2.55' }] };
  expect(told(settled({ resolver: { forward: { zones: [zone] } } }))).toBeUndefined();
  expect(told(settled({ resolver: {} }))).toBeUndefined();
});

describe('agents look after the pods of the resolver', () => {
  const rulesOf = (fields: object) => objectsIn(settled(fields))['access/role']!.rules;
  const reading = (fields: object, resource: string) =>
    rulesOf(fields).filter(({ resources }: { resources: string[] }) => resources.includes(resource));
  const nodePort = { type: 'NodePort' };

  test('with the right to follow the Endpoints of one Service, which nobody else has', () => {
    expect(reading({ resolver: {} }, 'endpoints')).toEqual([
      {
        apiGroups: [''],
        resources: ['endpoints'],
        resourceNames: ['idns-corp-resolver'],
        verbs: ['get', 'list', 'watch'],
      },
    ]);
    expect(reading({}, 'endpoints')).toEqual([]);
  });

  test('with the right to evict one of several, which nobody else has', () => {
    const evicting = { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] };
    expect(reading({ resolver: {} }, 'pods/eviction')).toEqual([evicting]);
    expect(reading({ resolver: { replicas: 1 } }, 'pods/eviction')).toEqual([]);
    expect(reading({ replicas: 2 }, 'pods/eviction')).toEqual([]);
  });

  test('and their nodes only where clients come to nodes', () => {
    const pods = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    expect(reading({ resolver: {}, service: nodePort }, 'pods')).toEqual(pods);
    expect(reading({ resolver: {}, additionalServices: [{ name: 'lan', ...nodePort }] }, 'pods')).toEqual(pods);
    expect(reading({ resolver: {}, service: { ...nodePort, addresses: ['192.0.2.9'] } }, 'pods')).toEqual([]);
    expect(reading({ resolver: {} }, 'pods')).toEqual([]);
    expect(reading({ service: nodePort }, 'pods')).toEqual([]);
  });

  test('by what the declaration says of it, once it answers', () => {
    const tls = { certificate: { secretRef: { name: 'dns-tls' } } };
    const zone = { name: 'a.test', upstreams: [{ address: '192.0.2.55' }] };
    const declared = (answer: RunFunctionResponse) =>
      JSON.parse(objectsIn(answer)['mailboxes/declared']!.data['declaration.json']).resolver;
    const fields = { resolver: { doH: tls, forward: { ...forward, zones: [zone] } } };
    const answers = history(compositeOf(fields));
    expect(declared(answers[0]!)).toBeUndefined();
    const { upstreams, ...rest } = declared(answers.at(-1)!);
    expect(rest).toEqual({
      service: 'idns-corp-resolver',
      ports: { agents: 5354, metrics: 8083 },
      certificates: [{ field: 'doH', port: 8443 }],
      check: { name: '.', type: 'NS' },
    });
    expect(
      upstreams.map(({ name, address, circle }: Record<string, unknown>) => [name, address, circle !== undefined]),
    ).toEqual([
      ['upstream-0', '192.0.2.53:53', true],
      ['upstream-1', '192.0.2.54:53', true],
      ['upstream-2', '192.0.2.55:53', false],
    ]);
    expect(declared(settled({ resolver: { forward: { zones: [zone] } } }))).not.toHaveProperty('check');
    expect(declared(settled({ resolver: {}, service: nodePort })).reportsNodes).toBe(true);
    expect(declared(settled({}))).toBeUndefined();
  });
});

describe('a view of another InternalDNS', () => {
  const spec = specOf({ resolver: { views: [{ name: 'guests', from: ['10.0.0.0/8'], internalDNS: 'other' }] } });
  const service = (name: string, clusterIP: string, namespace = 'internal-dns'): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIPs: [clusterIP] },
  });
  const found = (...services: KubernetesObject[]) => viewServersOf(spec, { 'view-guests': services }).get('guests');

  test('requires its Services, and nothing else', () => {
    const labels = { 'app.kubernetes.io/name': 'internal-dns', 'app.kubernetes.io/instance': 'other' };
    expect(viewSelectors(spec)).toEqual({ 'view-guests': { apiVersion: 'v1', kind: 'Service', matchLabels: labels } });
    expect(viewSelectors(specOf({ resolver: {} }))).toEqual({});
    expect(run(requestFor(compositeOf({ resolver: {} })), internalDNS).requirements).toBeUndefined();
  });

  test('leads to its DNS Service or, past a resolver, to its replicas', () => {
    expect(viewServersOf(spec, {}).get('guests')).toEqual([]);
    expect(found(service('idns-other', '198.18.0.1', 'elsewhere'))).toEqual([]);
    const own = [service('idns-other', '198.18.0.1'), service('idns-other-status', '198.18.0.2')];
    expect(found(...own)).toEqual(['198.18.0.1']);
    const replicas = [service('idns-other-1', '198.18.0.4'), service('idns-other-0', '198.18.0.3')];
    expect(found(...own, ...replicas)).toEqual(['198.18.0.3', '198.18.0.4']);
  });
});

describe('metrics of the resolver', () => {
  const monitoring = { enabled: true, namespaceSelector: { matchLabels: { name: 'monitoring' } } };

  test('are scraped where the cluster serves PodMonitors', () => {
    const key = 'monitoring/podmonitor-resolver';
    const objects = objectsIn(settled({ resolver: {}, monitoring }));
    const { metadata, spec } = objects[key]!;
    expect(metadata.name).toBe('idns-corp-resolver');
    const { labels } = objects['resolver/pods']!.spec.template.metadata;
    expect(labels).toMatchObject(spec.selector.matchLabels);
    const [{ port, relabelings }] = spec.podMetricsEndpoints;
    const { ports } = objects['resolver/pods']!.spec.template.spec.containers[0];
    expect(ports).toContainEqual(expect.objectContaining({ name: port }));
    expect(relabelings).toMatchObject([{ targetLabel: 'internaldns', replacement: 'corp' }]);
    expect(faultsOf(objects[key]!)).toEqual([]);
    expect(objectsIn(settled({ monitoring }))).not.toHaveProperty(key);
    expect(objectsIn(settled({ resolver: {}, monitoring }, { served: [] }))).not.toHaveProperty(key);
  });

  test('are for agents and for monitoring only', () => {
    const peers = (fields: object) =>
      objectsIn(settled(fields))['resolver/network']!.spec.ingress.find(
        ({ ports }: { ports: { port: number }[] }) => ports[0]?.port === 8083,
      ).from;
    const [agents] = peers({ resolver: {} });
    expect(peers({ resolver: {} })).toHaveLength(1);
    expect(peers({ resolver: {}, monitoring })).toEqual([agents, { namespaceSelector: monitoring.namespaceSelector }]);
  });
});

describe('every object of an example with a resolver', () => {
  const answers = Object.entries(examples)
    .filter(([, file]) => readComposite(file).spec.resolver)
    .map(([name, file]) => [name, history(readComposite(file)).at(-1)!] as const);

  test.for(answers)('is one that Kubernetes accepts: %s', ([, answer]) => {
    expect(Object.values(objectsIn(answer)).flatMap(faultsOf)).toEqual([]);
  });

  test.for(answers)('runs restricted, without a token, and stops late: %s', ([, answer]) => {
    const pod = objectsIn(answer)['resolver/pods']!.spec.template.spec;
    expect(violations(pod)).toEqual([]);
    expect(pod.automountServiceAccountToken).toBe(false);
    const [container] = pod.containers;
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    const [, drain] = /sleep (\d+)/.exec(container.lifecycle.preStop.exec.command.at(-1)) ?? [];
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(Number(drain)).toBeGreaterThanOrEqual(periodSeconds * failureThreshold + 5);
    expect(Number(drain)).toBeLessThanOrEqual(20);
  });

  test.for(answers)('is not selected by what selects the server, nor the other way round: %s', ([, answer]) => {
    const objects = objectsIn(answer);
    const labelsOf = (key: string) => Object.entries(objects[key]!.spec.template.metadata.labels);
    const [server, resolver] = [labelsOf('server/pods'), labelsOf('resolver/pods')];
    const selectors = Object.entries(objects).flatMap(([key, { kind, spec }]) => {
      if (kind === 'Service') return [[key, spec.selector]];
      if (kind === 'NetworkPolicy') return [[key, spec.podSelector.matchLabels]];
      return kind === 'PodDisruptionBudget' ? [[key, spec.selector.matchLabels]] : [];
    });
    for (const [key, selector] of selectors) {
      const { 'statefulset.kubernetes.io/pod-name': _, ...labels } = selector;
      const selects = (pod: [string, unknown][]) =>
        Object.entries(labels).every(([name, value]) => pod.some(([n, v]) => n === name && v === value));
      expect([selects(server), selects(resolver)].filter(Boolean), key).toHaveLength(1);
    }
  });

  test.for(answers)('has no Lua from the spec, nor a key: %s', ([, answer]) => {
    const { data } = objectsIn(answer)['resolver/dnsdist']!;
    expect(data['dnsdist.yml']).not.toMatch(/lua|function|password|api_key/i);
    if (data['dnsdist.lua']) expect(data['dnsdist.lua']).toBe(lua);
  });

  const tls = { certificate: { secretRef: { name: 'x' } } };
  const lua = filesOf({ resolver: { doT: tls } })['dnsdist.lua'];

  test('the only Lua is a constant, for certificates', () => {
    expect(filesOf({ resolver: { doH: { ...tls, path: '/x' }, allowFrom: ['192.0.2.0/24'] } })['dnsdist.lua']).toBe(
      lua,
    );
    expect(filesOf({ resolver: {} })).not.toHaveProperty('dnsdist.lua');
  });
});

function filesOf(fields: object): Record<string, string> {
  const spec = specOf(fields);
  return dnsdistFilesFor(spec, spec.resolver!, { own: ['198.18.0.1'], views: new Map(), families: ['IPv4', 'IPv6'] });
}

test('a change of the configuration replaces the pods, and of nothing else', () => {
  const hash = (fields: object) =>
    objectsIn(settled(fields))['resolver/pods']!.spec.template.metadata.annotations['dns.internal/configuration'];
  expect(hash({ resolver: {} })).toBe(hash({ resolver: { replicas: 3 } }));
  expect(hash({ resolver: {} })).not.toBe(hash({ resolver: { outsiders: 'Drop' } }));
  expect(hash({ resolver: {} })).not.toBe(hash({ resolver: {}, zones: [...zones, { name: 'b.internal' }] }));
});

test('the image is that of this version, or of the spec', () => {
  const imageOf = (fields: object) =>
    objectsIn(settled(fields))['resolver/pods']!.spec.template.spec.containers[0].image;
  expect(imageOf({ resolver: {} })).toBe(image);
  expect(imageOf({ resolver: {}, images: { dnsdist: 'example.com/dnsdist:1' } })).toBe('example.com/dnsdist:1');
});

test('clients are told to the server only where answers depend on them', () => {
  const record = (answer: string) => ({ name: 'w', type: 'A', values: ['192.0.2.1', '192.0.2.2'], answer });
  const configuration = (answer: string, resolver?: object) => {
    const objects = objectsIn(
      settled({ zones: [{ name: 'corp.internal', records: [record(answer)] }], ...(resolver && { resolver }) }),
    );
    return [
      objects['server/powerdns']!.data['pdns.conf'].includes('edns-subnet-processing=yes'),
      objects['resolver/dnsdist']?.data['dnsdist.yml'].includes('use_client_subnet: true'),
    ];
  };
  for (const answer of ['Sticky', 'Closest']) expect(configuration(answer, {}), answer).toEqual([true, true]);
  expect(configuration('Random', {})).toEqual([false, false]);
  expect(configuration('Closest')).toEqual([false, undefined]);
});

describe('questions are led', () => {
  const rulesOf = (spec: Spec) =>
    queryRulesOf(spec, spec.resolver!, circleOf({ own: [] }))
      .filter(({ action }) => action.type === 'Pool' || action.rcode === 'Refused')
      .map(({ name }) => name);

  test('by the longest zone, own or not', () => {
    const upstreams = [{ address: '192.0.2.1' }];
    const zone = (name: string) => ({ name, upstreams });
    const spec = specOf({
      zones: ['internal', 'b.corp.internal', 'c.b.corp.internal'].map((name) => ({ name })),
      resolver: { forward: { upstreams, zones: ['corp.internal', 'a.c.b.corp.internal'].map(zone) } },
    });
    expect(rulesOf(spec)).toEqual([
      ...['outsiders', 'no-AXFR', 'no-IXFR', 'self-test', 'circle-upstream-0', 'forward-a.c.b.corp.internal'],
      ...['own-1', 'forward-corp.internal', 'own-3', 'forward'],
    ]);
  });

  test('to the server for every zone that a team can have', () => {
    const tenants = [
      { namespaceSelector: {}, names: [], zones: ['corp.internal', '*.team.internal', '[*].x.internal'] },
    ];
    const spec = specOf({ discovery: { sources: [{ kind: 'Zone' }], tenants }, resolver: {} });
    const own = queryRulesOf(spec, spec.resolver!, circleOf({ own: [] })).find(({ name }) => name.startsWith('own-'));
    expect(own?.selector).toEqual({ type: 'QNameSuffix', suffixes: ['corp.internal', 'team.internal'] });
  });

  test('nowhere if they are foreign, without upstreams for all', () => {
    expect(rulesOf(specOf({ resolver: {} })).at(-1)).toBe('foreign');
  });
});

test.for([
  ['192.0.2.1', { ip: '192.0.2.1' }],
  ['192.0.2.1:53', { ip: '192.0.2.1', port: 53 }],
  ['2001:db8::1', { ip: '2001:db8::1' }],
  ['::', { ip: '::' }],
  ['[2001:db8::1]', { ip: '2001:db8::1' }],
  ['[2001:db8::1]:65535', { ip: '2001:db8::1', port: 65_535 }],
  ['[2001:db8::1]:65536', undefined],
  ['[192.0.2.1]:53', undefined],
  ['2001:db8::1]:53', undefined],
  ['dns.example.com', undefined],
  ['192.0.2.1:', undefined],
  ['', undefined],
] as const)('the upstream %s', ([text, expected]) => {
  expect(parseUpstreamAddress(text)).toEqual(expected);
});

const MiB = 2 ** 20;

test('the cache fills half of the memory that dnsdist does not need itself', () => {
  expect(cacheEntries(0)).toBe(1000);
  expect(cacheEntries(256 * MiB)).toBe(46_811);
  expect(cacheEntries(1e18)).toBe(1_000_000);
  expect(tuningOf(0).tcp.max_connections_per_client).toBe(20);
  const sizeOf = (cache: object, memory?: string) =>
    /size: (\d+)\n +maximum_entry_size/.exec(
      filesOf({
        resolver: { forward: { ...forward, cache } },
        ...(memory && { resources: { resolver: { limits: { memory } } } }),
      })['dnsdist.yml'] as string,
    )?.[1];
  expect(sizeOf({})).toBe('46811');
  expect(sizeOf({ size: 1_000_000 })).toBe('46811');
  expect(sizeOf({ size: 100 })).toBe('100');
  expect(sizeOf({}, '1Gi')).toBe('271506');
});
