import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { allKinds, type Kind } from '../../functions/internal-dns/discovery/kind.ts';
import { neededFor } from '../../functions/internal-dns/discovery/served.ts';
import { eventsRole } from '../../functions/internal-dns/names.ts';
import { rolesOf } from '../../functions/internal-dns/server/roles.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { schema } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { running } from '../golden/cluster.ts';
import { readComposite } from '../render.ts';
import { kindOf } from './kubernetes.ts';
import { violations } from './pod-security.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const root = join(import.meta.dirname, '../..');
const documents = (file: string) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());

const configuration: KubernetesObject[] = readdirSync(join(root, 'configuration')).flatMap((file) =>
  documents(join(root, 'configuration', file)),
);
const roles = configuration.filter(({ kind }) => kind === 'ClusterRole');
const crossplane = roles.filter(({ metadata }) => metadata.labels?.['rbac.crossplane.io/aggregate-to-crossplane']);
const events = roles.filter(({ metadata }) => metadata.name === eventsRole);
const teams = roles.filter(({ metadata }) =>
  Object.keys(metadata.labels ?? {}).some((label) => label.startsWith('rbac.authorization.k8s.io/aggregate-to-')),
);
const sources = roles.filter((role) => ![...crossplane, ...events, ...teams].includes(role));
const added: Rule[] = crossplane.flatMap(({ rules }) => rules);

/** All objects that an example composes, including those that need others to exist first. */
const composed: KubernetesObject[] = Object.values(examples).flatMap((file) => {
  const composite = readComposite(file);
  const first = run(requestFor(composite), internalDNS);
  const later = run(requestFor(composite, running(composite, first)), internalDNS);
  const resources = { ...first.desired?.resources, ...later.desired?.resources };
  return Object.values(resources).map(({ resource }) => resource as KubernetesObject);
});

const bindings = composed.filter(({ roleRef }) => roleRef?.kind === 'ClusterRole');

const compose = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/**
 * Crossplane's own rules for what is composed here.
 * https://github.com/crossplane/crossplane/blob/v2.4.0/cluster/charts/crossplane/templates/clusterrole.yaml
 */
const own: Rule[] = [
  { apiGroups: [''], resources: ['serviceaccounts', 'services'], verbs: compose },
  { apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: compose },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: compose },
];

/** Reports whether one of `rules` grants `verb` on a resource, regardless of names. */
const gives = (rules: Rule[], group: string, resource: string, verb: string) =>
  rules.some(
    (rule) =>
      !rule.resourceNames &&
      rule.apiGroups.includes(group) &&
      rule.resources.includes(resource) &&
      rule.verbs.includes(verb),
  );

const resourcesOf = (objects: KubernetesObject[]) =>
  [
    ...new Set(
      objects.map((o) => `${o.apiVersion.includes('/') ? o.apiVersion.split('/')[0] : ''}/${kindOf(o)?.plural}`),
    ),
  ].sort();

describe('the permissions of Crossplane', () => {
  const isComposing = ({ verbs, resources }: Rule) =>
    verbs.includes('create') && !resources.some((each) => each.includes('/'));
  const isReading = ({ resources }: Rule) => resources.includes('storageclasses');

  test('are the seven verbs for every composed kind that it has no permission for yet, and for no other', () => {
    const lacking = resourcesOf(composed).filter((each) => {
      const [group, resource] = each.split('/') as [string, string];
      return !compose.every((verb) => gives(own, group, resource, verb));
    });
    const given = added.filter(isComposing);
    expect(
      given.flatMap(({ apiGroups, resources }) => apiGroups.flatMap((g) => resources.map((r) => `${g}/${r}`))).sort(),
    ).toEqual(lacking);
    for (const { verbs, resourceNames } of given) {
      expect([...verbs].sort()).toEqual(compose);
      expect(resourceNames).toBeUndefined();
    }
  });

  test('are to read StorageClasses, which the function requires while pods start', () => {
    // Crossplane's client is a cache, which lists and watches even for a get:
    // https://github.com/crossplane/crossplane/blob/v2.4.0/cmd/crossplane/core/core.go#L480
    expect(added.filter(isReading)).toEqual([
      { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
    ]);
  });

  test('are otherwise to bind the static roles by name, and those of the composed Roles', () => {
    const rest = added.filter((rule) => !isComposing(rule) && !isReading(rule));
    const [binding, ...handedOn] = [...rest].sort(
      (a, b) => Number(b.verbs.includes('bind')) - Number(a.verbs.includes('bind')),
    );
    expect(binding).toEqual({
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['clusterroles'],
      resourceNames: [...events, ...sources].map(({ metadata }) => metadata.name),
      verbs: ['bind'],
    });
    const needed = composed.filter(({ kind }) => kind === 'Role').flatMap(({ rules }) => rules as Rule[]);
    const beyond = needed.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((g) => resources.flatMap((r) => verbs.map((v) => [g, r, v] as const))),
    );
    const lacking = beyond.filter(
      ([group, resource, verb]) => !gives([...own, ...added.filter(isComposing)], group, resource, verb),
    );
    expect([...new Set(lacking.map((each) => each.join('/')))].sort()).toEqual(
      handedOn
        .flatMap(({ apiGroups, resources, verbs }) =>
          apiGroups.flatMap((g) => resources.flatMap((r) => verbs.map((v) => `${g}/${r}/${v}`))),
        )
        .sort(),
    );
  });

  test('have no wildcard, no escalate, no impersonate', () => {
    const words = roles.flatMap(({ rules }) =>
      ((rules ?? []) as Rule[]).flatMap((r) => [...r.apiGroups, ...r.resources, ...r.verbs]),
    );
    for (const word of ['*', 'escalate', 'impersonate']) expect(words).not.toContain(word);
  });

  test('do not include Secrets', () => {
    for (const { resources } of added) expect(resources).not.toContain('secrets');
  });
});

