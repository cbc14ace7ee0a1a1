import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Observed } from '../../cdk8s-function-xp/composition.ts';
import { shortDigest } from '../../contract/digest.ts';
import type { Instance } from '../instance.ts';
import { dnsPort, resolverLabels, resolverPorts } from '../names.ts';
import { targetPort } from '../server/service.ts';
import type { Servers } from './backends.ts';
import { dnsdistFilesFor } from './dnsdist.ts';
import { ingressOf } from './network.ts';
import { hasDisruptionBudget, podOf } from './pods.ts';
import type { Resolver as Settings } from './settings.ts';

export interface ResolverProps extends Instance {
  resolver: Settings;
  servers: Servers;
}

/** dnsdist in front of the server. */
export class Resolver extends Construct {
  constructor(scope: Construct, id: string, { resolver, servers, ...instance }: ResolverProps) {
    super(scope, id);
    const { spec, names, labels } = instance;
    const matchLabels = resolverLabels(names.composite);
    const metadata = { name: names.resolver, namespace: spec.namespace, labels };
    new k8s.KubeService(this, 'agents', {
      metadata,
      spec: {
        ipFamilyPolicy: 'PreferDualStack',
        selector: matchLabels,
        ports: (['UDP', 'TCP'] as const).map((protocol) => ({
          name: agentPorts[protocol],
          protocol,
          port: dnsPort,
          targetPort: targetPort(resolverPorts.agents),
        })),
      },
    });
    // dnsdist resolves no names: until the cluster has assigned the server's addresses it has nobody to ask.
    if (servers.own.length === 0) return;
    const files = dnsdistFilesFor(spec, resolver, servers);
    new k8s.KubeServiceAccount(this, 'account', { metadata, automountServiceAccountToken: false });
    const configMap = new k8s.KubeConfigMap(this, 'dnsdist', { metadata, data: files });
    new k8s.KubeDeployment(this, 'pods', {
      metadata,
      spec: {
        replicas: resolver.replicas,
        revisionHistoryLimit: 2,
        // The maximum is none: every write of the condition Progressing takes two tokens of Crossplane's circuit breaker.
        // https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/util/deployment_util.go#L910
        progressDeadlineSeconds: 2 ** 31 - 1,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxUnavailable: k8s.IntOrString.fromNumber(0), maxSurge: k8s.IntOrString.fromNumber(1) },
        },
        selector: { matchLabels },
        template: {
          metadata: {
            labels: { ...spec.podLabels, ...labels, ...matchLabels },
            annotations: { ...spec.podAnnotations, 'dns.internal/configuration': shortDigest(JSON.stringify(files)) },
          },
          spec: podOf(instance, resolver, configMap.name),
        },
      },
    });
    new k8s.KubeNetworkPolicy(this, 'network', {
      metadata,
      spec: {
        podSelector: { matchLabels },
        policyTypes: ['Ingress'],
        ingress: ingressOf(names.composite, spec, resolver),
      },
    });
    if (hasDisruptionBudget(resolver)) {
      new k8s.KubePodDisruptionBudget(this, 'disruption', {
        metadata,
        spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels } },
      });
    }
  }
}

/** The names of the container's ports for agents. */
const agentPorts = { UDP: 'agents', TCP: 'agents-tcp' } as const;

/** The resolver as it is, of a spec that no longer has it. */
export class LingeringResolver extends Construct {
  constructor(scope: Construct, id: string, observed: Observed) {
    super(scope, id);
    for (const [key, { apiVersion, kind, metadata, spec, data }] of Object.entries(observed)) {
      const [construct, name, ...more] = key.split('/');
      if (construct !== id || name === undefined || more.length > 0) continue;
      const { name: object, namespace, labels } = metadata;
      new ApiObject(this, name, { apiVersion, kind, metadata: { name: object, namespace, labels }, spec, data });
    }
  }
}
