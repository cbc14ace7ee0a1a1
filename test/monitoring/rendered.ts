/** The objects that the function composes for monitoring, as Crossplane applies them. */
import type { Ready } from '@crossplane-org/function-sdk-typescript';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import type { Alert } from '../../functions/internal-dns/monitoring/alert.ts';
import type { Dashboard } from '../../functions/internal-dns/monitoring/dashboard.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted, refusalIn } from '../crossplane.ts';
import { running } from '../golden/cluster.ts';

const answer = (composite: KubernetesObject, observed: Observed = {}) => {
  const response = run(requestFor(composite, observed), internalDNS);
  const refusal = refusalIn(response);
  if (refusal) throw new Error(refusal);
  return response;
};

export type Spec = Record<string, unknown>;

/** An InternalDNS with monitoring enabled. */
export const watched = (changes: Spec = {}): KubernetesObject =>
  defaulted({
    apiVersion: 'dns.internal/v1alpha1',
    kind: 'InternalDNS',
    metadata: { name: 'watched' },
    spec: { zones: [{ name: 'watched.internal' }], replicas: 2, monitoring: { enabled: true }, ...changes },
  });

/** Renders twice: with nothing observed, and with everything ready after `change`. */
export function rendered(composite = watched(), change: (observed: Observed) => Observed = (same) => same) {
  const first = answer(composite);
  const last = answer(composite, change(running(composite, first)));
  return [read(first), read(last)] as const;
}

const read = ({ desired, conditions }: ReturnType<typeof answer>): Rendered => ({
  objects: Object.values(desired?.resources ?? {}).map(({ resource }) => resource as KubernetesObject),
  conditions,
  ready: desired?.composite?.ready,
});

export interface Rendered {
  objects: KubernetesObject[];
  conditions: { type: string; reason: string }[];
  ready: Ready | undefined;
}

export const objectOf = ({ objects }: Rendered, kind: string): KubernetesObject | undefined =>
  objects.find((object) => object.kind === kind);

export const alertsIn = (rendering: Rendered): Alert[] =>
  objectOf(rendering, 'PrometheusRule')?.spec.groups.flatMap(({ rules }: { rules: Alert[] }) => rules) ?? [];

export function dashboardIn({ objects }: Rendered): { object: KubernetesObject; dashboard: Dashboard } {
  const object = objects.find(({ metadata }) => metadata.name.endsWith('-dashboard'));
  const [text] = Object.values((object?.data ?? {}) as Record<string, string>);
  if (!object || !text) throw new Error('the function composed no dashboard');
  return { object, dashboard: JSON.parse(text) };
}
