import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { ValidatingAdmissionPolicy } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy';
import { ValidatingAdmissionPolicyBinding } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding';
import { describe, expect, test } from 'vitest';
import { illegalName } from '../../functions/agent/discovery/host-name.ts';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { discoverable } from '../../functions/contract/declaration.ts';
import { Admission } from '../../functions/internal-dns/admission/admission.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { internalDNSOf } from './refusals.ts';

const labels = { 'app.kubernetes.io/instance': 'corp' };

/** The objects of an instance with admission; their CEL is tested in test/e2e/admission.test.ts. */
function objectsOf(discovery: object, zones: object[] = [{ name: 'corp.internal' }], name = 'corp') {
  const spec = parseSpec(internalDNSOf({ zones, discovery: { admission: { enabled: true }, ...discovery } }));
  const chart = new Chart(new App(), name);
  new Admission(chart, 'admission', { spec, names: namesOf(name, 1), labels });
  return chart.toJson() as KubernetesObject[];
}

const policiesIn = (objects: KubernetesObject[]) => objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
const policyOf = (...args: Parameters<typeof objectsOf>) => policiesIn(objectsOf(...args))[0]!.spec;

interface Variable {
  name: string;
  expression: string;
}
interface Validation {
  expression: string;
  messageExpression: string;
  message: string;
}

const variable = (spec: KubernetesObject['spec'], name: string) =>
  (spec.variables as Variable[]).find((each) => each.name === name)?.expression;
const matching = (spec: KubernetesObject['spec']) =>
  (spec.matchConditions as Variable[]).map(({ expression }) => expression).join('\n');

const every = ['Ingress', 'Service', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'DNSEndpoint'].map((kind) => ({ kind }));
const sizes = {
  least: [{ sources: [{ kind: 'Ingress' }], admission: { enabled: true, outsideZones: 'Allow' } }],
  usual: [{ sources: every }],
  most: [
    {
      sources: every,
      reservedNames: Array.from({ length: 256 }, (_, n) => `${n % 2 ? '*.' : ''}${'r'.repeat(60)}.n${n}.corp.internal`),
      excludedDomains: Array.from({ length: 64 }, (_, n) => `x${n}.${'x.'.repeat(100)}corp.internal`),
      admission: { enabled: true, outsideZones: 'Deny' },
    },
    Array.from({ length: 64 }, (_, n) => ({
      name: `n${n}.${'z.'.repeat(115)}corp.internal`,
      nameServers: Array.from({ length: 13 }, (_, m) => `ns${m}.n${n}.${'z.'.repeat(110)}corp.internal`),
    })),
    'n'.repeat(40),
  ],
} satisfies Record<string, Parameters<typeof objectsOf>>;

describe('there is no policy', () => {
  test.each([
    ['that nobody asked for', { admission: {} }],
    ['that is switched off', { admission: { enabled: false, outsideZones: 'Deny' } }],
    ['without sources', { sources: [] }],
    ['for kinds whose hosts are not in them', { sources: [{ kind: 'Node' }] }],
    [
      'for routes that are chosen by the labels of Gateways',
      { sources: [{ kind: 'HTTPRoute', gatewayLabels: { a: 'b' } }] },
    ],
  ])('%s', (_, discovery) => {
    expect(objectsOf(discovery)).toEqual([]);
  });
});

/** Expressions for names that are included in the message. */
const ofNames = ({ validations }: KubernetesObject['spec']) =>
  (validations as Validation[]).filter(({ messageExpression }) => messageExpression);

