import { isIP } from 'node:net';
import type { KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import { hashOf } from '../contract/declaration.ts';
import { type Report, report } from '../contract/report.ts';

/** The reports of pods, each undefined if missing or invalid. */
export function reportsOf(pods: string[], configMap: KubernetesObject | undefined): (Report | undefined)[] {
  return pods.map((pod) => {
    try {
      return report.parse(JSON.parse(configMap?.data?.[pod] ?? ''));
    } catch {
      return undefined;
    }
  });
}

/** The reports on this declaration. */
export function currentOf(reports: (Report | undefined)[], declaration: string): Report[] {
  const hash = hashOf(declaration);
  return reports.filter((r) => r?.declaration === hash) as Report[];
}

/** The addresses of the nodes with pods. */
export const hostIPsIn = (reports: (Report | undefined)[]): string[] => distinctIPs(reports.map((r) => r?.hostIPs));

/** Those of the nodes with pods of the resolver. Empty until an agent has reported them. */
export const resolverHostIPsIn = (reports: (Report | undefined)[]): string[] =>
  distinctIPs(reports.map((r) => r?.resolver?.hostIPs));

const distinctIPs = (lists: (string[] | undefined)[]) => [
  ...new Set(lists.flatMap((list) => list ?? []).filter((address) => isIP(address) !== 0)),
];
