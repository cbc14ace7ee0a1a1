/** Ingresses of an API server that takes no time. */
import { writeFileSync } from 'node:fs';
import { ApiServer, kubeconfigOf } from '../agent/kubernetes/api-server.ts';

export const shop = 'shop';
const collection = '/apis/networking.k8s.io/v1/ingresses';

/** Puts an Ingress, without an address at first. */
export function putIngress(server: ApiServer, name: string, hosts: readonly string[], address?: string): void {
  server.put(collection, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: shop, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { rules: hosts.map((host) => ({ host })) },
    status: { loadBalancer: { ingress: address === undefined ? [] : [{ ip: address }] } },
  });
}

export const removeIngress = (server: ApiServer, name: string): void => server.remove(collection, `${shop}/${name}`);

/** Starts an API server, and writes its kubeconfig. */
export async function startApiServer(kubeconfig: string): Promise<ApiServer> {
  const server = new ApiServer();
  server.storesPatches = true;
  server.needsToken = false;
  const config = await server.start();
  writeFileSync(kubeconfig, kubeconfigOf({ ...config, token: server.token }));
  return server;
}