test('a target that is too long for every host is rejected, unless the object had it before', () => {
  const [validation, ...others] = policyOf({ admission: { enabled: true } }).validations as Validation[];
  expect(validation?.message).toMatch(/^the annotation target has more than 1024 characters/);
  expect(validation?.expression).toMatch(/^size\(.*\/target.*\) <= 1024 \|\| \(oldObject != null && /);
  expect(others.filter(({ messageExpression }) => !messageExpression).map(({ message }) => message)).toEqual([
    'the annotation target has more than 64 targets, the maximum of a host: split them over more hosts',
    'the object requests more than 1000 names: split it',
  ]);
});

describe('names outside the zones', () => {
  test.each([
    ['Allow', ['idns-corp-hosts Deny'], []],
    ['Warn', ['idns-corp-hosts Deny', 'idns-corp-zones Warn,Audit'], ['idns-corp-zones']],
    ['Deny', ['idns-corp-hosts Deny'], ['idns-corp-hosts']],
  ])('with outsideZones: %s are checked by a policy with that action', (outsideZones, bindings, checker) => {
    const objects = objectsOf({ admission: { enabled: true, outsideZones } });
    const bound = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');
    expect(bound.map(({ spec }) => `${spec.policyName} ${spec.validationActions}`)).toEqual(bindings);
    const checking = policiesIn(objects).filter(({ spec }) => variable(spec, 'outside'));
    expect(checking.map(({ metadata }) => metadata.name)).toEqual(checker);
  });

  test('have the zones in the message, or the first of many', () => {
    const last = ({ validations }: KubernetesObject['spec']) => (validations as Validation[]).at(-1)?.message;
    const deny = { admission: { enabled: true, outsideZones: 'Deny' } };
    expect(last(policyOf(deny))).toBe(
      'cannot publish a name: outside the zones of InternalDNS corp: use a name in corp.internal',
    );
    expect(
      last(
        policyOf(
          deny,
          Array.from({ length: 10 }, (_, n) => ({ name: `z${n}.internal` })),
        ),
      ),
    ).toMatch(/ z6\.internal, z7\.internal or 2 more$/);
  });
});

describe('zones of teams', () => {
  const zones = ['team.internal', '*.teams.internal'];
  const settings = (sources: object[], zones: string[]) => ({
    ...{ sources: [{ kind: 'Ingress' }, ...sources], admission: { enabled: true, outsideZones: 'Deny' } },
    tenants: [{ namespaceSelector: {}, names: [], zones }],
  });
  const listed = (spec: KubernetesObject['spec']) => variable(spec, 'zones');

  test('are not outside, whether or not a team has declared them', () => {
    expect(listed(policyOf(settings([{ kind: 'Zone' }], zones)))).toBe(
      '[".corp.internal",".team.internal",".teams.internal"]',
    );
    expect(listed(policyOf(settings([], [])))).toBe('[".corp.internal"]');
  });

  test('leave what is outside to the agent if there are too many for the policy', () => {
    const many = (tenant: number) => Array.from({ length: 64 }, (_, n) => `${'a.'.repeat(50)}t${tenant}z${n}.internal`);
    const spec = policyOf({
      ...settings([{ kind: 'Zone' }], []),
      tenants: Array.from({ length: 64 }, (_, n) => ({ namespaceSelector: {}, names: [], zones: many(n) })),
    });
    expect(listed(spec)).toBe('[".corp.internal"]');
    expect(variable(spec, 'outside')).toBeUndefined();
  });
});

describe.each(Object.entries(sizes))('the objects of the %s spec', (_, args) => {
  const objects = objectsOf(...(args as Parameters<typeof objectsOf>));

  test('match the schemas of Kubernetes, with our labels and valid names', () => {
    for (const object of objects) {
      const Model = object.kind.endsWith('Binding') ? ValidatingAdmissionPolicyBinding : ValidatingAdmissionPolicy;
      expect(() => new Model(object as never).validate()).not.toThrow();
      expect(object.apiVersion).toBe('admissionregistration.k8s.io/v1');
      expect(object.metadata).toEqual({ name: object.metadata.name, labels });
      expect(object.metadata.name).toMatch(/^idns-[a-z]{1,40}-(hosts|zones)$/);
    }
  });

  test('are a policy and its binding of the same name', () => {
    const named = (kind: string) => objects.filter((o) => o.kind === kind).map(({ metadata }) => metadata.name);
    expect(named('ValidatingAdmissionPolicyBinding')).toEqual(named('ValidatingAdmissionPolicy'));
    for (const { metadata, spec } of objects) if (spec.policyName) expect(spec.policyName).toBe(metadata.name);
  });

  test('do not block what they cannot evaluate, nor deletions or status updates', () => {
    for (const { spec } of policiesIn(objects)) {
      expect(spec.failurePolicy).toBe('Ignore');
      expect(matching(spec)).toContain('!has(object.metadata.deletionTimestamp)');
      for (const { operations, resources } of spec.matchConstraints.resourceRules) {
        expect(operations).toEqual(['CREATE', 'UPDATE']);
        expect(resources.join()).toMatch(/^[a-z]+$/);
      }
    }
  });

  test('check each kind of fault in a variable of the names that the object did not have before', () => {
    for (const { spec } of policiesIn(objects)) {
      const faults = ofNames(spec).map(({ expression }) => expression.replace(/^size\(variables\.(\w+)\) == 0$/, '$1'));
      expect(new Set(faults).size).toBe(faults.length);
      for (const name of faults) expect(variable(spec, name)).toMatch(/ && !\(h in variables\.before\)\)$/);
    }
  });

  test('have variables that refer only to earlier ones', () => {
    for (const { spec } of policiesIn(objects)) {
      const known = new Set<string>();
      for (const { name, expression } of spec.variables as Variable[]) {
        for (const [, used] of expression.matchAll(/variables\.(\w+)/g)) expect(known).toContain(used);
        known.add(name);
      }
      const used = JSON.stringify(spec.validations).matchAll(/variables\.(\w+)/g);
      expect(known).toEqual(known.union(new Set([...used].map(([, name]) => name as string))));
    }
  });

  test('stay within the limits of Kubernetes: 100,000 characters of CEL, 5 KiB of a message', () => {
    for (const { spec } of policiesIn(objects)) {
      for (const { expression } of spec.variables as Variable[]) expect(expression.length).toBeLessThan(100_000);
      for (const { message } of spec.validations as Validation[]) expect(message.length + 200).toBeLessThan(5 * 1024);
      for (const { message, messageExpression } of ofNames(spec)) {
        expect(messageExpression).toContain(message.replace('cannot publish a name', '').replaceAll('"', '\\"'));
        expect(message).not.toContain('\n');
      }
    }
  });
});

