import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { describe, expect, test } from 'vitest';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted, definition, type Schema, schema } from '../crossplane.ts';
import { running } from '../golden/cluster.ts';
import { badEdits, badNames, badSpecs, internalDNSOf, oddSpecs } from './refusals.ts';

const answerTo = (spec: Record<string, unknown>, name?: string) =>
  run(requestFor(internalDNSOf(spec, name)), internalDNS);

describe('an invalid spec is refused as a whole, with the field and the cure', () => {
  test.for(badSpecs)('$reason', ({ spec, path, message }) => {
    const { results, desired, conditions } = answerTo(spec);
    expect(desired?.resources ?? {}).toEqual({});
    expect(results).toHaveLength(1);
    const actual = results[0]?.message ?? '';
    const faults = actual.replace(/^cannot accept the spec: /, '').split('; spec');
    const named = faults.map((fault, index) => (index === 0 ? fault : `spec${fault}`));
    expect(actual).toMatch(/^cannot accept the spec: spec/);
    expect(named.find((fault) => fault.startsWith(`${path}: `)) ?? actual).toMatch(message);
    expect(conditions.map(({ type, reason }) => [type, reason])).toEqual(
      internalDNS.conditionTypes.map((type) => [type, 'FatalError']),
    );
  });

  test('every fault is reported at once', () => {
    const spec = { zones: [{ name: 'A.internal' }], replicas: 9, storage: { size: 'x' } };
    const actual = answerTo(spec).results[0]?.message;
    for (const path of ['spec.zones[0].name', 'spec.replicas', 'spec.storage.size'])
      expect(actual).toContain(`${path}: `);
  });

  test('of many faults the first twenty are reported', () => {
    const records = Array.from({ length: 30 }, (_, i) => ({ name: `r${i}`, type: 'A', values: ['x'] }));
    const actual = answerTo({ zones: [{ name: 'corp.internal', records }] }).results[0]?.message ?? '';
    expect(actual.split('; ')).toHaveLength(21);
    expect(actual).toMatch(/records\[19\]\.values\[0\]: not an IPv4 address: x; and 10 more errors$/);
  });

  test.for(badNames)('a name is refused when $reason', ({ name }) => {
    const { results, desired } = answerTo({ zones: [{ name: 'corp.internal' }] }, name);
    expect(desired?.resources ?? {}).toEqual({});
    expect(results[0]?.message).toBe(
      `cannot accept metadata.name "${name}": the name of an InternalDNS must begin with a letter, consist of lower case letters, digits and hyphens, and have at most 40 characters`,
    );
  });
});

describe('an unusual spec is accepted', () => {
  test.for(oddSpecs)('$reason', ({ spec, warning }) => {
    const parsed = internalDNSOf(parseSpec(internalDNSOf(spec)));
    const call = (observed = {}, status?: object) => run(requestFor({ ...parsed, status }, observed), internalDNS);
    const first = call();
    expect(first.results).toEqual([]);
    let last = first;
    for (let again = 0; again < 3; again++)
      last = call(running(parsed, last), last.desired?.composite?.resource?.status);
    const zonesReady = last.conditions.find(({ type }) => type === 'ZonesReady');
    expect(RunFunctionResponse.toJSON({ ...last, conditions: [zonesReady!] })).toMatchObject({
      conditions: [{ status: 'STATUS_CONDITION_TRUE', ...(warning ? { message: warning } : {}) }],
    });
    expect(zonesReady?.message ?? '').toBe(warning ?? '');
  });
});

test('a minimal spec has every default of the definition', () => {
  expect(parseSpec(internalDNSOf({ zones: [{ name: 'corp.internal' }] }))).toEqual({
    namespace: 'internal-dns',
    replicas: 1,
    zones: [{ name: 'corp.internal', nameServers: [], records: [], recordsFrom: [] }],
    discovery: {
      sources: [{ kind: 'Ingress' }, { kind: 'Service' }],
      namespaces: [],
      hostnames: 'SpecAndAnnotations',
      recordTypes: ['A', 'AAAA', 'CNAME'],
      excludedDomains: [],
      targets: { default: [], override: [], networks: [], excludedNetworks: [], hostNames: 'Addresses' },
      anticipation: 'Enabled',
      policy: 'Sync',
      reverse: 'Off',
      deleteGuard: { percent: 50, hold: '10m' },
      sharedHosts: 'SameNamespace',
      tenants: [],
      reservedNames: [],
      allowAcrossNamespaces: [],
      maxNamesPerNamespace: 1000,
      admission: { enabled: false, outsideZones: 'Warn' },
      extraArgs: [],
    },
    service: {
      annotations: {},
      labels: {},
      protocols: ['UDP', 'TCP'],
      loadBalancerSourceRanges: [],
      ipFamilyPolicy: 'PreferDualStack',
      addresses: [],
    },
    additionalServices: [],
    advertise: 'service',
    replicaServices: { mode: 'Each', overrides: [] },
    storage: { type: 'Volume', size: '1Gi', retain: false },
    images: { pullPolicy: 'IfNotPresent', pullSecrets: [] },
    resources: {},
    scheduling: { nodeSelector: {}, tolerations: [] },
    podLabels: {},
    podAnnotations: {},
    statusPage: { from: [] },
    monitoring: { enabled: false, labels: {}, interval: '30s' },
  });
});

// `kubectl apply` merges objects, so IDs that an API server had stored would stay.
test('an API server stores no IDs, so that {} can remove them from an existing object', () => {
  const stored = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }] }));
  expect(stored.spec).not.toHaveProperty('securityContext');
  expect(defaulted(internalDNSOf({ ...stored.spec, securityContext: {} })).spec.securityContext).toEqual({});
});

test('fields that Crossplane writes into the spec are accepted', () => {
  const spec = { zones: [{ name: 'corp.internal' }], crossplane: { resourceRefs: [] } };
  expect(answerTo(spec).results).toEqual([]);
});

describe('the tables are complete', () => {
  const rules = [...rulesIn(schema)];

  test('every rule of the definition has a spec or an edit that it refuses', () => {
    const messages = [
      ...badSpecs.map(({ message }) => message),
      ...badEdits.map(({ message }) => message),
      ...badNames.map(() => 'the name of an InternalDNS must begin with a letter'),
    ];
    const missing = rules.filter(({ message }) =>
      messages.every((text) => (typeof text === 'string' ? !message.startsWith(text) : !text.test(message))),
    );
    expect(missing).toEqual([]);
  });

  test('every edit is refused by a rule that compares with the old object', () => {
    const transitions = rules.filter(({ rule }) => rule.includes('oldSelf')).map(({ message }) => message);
    expect(badEdits.map(({ message }) => message).filter((message) => !transitions.includes(message))).toEqual([]);
    expect(transitions.filter((message) => badEdits.every((edit) => edit.message !== message))).toEqual([]);
  });

  test('the definition has the kind of the tables', () => {
    const { apiVersion, kind } = internalDNSOf({});
    expect(`${definition.spec.group}/${definition.spec.versions[0].name} ${definition.spec.names.kind}`).toBe(
      `${apiVersion} ${kind}`,
    );
  });
});

function* rulesIn(node: Schema): Generator<{ rule: string; message: string }> {
  yield* node['x-kubernetes-validations'] ?? [];
  const children = [...Object.values(node.properties ?? {}), node.items, node.additionalProperties];
  for (const child of children) if (child) yield* rulesIn(child);
}
