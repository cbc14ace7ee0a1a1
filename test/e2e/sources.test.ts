import { expect, test } from 'vitest';
import { apply, exists, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'sources.internal';
const at = (name: string) => `${name}.${zone}`;

/** Objects of a kind, with the status that their controller writes. */
interface Source {
  /** The CRD that the cluster must have; empty for a built-in kind. */
  crd: string;
  /** The first part of ExternalDNS's resource label, which Pods do not have. */
  label?: string;
  type?: 'A' | 'CNAME';
  /** Two answers, before and after a change. */
  values: readonly [string, string];
  /** An object with a host that resolves to `value`, other objects that it needs, and the status that its controller writes. */
  made: (name: string, host: string, value: string) => { object: Made; beside?: Made[]; status?: object };
}

interface Made {
  apiVersion: string;
  kind: string;
  metadata?: object;
  spec: object;
}

const addresses = ['192.0.2.10', '192.0.2.20'] as const;

/** The Service of a gateway's pods, from which its Istio Gateway gets its addresses. */
const service = (name: string, address: string): Made => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { istio: name }, externalIPs: [address], ports: [{ port: 80 }] },
});

const istioGateway = (name: string, host: string): Made => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  spec: {
    selector: { istio: name },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [host] }],
  },
});

const traefikRoute = (kind: string, match: string, address: string): Made => ({
  apiVersion: 'traefik.io/v1alpha1',
  kind,
  // Traefik does not write addresses.
  metadata: { annotations: { [target]: address } },
  spec: {
    routes: [{ match, ...(kind === 'IngressRoute' && { kind: 'Rule' }), services: [{ name: 'web', port: 80 }] }],
  },
});

const sources: Record<string, Source> = {
  IstioGateway: {
    crd: 'gateways.networking.istio.io',
    label: 'gateway',
    values: addresses,
    made: (name, host, address) => ({ object: istioGateway(name, `*/${host}`), beside: [service(name, address)] }),
  },
  IstioVirtualService: {
    crd: 'virtualservices.networking.istio.io',
    label: 'virtualservice',
    values: addresses,
    made: (name, host, address) => ({
      object: {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        spec: {
          hosts: [host],
          gateways: [`${name}-front`],
          http: [{ route: [{ destination: { host: 'web' } }] }],
        },
      },
      beside: [
        { ...istioGateway(`${name}-front`, '*'), metadata: { name: `${name}-front` } },
        service(`${name}-front`, address),
      ],
    }),
  },
  HTTPProxy: {
    crd: 'httpproxies.projectcontour.io',
    label: 'HTTPProxy',
    values: addresses,
    made: (_name, host, ip) => ({
      object: {
        apiVersion: 'projectcontour.io/v1',
        kind: 'HTTPProxy',
        spec: { virtualhost: { fqdn: host }, routes: [{ services: [{ name: 'web', port: 80 }] }] },
      },
      status: { currentStatus: 'valid', loadBalancer: { ingress: [{ ip }] } },
    }),
  },
  TraefikProxy: {
    crd: 'ingressroutes.traefik.io',
    label: 'ingressroute',
    values: addresses,
    made: (_name, host, address) => ({
      object: traefikRoute('IngressRoute', `Host(\`${host}\`) && PathPrefix(\`/\`)`, address),
    }),
  },
  'TraefikProxy for TCP': {
    crd: 'ingressroutetcps.traefik.io',
    label: 'ingressroutetcp',
    values: addresses,
    made: (_name, host, address) => ({
      object: traefikRoute('IngressRouteTCP', `HostSNI(\`${host}\`)`, address),
    }),
  },
  OpenShiftRoute: {
    crd: 'routes.route.openshift.io',
    label: 'route',
    type: 'CNAME',
    values: [at('router-a'), at('router-b')],
    made: (_name, host, router) => ({
      object: {
        apiVersion: 'route.openshift.io/v1',
        kind: 'Route',
        spec: { host, to: { kind: 'Service', name: 'web', weight: 100 }, wildcardPolicy: 'None' },
      },
      status: {
        ingress: [
          {
            host,
            routerName: 'default',
            routerCanonicalHostname: router,
            wildcardPolicy: 'None',
            conditions: [{ type: 'Admitted', status: 'True' }],
          },
        ],
      },
    }),
  },
  Pod: {
    crd: '',
    values: addresses,
    made: (_name, host, address) => ({
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { annotations: { 'external-dns.alpha.kubernetes.io/internal-hostname': host, [target]: address } },
        // The Pod need not run: only its annotations are read.
        spec: { schedulingGates: [{ name: 'e2e.dns.internal/never' }], containers: [{ name: 'none', image: 'none' }] },
      },
    }),
  },
};

/** A resource that ExternalDNS does not know, read as `Unstructured`. */
const machines = { group: 'e2e.dns.internal', plural: 'machines', kind: 'Machine' };

const missing: string[] = [];
for (const { crd } of Object.values(sources)) if (crd && !(await exists('crd', crd))) missing.push(crd);
const reason = missing.length > 0 ? ` (skipped: the cluster does not serve ${missing.join(', ')})` : '';

