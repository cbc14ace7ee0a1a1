import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { hashOf } from '../../functions/contract/declaration.ts';
import type { Report } from '../../functions/contract/report.ts';
import { declarationOf, textOf } from '../../functions/internal-dns/declaration-writer.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { currentOf, reportsOf } from '../../functions/internal-dns/reports.ts';
import { endpointsOf } from '../../functions/internal-dns/server/service.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { statusOf } from '../../functions/internal-dns/status.ts';
import { withNameServers } from '../../functions/internal-dns/zones/name-servers.ts';
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
  /** The additional Services in the cluster, by name. */
  additional?: Record<string, Partial<KubernetesObject>>;
  /** Those of the replicas, by ordinal. */
  replicas?: Partial<KubernetesObject>[];
  /** Fields of the status of the StatefulSet, null if there is none; by default all pods are ready. */
  pods?: Record<string, number> | null;
  /** The StorageClasses of the cluster, if they are known: the name of each, and its annotations. */
  classes?: Record<string, Record<string, string>>;
  /** Reports by ordinal, a string for raw text; by default everything is served. */
  reports?: (Partial<Report> | string | undefined)[];
  /** The zones of the composite's status. */
  before?: object[];
  expected: {
    server?: Verdict;
    zones?: Verdict;
    discovery?: Verdict;
    resolvable?: Verdict;
    tailnet?: Verdict;
    status?: object;
    /** Fields that the status does not have. */
    absent?: string[];
    /** By default whether ServerReady, ZonesReady and DiscoveryReady are True. */
    ready?: boolean;
  };
}

const zones = [{ name: 'corp.internal' }];
const two = [{ name: 'a.internal' }, { name: 'b.internal' }];
const loadBalancer = { zones, service: { type: 'LoadBalancer' } };
const lan = { name: 'lan', type: 'LoadBalancer' };
const vpn = { name: 'vpn', tailscale: {} };
/** The operator writes two entries. */
const inTailnet = {
  status: { loadBalancer: { ingress: [{ hostname: 'dns.example.ts.net' }, { ip: '100.64.0.53' }] } },
};
const oauthClient = { credentials: { secretRef: { name: 'tailnet-dns' } } };
const nodePortService = (...ipFamilies: string[]) => ({
  spec: { clusterIPs: ['198.18.0.53'], ipFamilies, ports: [{ name: 'dns', nodePort: 30053 }] },
});
const silent = 'no report from idns-corp-0; if this lasts, see the log of the container agent';
const waiting =
  /^ExternalDNS has not finished its first loop; if this lasts, see the log of the container external-dns$/;
const podsNotReady =
  'not every pod is ready; if this lasts: kubectl -n internal-dns describe pod -l app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=corp';

const noFast = 'StorageClass "fast" does not exist: create it';
const recreate = 'or delete the InternalDNS and create it again with';
const setTo = `${recreate} storage.storageClassName set to`;
const orNone = 'storage.type: Ephemeral';
const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };

