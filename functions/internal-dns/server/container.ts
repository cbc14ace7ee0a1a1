import { k8s } from 'cdk8s-plus-28';
import { numberOf } from '../../contract/rules.ts';
import type { Spec } from '../spec.ts';

/** What a spec can set for each container of the pod. */
export interface ContainerOptions {
  image: string | undefined;
  pullPolicy: string;
  resources: Resources | undefined;
}

export type Resources = NonNullable<Spec['resources']['agent']>;

/** The container's part of the Pod Security Standard `restricted`. */
export const hardened: k8s.SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** The requests and limits of the spec, or else the defaults, which have no CPU limit: it only adds latency. */
export function resourcesOf(chosen: Resources | undefined, defaults: Resources): k8s.ResourceRequirements {
  const { requests, limits } = { ...defaults, ...chosen };
  return { requests: quantities(requests), limits: quantities(limits) };
}

/** The container's memory limit in bytes, for the program inside. Undefined if it has no limit. */
export function memoryLimitOf(chosen: Resources | undefined, defaults: Resources): number | undefined {
  const memory = { ...defaults, ...chosen }.limits?.memory;
  return memory === undefined ? undefined : numberOf(memory);
}

function quantities(amounts: Resources['requests']): Record<string, k8s.Quantity> | undefined {
  if (!amounts) return undefined;
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [
      name,
      typeof amount === 'number' ? k8s.Quantity.fromNumber(amount) : k8s.Quantity.fromString(amount),
    ]),
  );
}

/**
 * For a process that hangs. On a node that is out of CPU an answer takes seconds, and a restart there makes it worse, so this
 * one waits longer than the second that kubelet does by default.
 */
export const liveness = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 };

/** The service account's token and the API server's CA, for the containers that call it. */
export const tokenVolume: k8s.Volume = {
  name: 'token',
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardApi: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ],
  },
};

export const tokenMount: k8s.VolumeMount = {
  name: tokenVolume.name,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  readOnly: true,
};
