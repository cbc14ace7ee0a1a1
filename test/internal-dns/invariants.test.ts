import { RunFunctionResponse as Response, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted } from '../crossplane.ts';
import { privateKey, running } from '../golden/cluster.ts';
import { badComposites, composites, wildComposites } from './arbitraries.ts';
import { faultsOf, kindOf } from './kubernetes.ts';
import { type PodSpec, violations } from './pod-security.ts';

const answer = (composite: KubernetesObject, observed: Observed = {}) =>
  run(requestFor(composite, observed), internalDNS);

const objectsIn = (response: RunFunctionResponse) =>
  Object.values(response.desired?.resources ?? {}).map(({ resource }) => resource as KubernetesObject);

/** Renders the objects for a new instance and for a ready one, as they differ. */
function bothAnswers(composite: KubernetesObject): RunFunctionResponse[] {
  const stored = defaulted(composite);
  const first = answer(stored);
  return [first, answer(stored, running(stored, first))];
}

// Each run renders twice, and there are many tests.
const options = { numRuns: 40 };

/** Checks `property` for the objects of random specs. */
function forAll(property: (objects: KubernetesObject[], composite: KubernetesObject) => void): void {
  fc.assert(
    fc.property(composites, (composite) => {
      for (const response of bothAnswers(composite)) {
        expect(response.results).toEqual([]);
        property(objectsIn(response), composite);
      }
    }),
    options,
  );
}

/** Reports whether an object binds the role of a source. */
const letsRead = ({ roleRef }: KubernetesObject): boolean => roleRef?.kind === 'ClusterRole';

