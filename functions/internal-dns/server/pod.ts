import type { k8s } from 'cdk8s-plus-28';
import type { Spec } from '../spec.ts';
import { defaultIDs } from './security-context.ts';

/** What all pods have: an account without its token, the pod's part of the Pod Security Standard `restricted`, and a place. */
export const restricted = ({ images, scheduling, securityContext }: Spec, serviceAccountName: string) => ({
  serviceAccountName,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  // Of the pod, so that all containers run as the same user: the agent reads the API key that PowerDNS's start script writes
  // for nobody else.
  securityContext: {
    ...(securityContext ?? defaultIDs),
    runAsNonRoot: true,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
  imagePullSecrets: images.pullSecrets.length > 0 ? images.pullSecrets : undefined,
  ...placement(scheduling),
});

/** Where pods run, as the spec has it. */
const placement = (chosen: Spec['scheduling']): Partial<k8s.PodSpec> => ({
  nodeSelector: Object.keys(chosen.nodeSelector).length > 0 ? chosen.nodeSelector : undefined,
  tolerations: chosen.tolerations.length > 0 ? chosen.tolerations : undefined,
  affinity: chosen.affinity as k8s.Affinity | undefined,
  priorityClassName: chosen.priorityClassName,
});

/** Spreads pods over nodes. */
export const spread = (
  matchLabels: Record<string, string>,
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway',
): k8s.TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable,
  // Pods must not wait for nodes that are drained or gone.
  nodeTaintsPolicy: 'Honor',
  labelSelector: { matchLabels },
});
