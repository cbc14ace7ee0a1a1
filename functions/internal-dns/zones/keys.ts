import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import type { Instance } from '../instance.ts';
import type { Spec } from '../spec.ts';
import { isSigned } from './signature.ts';

/** The Secret of the keys that zones are signed with. */
export class Keys extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels }: Instance) {
    super(scope, id);
    // Without data: the agent makes the keys, and a field that we do not send stays its own.
    new k8s.KubeSecret(this, 'dnssec', { metadata: { name: names.dnssec, namespace: spec.namespace, labels } });
  }
}

/**
 * Whether the Secret is needed: also for the keys of a zone that is out of the list for a while. Of what it holds nothing
 * is read but whether it holds anything.
 */
export function keepsKeys(spec: Spec, observed: KubernetesObject | undefined): boolean {
  return spec.zones.some(isSigned) || Object.keys(observed?.data ?? {}).length > 0;
}