/** The sources that other projects define. */
scenario('sources', ({ shop, internalDNS }) => {
  let client: Client;
  const labels = { dns: 'yes' };

  async function write(source: Source, name: string, host: string, value: string, marks: object = labels) {
    const { object, beside = [], status } = source.made(name, host, value);
    const whole = { ...object, metadata: { ...object.metadata, name, namespace: shop, labels: marks } };
    await apply(...beside.map((each) => ({ ...each, metadata: { ...each.metadata, namespace: shop } })), whole);
    if (!status) return;
    const flags = ['--type=merge', '-p', JSON.stringify({ status })];
    // The status of a Route is a subresource in OpenShift's API server, but may not be in a CRD.
    await kubectl('-n', shop, 'patch', refOf(whole), name, '--subresource=status', ...flags).catch(() =>
      kubectl('-n', shop, 'patch', refOf(whole), name, ...flags),
    );
  }

  test.skipIf(reason)(`an instance with all of these sources becomes Ready${reason}`, async () => {
    await apply(
      internalDNS('sources', {
        zones: [
          {
            name: zone,
            records: [
              { name: 'router-a', type: 'A', values: ['192.0.2.1'] },
              { name: 'router-b', type: 'A', values: ['192.0.2.2'] },
            ],
          },
        ],
        discovery: {
          sources: Object.keys(sources)
            .filter((kind) => !kind.includes(' '))
            .map((kind) => ({ kind })),
          selector: { matchLabels: labels },
          reservedNames: [`*.reserved.${zone}`],
          deleteGuard: { percent: 100 },
        },
      }),
    );
    await waitForReady('sources');
    client = await clientOf('sources');
  });

  for (const [kind, source] of Object.entries(sources)) {
    const { type = 'A', label, values } = source;
    test.skipIf(reason)(`${kind}: hosts are published, filtered, explained, changed and deleted${reason}`, async () => {
      const name = kind.toLowerCase().replaceAll(' ', '-');
      const [host, reserved] = [at(name), `${name}.reserved.${zone}`];
      await write(source, `${name}-unmarked`, at(`${name}-unmarked`), values[0], {});
      await write(source, `${name}-reserved`, reserved, values[0]);
      await write(source, name, host, values[0]);
      await client.becomes(host, values[0], type);
      await untilReported('sources', {
        name: reserved,
        resource: label ? `${label}/${shop}/${name}-reserved` : 'unknown',
        verdict: 'Refused',
        message: /reserved/,
      });
      expect(await client.answer(reserved, type)).toBe('NXDOMAIN');
      expect(await client.answer(at(`${name}-unmarked`), type)).toBe('NXDOMAIN');
      await write(source, name, host, values[1]);
      await client.becomes(host, values[1], type);
      const { object } = source.made(name, host, values[1]);
      for (const each of [name, `${name}-unmarked`, `${name}-reserved`]) await remove(refOf(object), each, shop);
      await client.becomes(host, 'NXDOMAIN', type);
      await anotherLoop('sources');
    });
  }

  test('Unstructured: hosts of any resource are published, given a role that an administrator created', async () => {
    const { group, plural, kind } = machines;
    await apply(customResource(), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'internal-dns:e2e-machines', labels: { 'dns.internal/aggregate-to-unstructured': 'true' } },
      rules: [{ apiGroups: [group], resources: [plural], verbs: ['list', 'watch'] }],
    });
    await until('the resource is served', () => exists('crd', `${plural}.${group}`));
    const machine = (name: string, address: string) => ({
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name, namespace: shop },
      spec: { address },
    });
    await apply(
      machine('first', '192.0.2.31'),
      internalDNS('custom', {
        zones: [{ name: 'machines.internal' }],
        discovery: {
          sources: [{ kind: 'Unstructured', resources: [`${plural}.v1.${group}`] }],
          extraArgs: ['--fqdn-template={{.Name}}.machines.internal', '--target-template={{.Spec.address}}'],
          deleteGuard: { percent: 100 },
        },
      }),
    );
    await waitForReady('custom');
    const client = await clientOf('custom');
    await client.becomes('first.machines.internal', '192.0.2.31');
    // The watcher does not watch this resource.
    await withDisturbance('custom', async () => {
      await apply(machine('first', '192.0.2.32'), machine('second', '192.0.2.33'));
      await client.becomes('first.machines.internal', '192.0.2.32');
      await client.becomes('second.machines.internal', '192.0.2.33');
      await remove(`${plural}.${group}`, 'first', shop);
      await client.becomes('first.machines.internal', 'NXDOMAIN');
    });
  });
});

/** The fully qualified kind, for kubectl. */
function refOf({ apiVersion, kind }: Made): string {
  const [version, group] = apiVersion.split('/').reverse();
  return group ? `${kind}.${version}.${group}` : kind;
}

function customResource(): object {
  const { group, plural, kind } = machines;
  const properties = { spec: { type: 'object', properties: { address: { type: 'string' } } } };
  const schema = { openAPIV3Schema: { type: 'object', properties } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
