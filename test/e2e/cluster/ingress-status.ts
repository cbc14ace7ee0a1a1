import { isIP } from 'node:net';
import { clusterClient } from './kubectl.ts';

/** Sets the addresses, or host names, in the status of an Ingress, as its controller does. */
export async function writeAddresses(namespace: string, ingress: string, ...addresses: string[]): Promise<void> {
  const status = {
    loadBalancer: { ingress: addresses.map((each) => (isIP(each) ? { ip: each } : { hostname: each })) },
  };
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${ingress}/status`;
  await (await clusterClient()).mergePatch(path, { status });
}