const ns = 'corp.internal. 3600 IN NS ns1.corp.internal.';
const ns2 = 'corp.internal. 3600 IN NS ns2.corp.internal.';
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
    expected: {
      server: [
        'True',
        'Serving',
        "Service idns-corp has only the name lb.example.com, to which no resolver can forward: give it fixed addresses by its provider's annotation, and list them in service.addresses; until Service idns-corp has an address, the zones' name servers have none, and their delegation has no glue",
      ],
      status: {
        address: 'lb.example.com',
        port: 53,
        addresses: [{ service: 'service', type: 'LoadBalancer', addresses: [], hostname: 'lb.example.com', port: 53 }],
        zones: [
          {
            delegation: [ns, '; no glue: ns1.corp.internal. has no address: see the condition ServerReady'],
          },
        ],
      },
    },
  },
  {
    reason: 'a load balancer has only a name, and the spec its addresses',
    spec: { zones, service: { type: 'LoadBalancer', addresses: ['10.0.1.53', '10.0.2.53'] } },
    service: { status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } } },
    expected: {
      server: ['True', 'Serving', ''],
      status: {
        address: '10.0.1.53',
        addresses: [{ addresses: ['10.0.1.53', '10.0.2.53'], hostname: 'lb.example.com' }],
        zones: [{ delegation: [ns, expect.stringContaining('10.0.1.53'), expect.stringContaining('10.0.2.53')] }],
      },
    },
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
    service: nodePortService('IPv4'),
    reports: [{ hostIPs: ['192.0.2.11', '2001:db8::11'] }],
    expected: {
      status: {
        address: '192.0.2.11',
        port: 30053,
        addresses: [{ service: 'service', type: 'NodePort', addresses: ['192.0.2.11'], port: 30053 }],
        zones: [{ delegation: [ns, 'ns1.corp.internal. 60 IN A 198.18.0.53'] }],
      },
    },
  },
  {
    reason: 'a node port is given on two nodes with addresses of both families, and a report has no address',
    spec: { zones, replicas: 3, service: { type: 'NodePort' } },
    service: nodePortService('IPv4', 'IPv6'),
    reports: [
      { hostIPs: ['192.0.2.11', '2001:db8::11'] },
      { hostIPs: ['192.0.2.12'] },
      { hostIPs: ['192.0.2.11', 'node-1'] },
    ],
    expected: { status: { addresses: [{ addresses: ['192.0.2.11', '2001:db8::11', '192.0.2.12'] }] } },
  },
  {
    reason: 'a node port is given, and no agent has reported a node',
    spec: { zones, service: { type: 'NodePort' } },
    service: nodePortService('IPv4'),
    expected: {
      server: ['False', 'NoAddress', 'no agent has reported the addresses of its node for Service idns-corp yet'],
    },
  },
  {
    reason: 'pods, a LAN and a tailnet have a Service each',
    spec: { zones, additionalServices: [lan, { name: 'vpn', tailscale: {} }] },
    additional: {
      lan: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } },
      vpn: inTailnet,
    },
    expected: {
      tailnet: ['True', 'ByHand', /status\.tailnet\.byHand/],
      server: ['True', 'Serving', ''],
      status: {
        address: '198.18.0.53',
        port: 53,
        addresses: [
          { service: 'service', type: 'ClusterIP', addresses: ['198.18.0.53'], port: 53 },
          { service: 'lan', type: 'LoadBalancer', addresses: ['192.0.2.53'], port: 53 },
          {
            service: 'vpn',
            type: 'LoadBalancer',
            addresses: ['100.64.0.53'],
            hostname: 'dns.example.ts.net',
            port: 53,
          },
        ],
        zones: [{ delegation: [ns, 'ns1.corp.internal. 60 IN A 198.18.0.53'] }],
      },
    },
  },
  ...(
    [
      [
        {},
        'no load balancer has given Service idns-corp-lan an address: install one, or remove additionalServices[lan]',
      ],
      [
        { loadBalancerClass: 'example.com/none' },
        'no load balancer of class example.com/none has given Service idns-corp-lan an address: install it, or remove additionalServices[lan]',
      ],
      [
        { type: undefined, tailscale: {} },
        "Tailscale's operator has given Service idns-corp-lan no address: install it, see its log, or remove additionalServices[lan]",
      ],
    ] as const
  ).map(
    ([fields, message]): Case => ({
      reason: `an additional Service with ${JSON.stringify(fields)} waits, and the server is ready`,
      spec: { zones, additionalServices: [{ ...lan, ...fields }] },
      additional: { lan: {} },
      expected: {
        server: ['True', 'Serving', message],
        tailnet: 'tailscale' in fields ? ['False', 'NoAddress', message] : ['True', 'Off'],
        status: { address: '198.18.0.53', addresses: [{ service: 'service' }, { service: 'lan', addresses: [] }] },
        ready: true,
      },
    }),
  ),
  {
    reason: 'an additional Service is advertised',
    spec: { zones, additionalServices: [lan], advertise: 'lan' },
    additional: { lan: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } } },
    expected: {
      status: { address: '198.18.0.53', zones: [{ delegation: [ns, 'ns1.corp.internal. 60 IN A 192.0.2.53'] }] },
    },
  },
  {
    reason: 'the advertised Service has no address yet',
    spec: { zones, additionalServices: [lan], advertise: 'lan' },
    expected: {
      server: [
        'True',
        'Serving',
        "no load balancer has given Service idns-corp-lan an address: install one, or remove additionalServices[lan]; until Service idns-corp-lan has an address, the zones' name servers have none, and their delegation has no glue",
      ],
      status: {
        zones: [{ delegation: [ns, '; no glue: ns1.corp.internal. has no address: see the condition ServerReady'] }],
      },
    },
  },
  {
    reason: 'each replica has a Service, and so a name server',
    spec: { zones, replicas: 2 },
    replicas: [{ spec: { clusterIPs: ['198.18.0.60'] } }, { spec: { clusterIPs: ['198.18.0.61'] } }],
    expected: {
      server: ['True', 'Serving', ''],
      status: {
        address: '198.18.0.53',
        addresses: [
          {
            service: 'service',
            addresses: ['198.18.0.53'],
            replicas: [
              { service: 'idns-corp-0', addresses: ['198.18.0.60'], port: 53 },
              { service: 'idns-corp-1', addresses: ['198.18.0.61'], port: 53 },
            ],
          },
        ],
        zones: [
          {
            delegation: [ns, ns2, 'ns1.corp.internal. 60 IN A 198.18.0.60', 'ns2.corp.internal. 60 IN A 198.18.0.61'],
          },
        ],
      },
    },
  },
  {
    reason: 'the load balancer has no more addresses for the replicas',
    spec: { ...loadBalancer, replicas: 2 },
    service: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } },
    replicas: [{ status: { loadBalancer: { ingress: [{ ip: '192.0.2.54' }] } } }, {}],
    expected: {
      server: [
        'True',
        'Serving',
        'no load balancer has given Service idns-corp-1 an address: install one, or set replicaServices.mode to None',
      ],
      ready: true,
      status: {
        addresses: [{ replicas: [{ addresses: ['192.0.2.54'] }, { addresses: [] }] }],
        zones: [
          {
            delegation: [ns, ns2, 'ns1.corp.internal. 60 IN A 192.0.2.54', 'ns2.corp.internal. 60 IN A 192.0.2.53'],
          },
        ],
      },
    },
  },
  {
    reason: 'the load balancers of the replicas are only names',
    spec: { ...loadBalancer, replicas: 2, replicaServices: { overrides: [{ addresses: ['10.0.1.54'] }] } },
    service: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.53' }] } } },
    replicas: ['a', 'b'].map((name) => ({
      status: { loadBalancer: { ingress: [{ hostname: `${name}.example.com` }] } },
    })),
    expected: {
      server: [
        'True',
        'Serving',
        "Service idns-corp-1 has only the name b.example.com, to which no resolver can forward: give it fixed addresses by its provider's annotation, and list them in replicaServices.overrides[1].addresses",
      ],
    },
  },
  {
    reason: 'replicas are reached through the nodes: each through its own',
    spec: { zones, replicas: 2, service: { type: 'NodePort' } },
    service: nodePortService('IPv4'),
    replicas: [nodePortService('IPv4'), nodePortService('IPv4')],
    reports: [{ hostIPs: ['192.0.2.11'] }, { hostIPs: ['192.0.2.12'] }],
    expected: {
      status: {
        addresses: [
          {
            addresses: ['192.0.2.11', '192.0.2.12'],
            replicas: [
              { addresses: ['192.0.2.11'], port: 30053 },
              { addresses: ['192.0.2.12'], port: 30053 },
            ],
          },
        ],
      },
    },
  },
  {
    reason: 'Tailscale has given no address',
    spec: { zones, service: { tailscale: {} } },
    service: { status: {} },
    expected: {
      server: [
        'False',
        'NoAddress',
        "Tailscale's operator has given Service idns-corp no address: install it, see its log, or remove service.tailscale",
      ],
      tailnet: ['False', 'NoAddress', /^Tailscale's operator has given Service idns-corp no address: /],
      status: { tailnet: { service: 'service', addresses: [], state: 'Pending' } },
    },
  },
  ...(
    [
      ['TailscaleProxyReady', 'ProxyPending', 'Pending'],
      ['TailscaleProxyReady', 'ProxyInvalid', 'Failed'],
      ['TailscaleIngressSvcValid', 'IngressSvcInvalid', 'Failed'],
    ] as const
  ).map(
    ([type, reason, state]): Case => ({
      reason: `Tailscale's operator says ${reason}`,
      spec: { zones, additionalServices: [vpn] },
      additional: { vpn: { status: { conditions: [{ type, status: 'False', reason, message: 'it\nsays why' }] } } },
      expected: {
        server: ['True', 'Serving', /^Tailscale's operator has given Service idns-corp-vpn no address: /],
        tailnet: ['False', 'NoAddress', /^Tailscale's operator has given Service idns-corp-vpn no address: /],
        status: { tailnet: { service: 'vpn', addresses: [], state, message: 'it says why' } },
      },
    }),
  ),
  {
    reason: 'people keep the split DNS of the tailnet',
    spec: { zones: two, additionalServices: [vpn] },
    additional: { vpn: inTailnet },
    expected: {
      tailnet: ['True', 'ByHand'],
      status: {
        tailnet: {
          service: 'vpn',
          hostname: 'dns.example.ts.net',
          addresses: ['100.64.0.53'],
          state: 'Ready',
          byHand: {
            nameservers: ['100.64.0.53'],
            domains: ['a.internal', 'b.internal'],
            api: `curl -X PATCH https://api.tailscale.com/api/v2/tailnet/-/dns/split-dns -H "Authorization: Bearer $TOKEN" --json '{"a.internal":["100.64.0.53"],"b.internal":["100.64.0.53"]}'`,
            terraform: ['a', 'b']
              .map(
                (each) =>
                  `resource "tailscale_dns_split_nameservers" "corp_${each}_internal" {\n  domain      = "${each}.internal"\n  nameservers = ["100.64.0.53"]\n}\n`,
              )
              .join('\n'),
          },
        },
      },
    },
  },
  ...(
    [
      [undefined, ['False', 'Waiting', 'the agent has not reported yet on the split DNS of the tailnet']],
      [{ state: 'Synced' }, ['True', 'SplitDNSKept', '']],
      [{ state: 'Pending', message: 'why' }, ['False', 'SplitDNSPending', 'why']],
      [{ state: 'Conflict', message: 'why' }, ['False', 'SplitDNSConflict', 'why']],
      [{ state: 'Failed', message: 'why' }, ['False', 'SplitDNSFailed', 'why']],
    ] as const
  ).map(
    ([splitDNS, tailnet]): Case => ({
      reason: `the agent reports ${JSON.stringify(splitDNS)} on the split DNS of the second tailnet`,
      spec: {
        zones,
        service: { tailscale: {} },
        additionalServices: [{ ...vpn, tailscale: { splitDNS: oauthClient } }],
      },
      service: inTailnet,
      additional: {
        vpn: { status: { loadBalancer: { ingress: [{ ip: '100.64.0.54', hostname: 'b.example.ts.net' }] } } },
      },
      reports: [splitDNS ? { splitDNS } : {}],
      expected: {
        tailnet,
        status: {
          tailnet: {
            service: 'vpn',
            hostname: 'b.example.ts.net',
            addresses: ['100.64.0.54'],
            state: 'Ready',
          },
        },
      },
    }),
  ),
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
    reports: [{ declaration: hashOf('{"name": "before"}') }],
    expected: {
      zones: ['False', 'Applying', 'the servers are applying this spec'],
      status: { zonesServed: '1/1', zones: [{ name: 'corp.internal', state: 'Serving' }] },
    },
  },
  {
    reason: 'one of two servers has the declaration before',
    spec: { zones, replicas: 2 },
    reports: [{}, { declaration: hashOf('{"name": "before"}') }],
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
  ...(
    [
      [
        'the StorageClass does not exist',
        { storageClassName: 'fast' },
        { slow: {} },
        `${noFast}, ${setTo} slow, or with ${orNone}`,
      ],
      [
        'the StorageClass does not exist, and the claims would outlive the instance',
        { storageClassName: 'fast', retain: true },
        { slow: {}, quick: {} },
        `${noFast}, or delete the InternalDNS and its PersistentVolumeClaims and create it again with storage.storageClassName set to one of: quick, slow, or with ${orNone}`,
      ],
      [
        'the StorageClass does not exist, and many others do',
        { storageClassName: 'fast' },
        { e: isDefault, d: {}, c: {}, b: {}, a: {} },
        `${noFast}, ${setTo} one of: a, b, c and 2 more, or with ${orNone}`,
      ],
      ['no StorageClass exists', { storageClassName: 'fast' }, {}, `${noFast}, ${recreate} ${orNone}`],
      [
        'no StorageClass is the default',
        {},
        { slow: {}, quick: { 'storageclass.kubernetes.io/is-default-class': 'false' } },
        `no StorageClass is the default: mark one with the annotation storageclass.kubernetes.io/is-default-class: "true", ${setTo} one of: quick, slow, or with ${orNone}`,
      ],
      [
        'no StorageClass exists, and none is set',
        {},
        {},
        `the cluster has no StorageClass: install a storage driver, with a default class, ${recreate} ${orNone}`,
      ],
    ] as const
  ).map(([reason, storage, classes, message]): Case => {
    const server = ['False', 'NoStorageClass', `not every pod is ready, and ${message}`] as const;
    return { reason, spec: { zones, storage }, pods: { readyReplicas: 0 }, classes, expected: { server } };
  }),
  ...(
    [
      ['the StorageClass exists', { storageClassName: 'fast' }, { fast: {} }],
      ['a StorageClass is the default', {}, { slow: isDefault }],
      [
        'a StorageClass is the default by its old annotation',
        {},
        { slow: { 'storageclass.beta.kubernetes.io/is-default-class': 'true' } },
      ],
      ['the StorageClasses are not known', { storageClassName: 'fast' }, undefined],
    ] as const
  ).map(([reason, storage, classes]): Case => {
    const server = ['False', 'PodsNotReady', podsNotReady] as const;
    const expected = { server };
    return { reason, spec: { zones, storage }, pods: { readyReplicas: 0 }, ...(classes && { classes }), expected };
  }),
  {
    reason: 'the StorageClass of ready pods is gone',
    spec: { zones, storage: { storageClassName: 'fast' } },
    classes: {},
    expected: {},
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
              ns2,
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
            delegation: [
              ns,
              ns2,
              'corp.internal. 3600 IN DS 1 13 2 aa',
              'ns1.corp.internal. 60 IN A 198.18.0.53',
              'ns2.corp.internal. 60 IN A 198.18.0.53',
            ],
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
    reports: [{ declaration: hashOf('{"name": "before"}') }],
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

const served: Record<'server' | 'zones' | 'discovery' | 'resolvable' | 'tailnet', Verdict> = {
  server: ['True', 'Serving'],
  zones: ['True', 'Serving'],
  discovery: ['True', 'Synced'],
  resolvable: ['True', 'Resolved'],
  tailnet: ['True', 'Off'],
};

function assessmentOf({
  spec: chosen = { zones },
  service = {},
  additional = {},
  replicas = [],
  pods = {},
  classes,
  reports,
  before = [],
}: Case) {
  const spec = withNameServers(parseSpec(internalDNSOf(chosen)));
  const names = namesOf('corp', spec.replicas);
  const observed = {
    ...(service && { 'services/dns': object('Service', { spec: { clusterIPs: ['198.18.0.53'] }, ...service }) }),
    ...Object.fromEntries(
      Object.entries(additional).map(([name, status]) => [
        `services/additional/${name}`,
        object('Service', { spec: { clusterIPs: ['198.18.0.54'] }, ...status }),
      ]),
    ),
    ...Object.fromEntries(replicas.map((each, ordinal) => [`services/replicas/${ordinal}`, object('Service', each)])),
  };
  const hosts = (reports ?? []).map((each) => (typeof each === 'object' ? (each as Report) : undefined));
  const endpoints = endpointsOf(spec, names, observed, hosts);
  const signatures = signaturesBefore({ zones: before }, spec);
  const records = recordsOf('corp', spec, endpoints.advertised.serverAddresses);
  const servers = { own: [], views: new Map(), families: [] };
  const declaration = declarationOf({ composite: 'corp', spec, endpoints, records, signatures, servers });
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
  const { storageClassName } = spec.storage;
  const template = { volumeClaimTemplates: [{ spec: { ...(storageClassName && { storageClassName }) } }] };
  const parsed = reportsOf(names.pods, object('ConfigMap', { data }));
  return statusOf({
    spec,
    names,
    endpoints,
    declaration,
    signatures,
    pods: pods ? object('StatefulSet', { spec: template, status: all }) : undefined,
    reports: parsed,
    current: currentOf(parsed, declarationText),
    switchOver: { leads: false, since: undefined, pods: undefined },
    viewServers: new Map(),
    hadResolver: false,
    classes:
      classes &&
      Object.entries(classes).map(([name, annotations]) => object('StorageClass', { metadata: { name, annotations } })),
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
      ['TailnetReady', ...expected.tailnet.slice(0, 2)],
    ]);
    const { server, zones, discovery, resolvable, tailnet } = expected;
    [server, zones, discovery, resolvable, undefined, tailnet].forEach((verdict, index) => {
      const message = verdict?.[2];
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

  test('nothing is to be done by hand where the split DNS is kept', () => {
    const additional = { vpn: inTailnet };
    const of = (tailscale: object) =>
      assessmentOf({
        reason: '',
        spec: { zones, additionalServices: [{ ...vpn, tailscale }] },
        additional,
        expected: {},
      });
    expect(of({}).status.tailnet).toHaveProperty('byHand');
    expect(of({ splitDNS: oauthClient }).status.tailnet).not.toHaveProperty('byHand');
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
