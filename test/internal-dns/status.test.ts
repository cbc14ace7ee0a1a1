import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { hashOf } from '../../functions/contract/declaration.ts';
import type { Report } from '../../functions/contract/report.ts';
import { declarationOf, textOf } from '../../functions/internal-dns/declaration-writer.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { reportsOf } from '../../functions/internal-dns/reports.ts';
import { endpointOf } from '../../functions/internal-dns/server/service.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { statusOf } from '../../functions/internal-dns/status.ts';
import { recordsOf } from '../../functions/internal-dns/zones/records.ts';
import { signaturesBefore } from '../../functions/internal-dns/zones/signature.ts';
import { internalDNSOf } from './refusals.ts';

type Message = string | RegExp | undefined;
type Verdict = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message?: Message];

interface Case {
  reason: string;
  spec?: Record<string, unknown>;
  /** The Service in the cluster, null if there is none; by default a ClusterIP Service with an address. */
  service?: Partial<KubernetesObject> | null;
  /** Fields of the status of the StatefulSet, null if there is none; by default all pods are ready. */
  pods?: Record<string, number> | null;
  /** Reports by ordinal, a string for raw text; by default everything is served. */
  reports?: (Partial<Report> | string | undefined)[];
  /** The zones of the composite's status. */
  before?: object[];
  expected: {
    server?: Verdict;
    zones?: Verdict;
    discovery?: Verdict;
    resolvable?: Verdict;
    status?: object;
    /** Fields that the status does not have. */
    absent?: string[];
    /** By default whether all conditions except Resolvable are True. */
    ready?: boolean;
  };
}

const zones = [{ name: 'corp.internal' }];
const two = [{ name: 'a.internal' }, { name: 'b.internal' }];
const loadBalancer = { zones, service: { type: 'LoadBalancer' } };
const silent = 'no report from idns-corp-0; if this lasts, see the log of the container agent';
const waiting =
  /^ExternalDNS has not finished its first loop; if this lasts, see the log of the container external-dns$/;
const podsNotReady =
  'not every pod is ready; if this lasts: kubectl -n internal-dns describe pod -l app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=corp';

const ns = 'corp.internal. 3600 IN NS ns1.corp.internal.';
const signed = { zones: [{ name: 'corp.internal', dnssec: { mode: 'Signed' } }] };
const keyA = { ds: ['1 13 2 aa'], dnskey: ['257 3 13 aa'] };
const keyB = { ds: ['2 13 2 bb'], dnskey: ['257 3 13 bb'] };
const reporting = (dnssec: typeof keyA): Partial<Report> => ({
  zones: [{ name: 'corp.internal', state: 'Serving', dnssec }],
});
const without = (field: string) => expect.not.objectContaining({ [field]: expect.anything() });
const withRecords = (...records: object[]) => ({ zones: [{ name: 'corp.internal', records }] });

const routes = { zones, discovery: { sources: [{ kind: 'Ingress' }, { kind: 'HTTPRoute' }] } };
const noRoutes = { kind: 'HTTPRoute', resource: 'httproutes.v1.gateway.networking.k8s.io' };
const addressless = {
  name: 'web.corp.internal',
  resource: 'ingress/shop/web',
  verdict: 'NoAddress' as const,
  message: 'its controller has written no address',
};
const change = { action: 'Create' as const, name: 'www.corp.internal', type: 'A', values: ['192.0.2.1'] };

