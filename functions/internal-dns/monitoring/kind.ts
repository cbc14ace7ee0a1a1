import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import type { Spec } from '../spec.ts';

/** Of the Prometheus operator's kinds: https://prometheus-operator.dev/docs/api-reference/api/ */
export const apiVersion = 'monitoring.coreos.com/v1';

const resources = {
  PodMonitor: 'podmonitors.v1.monitoring.coreos.com',
  PrometheusRule: 'prometheusrules.v1.monitoring.coreos.com',
} as const;

export type Kind = keyof typeof resources;
export const kinds = Object.keys(resources) as Kind[];

/** Kinds that are composed only where the cluster serves them, as `plural.version.group`. */
export const monitoredKinds: string[] = Object.values(resources);

/** Kinds whose presence the agents report. */
export const optionalKinds = ({ monitoring }: Pick<Spec, 'monitoring'>): string[] =>
  monitoring.enabled ? monitoredKinds : [];

type Served = { served?: readonly string[] | undefined } | undefined;

/** Kinds that at least one agent has found. */
export const servedIn = (reports: readonly Served[]): Kind[] =>
  kinds.filter((kind) => reports.some((report) => report?.served?.includes(resources[kind])));

/** Kinds with an observed object: an unreadable report must not delete it. */
export const presentIn = (objects: readonly KubernetesObject[]): Kind[] =>
  kinds.filter((kind) => objects.some((object) => object.kind === kind && object.apiVersion === apiVersion));