interface Container {
  name: string;
  args?: string[];
  ports?: { name: string; containerPort: number; protocol?: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
  startupProbe?: { httpGet: { port: number } };
  livenessProbe?: { httpGet: { port: number } };
  readinessProbe?: { httpGet: { port: number }; periodSeconds: number; failureThreshold: number };
  lifecycle?: { preStop: { exec: { command: string[] } } };
}

function podIn(objects: KubernetesObject[]) {
  const { metadata, spec } = objects.find(({ kind }) => kind === 'StatefulSet')!;
  const { template, selector, volumeClaimTemplates = [], serviceName, replicas } = spec;
  const containers: Container[] = [...template.spec.initContainers, ...template.spec.containers];
  return { metadata, template, selector, volumeClaimTemplates, serviceName, replicas, containers };
}

interface IngressRule {
  from?: object[];
  ports: { port: number; protocol: string }[];
}

/** The ingress rules of the NetworkPolicy. */
const ingressIn = (objects: KubernetesObject[]): IngressRule[] =>
  objects.filter(({ kind }) => kind === 'NetworkPolicy').flatMap(({ spec }) => spec.ingress);

describe('for any spec, every object', () => {
  test('is of an allowed kind, in the namespace of the spec if it is namespaced, and unique', () => {
    forAll((objects, { spec }) => {
      const ofReplicas = objects.filter(({ spec }) => spec?.selector?.['statefulset.kubernetes.io/pod-name']);
      const more = (spec.additionalServices ?? []).length + ofReplicas.length;
      for (const object of objects) {
        expect(kindOf(object), object.kind).toBeDefined();
        if (object.kind === 'RoleBinding' && letsRead(object)) {
          expect(spec.discovery.namespaces).toContain(object.metadata.namespace);
          continue;
        }
        const namespace = kindOf(object)?.namespaced ? (spec.namespace ?? 'internal-dns') : undefined;
        expect(object.metadata.namespace, object.kind).toBe(namespace);
      }
      const identities = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`);
      expect(new Set(identities).size).toBe(identities.length);
      expect(objects.filter((object) => !letsRead(object)).length).toBeLessThan(17 + more);
    });
  });

  test('has a valid name that contains that of the instance', () => {
    forAll((objects, composite) => {
      for (const object of objects) {
        const { metadata } = object;
        if (letsRead(object)) {
          // A path segment: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
          expect(metadata.name).toMatch(new RegExp(`^internal-dns:${composite.metadata.name}:[-a-z]+$`));
        } else {
          expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
          expect(metadata.name).toMatch(new RegExp(`^idns-${composite.metadata.name}(-|$)`));
        }
      }
      // The name of a pod is also a label value and a host name, and that of the controller revision has a hash.
      const { metadata, replicas } = podIn(objects);
      expect(`${metadata.name}-${replicas - 1}`.length).toBeLessThanOrEqual(63 - 11);
    });
  });

  test('has our labels, which labels of the spec do not replace', () => {
    forAll((objects, { metadata: { name } }) => {
      const ours = {
        'app.kubernetes.io/name': 'internal-dns',
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/version': expect.any(String),
        'app.kubernetes.io/managed-by': 'internal-dns-xp',
      };
      const { template } = podIn(objects);
      for (const { metadata } of [...objects, template]) expect(metadata.labels).toMatchObject(ours);
    });
  });

  test('matches the schema of Kubernetes', () => {
    forAll((objects) => expect(objects.flatMap(faultsOf)).toEqual([]));
  });

  test('is pure JSON without a null', () => {
    forAll((objects) => {
      expect(JSON.parse(JSON.stringify(objects))).toEqual(objects);
      expect(JSON.stringify(objects)).not.toMatch(/[:,[]null/);
    });
  });

  test('has nothing secret or random: a second response is the same, byte for byte', () => {
    fc.assert(
      fc.property(composites, (composite) => {
        const [one, two] = [bothAnswers(composite), bothAnswers(composite)].map((answers) =>
          answers.map((each) => Buffer.from(Response.encode(each).finish()).toString('base64')),
        );
        expect(one).toEqual(two);
        const answers = bothAnswers(composite);
        for (const { data, stringData } of answers.flatMap(objectsIn).filter(({ kind }) => kind === 'Secret')) {
          expect({ data, stringData }).toEqual({});
        }
        expect(JSON.stringify(answers)).not.toContain(privateKey);
      }),
      options,
    );
  });
});

describe('for any spec, the pod', () => {
  test('is selected by everything that selects a pod', () => {
    forAll((objects) => {
      const { template, selector } = podIn(objects);
      const selectors = objects.flatMap(({ kind, spec }) => {
        if (kind === 'Service') return [spec.selector];
        if (kind === 'NetworkPolicy') return [spec.podSelector.matchLabels];
        return kind === 'PodDisruptionBudget' ? [spec.selector.matchLabels] : [];
      });
      const spread = (template.spec.topologySpreadConstraints ?? []).map(
        ({ labelSelector }: { labelSelector: { matchLabels: object } }) => labelSelector.matchLabels,
      );
      for (const labels of [selector.matchLabels, ...selectors, ...spread]) {
        expect(Object.keys(labels)).not.toEqual([]);
        // The StatefulSet controller adds the name of the pod.
        const { 'statefulset.kubernetes.io/pod-name': _, ...ofTemplate } = labels as Record<string, string>;
        expect(template.metadata.labels).toMatchObject(ofTemplate);
      }
    });
  });

  test('has the ports that the Services send to and the NetworkPolicy names', () => {
    forAll((objects) => {
      const open = podIn(objects).containers.flatMap(({ ports = [] }) =>
        ports.map(({ name, containerPort, protocol = 'TCP' }) => ({ name, containerPort, protocol })),
      );
      const targets = objects
        .filter(({ kind }) => kind === 'Service')
        .flatMap(({ spec }) => spec.ports as { targetPort: number; protocol?: string }[])
        .map(({ targetPort, protocol = 'TCP' }) => ({ containerPort: targetPort, protocol }));
      for (const target of targets) expect(open).toContainEqual(expect.objectContaining(target));
      for (const { ports } of ingressIn(objects)) {
        for (const { port, protocol } of ports) {
          expect(open).toContainEqual(expect.objectContaining({ containerPort: port, protocol }));
        }
      }
      expect(new Set(open.map(({ name }) => name)).size).toBe(open.length);
    });
  });

  test('accepts DNS from everybody, and other connections only from declared peers', () => {
    forAll((objects, { spec }) => {
      const { enabled, namespaceSelector = enabled ? {} : undefined } = spec.monitoring ?? {};
      const { from = [] } = spec.statusPage ?? {};
      const [dns, ...rest] = ingressIn(objects);
      expect(dns).toEqual({ ports: ['UDP', 'TCP'].map((protocol) => ({ port: 5353, protocol })) });
      const metrics = namespaceSelector ? [[{ namespaceSelector }]] : [];
      expect(rest.map((rule) => rule.from)).toEqual([...metrics, ...(from.length > 0 ? [from] : [])]);
      if (from.length > 0) expect(rest.at(-1)?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
    });
  });

  test('has no probe of the agent at a port for other clients', () => {
    forAll((objects) => {
      const agent = podIn(objects).containers.find(({ name }) => name === 'agent')!;
      const named = ingressIn(objects).flatMap(({ ports }) => ports.map(({ port }) => port));
      for (const probe of [agent.startupProbe, agent.livenessProbe, agent.readinessProbe]) {
        expect(agent.args).toContain(`--probes=:${probe!.httpGet.port}`);
        expect(named).not.toContain(probe!.httpGet.port);
      }
    });
  });

  test('has a volume for every mount, each mounted', () => {
    forAll((objects) => {
      const { template, containers, volumeClaimTemplates } = podIn(objects);
      const volumes: string[] = [
        ...template.spec.volumes.map(({ name }: { name: string }) => name),
        ...volumeClaimTemplates.map(({ metadata }: KubernetesObject) => metadata.name),
      ];
      const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
      expect([...new Set(mounts)].sort()).toEqual(volumes.sort());
      const names = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
      for (const { configMap } of template.spec.volumes) if (configMap) expect(names).toContain(configMap.name);
    });
  });

  test('runs under an account and a governing Service that exist', () => {
    forAll((objects) => {
      const { template, serviceName } = podIn(objects);
      const has = (kind: string, name: string) => objects.some((o) => o.kind === kind && o.metadata.name === name);
      expect(has('ServiceAccount', template.spec.serviceAccountName)).toBe(true);
      expect(has('Service', serviceName)).toBe(true);
    });
  });

  test('with several replicas keeps answering long after kubelet has noticed that its agent stopped', () => {
    forAll((objects) => {
      const { containers, replicas, template } = podIn(objects);
      const { lifecycle } = containers.find(({ name }) => name === 'powerdns')!;
      if (replicas === 1) return expect(lifecycle).toBeUndefined();
      const { periodSeconds, failureThreshold } = containers.find(({ name }) => name === 'agent')!.readinessProbe!;
      const seconds = Number(lifecycle!.preStop.exec.command[1]);
      // For a slow API server, and for kube-proxy, which waits a second after its last change.
      expect(seconds).toBeGreaterThanOrEqual(periodSeconds * failureThreshold + 5);
      expect(seconds).toBeLessThanOrEqual((template.spec.terminationGracePeriodSeconds ?? 30) - 10);
    });
  });

  test('passes the Pod Security Standard restricted, with a read-only root', () => {
    forAll((objects) => {
      const { spec } = podIn(objects).template as { spec: PodSpec };
      expect(violations(spec)).toEqual([]);
      for (const { securityContext } of [...spec.initContainers!, ...spec.containers]) {
        expect(securityContext?.readOnlyRootFilesystem).toBe(true);
      }
    });
  });

  test('runs all containers as one user: that of the spec, an assigned one, or that of PowerDNS’s image', () => {
    forAll((objects, { spec }) => {
      const pod = podIn(objects).template.spec as PodSpec;
      expect(pod.securityContext).toEqual({
        ...(spec.securityContext ?? { runAsUser: 953, runAsGroup: 953, fsGroup: 953 }),
        runAsNonRoot: true,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext = {} } of [...pod.initContainers!, ...pod.containers]) {
        expect(Object.keys(securityContext).filter((field) => field.startsWith('runAs'))).toEqual([]);
      }
    });
  });

  test('has an ExternalDNS for the cluster or for each namespace, without registry or policy', () => {
    forAll((objects, { spec }) => {
      const { containers } = podIn(objects);
      const { namespaces = [], sources = ['Ingress', 'Service'] } = spec.discovery ?? {};
      const running = containers.filter(({ name }) => name.startsWith('external-dns'));
      expect(running).toHaveLength(sources.length === 0 ? 0 : Math.max(1, namespaces.length));
      for (const { args = [] } of running) {
        expect(args).toEqual(expect.arrayContaining(['--provider=webhook', '--registry=noop', '--policy=sync']));
        expect(args.filter((argument) => argument.startsWith('--source='))).toHaveLength(sources.length);
        // ExternalDNS exits if a flag without a list is repeated.
        const lists = [
          'source',
          'service-type-filter',
          'ingress-class',
          'managed-record-types',
          'unstructured-resource',
        ];
        const single = args.filter((argument) => !lists.some((list) => argument.startsWith(`--${list}=`)));
        expect(new Set(single.map((argument) => argument.split('=')[0])).size).toBe(single.length);
      }
      const valuesOf = (flag: string) =>
        running.flatMap(({ args = [] }) => args.filter((argument) => argument.startsWith(`--${flag}=`)));
      if (running.length > 0)
        expect(valuesOf('namespace')).toEqual(namespaces.map((name: string) => `--namespace=${name}`));
      for (const flag of ['webhook-provider-url', 'metrics-address']) {
        expect(new Set(valuesOf(flag)).size).toBe(running.length);
      }
      const { enabled, namespaceSelector } = spec.monitoring ?? {};
      const scraped = ingressIn(objects)[1]?.ports.map(({ port }) => port);
      const served = running.flatMap(({ ports }) => ports?.[0]?.containerPort ?? []);
      if (enabled || namespaceSelector) expect(scraped).toEqual(expect.arrayContaining([8080, ...served]));
    });
  });

  test('mounts no token in PowerDNS', () => {
    forAll((objects) => {
      const { containers, template } = podIn(objects);
      const powerdns = containers.find(({ name }) => name === 'powerdns')!;
      expect(template.spec.automountServiceAccountToken).toBe(false);
      expect(powerdns.volumeMounts?.map(({ mountPath }) => mountPath)).not.toContain(
        '/var/run/secrets/kubernetes.io/serviceaccount',
      );
    });
  });
});

describe('after an error, nothing partial is returned', () => {
  const isWholeOrNothing = (response: RunFunctionResponse): void => {
    const composed = objectsIn(response).length;
    if (response.results.length === 0) {
      expect(composed).toBeGreaterThan(8);
      return;
    }
    expect(composed).toBe(0);
    expect(response.results).toMatchObject([{ severity: 1, message: expect.stringMatching(/^cannot accept /) }]);
    expect(response.conditions.map(({ type }) => type)).toEqual(internalDNS.conditionTypes);
  };

  test('for a spec with an error', () => {
    fc.assert(
      fc.property(badComposites, (composite) => {
        const response = answer(composite);
        expect(response.results).toHaveLength(1);
        isWholeOrNothing(response);
      }),
    );
  });

  test('for a spec with arbitrary content', () => {
    fc.assert(fc.property(wildComposites, (composite) => isWholeOrNothing(answer(composite))));
  });

  test('without a spec', () => {
    for (const spec of [undefined, null, 1, 'x', []]) {
      const response = answer({ ...defaulted({} as never), metadata: { name: 'corp' }, spec } as never);
      expect(response.results).toHaveLength(1);
      isWholeOrNothing(response);
    }
  });
});

test('the checks of the Pod Security Standard detect a pod that violates one', () => {
  const container = {
    name: 'c',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const pod = {
    containers: [container],
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  };
  expect(violations(pod)).toEqual([]);
  expect(violations({ ...pod, hostNetwork: true })).toEqual(['hostNetwork']);
  expect(violations({ ...pod, volumes: [{ name: 'v', hostPath: {} }] })).toEqual(['volume of type hostPath']);
  expect(violations({ ...pod, securityContext: {} })).toEqual(['c may run as root', 'c has no seccomp profile']);
  expect(violations({ ...pod, initContainers: [{ name: 'i' }] })).toEqual([
    'i may escalate its privileges',
    'i does not drop every capability',
  ]);
});

test('the schemas detect fields that Kubernetes does not have', () => {
  const objects = objectsIn(answer(defaulted({ ...sample })));
  const pods = structuredClone(objects.find(({ kind }) => kind === 'StatefulSet')!);
  pods.spec.template.spec.containers[0].livenessProbe.httpGet.prot = 1;
  pods.spec.replicas = 'two';
  expect(faultsOf(pods).join('\n')).toMatch(/replicas(.|\n)*containers\[0\].livenessProbe.httpGet.prot does not exist/);
});

const sample = {
  apiVersion: 'dns.internal/v1alpha1',
  kind: 'InternalDNS',
  metadata: { name: 'corp' },
  spec: { zones: [{ name: 'corp.internal' }] },
};
