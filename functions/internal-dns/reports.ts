import type { KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import { hashOf } from '../contract/declaration.ts';
import { type Report, report } from '../contract/report.ts';

/** The reports of some pods, each undefined if it is not there or not what an agent writes. */
export function reportsOf(pods: string[], mailbox: KubernetesObject | undefined): (Report | undefined)[] {
  return pods.map((pod) => {
    try {
      return report.parse(JSON.parse(mailbox?.data?.[pod] ?? ''));
    } catch {
      return undefined;
    }
  });
}

/** Those that speak of this declaration. */
export function currentOf(reports: (Report | undefined)[], declaration: string): Report[] {
  const hash = hashOf(declaration);
  return reports.filter((r) => r?.declaration === hash) as Report[];
}
