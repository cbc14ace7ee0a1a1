import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import { hasZones } from '../discovery/source.ts';
import type { Instance } from '../instance.ts';
import type { Spec } from '../spec.ts';
import { isSigned } from './signature.ts';

/** The Secret of the DNSSEC keys. */
export class Keys extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels }: Instance) {
    super(scope, id);
    // Without data: the agent generates the keys, and owns every field that the function does not apply.
    new k8s.KubeSecret(this, 'dnssec', { metadata: { name: names.dnssec, namespace: spec.namespace, labels } });
  }
}

/**
 * Reports whether the Secret is needed. It also keeps the keys of a zone that is removed from the spec for a while. The
 * function does not read its data, only whether it has any. Nor does it read Zones, any of which can be signed.
 */
export function keepsKeys(spec: Spec, observed: KubernetesObject | undefined): boolean {
  return spec.zones.some(isSigned) || hasZones(spec.discovery.sources) || Object.keys(observed?.data ?? {}).length > 0;
}