describe('a policy checks', () => {
  const resourcesOf = (spec: KubernetesObject['spec']) =>
    (spec.matchConstraints.resourceRules as { apiGroups: string[]; resources: string[] }[]).map(
      ({ apiGroups, resources }) => `${resources}.${apiGroups}`,
    );

  test('the kinds of the sources', () => {
    expect(resourcesOf(policyOf({ sources: [...every, { kind: 'Node' }] }))).toEqual([
      'ingresses.networking.k8s.io',
      'services.',
      'httproutes.gateway.networking.k8s.io',
      'grpcroutes.gateway.networking.k8s.io',
      'tlsroutes.gateway.networking.k8s.io',
      'dnsendpoints.externaldns.k8s.io',
    ]);
    expect(resourcesOf(policyOf({ sources: [{ kind: 'Service' }] }))).toEqual(['services.']);
  });

  test('the namespaces and labels that the sources select', () => {
    const selector = { matchLabels: { dns: 'corp' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] };
    const { matchConstraints } = policyOf({ namespaces: ['shop', 'blog'], selector });
    expect(matchConstraints).toMatchObject({
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop', 'blog'] }],
      },
      objectSelector: selector,
    });
    expect(Object.keys(policyOf({}).matchConstraints)).toEqual(['resourceRules']);
  });

  test('both annotation prefixes, or the declared one', () => {
    const hosts = (discovery: object) => variable(policyOf(discovery), 'hosts');
    expect(hosts({})).toMatch(
      /"external-dns\.kubernetes\.io\/hostname".*"external-dns\.alpha\.kubernetes\.io\/hostname"/,
    );
    const own = policyOf({ annotationPrefix: 'dns.corp.internal/' });
    expect(variable(own, 'hosts')).toContain('"dns.corp.internal/hostname"');
    expect(JSON.stringify(own)).not.toContain('external-dns.');
  });

  test('no host in an annotation with hostnames: Spec', () => {
    const spec = policyOf({ sources: [{ kind: 'Ingress' }], hostnames: 'Spec' });
    expect(variable(spec, 'hosts')).not.toMatch(/io\/hostname"/);
    expect(variable(policyOf({ sources: [{ kind: 'Ingress' }] }), 'hosts')).toMatch(/io\/hostname"/);
  });

  test('no part of an Ingress that ExternalDNS ignores', () => {
    const hosts = (...extraArgs: string[]) =>
      variable(policyOf({ sources: [{ kind: 'Ingress' }], extraArgs }), 'hosts');
    expect(hosts()).toMatch(/spec\.\?rules.*spec\.\?tls/);
    expect(hosts('--ignore-ingress-tls-spec')).not.toContain('spec.?tls');
    expect(hosts('--ignore-ingress-rules-spec')).not.toContain('spec.?rules');
  });

  test.each([
    [{ kind: 'Ingress', ingressClassNames: ['internal', 'vpn'] }, 'in ["internal","vpn"]'],
    [{ kind: 'Service' }, 'object.spec.type in ["LoadBalancer"]'],
    [
      { kind: 'Service', serviceTypes: ['ClusterIP', 'LoadBalancer'] },
      'object.spec.type in ["ClusterIP","LoadBalancer"]',
    ],
    [{ kind: 'HTTPRoute', gatewayName: 'front' }, 'exists(p, p.name == "front")'],
    [{ kind: 'TLSRoute', gatewayNamespace: 'edge' }, 'orValue(request.namespace) == "edge"'],
  ])('only what the source reads: %j', (source, expression) => {
    expect(matching(policyOf({ sources: [source] }))).toContain(expression);
  });

  test.each([
    [{ matchLabels: { 'team.example/dns': 'yes' } }, '.optMap(v, v in ["yes"]).orValue(false)', true],
    [
      { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] },
      '!object.metadata.?annotations[?"a"].optMap',
      true,
    ],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, '!object.metadata.?annotations[?"a"].hasValue()', false],
    [
      { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] },
      '!object.metadata.?annotations[?"a"].hasValue()',
      true,
    ],
  ])('only objects with selected annotations: %j', (annotationSelector, expression, isThere) => {
    expect(matching(policyOf({ annotationSelector })).includes(expression)).toBe(isThere);
  });
});