describe('the roles of the sources', () => {
  const given = new Map(
    sources.map(({ metadata, rules = [] }) => [
      metadata.name,
      (rules as Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${apiGroups}`.replace(/[.]$/, ''))),
      ),
    ]),
  );
  const read = (...resources: string[]) => resources.flatMap((each) => [`list ${each}`, `watch ${each}`]);
  const gateway = (route: string) =>
    read(...['gateways', 'listenersets', route].map((each) => `${each}.gateway.networking.k8s.io`), 'namespaces');
  const istio = (...kinds: string[]) =>
    read(...kinds.map((kind) => `${kind}.networking.istio.io`), 'services', 'ingresses.networking.k8s.io');

  // What the sources of ExternalDNS v0.23 wait for: https://github.com/kubernetes-sigs/external-dns/tree/v0.23.0/source
  const expected: Record<string, string[]> = {
    ingress: read('ingresses.networking.k8s.io'),
    service: read('services'),
    'service-clusterip': read('pods', 'endpointslices.discovery.k8s.io'),
    'service-nodeport': read('nodes'),
    httproute: gateway('httproutes'),
    grpcroute: gateway('grpcroutes'),
    tlsroute: gateway('tlsroutes'),
    tcproute: gateway('tcproutes'),
    udproute: gateway('udproutes'),
    dnsendpoint: [...read('dnsendpoints.externaldns.k8s.io'), 'update dnsendpoints/status.externaldns.k8s.io'],
    node: read('nodes'),
    pod: read('pods', 'nodes'),
    istiogateway: istio('gateways'),
    istiovirtualservice: istio('gateways', 'virtualservices'),
    httpproxy: read('httpproxies.projectcontour.io'),
    traefikproxy: read(
      ...['ingressroutes', 'ingressroutetcps', 'ingressrouteudps'].map((each) => `${each}.traefik.io`),
    ),
    openshiftroute: read('routes.route.openshift.io'),
    machine: [...read('machines.dns.internal'), 'patch machines/status.dns.internal'],
    nameclaim: [...read('nameclaims.dns.internal'), 'patch nameclaims/status.dns.internal'],
    zone: [...read('zones.dns.internal'), 'patch zones/status.dns.internal'],
    unstructured: [],
    namespaces: read('namespaces'),
    servicecidrs: read('servicecidrs.networking.k8s.io'),
  };

  test('allow to list and watch what the source reads, and nothing else', () => {
    expect(Object.fromEntries(given)).toEqual(
      Object.fromEntries(Object.entries(expected).map(([role, rights]) => [`internal-dns:source:${role}`, rights])),
    );
    for (const { rules = [] } of sources) {
      for (const { resourceNames } of rules as Rule[]) expect(resourceNames).toBeUndefined();
    }
  });

  test('exist for each kind of the spec, and for Namespaces', () => {
    const kinds =
      schema.properties?.spec?.properties?.discovery?.properties?.sources?.items?.properties?.kind?.enum ?? [];
    expect(kinds).toEqual(allKinds);
    const sources = kinds.map((kind) => ({
      kind: kind as Kind,
      serviceTypes: ['ClusterIP' as const, 'NodePort' as const],
    }));
    const tenants = [
      {
        ...{ namespaceSelector: {}, names: [], networks: [] },
        ...{ machines: 'SelectableByNamespace' as const, checks: 'Port' as const, zones: [] },
      },
    ];
    expect(rolesOf({ sources, tenants }).sort()).toEqual(Object.keys(expected).sort());
  });

  test.for(allKinds.filter((kind) => neededFor({ kind }, { extraArgs: [] }).length > 0))(
    'let %s be watched as the agent looks for it',
    (kind) => {
      const resources = neededFor({ kind }, { extraArgs: ['--gateway-listener-sets'] });
      const rights = given.get(`internal-dns:source:${kind.toLowerCase()}`);
      for (const resource of resources) {
        expect(rights).toContain(`watch ${resource.replace(/[.]v[^.]+/, '')}`);
      }
    },
  );

  test('include one that an administrator extends by a label', () => {
    const open = sources.filter(({ aggregationRule }) => aggregationRule);
    expect(open.map(({ metadata, rules }) => [metadata.name, rules])).toEqual([
      ['internal-dns:source:unstructured', undefined],
    ]);
    expect(open[0]?.aggregationRule).toEqual({
      clusterRoleSelectors: [{ matchLabels: { 'dns.internal/aggregate-to-unstructured': 'true' } }],
    });
  });

  test('are, with that of events and the composed Roles, all that is bound to the account of the instance', () => {
    expect(new Set(bindings.map(({ kind }) => kind))).toEqual(new Set(['ClusterRoleBinding', 'RoleBinding']));
    for (const { roleRef, subjects, metadata } of bindings) {
      expect([...events, ...sources].map((role) => role.metadata.name)).toContain(roleRef.name);
      const instance = metadata.labels?.['app.kubernetes.io/instance'];
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: `idns-${instance}`, namespace: 'internal-dns' }]);
    }
  });
});

describe('the roles of teams', () => {
  test('are for Machines, NameClaims and Zones alone, and not for their status', () => {
    const resources = teams.flatMap(({ rules }) => (rules as Rule[]).map((rule) => [rule.apiGroups, rule.resources]));
    expect(resources).toEqual(teams.map(() => [['dns.internal'], ['machines', 'nameclaims', 'zones']]));
  });
});

describe('the role of events', () => {
  test('allows to create them, and neither to read nor to change any', () => {
    expect(events.map(({ rules }) => rules)).toEqual([[{ apiGroups: [''], resources: ['events'], verbs: ['create'] }]]);
  });

  /** Where an account has a role: a namespace, or undefined for the cluster. */
  const placesOf = (isOf: (role: string) => boolean) => {
    const some = bindings.filter(
      ({ roleRef, metadata }) => isOf(roleRef.name) && !metadata.name.endsWith(':namespaces'),
    );
    return [...new Set(some.map(({ subjects, metadata }) => `${subjects[0].name} ${metadata.namespace}`))].sort();
  };

  test('is bound with discovery only', () => {
    const places = placesOf((role) => role === eventsRole);
    expect(places).toEqual(placesOf((role) => role !== eventsRole));
    expect(places.some((place) => place.endsWith(' undefined'))).toBe(true);
    expect(places.some((place) => !place.endsWith(' undefined'))).toBe(true);
  });

  test('is bound by a binding with the name of the instance', () => {
    for (const { roleRef, metadata } of bindings.filter(({ roleRef }) => roleRef.name === eventsRole)) {
      const instance = metadata.labels?.['app.kubernetes.io/instance'];
      expect([roleRef.name, metadata.name]).toEqual([eventsRole, `internal-dns:${instance}:events`]);
    }
  });
});

describe('the composed Roles', () => {
  const composedRoles = composed.filter(({ kind }) => kind === 'Role');

  test('name every object that they grant access to, but the pods of a Deployment, whose names are generated', () => {
    expect(composedRoles.length).toBeGreaterThan(0);
    const unnamed = composedRoles.flatMap(({ rules }) =>
      (rules as Rule[]).filter(({ resourceNames = [] }) => resourceNames.length === 0),
    );
    for (const rule of unnamed)
      expect(rule).toEqual({ apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] });
  });

  const rightsOf = (instance: string) =>
    composedRoles
      .filter(({ metadata }) => metadata.name === `idns-${instance}`)
      .flatMap(({ rules }) => rules as Rule[])
      .map(({ resources, resourceNames, verbs }) => `${resources} ${resourceNames}: ${verbs}`);

  test('allow the agent to read the declaration, write its report and the mirror, and expand its volume claim', () => {
    expect(rightsOf('corp')).toEqual([
      'configmaps idns-corp-declared: get,list,watch',
      'configmaps idns-corp-status: patch',
      'configmaps idns-corp-kept: get,list,watch,patch',
      'persistentvolumeclaims data-idns-corp-0: get,patch',
    ]);
  });

  test('allow no access to volume claims where there are none', () => {
    expect(rightsOf('field')).not.toEqual([]);
    expect(rightsOf('field').join()).not.toContain('persistentvolumeclaims');
  });

  test('allow it to read the ConfigMaps of its own zone files only', () => {
    expect(rightsOf('plant')).toContain('configmaps idns-plant-declared,plant-zones: get,list,watch');
    expect(rightsOf('house').join()).not.toContain('plant-zones');
  });

  test('allow it to store keys in its own Secret, if zones are signed or teams can have some', () => {
    const secrets = composed.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name);
    expect(secrets).toEqual(['idns-safe-dnssec', 'idns-domains-dnssec']);
    expect(rightsOf('safe')).toContain('secrets idns-safe-dnssec: get,patch');
  });

  test('allow it to read the Secret and the Service of the tailnet whose split DNS it keeps', () => {
    expect(rightsOf('remote')).toEqual(
      expect.arrayContaining([
        'configmaps idns-remote-tailnet: get,patch',
        'secrets tailnet-dns: get',
        'services idns-remote-tailnet: get,list,watch',
      ]),
    );
  });

  test('allow no other access to Secrets', () => {
    const holders = composedRoles.filter(({ rules }) => (rules as Rule[]).some((r) => r.resources.includes('secrets')));
    expect(holders.map(({ metadata }) => metadata.name)).toEqual(['idns-safe', 'idns-remote', 'idns-domains']);
  });

  test('allow it to take another replica out of its Services, if there is one', () => {
    const [pods, status] = ['pods', 'pods/status'].map((each) => `${each} idns-critical-0,idns-critical-1`);
    expect(rightsOf('critical').filter((each) => each.startsWith('pods'))).toEqual([
      `${pods}: get`,
      `${status}: patch`,
    ]);
    expect(rightsOf('corp').join()).not.toContain('pods');
  });

  test('are bound to the account of the instance, once they exist', () => {
    const bindings = composed.filter(({ kind, roleRef }) => kind === 'RoleBinding' && roleRef.kind === 'Role');
    expect(bindings.map(({ roleRef }) => roleRef.name).sort()).toEqual(
      composedRoles.map((r) => r.metadata.name).sort(),
    );
    for (const { subjects, metadata } of bindings) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: metadata.name, namespace: metadata.namespace }]);
    }
  });
});

test('only Crossplane can call the function, and the NetworkPolicy selects its pods', () => {
  const [policy] = configuration.filter(({ kind }) => kind === 'NetworkPolicy');
  const [runtime] = configuration.filter(({ kind }) => kind === 'DeploymentRuntimeConfig');
  const { labels } = runtime!.spec.deploymentTemplate.spec.template.metadata;
  expect(policy!.metadata.namespace).toBe('crossplane-system');
  expect(policy!.spec.podSelector.matchLabels).toEqual(labels);
  const [calls, metrics] = policy!.spec.ingress;
  expect(calls).toEqual({
    from: [{ podSelector: { matchLabels: { app: 'crossplane' } } }],
    ports: [{ port: 9443, protocol: 'TCP' }],
  });
  expect(metrics.from).not.toEqual([]);
  expect(metrics.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
});

describe('the function’s pods pass the Pod Security Standard restricted', () => {
  const podIn = (runtime: KubernetesObject) => runtime.spec.deploymentTemplate.spec.template.spec;

  test('with the configured user', () => {
    const [runtime] = configuration.filter(({ kind }) => kind === 'DeploymentRuntimeConfig');
    expect(violations(podIn(runtime!))).toEqual([]);
  });

  test('without IDs, as docs/install.md has it for OpenShift, where Crossplane adds none', () => {
    const [, script = ''] = /sed -E '(.*)'/.exec(readFileSync(join(root, 'docs/install.md'), 'utf8')) ?? [];
    const edited = execFileSync('sed', ['-E', script, join(root, 'configuration/runtime.yaml')], { encoding: 'utf8' });
    const pod = podIn(parse(edited.split(/^---\n/m)[1]!));
    expect(violations(pod)).toEqual([]);
    expect(JSON.stringify(pod)).not.toMatch(/runAs(User|Group)/);
    // Crossplane completes neither context, and sets one with its own IDs where there is none.
    for (const { securityContext } of [pod, ...pod.containers])
      expect(securityContext).toMatchObject({ runAsNonRoot: true });
  });
});

test('the namespace of the configuration is the default one, with the Pod Security Standard that the pods meet', () => {
  const [namespace] = configuration.filter(({ kind }) => kind === 'Namespace');
  expect(namespace?.metadata.name).toBe(schema.properties?.spec?.properties?.namespace?.default);
  expect(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
});
