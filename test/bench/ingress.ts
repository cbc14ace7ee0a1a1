import { apply } from '../e2e/cluster/kubectl.ts';
import { objectsIn } from '../e2e/cluster/objects.ts';

/** Creates an Ingress that no controller of the cluster gives an address. */
export const createIngress = (namespace: string, name: string, hosts: string[]): Promise<void> =>
  apply(objectsIn(namespace).ingress({ name, hosts, annotations: { 'lab/no-address': '1' } }));