const cases: Case[] = [
  {
    reason: 'nothing exists yet',
    service: null,
    pods: null,
    reports: [],
    expected: {
      server: ['False', 'PodsNotReady', podsNotReady],
      zones: ['False', 'WaitingForAgent', silent],
      discovery: ['False', 'Waiting', waiting],
      resolvable: ['Unknown', 'Waiting', /^no agent has reported yet which names objects request; if this lasts, /],
      status: {
        address: undefined,
        port: 53,
        zonesServed: '0/1',
        zones: [{ name: 'corp.internal', state: 'Pending' }],
      },
    },
  },
  {
    reason: 'everything is served',
    expected: {
      status: {
        address: '198.18.0.53',
        port: 53,
        zonesServed: '1/1',
        zones: [{ name: 'corp.internal', state: 'Serving' }],
      },
    },
  },
  {
    reason: 'a pod is not ready',
    pods: { readyReplicas: 0, updatedReplicas: 1 },
    expected: { server: ['False', 'PodsNotReady', podsNotReady] },
  },
  {
    reason: 'a pod is of the revision before',
    pods: { readyReplicas: 1, updatedReplicas: 0 },
    expected: { server: ['False', 'PodsNotReady', podsNotReady] },
  },
  {
    reason: 'one of two pods is not ready',
    spec: { zones, replicas: 2 },
    pods: { readyReplicas: 1, updatedReplicas: 2 },
    expected: { server: ['False', 'PodsNotReady', podsNotReady] },
  },
  {
    reason: 'no load balancer gives an address',
    spec: loadBalancer,
    service: { status: { loadBalancer: {} } },
    expected: {
      server: [
        'False',
        'NoAddress',
        'no load balancer has given Service idns-corp an address: install one, or set service.type to ClusterIP or NodePort',
      ],
      status: { address: undefined },
    },
  },
  {
    reason: 'a Service has no address yet',
    service: { spec: {} },
    expected: { server: ['False', 'NoAddress', 'Service idns-corp has no address yet'] },
  },
  {
    reason: 'a headless Service has none either',
    service: { spec: { clusterIPs: ['None'] } },
    expected: {
      server: ['False', 'NoAddress', 'Service idns-corp has no address yet'],
      status: { address: undefined },
    },
  },
  {
    reason: 'a load balancer has only a name',
    spec: loadBalancer,
    service: { status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } } },
    expected: { status: { address: 'lb.example.com', port: 53 } },
  },
  {
    reason: 'a load balancer has a name and an address',
    spec: loadBalancer,
    service: { status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }, { ip: '192.0.2.7' }] } } },
    expected: { status: { address: '192.0.2.7' } },
  },
  {
    reason: 'a node port is given',
    spec: { zones, service: { type: 'NodePort' } },
    service: { spec: { clusterIPs: ['198.18.0.53'], ports: [{ name: 'dns', nodePort: 30053 }] } },
    expected: { status: { address: '198.18.0.53', port: 30053 } },
  },
  {
    reason: 'the spec publishes addresses of its own',
    spec: { zones, service: { type: 'LoadBalancer', addresses: ['203.0.113.53'] } },
    service: { status: { loadBalancer: {} } },
    expected: { status: { address: '203.0.113.53' } },
  },
  {
    reason: 'a claim could not grow',
    reports: [{ storage: 'cannot expand the PersistentVolumeClaim to 2Gi: forbidden' }],
    expected: { server: ['True', 'Serving', 'cannot expand the PersistentVolumeClaim to 2Gi: forbidden'] },
  },

  {
    reason: 'the report is of the declaration before',
    reports: [{ declaration: hashOf('before') }],
    expected: {
      zones: ['False', 'Applying', 'the servers are applying this spec'],
      status: { zonesServed: '1/1', zones: [{ name: 'corp.internal', state: 'Serving' }] },
    },
  },
  {
    reason: 'one of two servers has the declaration before',
    spec: { zones, replicas: 2 },
    reports: [{}, { declaration: hashOf('before') }],
    expected: { zones: ['False', 'Applying'], status: { zonesServed: '1/1' } },
  },
  {
    reason: 'one of two servers says nothing',
    spec: { zones, replicas: 2 },
    reports: [{}],
    expected: {
      discovery: ['False', 'Waiting'],
      zones: [
        'False',
        'WaitingForAgent',
        'no report from idns-corp-1; if this lasts, see the log of the container agent',
      ],
      status: { zonesServed: '0/1', zones: [{ name: 'corp.internal', state: 'Pending' }] },
    },
  },
  {
    reason: 'a server that is no more has left its report',
    reports: [{}, { zones: [{ name: 'corp.internal', state: 'Failed', message: 'long ago' }] }],
    expected: {},
  },
  {
    reason: 'a zone has failed',
    spec: { zones: two },
    reports: [
      {
        zones: [
          { name: 'a.internal', state: 'Serving' },
          { name: 'b.internal', state: 'Failed', message: 'not ours' },
        ],
      },
    ],
    expected: {
      zones: ['False', 'Failed', 'b.internal: not ours'],
      status: { zonesServed: '1/2', zones: expect.arrayContaining([expect.objectContaining({ message: 'not ours' })]) },
    },
  },
  {
    reason: 'a zone has failed on one of two servers',
    spec: { zones, replicas: 2 },
    reports: [{}, { zones: [{ name: 'corp.internal', state: 'Failed', message: 'disk full' }] }],
    expected: { zones: ['False', 'Failed', 'corp.internal: disk full'], status: { zonesServed: '0/1' } },
  },
  {
    reason: 'a zone does not answer yet',
    spec: { zones: two },
    reports: [
      {
        zones: [
          { name: 'a.internal', state: 'Pending' },
          { name: 'b.internal', state: 'Serving' },
        ],
      },
    ],
    expected: { zones: ['False', 'Pending', 'not answering yet: a.internal'], status: { zonesServed: '1/2' } },
  },
  {
    reason: 'a zone that is no longer declared holds records of somebody else',
    reports: [
      {
        zones: [
          { name: 'corp.internal', state: 'Serving' },
          { name: 'old.internal', state: 'Retained', message: 'has 2 records that are not ours' },
        ],
      },
    ],
    expected: {
      zones: ['True', 'Serving', 'old.internal: has 2 records that are not ours'],
      status: {
        zonesServed: '1/1',
        zones: [
          { name: 'corp.internal', state: 'Serving' },
          { name: 'old.internal', state: 'Retained', message: 'has 2 records that are not ours' },
        ],
      },
    },
  },

  {
    reason: 'a zone waits for something that it can name',
    spec: { zones: two },
    reports: [
      {
        zones: [
          { name: 'a.internal', state: 'Pending', message: 'there is no ConfigMap files' },
          { name: 'b.internal', state: 'Pending' },
        ],
      },
    ],
    expected: {
      zones: ['False', 'Pending', 'not answering yet: a.internal (there is no ConfigMap files), b.internal'],
      status: { zones: [{ message: 'there is no ConfigMap files' }, {}] },
    },
  },
  {
    reason: 'servers warn of three things',
    spec: { zones, replicas: 2 },
    reports: [{ warnings: ['c', 'a'] }, { warnings: ['b', 'a'] }],
    expected: { zones: ['True', 'Serving', 'a; b; c'] },
  },
  {
    reason: 'servers warn, some of the same',
    spec: { zones, replicas: 2 },
    reports: [{ warnings: ['b', 'a'] }, { warnings: ['d', 'a', 'c'] }],
    expected: { zones: ['True', 'Serving', 'a; b; c; and 1 more'] },
  },
  {
    reason: 'pods are not ready, and their first check may be why',
    spec: withRecords({ name: 'www', type: 'A', values: ['192.0.2.80'], check: { port: 80 } }),
    pods: { readyReplicas: 0 },
    expected: {
      server: [
        'False',
        'PodsNotReady',
        /^not every pod is ready \(the first check of an instance, or answer other than All, restarts its pods once\); if this lasts: /,
      ],
    },
  },

  {
    reason: 'nobody has delegated a zone',
    expected: { status: { zones: [{ delegation: [ns, 'ns1.corp.internal. 60 IN A 198.18.0.53'] }] } },
  },
  {
    reason: 'its servers have addresses of both families',
    service: { spec: { clusterIPs: ['198.18.0.53', '2001:DB8:0::53'] } },
    expected: {
      status: {
        zones: [
          {
            delegation: [ns, 'ns1.corp.internal. 60 IN A 198.18.0.53', 'ns1.corp.internal. 60 IN AAAA 2001:db8::53'],
          },
        ],
      },
    },
  },
  {
    reason: 'its servers have addresses of their own, or are elsewhere',
    spec: {
      zones: [
        {
          name: 'corp.internal',
          nameServers: ['ns1.corp.internal', 'ns2.corp.internal', 'ns.example.com'],
          defaultTTL: 300,
          records: [{ name: 'ns2', type: 'A', values: ['192.0.2.53'] }],
        },
      ],
    },
    expected: {
      status: {
        zones: [
          {
            delegation: [
              ns,
              'corp.internal. 3600 IN NS ns2.corp.internal.',
              'corp.internal. 3600 IN NS ns.example.com.',
              'ns1.corp.internal. 300 IN A 198.18.0.53',
              'ns2.corp.internal. 300 IN A 192.0.2.53',
            ],
          },
        ],
      },
    },
  },
  {
    reason: 'a zone is below another of the same instance',
    spec: { zones: [{ name: 'lab.corp.internal' }, { name: 'corp.internal' }] },
    expected: {
      status: {
        zones: [without('delegation'), { delegation: [ns, expect.any(String)] }],
      },
    },
  },

  {
    reason: 'a zone is signed, the same on both servers',
    spec: { ...signed, replicas: 2 },
    reports: [reporting(keyA), reporting(keyA)],
    expected: {
      status: {
        zones: [
          {
            state: 'Serving',
            dnssec: keyA,
            delegation: [ns, 'corp.internal. 3600 IN DS 1 13 2 aa', 'ns1.corp.internal. 60 IN A 198.18.0.53'],
          },
        ],
      },
    },
  },
  {
    reason: 'the servers sign a zone with different keys',
    spec: { ...signed, replicas: 2 },
    reports: [reporting(keyA), reporting(keyB)],
    expected: {
      zones: [
        'False',
        'Failed',
        'corp.internal: the replicas sign with different keys (DS 1 13 2 aa and 2 13 2 bb): delete the volume claim and the pod of the replica whose DS the parent does not have',
      ],
      status: { zonesServed: '0/1', zones: [without('dnssec')] },
    },
  },
  {
    reason: 'one of two servers has not signed the zone yet',
    spec: { ...signed, replicas: 2 },
    reports: [reporting(keyA), { zones: [{ name: 'corp.internal', state: 'Pending' }] }],
    expected: {
      zones: ['False', 'Pending', 'not answering yet: corp.internal'],
      status: { zones: [{ dnssec: keyA }] },
    },
  },
  {
    reason: 'a signed zone is not reported on for a while',
    spec: signed,
    before: [{ name: 'corp.internal', state: 'Serving', dnssec: keyA }],
    reports: [{ declaration: hashOf('before') }],
    expected: {
      zones: ['False', 'Applying'],
      status: {
        zones: [
          {
            state: 'Serving',
            dnssec: keyA,
            delegation: [ns, 'corp.internal. 3600 IN DS 1 13 2 aa', expect.any(String)],
          },
        ],
      },
    },
  },
  {
    reason: 'the key of a signed zone is lost',
    spec: signed,
    before: [{ name: 'corp.internal', state: 'Serving', dnssec: keyA }],
    reports: [{ zones: [{ name: 'corp.internal', state: 'Failed', message: 'the key is gone' }] }],
    expected: {
      zones: ['False', 'Failed', 'corp.internal: the key is gone'],
      status: { zones: [{ state: 'Failed', dnssec: keyA }] },
    },
  },
  {
    reason: 'a zone is being unsigned: its parent must not have its DS any more',
    spec: { zones: [{ name: 'corp.internal', dnssec: { mode: 'Unsigning' } }] },
    reports: [reporting(keyA)],
    expected: {
      zones: [
        'True',
        'Serving',
        'remove DS 1 13 2 aa of corp.internal from its parent and from trust anchors, wait until their TTL has expired, then set its dnssec.mode to "Off"',
      ],
      status: { zones: [{ dnssec: keyA, delegation: [ns, 'ns1.corp.internal. 60 IN A 198.18.0.53'] }] },
    },
  },
  {
    reason: 'a zone is being unsigned that has no key',
    spec: { zones: [{ name: 'corp.internal', dnssec: { mode: 'Unsigning' } }] },
    expected: { zones: ['True', 'Serving', 'corp.internal has no key: set its dnssec.mode to "Off"'] },
  },
  {
    reason: 'a zone is not signed any more, whatever was or is said of its keys',
    before: [{ name: 'corp.internal', state: 'Serving', dnssec: keyA }],
    reports: [reporting(keyA)],
    expected: { status: { zones: [without('dnssec')] } },
  },

  {
    reason: 'ExternalDNS has not finished a loop',
    reports: [{ discovery: { state: 'Waiting' } }],
    expected: { discovery: ['False', 'Waiting', waiting] },
  },
  {
    reason: 'one of two has not finished a loop',
    spec: { zones, replicas: 2 },
    reports: [{}, { discovery: { state: 'Waiting' } }],
    expected: { discovery: ['False', 'Waiting', waiting] },
  },
  {
    reason: 'ExternalDNS has stopped reporting',
    reports: [{ discovery: { state: 'Stalled' } }],
    expected: {
      discovery: [
        'False',
        'Stalled',
        'ExternalDNS has stopped sending requests; see the log of the container external-dns',
      ],
    },
  },
  {
    reason: 'ExternalDNS is not answered',
    spec: { zones, replicas: 2 },
    reports: [{}, { discovery: { state: 'Failing', failure: 'the ingresses are not listed yet' } }],
    expected: {
      discovery: [
        'False',
        'Failing',
        'the agent cannot answer ExternalDNS (the ingresses are not listed yet), so names stay as they were: see the log of the container agent',
      ],
    },
  },
  {
    reason: 'one ExternalDNS of several has stopped reporting',
    spec: { zones, discovery: { namespaces: ['a', 'b'] } },
    reports: [discovering({ state: 'Stalled' })],
    expected: {
      discovery: [
        'False',
        'Stalled',
        'ExternalDNS has stopped sending requests; see the log of each container external-dns*',
      ],
    },
  },
  {
    reason: 'nothing is to be discovered',
    spec: { zones, discovery: { sources: [] } },
    reports: [{ discovery: { state: 'Off' } }],
    expected: {
      discovery: ['True', 'Off', 'discovery.sources is empty: no object gets a record'],
      resolvable: ['True', 'Off', 'discovery.sources is empty: no object has a name'],
      absent: ['names', 'namesResolved'],
    },
  },
  {
    reason: 'a CRD is missing, and only one of two servers has noticed',
    spec: { ...routes, replicas: 2 },
    reports: [{}, discovering({ missing: [noRoutes] })],
    expected: {
      discovery: [
        'True',
        'SourcesMissing',
        'the cluster does not serve httproutes.v1.gateway.networking.k8s.io, which HTTPRoute needs: install the Gateway API: https://gateway-api.sigs.k8s.io/guides/#installing-gateway-api',
      ],
    },
  },
  {
    reason: 'the cluster serves another version than ExternalDNS watches',
    spec: { zones, discovery: { sources: [{ kind: 'Ingress' }, { kind: 'UDPRoute' }] } },
    reports: [
      discovering({ missing: [{ kind: 'UDPRoute', resource: 'udproutes.v1alpha2.gateway.networking.k8s.io' }] }),
    ],
    expected: { discovery: ['True', 'SourcesMissing', /udproutes\.v1alpha2.*ExternalDNS v0\.23 watches this version/] },
  },
  {
    reason: 'every CRD is missing, so there is no ExternalDNS',
    spec: { zones, discovery: { sources: [{ kind: 'HTTPRoute' }] } },
    reports: [discovering({ state: 'Stalled', missing: [noRoutes] })],
    expected: { discovery: ['False', 'SourcesMissing', /^the cluster does not serve httproutes\.v1\./] },
  },
  {
    reason: 'a CRD is missing that is no longer asked for',
    reports: [discovering({ missing: [noRoutes] })],
    expected: { discovery: ['True', 'Synced', ''] },
  },
  {
    reason: 'ExternalDNS has stopped reporting, and a CRD is missing',
    spec: routes,
    reports: [discovering({ state: 'Stalled', missing: [noRoutes] })],
    expected: { discovery: ['False', 'Stalled'] },
  },
  {
    reason: 'the guard holds names',
    spec: { zones, replicas: 2 },
    reports: [
      discovering({ held: { since: '2026-01-31T12:00:05Z', names: ['b.corp.internal', 'a.corp.internal'] } }),
      discovering({ held: { since: '2026-01-31T12:00:01Z', names: ['a.corp.internal'] } }),
    ],
    expected: {
      discovery: [
        'True',
        'DeletesHeld',
        'the delete guard holds a.corp.internal, b.corp.internal since 2026-01-31T12:00:01Z, because many names disappeared at once; to release them now: kubectl annotate internaldns corp --overwrite dns.internal/let-go=$(date -u +%FT%TZ)',
      ],
      status: { discovery: { heldSince: '2026-01-31T12:00:01Z' } },
    },
  },
  {
    reason: 'the guard holds more names than anybody would read, and a CRD is missing',
    spec: routes,
    reports: [
      discovering({
        held: { since: '2026-01-31T12:00:01Z', names: [...'abcdef'] },
        missing: [noRoutes],
      }),
    ],
    expected: {
      discovery: [
        'True',
        'DeletesHeld',
        /^the delete guard holds a, b, c, d, e and others since .*; the cluster does not serve httproutes\.v1\./,
      ],
    },
  },
  {
    reason: 'it is a preview',
    spec: { zones, discovery: { policy: 'Preview' } },
    reports: [discovering({ preview: [change] })],
    expected: {
      discovery: ['True', 'Preview', 'no record is changed: see status.discovery.preview for what Sync would change'],
      status: { discovery: { preview: [change] } },
    },
  },
  {
    reason: 'it was a preview',
    reports: [discovering({ preview: [change] })],
    expected: { discovery: ['True', 'Synced', ''], status: without('discovery') },
  },

  {
    reason: 'a name of an object does not resolve, which nobody needs to wait for',
    reports: [{ names: { total: 40, resolved: 39, problems: [addressless] } }],
    expected: {
      resolvable: ['False', 'NoAddress', 'web.corp.internal (ingress/shop/web): its controller has written no address'],
      status: { namesResolved: '39/40', names: { total: 40, resolved: 39, problems: [addressless] } },
      ready: true,
    },
  },
  {
    reason: 'no agent has looked for names or tested anything yet',
    reports: [{ names: undefined, resolution: undefined }],
    expected: {
      resolvable: ['Unknown', 'Waiting'],
      absent: ['names', 'namesResolved', 'resolution'],
      ready: true,
    },
  },
  ...(['NotAnswering', 'Unreachable', 'NotUpdating', 'Stalled'] as const).map((state) => ({
    reason: `the test of one of two servers finds ${state}`,
    spec: { zones, replicas: 2 },
    reports: [{}, { resolution: { state, since: '2026-01-31T12:00:00Z', message: 'why' } }],
    expected: {
      resolvable: ['False', state, 'idns-corp-1: why'] as const,
      status: { resolution: { state, since: '2026-01-31T12:00:00Z', message: 'idns-corp-1: why' } },
      ready: false,
    },
  })),
  {
    reason: 'the test fails where nothing is discovered',
    spec: { zones, discovery: { sources: [] } },
    reports: [
      {
        discovery: { state: 'Off' },
        resolution: { state: 'NotAnswering', since: '2026-01-31T12:00:00Z', message: 'why' },
      },
    ],
    expected: { discovery: ['True', 'Off'], resolvable: ['False', 'NotAnswering', 'why'], ready: false },
  },
  {
    reason: 'the cluster cannot be asked, and what is published goes on',
    reports: [{ resolution: { state: 'Blind', since: '2026-01-31T12:00:00Z', message: 'why' } }],
    expected: { resolvable: ['False', 'Blind', 'why'], ready: true },
  },
];

