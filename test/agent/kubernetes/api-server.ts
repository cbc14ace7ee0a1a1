/** An API server of our own over real HTTP: lists in pages, watches from a version on, and forgets what is old. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { Metadata } from '../../../functions/agent/sources/kinds/metadata.ts';

export interface KubernetesObject {
  metadata: Metadata;
  [field: string]: unknown;
}

interface Event {
  version: number;
  /** One kind in all namespaces, such as `/api/v1/services`. */
  collection: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubernetesObject;
}

interface Watcher {
  collection: string;
  namespace: string | undefined;
  response: ServerResponse;
}

export class Kubernetes {
  readonly requests: string[] = [];
  /** What is answered instead, by the beginning of the path. */
  readonly failures = new Map<string, { code: number; message: string }>();
  /** The resources of the versions of groups, by their path; a version without any is not there. */
  readonly resources = new Map<string, string[]>();
  /** Whether custom resource definitions are being removed: their objects go first. */
  isTerminating = false;
  readonly #collections = new Map<string, Map<string, KubernetesObject>>();
  readonly #watchers = new Set<Watcher>();
  readonly #server: Server = createServer((request, response) => this.#serve(request, response));
  #events: Event[] = [];
  #version = 100;
  readonly #held = new Set<ServerResponse>();
  #isFrozen = false;

  async start(): Promise<KubeConfig> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u', token: 'secret' });
    return config;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** From now on it takes requests and answers none. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** How many requests wait for an answer that does not come. */
  get held(): number {
    return this.#held.size;
  }

  /** Answers what comes from now on. */
  thaw(): void {
    this.#isFrozen = false;
  }

  put(collection: string, object: KubernetesObject): void {
    const objects = this.#objects(collection);
    const type = objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: `${++this.#version}` } };
    objects.set(keyOf(object), stored);
    this.#happen({ version: this.#version, collection, type, object: stored });
  }

  remove(collection: string, key: string): void {
    const object = this.#objects(collection).get(key);
    if (!object) throw new Error(`there is no ${key} in ${collection}`);
    this.#objects(collection).delete(key);
    this.#happen({ version: ++this.#version, collection, type: 'DELETED', object });
  }

  /** Sends the version that watches have reached. */
  bookmark(): void {
    for (const { response } of this.#watchers) response.write(`${JSON.stringify(this.#bookmark)}\n`);
  }

  get #bookmark() {
    return { type: 'BOOKMARK', object: { metadata: { resourceVersion: `${this.#version}` } } };
  }

  get version(): number {
    return this.#version;
  }

  /** No watch can go on from the present version or one before. */
  forget(): void {
    this.#version += 1;
    this.#events = [];
  }

  /** How many watches there are, by the beginning of the path. */
  watches(collection = ''): number {
    return this.#watchers
      .values()
      .filter((w) => w.collection.startsWith(collection))
      .toArray().length;
  }

  /** Ends every watch as a server does whose time for it is over. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
  }

  /** Cuts every connection of a watch, after the beginning of a line. */
  cutWatches(beginning = ''): void {
    for (const { response } of this.#watchers) {
      if (beginning === '') response.destroy();
      else response.write(beginning, () => response.destroy());
    }
  }

  /** What every watch gets instead of an event. */
  say(line: string | Uint8Array): void {
    for (const { response } of this.#watchers) response.write(line);
  }

  #objects(collection: string): Map<string, KubernetesObject> {
    const there = this.#collections.get(collection) ?? new Map();
    this.#collections.set(collection, there);
    return there;
  }

  #happen(event: Event): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) tell(watcher, event);
  }

  #serve({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://any');
    this.requests.push(url);
    const failure = [...this.failures].find(([path]) => pathname.startsWith(path))?.[1];
    const [, api, namespace, plural] = /^(.*?\/v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)$/.exec(pathname) ?? [];
    const collection = `${api}/${plural}`;
    if (this.#isFrozen) this.#hold(response);
    else if (headers.authorization !== 'Bearer secret') refuse(response, 401, 'Unauthorized');
    else if (failure) refuse(response, failure.code, failure.message);
    else if (pathname === '/readyz') response.end('ok');
    else if (/^\/apis\/[^/]+\/[^/]+$/.test(pathname)) this.#serveResources(pathname, response);
    else if (searchParams.get('watch')) this.#serveWatch({ collection, namespace, response }, searchParams);
    else this.#serveList({ collection, namespace, response }, searchParams);
  }

  #hold(response: ServerResponse): void {
    this.#held.add(response);
    response.once('close', () => this.#held.delete(response));
  }

  #serveResources(path: string, response: ServerResponse): void {
    const names = this.resources.get(path);
    // Kubernetes answers a group that it does not know in plain text.
    if (!names) return void response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 page not found\n');
    const verbs = ['delete', 'get', 'list', 'watch', ...(this.isTerminating ? [] : ['create', 'patch', 'update'])];
    const resources = names.flatMap((name) => [
      { name, verbs },
      { name: `${name}/status`, verbs: ['get', 'patch', 'update'] },
    ]);
    response.end(JSON.stringify({ kind: 'APIResourceList', resources }));
  }

  #serveList({ collection, namespace, response }: Watcher, query: URLSearchParams): void {
    const all = [...this.#objects(collection).values()].filter((o) => isIn(namespace, o));
    const [from, limit] = [Number(query.get('continue') ?? 0), Number(query.get('limit'))];
    const next = from + limit < all.length ? { continue: `${from + limit}` } : {};
    const metadata = { resourceVersion: `${this.#version}`, ...next };
    response.end(JSON.stringify({ kind: 'List', metadata, items: all.slice(from, from + limit) }));
  }

  #serveWatch(watcher: Watcher, query: URLSearchParams): void {
    const { response } = watcher;
    const from = Number(query.get('resourceVersion'));
    const isForgotten = from < this.#version && !this.#events.some(({ version }) => version <= from + 1);
    if (isForgotten) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      return void response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
    response.flushHeaders();
    for (const event of this.#events) if (event.version > from) tell(watcher, event);
  }
}

const keyOf = ({ metadata: { namespace, name } }: KubernetesObject) => (namespace ? `${namespace}/${name}` : name);

const isIn = (namespace: string | undefined, { metadata }: KubernetesObject) =>
  namespace === undefined || namespace === metadata.namespace;

function tell({ collection, namespace, response }: Watcher, { type, object, ...event }: Event): void {
  if (collection === event.collection && isIn(namespace, object))
    response.write(`${JSON.stringify({ type, object })}\n`);
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code).end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}
