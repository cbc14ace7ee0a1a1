import { version } from './build.ts';
import { type Names, namesOf, selectorLabels } from './names.ts';
import type { Spec } from './spec.ts';

/** An InternalDNS, in the form that constructs take as props. */
export interface Instance {
  spec: Spec;
  names: Names;
  /** The labels of every object. */
  labels: Record<string, string>;
}

export const instanceOf = (composite: string, spec: Spec): Instance => ({
  spec,
  names: namesOf(composite, spec.replicas),
  labels: {
    ...selectorLabels(composite),
    'app.kubernetes.io/version': version,
    'app.kubernetes.io/managed-by': 'internal-dns-xp',
  },
});