function discovering(more: Partial<Report['discovery']>): Partial<Report> {
  return { discovery: { state: 'Synced', ...more } };
}

const served: Record<'server' | 'zones' | 'discovery' | 'resolvable', Verdict> = {
  server: ['True', 'Serving'],
  zones: ['True', 'Serving'],
  discovery: ['True', 'Synced'],
  resolvable: ['True', 'Resolved'],
};

function assessmentOf({ spec: chosen = { zones }, service = {}, pods = {}, reports, before = [] }: Case) {
  const spec = parseSpec(internalDNSOf(chosen));
  const names = namesOf('corp', spec.replicas);
  const observed = service && object('Service', { spec: { clusterIPs: ['198.18.0.53'] }, ...service });
  const endpoint = endpointOf(spec, observed ?? undefined);
  const signatures = signaturesBefore({ zones: before }, spec);
  const records = recordsOf('corp', spec, endpoint);
  const declaration = declarationOf({ composite: 'corp', spec, endpoint, records, signatures });
  const declarationText = textOf(declaration);
  const report: Report = {
    declaration: hashOf(declarationText),
    zones: spec.zones.map(({ name }) => ({ name, state: 'Serving' })),
    discovery: { state: 'Synced' },
    names: { total: 1, resolved: 1, problems: [] },
    resolution: { state: 'Serving', since: '2026-01-31T12:00:00Z' },
  };
  const texts = (reports ?? Array.from({ length: spec.replicas }, () => ({}))).map((each) =>
    typeof each === 'string' ? each : each && JSON.stringify({ ...report, ...each }),
  );
  const data = Object.fromEntries(texts.flatMap((text, i) => (text === undefined ? [] : [[`idns-corp-${i}`, text]])));
  const all = { readyReplicas: spec.replicas, updatedReplicas: spec.replicas, ...pods };
  return statusOf({
    spec,
    names,
    endpoint,
    declaration,
    declarationText,
    signatures,
    pods: pods ? object('StatefulSet', { status: all }) : undefined,
    reports: reportsOf(names.pods, object('ConfigMap', { data })),
  });
}

