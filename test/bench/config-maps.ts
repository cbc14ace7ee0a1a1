/** A minimal API server for an agent: ConfigMaps that it can watch, and an empty response to any other request. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Data = Record<string, string>;

export interface ConfigMaps {
  /** The kubeconfig as JSON. */
  kubeconfig: string;
  /** Writes a ConfigMap and notifies its watchers at once. */
  put(name: string, data: Data): void;
  stop(): void;
}

const kind = { kind: 'ConfigMap', apiVersion: 'v1' };
const pvc = { spec: { resources: { requests: { storage: '1Gi' } } } };

/** Serves ConfigMaps of one namespace on a free port of 127.0.0.1. */
export async function serveConfigMaps(): Promise<ConfigMaps> {
  let version = 1;
  const stored = new Map<string, Data>();
  const watches = new Map<ServerResponse, string>();
  const configMap = (name: string) => ({
    ...kind,
    metadata: { name, uid: name, resourceVersion: `${version}` },
    data: stored.get(name),
  });

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://any');
    const name = searchParams.get('fieldSelector')?.split('=')[1] ?? '';
    response.setHeader('Content-Type', 'application/json');
    if (searchParams.get('watch')) {
      watches.set(response, name);
      response.once('close', () => watches.delete(response)).flushHeaders();
    } else if (request.method === 'GET' && pathname.endsWith('/configmaps')) {
      const items = stored.has(name) ? [configMap(name)] : [];
      response.end(JSON.stringify({ kind: 'ConfigMapList', metadata: { resourceVersion: `${version}` }, items }));
    } else if (pathname.includes('/configmaps/')) {
      response.end(JSON.stringify(configMap(pathname.split('/').at(-1)!)));
    } else response.end(JSON.stringify(pathname.includes('persistentvolumeclaims') ? pvc : kind));
  };

  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    kubeconfig: kubeconfigFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    put(name, data) {
      const type = stored.has(name) ? 'MODIFIED' : 'ADDED';
      version += 1;
      stored.set(name, data);
      for (const [watch, watched] of watches) {
        if (watched === name) watch.write(`${JSON.stringify({ type, object: configMap(name) })}\n`);
      }
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function kubeconfigFor(server: string): string {
  const name = 'here';
  return JSON.stringify({
    clusters: [{ name, cluster: { server, 'insecure-skip-tls-verify': true } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user: { token: name } }],
    'current-context': name,
  });
}