/** Converts the CEL of the host rules to JavaScript. */
const evaluate = (cel: string) => {
  const script = cel
    .replaceAll('size(h)', 'h.length')
    .replaceAll('h.contains(', 'h.includes(')
    .replace(/h\.matches\(("[^"]*")\)/g, 'new RegExp($1).test(h)');
  const call = new Function('h', 'request', `return ${script}`);
  return (host: string, resource: string): boolean => call(`.${host}`, { resource: { resource } });
};

/** Returns the message of the policy on a new host, from its rules in the order of its validations. */
const violations = (() => {
  const spec = policyOf({ sources: every });
  const rules = ofNames(spec).flatMap(({ expression, message }) => {
    const name = /^size\(variables\.(\w+)\) == 0$/.exec(expression)?.[1] ?? '';
    const [, cel] =
      /^variables\.inside\.filter\(h, \((.*)\) && !\(h in variables\.before\)\)$/.exec(variable(spec, name) ?? '') ??
      [];
    if (cel === undefined || name === 'server') return [];
    return [{ isBroken: evaluate(cel), message: message.replace('cannot publish a name: ', '') }];
  });
  return (host: string, resource = 'ingresses') =>
    rules.filter(({ isBroken }) => isBroken(host, resource)).map(({ message }) => message);
})();

describe('the policy and the agent agree on a host', () => {
  const underscored =
    'a label that begins with an underscore is for TXT and SRV records only: use another name, or declare it in spec.zones';
  const misspelt =
    'labels consist of letters, digits and inner hyphens, or of * as the first one (RFC 1123 section 2.1)';

  test.each<[string, string | undefined, string | undefined]>([
    ['web.corp.internal', undefined, undefined],
    ['*.corp.internal', undefined, undefined],
    ['xn--bcher-kva.corp.internal', undefined, undefined],
    ['0-0.corp.internal', undefined, undefined],
    [`${'x.'.repeat(119)}y.corp.internal`, undefined, undefined],
    ['wpad-1.corp.internal', undefined, undefined],
    ['_sip._tcp.corp.internal', underscored, undefined],
    ['7.64/26.2.0.192.in-addr.arpa', misspelt, undefined],
    ['a_b.corp.internal', misspelt, undefined],
    ['-a.corp.internal', misspelt, undefined],
    ['a-.corp.internal', misspelt, undefined],
    ['a.*.corp.internal', misspelt, misspelt],
    ['*a.corp.internal', misspelt, misspelt],
    ['**.corp.internal', misspelt, misspelt],
    ['sp$ecial.corp.internal', misspelt, misspelt],
    ['a\nb.corp.internal', misspelt, misspelt],
    ['web..corp.internal', ...Array(2).fill('has an empty label: write single dots, between labels')],
    [
      `${'x'.repeat(64)}.corp.internal`,
      ...Array(2).fill('has a label of more than 63 characters (RFC 1035 section 2.3.4): shorten it'),
    ],
    [
      `${'x.'.repeat(120)}y.corp.internal`,
      ...Array(2).fill('longer than 253 characters (RFC 1035 section 2.3.4): use a shorter name'),
    ],
    [
      'wpad.corp.internal',
      ...Array(2).fill('wpad would configure the proxies of browsers: use another name, or declare it in spec.zones'),
    ],
    [
      'isatap.corp.internal',
      ...Array(2).fill(
        'isatap would be the router of every Windows machine: use another name, or declare it in spec.zones',
      ),
    ],
  ] as [string, string | undefined, string | undefined][])('%j', (host, ofHosts, ofEndpoints) => {
    expect(violations(host)[0]).toBe(ofHosts);
    expect(violations(host, 'dnsendpoints')[0]).toBe(ofEndpoints);
    if (ofHosts === undefined) expect(illegalName(`${host}.`, 'A')).toBeUndefined();
    else expect(illegalName(`${host}.`, 'A')).toContain(ofHosts);
  });

  const ascii = fc.constantFrom(...'ab1-_*.$ /'.split(''), '..', 'wpad', 'isatap.', '_tcp', 'x'.repeat(63));
  const host = fc.string({ unit: ascii, minLength: 1, maxLength: 8 }).map((start) => `${start}.corp.internal`);

  test('for any host of an Ingress', () => {
    fc.assert(
      fc.property(host, (name) => {
        const [first] = violations(name);
        const message = illegalName(`${name}.`, 'A');
        if (first === undefined) expect(message).toBeUndefined();
        else expect(message).toContain(first);
      }),
    );
  });

  test('as the policy never rejects an endpoint that the agent publishes', () => {
    fc.assert(
      fc.property(host, fc.constantFrom(...discoverable), (name, type) => {
        if (illegalName(`${name}.`, type) === undefined) expect(violations(name, 'dnsendpoints')).toEqual([]);
      }),
    );
  });

  test.each(['bücher.corp.internal', '日本語.corp.internal'])('except %s, which the agent can convert', (name) => {
    expect(violations(name)).toEqual([]);
    expect(illegalName(`${name}.`, 'A')).toMatch(/: write it as xn--/);
  });
});

test('a reserved name covers itself, all names below it, or one wildcard', () => {
  const spec = policyOf({ reservedNames: ['vpn.corp.internal', '*.infra.corp.internal', '[*].only.corp.internal'] });
  expect(variable(spec, 'reserved')).toContain('h in [".vpn.corp.internal",".*.only.corp.internal"]');
  expect(variable(spec, 'reservedBelow')).toContain('[".infra.corp.internal"].exists(d, h != d && h.endsWith(d))');
  expect(variable(policyOf({}), 'reserved')).toBeUndefined();
});

test('the names of name servers are rejected, unless there are too many for the policy', () => {
  const zones = [{ name: 'a.internal' }, { name: 'b.internal', nameServers: ['dns.b.internal'] }];
  expect(variable(policyOf({}, zones), 'server')).toContain('[".ns1.a.internal",".dns.b.internal"]');
  expect(variable(policyOf(...(sizes.most as Parameters<typeof policyOf>)), 'server')).toBeUndefined();
});
