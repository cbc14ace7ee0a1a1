/** Random specs. */
import fc from 'fast-check';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { badSpecs, internalDNSOf } from './refusals.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?$/);
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const labelValue = fc.stringMatching(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?)?$/);
const key = fc.stringMatching(/^([a-z]{1,8}\.example\/)?[a-zA-Z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?$/);
const labels = fc.dictionary(key, labelValue, { maxKeys: 4 });
const annotations = fc.dictionary(key, fc.string(), { maxKeys: 4 });
const quantity = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('', 'm', 'k', 'Mi', 'Gi'))
  .map((q) => q.join(''));
const amounts = fc.dictionary(fc.constantFrom('cpu', 'memory', 'ephemeral-storage'), fc.oneof(quantity, fc.nat(64)));
const reference = fc.stringMatching(/^[a-z0-9]{1,12}\.example\/[a-z0-9]{1,12}:[a-z0-9.]{1,8}$/);

/** Some of the fields, or none. */
const some = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });

const discovery = some({
  sources: fc.subarray([{ kind: 'Ingress' }, { kind: 'Service' }]),
  interval: fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h')).map((d) => d.join('')),
  policy: fc.constantFrom('Sync', 'UpsertOnly', 'CreateOnly'),
  ownerID: fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/),
});

const service = fc.oneof(
  some({
    type: fc.constantFrom('ClusterIP', 'NodePort'),
    annotations,
    clusterIP: address,
    addresses: fc.array(address),
  }),
  fc
    .tuple(some({ annotations, loadBalancerIP: address, loadBalancerClass: reference, addresses: fc.array(address) }))
    .map(([fields]) => ({ type: 'LoadBalancer', ...fields })),
  some({ annotations }).chain((fields) =>
    some({
      hostname: label,
      tags: fc.array(
        label.map((tag) => `tag:a${tag}`),
        { maxLength: 3 },
      ),
    }).map((tailscale) => ({
      ...fields,
      tailscale,
    })),
  ),
);

const containers = some({ requests: amounts, limits: amounts });

/** A spec that is in order, with any part of it left out. */
export const specs = fc
  .tuple(
    fc.record({
      zones: fc.uniqueArray(some({ nameServers: fc.array(domain, { maxLength: 3 }) }).chain(named), {
        minLength: 1,
        maxLength: 8,
        selector: ({ name }) => name,
      }),
    }),
    some({
      namespace: label.filter((name) => !name.startsWith('kube-')),
      replicas: fc.integer({ min: 1, max: 5 }),
      discovery,
      service,
      storage: some({ size: quantity, storageClassName: label, retain: fc.boolean() }),
      images: some({
        powerdns: reference,
        externalDNS: reference,
        agent: reference,
        pullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
        pullSecrets: fc.array(fc.record({ name: label }), { maxLength: 3 }),
      }),
      resources: some({ powerdns: containers, externalDNS: containers, agent: containers }),
      scheduling: some({
        nodeSelector: labels,
        tolerations: fc.array(some({ key, effect: fc.constantFrom('NoSchedule', 'NoExecute') })),
        affinity: fc.constant({ nodeAffinity: {} }),
        priorityClassName: label,
      }),
      podLabels: labels,
      podAnnotations: annotations,
    }),
  )
  .map(([zones, rest]): Record<string, unknown> => ({ ...zones, ...rest }));

function named<T extends object>(rest: T): fc.Arbitrary<T & { name: string }> {
  return domain.map((name) => ({ name, ...rest }));
}

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/);

/** An InternalDNS that is in order. */
export const composites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(specs, name)
  .map(([spec, name]) => internalDNSOf(spec, name));

/** An InternalDNS with one fault in it, among good fields. */
export const badComposites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(specs, name, fc.constantFrom(...badSpecs.map(({ spec }) => spec)))
  .map(([{ zones, ...good }, name, bad]) => internalDNSOf({ ...good, ...bad }, name));

/** An InternalDNS with anything in place of one of its fields. */
export const wildComposites: fc.Arbitrary<KubernetesObject> = fc
  .tuple(
    specs,
    name,
    fc.constantFrom('zones', 'replicas', 'discovery', 'service', 'storage', 'podLabels'),
    fc.jsonValue(),
  )
  .map(([spec, name, field, value]) => internalDNSOf({ ...spec, [field]: value }, name));