const object = (kind: string, rest: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'any' },
  ...rest,
});

describe('conditions and status when', () => {
  test.for(cases)('$reason', (situation) => {
    const { status, conditions, ready } = assessmentOf(situation);
    const expected = { ...served, ...situation.expected };
    expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['ServerReady', ...expected.server.slice(0, 2)],
      ['ZonesReady', ...expected.zones.slice(0, 2)],
      ['DiscoveryReady', ...expected.discovery.slice(0, 2)],
      ['Resolvable', ...expected.resolvable.slice(0, 2)],
      ['MonitoringReady', 'True', 'Off'],
    ]);
    [expected.server, expected.zones, expected.discovery, expected.resolvable].forEach(([, , message], index) => {
      const actual = conditions[index]?.message ?? '';
      if (message instanceof RegExp) expect(actual).toMatch(message);
      else if (message !== undefined) expect(actual).toBe(message);
    });
    if (situation.expected.status) expect(status).toMatchObject(situation.expected.status);
    for (const field of situation.expected.absent ?? []) expect(status).not.toHaveProperty(field);
    expect(ready).toBe(
      expected.ready ?? [expected.server, expected.zones, expected.discovery].every(([v]) => v === 'True'),
    );
  });

  test('every condition that is not True has a message', () => {
    const silentOnes = cases.flatMap((situation) =>
      assessmentOf(situation).conditions.filter(({ status, message }) => status !== 'True' && !message),
    );
    expect(silentOnes).toEqual([]);
  });
});

