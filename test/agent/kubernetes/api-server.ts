/** An API server over real HTTP or HTTPS, with paged lists, watches from a resource version that expires, and patches. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Config } from '../../../functions/agent/kubernetes/config.ts';
import type { ObjectMeta } from '../../../functions/agent/kubernetes/object.ts';

export interface StoredObject {
  metadata: ObjectMeta;
  [field: string]: unknown;
}

interface Event {
  version: number;
  /** One kind in all namespaces, such as `/api/v1/services`. */
  collection: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: StoredObject;
}

interface Watcher {
  collection: string;
  namespace: string | undefined;
  /** The only object that is watched. */
  name: string | undefined;
  response: ServerResponse;
}

/** A kubeconfig with this server and token. */
export function kubeconfigOf({ server, token }: Pick<Config, 'server' | 'token'>): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
}

export class ApiServer {
  /** URLs. */
  readonly requests: string[] = [];
  /** METHOD URL CONTENT-TYPE BODY of requests that write. */
  readonly writes: string[] = [];
  /** Errors to respond with, by prefix of the path. */
  readonly failures = new Map<string, { code: number; message: string; reason?: string }>();
  /** The resources of the versions of groups, by their path; a version without any does not exist. */
  readonly resources = new Map<string, string[]>();
  /** Whether custom resource definitions are being deleted, their objects first. */
  isTerminating = false;
  token = 'secret';
  /** Whether requests must have it. client-go sends none without TLS. */
  needsToken = true;
  /** Whether patches change objects; otherwise they are only recorded. */
  storesPatches = false;
  /** Connections so far. */
  connections = 0;
  /** The names of the items in lists of maps that each field manager has applied. */
  readonly #owned = new Map<string, Set<string>>();
  readonly #collections = new Map<string, Map<string, StoredObject>>();
  readonly #watchers = new Set<Watcher>();
  readonly #server: Server;
  readonly #isSecure: boolean;
  #events: Event[] = [];
  #version = 100;
  readonly #held = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #isFrozen = false;

