import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import { shortDigest } from '../../contract/digest.ts';
import type { SpecSource } from '../discovery/source.ts';
import type { Instance } from '../instance.ts';
import { dataVolume, selectorLabels } from '../names.ts';
import type { Spec } from '../spec.ts';
import { agent } from './agent.ts';
import { tokenVolume } from './container.ts';
import { externalDNS } from './external-dns.ts';
import { restricted, spread } from './pod.ts';
import { type Features, powerdns, powerdnsFilesFor } from './powerdns.ts';

export interface ServerProps extends Instance {
  /** The sources of ExternalDNS. If empty, it does not run. */
  sources: SpecSource[];
  /** Optional features of PowerDNS. */
  features: Features;
  /** The StatefulSet in the cluster. */
  observed: KubernetesObject | undefined;
}

/** One pod is a whole server: PowerDNS, its database, the agent and ExternalDNS. Replicas share nothing. */
export class Server extends Construct {
  constructor(scope: Construct, id: string, props: ServerProps) {
    super(scope, id);
    const { spec, names, labels } = props;
    const files = powerdnsFilesFor(props.features, spec.resources.powerdns);
    const configMap = new k8s.KubeConfigMap(this, 'powerdns', {
      metadata: { name: names.powerdns, namespace: spec.namespace, labels },
      data: files,
    });
    new k8s.KubeStatefulSet(this, 'pods', {
      metadata: { name: names.server, namespace: spec.namespace, labels },
      spec: {
        serviceName: names.server,
        replicas: spec.replicas,
        // OrderedReady never replaces a pod that is not ready, so a corrected spec could not heal it:
        // https://github.com/kubernetes/kubernetes/issues/67250
        podManagementPolicy: 'Parallel',
        revisionHistoryLimit: 2,
        // Time for the clients' nodes to learn of a new replica before the next one stops.
        minReadySeconds: spec.replicas > 1 ? 5 : 0,
        selector: { matchLabels: selectorLabels(names.composite) },
        ...(spec.storage.type === 'Volume' && claims(spec, props.observed)),
        template: {
          metadata: {
            labels: { ...spec.podLabels, ...labels },
            annotations: { ...spec.podAnnotations, 'dns.internal/configuration': digest(files) },
          },
          spec: pod(props, configMap.name),
        },
      },
    });
    if (spec.replicas > 1) {
      new k8s.KubePodDisruptionBudget(this, 'disruption', {
        metadata: { name: names.server, namespace: spec.namespace, labels },
        spec: {
          maxUnavailable: k8s.IntOrString.fromNumber(1),
          selector: { matchLabels: selectorLabels(names.composite) },
        },
      });
    }
  }
}

function pod({ spec, names, sources }: ServerProps, powerdnsConfigMap: string): k8s.PodSpec {
  const { images, resources } = spec;
  const discovers = sources.length > 0;
  const options = (part: 'powerdns' | 'externalDNS' | 'agent') => ({
    image: images[part],
    pullPolicy: images.pullPolicy,
    resources: resources[part],
  });
  const agentContainer = agent({
    ...options('agent'),
    names,
    sidecar: discovers,
    replicas: spec.replicas,
  });
  return {
    ...restricted(spec, names.server),
    topologySpreadConstraints:
      // Two servers on one node would fail together.
      spec.replicas > 1 ? [spread(selectorLabels(names.composite), 'DoNotSchedule')] : undefined,
    initContainers: [
      powerdns({ ...options('powerdns'), replicas: spec.replicas }),
      ...(discovers ? [agentContainer] : []),
    ],
    containers: discovers
      ? externalDNS({ ...options('externalDNS'), discovery: spec.discovery, sources })
      : [agentContainer],
    volumes: [
      { name: 'key', emptyDir: { medium: 'Memory', sizeLimit: k8s.Quantity.fromString('1Mi') } },
      { name: 'socket', emptyDir: {} },
      { name: 'powerdns', configMap: { name: powerdnsConfigMap } },
      { name: 'declared', configMap: { name: names.declared } },
      tokenVolume,
      ...(spec.storage.type === 'Ephemeral' ? [emptyDir(spec)] : []),
    ],
  };
}

/** The claim template. It is immutable: the size of an existing one is kept, and the agent expands the claims. */
function claims({ storage }: Spec, observed: KubernetesObject | undefined): Partial<k8s.StatefulSetSpec> {
  const existing = observed?.spec?.volumeClaimTemplates?.[0]?.spec;
  const size: string = existing?.resources?.requests?.storage ?? storage.size;
  const policy = storage.retain ? 'Retain' : 'Delete';
  return {
    persistentVolumeClaimRetentionPolicy: { whenDeleted: policy, whenScaled: policy },
    volumeClaimTemplates: [
      {
        metadata: { name: dataVolume },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: storage.storageClassName,
          resources: { requests: { storage: k8s.Quantity.fromString(size) } },
        },
      },
    ],
  };
}

const emptyDir = ({ storage }: Spec): k8s.Volume => ({
  name: dataVolume,
  emptyDir: { sizeLimit: k8s.Quantity.fromString(storage.size) },
});

const digest = (files: Record<string, string>) => shortDigest(JSON.stringify(files));