const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
const hostile: [string, string][] = [
  ['nothing', ''],
  ['no JSON', '{"zones":'],
  ['another type', '[]'],
  ['null', 'null'],
  ['a number', '17'],
  ['a prototype', '{"__proto__":{"declaration":"x","zones":[],"discovery":{"state":"Synced"}}}'],
  ['fields of other types', '{"declaration":1,"zones":"none","discovery":[]}'],
  [
    'an unknown change',
    withReport({ discovery: { ...discovering({}).discovery, preview: [{ ...change, action: 'x' }] } }),
  ],
  [
    'a hundred thousand held names',
    withReport({
      discovery: { ...discovering({}).discovery, held: { since: 'x', names: Array.from({ length: 1e5 }, () => 'x') } },
    }),
  ],
  ['an unknown state', withReport({ zones: [{ name: 'corp.internal', state: 'Perfect' }] })],
  [
    'a megabyte of message',
    withReport({ zones: [{ name: 'corp.internal', state: 'Failed', message: 'x'.repeat(1e6) }] }),
  ],
  [
    'a hundred thousand zones',
    withReport({ zones: Array.from({ length: 1e5 }, (_, i) => ({ name: `z${i}`, state: 'Serving' })) }),
  ],
  [
    'a verdict that nobody knows',
    withReport({ names: { total: 1, resolved: 0, problems: [{ ...addressless, verdict: 'Ready' }] } }),
  ],
  [
    'a hundred thousand problems',
    withReport({ names: { total: 1, resolved: 0, problems: Array.from({ length: 1e5 }, () => addressless) } }),
  ],
  ['names without a count', withReport({ names: { total: '1', resolved: -1, problems: [] } })],
  ['an unknown test', withReport({ resolution: { state: 'Fine', since: '2026-01-31T12:00:00Z' } })],
  ['arrays in arrays', deep],
  ['arrays in arrays in a field', withReport({}).replace('"zones":[]', `"zones":${deep}`)],
];