  /** @param tls for HTTPS */
  constructor(tls?: ServerOptions) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#isSecure = tls !== undefined;
    this.#server = tls ? createSecureServer(tls, serve) : createServer(serve);
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Returns the configuration to connect with. */
  async start(): Promise<Config> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return { server: `${this.#isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, token: this.token };
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Closes idle connections, as after a timeout. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  /** Open connections. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Accepts requests from now on without a response. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** The number of requests without a response. */
  get held(): number {
    return this.#held.size;
  }

  /** Responds to requests from now on. */
  thaw(): void {
    this.#isFrozen = false;
  }

  put(collection: string, object: StoredObject): void {
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

  /** Expires the current resource version and all before it. */
  forget(): void {
    this.#version += 1;
    this.#events = [];
  }

  /** The number of watches, by prefix of the path. */
  watches(collection = ''): number {
    return this.#watchers
      .values()
      .filter((w) => w.collection.startsWith(collection))
      .toArray().length;
  }

  /** Ends every watch, as after its timeout. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
  }

  /** Cuts every connection of a watch, after the beginning of a line. Resolves when they are closed. */
  async cutWatches(beginning = ''): Promise<void> {
    const closed = [...this.#watchers].map(async ({ response }) => {
      const close = once(response, 'close');
      if (beginning === '') response.destroy();
      else response.write(beginning, () => response.destroy());
      await close;
    });
    await Promise.all(closed);
  }

  /** Writes a raw line to every watch. */
  write(line: string | Uint8Array): void {
    for (const { response } of this.#watchers) response.write(line);
  }

  #objects(collection: string): Map<string, StoredObject> {
    const existing = this.#collections.get(collection) ?? new Map();
    this.#collections.set(collection, existing);
    return existing;
  }

  #happen(event: Event): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) send(watcher, event);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '', headers } = request;
    const { pathname, searchParams } = new URL(url, 'http://any');
    const body = method === 'GET' ? '' : await text(request);
    this.requests.push(url);
    // Without it client-go expects protobuf.
    response.setHeader('Content-Type', 'application/json');
    if (method !== 'GET') this.writes.push(`${method} ${url} ${headers['content-type']} ${body}`);
    const failure = [...this.failures].find(([path]) => pathname.startsWith(path))?.[1];
    const [, api, namespace, plural, name, subresource] =
      /^(.*?\/v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(status))?$/.exec(pathname) ?? [];
    const collection = `${api}/${plural}`;
    const only = /^metadata\.name=(.*)$/.exec(searchParams.get('fieldSelector') ?? '')?.[1];
    const watcher = { collection, namespace, name: only, response };
    if (this.#isFrozen) this.#hold(response);
    else if (this.needsToken && headers.authorization !== `Bearer ${this.token}`) refuse(response, 401, 'Unauthorized');
    else if (failure) refuse(response, failure.code, failure.message, failure.reason);
    else if (pathname === '/readyz') response.end('ok');
    else if (/^\/apis\/[^/]+\/[^/]+$/.test(pathname)) this.#serveResources(pathname, response);
    else if (subresource && this.storesPatches)
      this.#applyStatus(
        collection,
        { key: `${namespace}/${name}`, manager: searchParams.get('fieldManager') ?? '', patch: JSON.parse(body) },
        response,
      );
    else if (method === 'PATCH' && this.storesPatches)
      this.#patch(collection, namespace ? `${namespace}/${name}` : `${name}`, JSON.parse(body), response);
    else if (method !== 'GET') response.writeHead(method === 'POST' ? 201 : 200).end(body);
    else if (name !== undefined) this.#serveObject(collection, namespace ? `${namespace}/${name}` : name, response);
    else if (searchParams.get('watch')) this.#serveWatch(watcher, searchParams);
    else this.#serveList(watcher, searchParams);
  }

  /** A JSON Merge Patch, or what server-side apply makes of one's own fields. */
  #patch(collection: string, key: string, patch: Partial<StoredObject>, response: ServerResponse): void {
    const object = this.#objects(collection).get(key);
    const { resourceVersion: version = object?.metadata.resourceVersion } = patch.metadata ?? {};
    if (!object) refuse(response, 404, `${key} not found`, 'NotFound');
    else if (version !== object.metadata.resourceVersion) refuse(response, 409, `${key} has been modified`, 'Conflict');
    else {
      this.put(collection, merged(object, patch) as StoredObject);
      response.end(JSON.stringify(this.#objects(collection).get(key)));
    }
  }

  /**
   * Server-side apply of a status whose instances are a list map by name: what a manager does not apply any more goes, and
   * what others have applied stays.
   */
  #applyStatus(
    collection: string,
    { key, manager, patch }: { key: string; manager: string; patch: StoredObject },
    response: ServerResponse,
  ): void {
    const object = this.#objects(collection).get(key);
    if (!object) return void refuse(response, 404, `${key} not found`, 'NotFound');
    const owner = `${collection} ${key} ${manager}`;
    const owned = this.#owned.get(owner) ?? new Set();
    const { instances = [] } = patch.status as { instances?: { name: string }[] };
    const { instances: before = [] } = (object.status ?? {}) as { instances?: { name: string }[] };
    const kept = before.flatMap((each) => {
      const applied = instances.find(({ name }) => name === each.name);
      return applied ?? (owned.has(each.name) ? [] : each);
    });
    const added = instances.filter(({ name }) => !before.some((each) => each.name === name));
    this.#owned.set(owner, new Set(instances.map(({ name }) => name)));
    const status = sorted({ ...(object.status as object), instances: [...kept, ...added] });
    if (JSON.stringify(status) !== JSON.stringify(object.status)) this.put(collection, { ...object, status });
    response.end(JSON.stringify(this.#objects(collection).get(key)));
  }

  #hold(response: ServerResponse): void {
    this.#held.add(response);
    response.once('close', () => this.#held.delete(response));
  }

  #serveResources(path: string, response: ServerResponse): void {
    const names = this.resources.get(path);
    // Kubernetes responds in plain text for an unknown group.
    if (!names) return void response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 page not found\n');
    const verbs = ['delete', 'get', 'list', 'watch', ...(this.isTerminating ? [] : ['create', 'patch', 'update'])];
    const resources = names.flatMap((name) => [
      { name, verbs },
      { name: `${name}/status`, verbs: ['get', 'patch', 'update'] },
    ]);
    response.end(JSON.stringify({ kind: 'APIResourceList', resources }));
  }

  #serveObject(collection: string, key: string, response: ServerResponse): void {
    const object = this.#objects(collection).get(key);
    if (object) response.end(JSON.stringify(object));
    else refuse(response, 404, `${collection.split('/').at(-1)} "${key.split('/').at(-1)}" not found`, 'NotFound');
  }

  #serveList(watcher: Watcher, query: URLSearchParams): void {
    const all = [...this.#objects(watcher.collection).values()].filter((o) => isIn(watcher, o));
    const [from, limit] = [Number(query.get('continue') ?? 0), Number(query.get('limit'))];
    const next = from + limit < all.length ? { continue: `${from + limit}` } : {};
    const metadata = { resourceVersion: `${this.#version}`, ...next };
    watcher.response.end(JSON.stringify({ metadata, items: all.slice(from, from + limit) }));
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
    for (const event of this.#events) if (event.version > from) send(watcher, event);
  }
}

/** With the fields of all objects in the order in which Go writes a map. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]));
}

/** https://www.rfc-editor.org/rfc/rfc7396 */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = { ...(typeof target === 'object' ? target : {}) } as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const keyOf = ({ metadata: { namespace, name } }: StoredObject) => (namespace ? `${namespace}/${name}` : name);

const isIn = ({ namespace, name }: Watcher, { metadata }: StoredObject) =>
  (namespace === undefined || namespace === metadata.namespace) && (name === undefined || name === metadata.name);

function send(watcher: Watcher, { type, object, ...event }: Event): void {
  if (watcher.collection === event.collection && isIn(watcher, object))
    watcher.response.write(`${JSON.stringify({ type, object })}\n`);
}

function refuse(response: ServerResponse, code: number, message: string, reason = 'Failure'): void {
  response.writeHead(code).end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message, reason }));
}
