/**
 * A cluster on this machine: what an agent has there of its own, beside the objects of a folder or of a real cluster, which is
 * only read.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http, { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { partsOf } from '../../functions/agent/kubernetes/api-discovery.ts';
import { keyOf } from '../../functions/agent/kubernetes/object.ts';
import type { requiredInCluster } from '../../functions/agent/options.ts';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import type { Declaration } from '../../functions/contract/declaration.ts';
import { claimOf, namesOf } from '../../functions/internal-dns/names.ts';
import { ApiServer, kubeconfigOf, type StoredObject } from '../agent/kubernetes/api-server.ts';
import { readManifests, watchFolder } from './manifests.ts';

/** Where source objects come from: a folder of manifests, or the cluster of a kubeconfig. */
export type ObjectSource = { folder: string } | { kubeconfig: string };

export interface LocalClusterOptions {
  declaration: Declaration;
  /** Data of the ConfigMap of the declaration. */
  declared: Record<string, string>;
  configMaps: KubernetesObject[];
  objects: ObjectSource;
  /** For the kubeconfig. */
  dir: string;
  /** What people should know, such as a file that is no manifest. */
  onNotice: (notice: string) => void;
}

export interface LocalCluster {
  /** The file. */
  kubeconfig: string;
  /** Those of the agent that name its objects. */
  flags: Record<(typeof requiredInCluster)[number], string>;
  stop(): void;
}

const namespace = 'internal-dns';
const own = (plural: string) => `/api/v1/${plural}`;

export async function startCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { declaration, objects, dir, onNotice } = options;
  const stops: (() => void)[] = [];
  const flags = flagsOf(declaration);
  const server = new ApiServer();
  server.storesPatches = true;
  stops.push(() => server.stop());
  const config = await server.start();
  putOwnObjects(server, flags, options);
  try {
    let url = config.server;
    if ('folder' in objects) stops.push(putManifests(server, objects.folder, declaration, onNotice));
    else {
      const proxy = await startProxy(objects.kubeconfig);
      stops.push(() => proxy.process.kill());
      const front = await startFront(config.server, proxy.url);
      stops.push(
        () => front.server.closeAllConnections(),
        () => front.server.close(),
      );
      url = front.url;
    }
    const kubeconfig = join(dir, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigOf({ ...config, server: url }));
    return { kubeconfig, flags, stop: () => stops.toReversed().forEach((stop) => void stop()) };
  } catch (error) {
    for (const stop of stops.toReversed()) stop();
    throw error;
  }
}

function flagsOf({ name }: Declaration): LocalCluster['flags'] {
  const { declared, status, kept, tailnet, dnssec, pods } = namesOf(name, 1);
  const [pod = ''] = pods;
  return {
    'declared-config-map': declared,
    'status-config-map': status,
    'kept-config-map': kept,
    'tailnet-config-map': tailnet,
    'keys-secret': dnssec,
    pod,
    claim: claimOf(pod),
    namespace,
  };
}

function putOwnObjects(server: ApiServer, flags: LocalCluster['flags'], options: LocalClusterOptions): void {
  const { declaration, declared, configMaps } = options;
  const put = (plural: string, name: string, content: object = {}) =>
    server.put(own(plural), { metadata: { name, namespace, uid: `${plural}/${name}` }, ...content });
  put('configmaps', flags['declared-config-map'], { data: declared });
  for (const flag of ['status-config-map', 'kept-config-map'] as const) put('configmaps', flags[flag]);
  for (const { metadata, data } of configMaps) put('configmaps', metadata.name, { data });
  put('secrets', flags['keys-secret']);
  const storage = declaration.storage?.size;
  put('persistentvolumeclaims', flags.claim, { spec: { resources: { requests: { storage } } } });
}

/** Puts the objects of a folder, and follows its files. Returns a function that stops that. */
function putManifests(
  server: ApiServer,
  folder: string,
  { discovery }: Declaration,
  onNotice: LocalClusterOptions['onNotice'],
): () => void {
  for (const resource of discovery?.sources.flatMap(({ resources = [] }) => resources) ?? []) {
    const { plural, path } = partsOf(resource);
    server.resources.set(path, [...(server.resources.get(path) ?? []), plural]);
  }
  let known = new Map<string, { collection: string; key: string; text: string }>();
  const update = () => {
    const { manifests, ignored } = readManifests(folder);
    const next = new Map(
      manifests.map(({ collection, object }) => {
        const key = keyOf(object.metadata);
        return [`${collection} ${key}`, { collection, key, text: JSON.stringify(object) }];
      }),
    );
    for (const [id, { collection, key }] of known) if (!next.has(id)) server.remove(collection, key);
    for (const [id, { collection, text }] of next) {
      if (known.get(id)?.text !== text) server.put(collection, JSON.parse(text) as StoredObject);
    }
    known = next;
    return ignored;
  };
  const ignored = update();
  if (ignored.length > 0) onNotice(`not read from ${folder}, as no source is of that kind: ${ignored.join(', ')}`);
  return watchFolder(folder, () => {
    try {
      update();
    } catch (error) {
      // Half written, perhaps: the objects stay as they are until it is whole.
      onNotice((error as Error).message);
    }
  });
}

/** `kubectl proxy`, which knows every way of authentication that a kubeconfig can have. */
async function startProxy(kubeconfig: string): Promise<{ process: ChildProcess; url: string }> {
  const args = [`--kubeconfig=${kubeconfig}`, 'proxy', '--port=0', '--reject-methods=^(POST|PUT|PATCH|DELETE)$'];
  const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, 'exit').then(() => Buffer.concat(errors).toString().trim());
  const missing = once(child, 'error').then(([error]) => (error as Error).message);
  const started = once(lines, 'line').then(([line]) => /:(\d+)$/.exec(line as string)?.[1]);
  const port = await Promise.race([started, failed, missing]);
  if (!/^\d+$/.test(port ?? '')) throw new Error(`cannot run kubectl proxy: ${port}`);
  return { process: child, url: `http://127.0.0.1:${port}` };
}

/** What the agent has of its own. Everything else is the real cluster's, and is only read there. */
const ownPath = new RegExp(
  `^/api/v1/namespaces/${namespace}/(?:configmaps|secrets|persistentvolumeclaims|pods|endpoints)(?:/|$)`,
);

/** Sends requests to the agent's own objects to one API server, and requests to read anything else to another one. */
async function startFront(own: string, others: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (ownPath.test(new URL(url, own).pathname)) forward(request, response, own);
    else if (method === 'GET') forward(request, response, others);
    else response.writeHead(403, { 'Content-Type': 'application/json' }).end(JSON.stringify(onlyRead));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const onlyRead = {
  kind: 'Status',
  status: 'Failure',
  code: 403,
  reason: 'Forbidden',
  message: 'this cluster is only read',
};

function forward(request: IncomingMessage, response: ServerResponse, to: string): void {
  const { method, url = '', headers } = request;
  const outgoing = http.request(
    `${to}${url}`,
    { method, headers: { ...headers, host: new URL(to).host } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  request.pipe(outgoing);
}