const delegation = ['corp.internal. 3600 IN NS ns1.corp.internal.', 'ns1.corp.internal. 60 IN A 198.18.0.53'];

function withReport(members: object): string {
  return JSON.stringify({
    declaration: 'x',
    zones: [],
    discovery: { state: 'Synced' },
    ...members,
  });
}

describe('a report is not trusted', () => {
  test.for(hostile)('%s is ignored', ([, text]) => {
    const { status, conditions, ready } = assessmentOf({ reason: '', reports: [text], expected: {} });
    expect(ready).toBe(false);
    expect(conditions[1]).toMatchObject({ status: 'False', reason: 'WaitingForAgent', message: silent });
    expect(status.zones).toEqual([{ name: 'corp.internal', state: 'Pending', delegation }]);
  });

  test('unknown fields, as from an agent of another version, are dropped', () => {
    const report = {
      zones: [{ name: 'corp.internal', state: 'Serving', owner: 'me' }],
      discovery: { state: 'Synced', refused: [addressless] },
      neighbours: [],
    };
    const { status, conditions, ready } = assessmentOf({ reason: '', reports: [report as never], expected: {} });
    expect(ready).toBe(true);
    expect(JSON.stringify([status, conditions])).not.toContain(addressless.name);
    expect(status.zones).toEqual([{ name: 'corp.internal', state: 'Serving', delegation }]);
  });

  test('the longest valid report leaves the status within its limits', () => {
    const long = Array.from({ length: 128 }, (_, i) => ({
      name: `${i}.${'z'.repeat(240)}`,
      state: 'Retained' as const,
      message: 'm'.repeat(500),
    }));
    const problems = Array.from({ length: 20 }, () => ({
      name: 'n'.repeat(255),
      resource: 'r'.repeat(400),
      verdict: 'Held' as const,
      message: 'm'.repeat(500),
    }));
    const names = { total: 20, resolved: 0, problems };
    const reports = Array.from({ length: 5 }, () => ({ zones: long, names }));
    const assessment = assessmentOf({ reason: '', spec: { zones, replicas: 5 }, reports, expected: {} });
    // An object may have 1.5 MiB.
    expect(JSON.stringify(assessment).length).toBeLessThan(512 * 1024);
  });
});
