import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import type { Spec } from '../spec.ts';

/** Of the Prometheus operator: https://prometheus-operator.dev/docs/api-reference/api/ */
export const apiVersion = 'monitoring.coreos.com/v1';

const resources = {
  PodMonitor: 'podmonitors.v1.monitoring.coreos.com',
  PrometheusRule: 'prometheusrules.v1.monitoring.coreos.com',
} as const;

export type Kind = keyof typeof resources;
export const kinds = Object.keys(resources) as Kind[];

/** What is composed only where the cluster serves it: `plural.version.group`. */
export const monitoredKinds: string[] = Object.values(resources);

/** What the agents are to look for. */
export const soughtKinds = ({ monitoring }: Pick<Spec, 'monitoring'>): string[] =>
  monitoring.enabled ? monitoredKinds : [];

type Served = { served?: readonly string[] | undefined } | undefined;

/** Kinds that any of the agents has found. */
export const servedIn = (reports: readonly Served[]): Kind[] =>
  kinds.filter((kind) => reports.some((report) => report?.served?.includes(resources[kind])));

/** Kinds of which the cluster has an object: a report that cannot be read must not take it away. */
export const presentIn = (objects: readonly KubernetesObject[]): Kind[] =>
  kinds.filter((kind) => objects.some((object) => object.kind === kind && object.apiVersion === apiVersion));
