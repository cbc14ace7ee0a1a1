import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { monotonicNow } from '../lib/clock.ts';
import { exchange, exchangeError, textOf } from '../lib/http-exchange.ts';
import type { Config, Source } from './config.ts';
import { linesOf } from './lines.ts';
import type { KubernetesObject, ObjectList } from './object.ts';
import { ApiError } from './status.ts';

/** Query parameters; undefined and empty ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RequestOptions {
  query?: Query;
  /** Aborts the request, and the reading of its answer. By default after 30 s. */
  signal?: AbortSignal | undefined;
}

export interface WatchEvent<T = KubernetesObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

interface Request extends RequestOptions {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  body?: object;
  contentType?: string;
}

interface Credentials {
  agent: http.Agent;
  /** Options of the agent, to detect that they changed. */
  tls: string;
  authorization: string | undefined;
  readAt: number;
}

const timeoutMs = 30_000;
/** As client-go reads a token again: kubelet replaces it after 80 % of its life, which is an hour. */
const rereadMs = 60_000;
/** The API server closes an idle connection after 90 s, and load balancers often after 60: a request must not meet that. */
const idleMs = 30_000;
/** Bytes. A page of a list has 500 objects; a larger answer would not fit into the agent's memory. */
const mostBytes = 32 * 2 ** 20;
const mostErrorBytes = 64 * 2 ** 10;

/**
 * Sends requests to the API server over connections that are kept alive: one for each would cost some ten kilobytes outside of
 * the heap. Throws an `ApiError`, or why there was no answer.
 */
export class Client {
  readonly #config: Config;
  #credentials: Credentials | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  async get<T = KubernetesObject>(path: string, options?: RequestOptions): Promise<T> {
    return this.#json({ ...options, method: 'GET', path });
  }

  /** Returns a page of a collection. */
  async list<T = KubernetesObject>(path: string, options?: RequestOptions): Promise<ObjectList<T>> {
    return this.get(path, options);
  }

  async create<T extends object>(path: string, body: T, options?: RequestOptions): Promise<T> {
    return this.#json({ ...options, method: 'POST', path, body });
  }

  /** Server-side apply: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
  async apply<T extends object>(
    path: string,
    body: T,
    { fieldManager, force = true, ...options }: RequestOptions & { fieldManager: string; force?: boolean },
  ): Promise<T> {
    const query = { ...options.query, fieldManager, force };
    return this.#json({ ...options, query, method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' });
  }

  /** JSON Merge Patch (RFC 7396). */
  async mergePatch<T = KubernetesObject>(
    path: string,
    body: object,
    { fieldManager, ...options }: RequestOptions & { fieldManager?: string } = {},
  ): Promise<T> {
    const query = { ...options.query, fieldManager };
    return this.#json({ ...options, query, method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  }

  /** Returns an answer that is not JSON, such as that of `/readyz`. */
  async text(path: string, options?: RequestOptions): Promise<string> {
    return this.#text({ ...options, method: 'GET', path });
  }

  /** Resolves when the API server has accepted the request. Lines follow as they arrive, until the signal or the server ends them. */
  async lines(
    path: string,
    { signal, ...options }: RequestOptions & { signal: AbortSignal },
  ): Promise<AsyncIterable<string>> {
    return linesOf(chunksOf(await this.#send({ ...options, signal, method: 'GET', path }, signal)), mostBytes);
  }

  /** The same for the events of a watch. Iterating throws the `ApiError` that ends it, such as 410 Gone. */
  async watch<T = KubernetesObject>(
    path: string,
    { query, signal }: RequestOptions & { signal: AbortSignal },
  ): Promise<AsyncIterable<WatchEvent<T>>> {
    return eventsIn(await this.lines(path, { query: { ...query, watch: true }, signal }));
  }

  async #json<T>(request: Request): Promise<T> {
    const text = await this.#text(request);
    try {
      return JSON.parse(text) as T;
    } catch {
      // V8's own message quotes the text, which may be a Secret's.
      throw new Error(
        `Kubernetes answered ${request.method} ${request.path} with something else than JSON: look for a proxy in between`,
      );
    }
  }

  async #text(request: Request): Promise<string> {
    const signal = request.signal ?? AbortSignal.timeout(timeoutMs);
    const text = await textOf(chunksOf(await this.#send(request, signal)), mostBytes);
    if (text !== undefined) return text;
    throw new Error(`cannot read more than ${mostBytes} bytes of ${request.path}`);
  }

  async #send(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#exchange(request, signal);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    // The token may have been replaced, or revoked with the object that it was bound to.
    if (statusCode === 401 && this.#credentials) this.#credentials.readAt = Number.NEGATIVE_INFINITY;
    throw new ApiError(statusCode, await textOf(chunksOf(response), mostErrorBytes));
  }

  async #exchange(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, query = {}, body, contentType = 'application/json' } = request;
    signal.throwIfAborted();
    const { agent, authorization } = this.#authenticate();
    const url = new URL(this.#config.server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(name, `${value}`);
    }
    const content = body && Buffer.from(JSON.stringify(body));
    const headers = {
      Accept: 'application/json',
      ...(authorization && { Authorization: authorization }),
      ...(content && { 'Content-Type': contentType, 'Content-Length': content.length }),
    };
    const outgoing = (url.protocol === 'https:' ? https : http).request(url, { method, headers, agent });
    try {
      return await exchange(outgoing, content, signal);
    } catch (error) {
      // The server has closed an idle connection just now: https://nodejs.org/docs/latest-v24.x/api/http.html#requestreusedsocket
      const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale && method === 'GET' && !signal.aborted) return this.#exchange(request, signal);
      throw exchangeError(error as Error, 'Kubernetes');
    }
  }

  #authenticate(): Credentials {
    const last = this.#credentials;
    if (last && monotonicNow() - last.readAt < rereadMs) return last;
    try {
      this.#credentials = this.#read(last);
    } catch (error) {
      // Until it expires the former token is still good: a file that is being replaced is back soon.
      if (!last) throw error;
      last.readAt = monotonicNow();
      return last;
    }
    return this.#credentials;
  }

  #read(last: Credentials | undefined): Credentials {
    const { server, token, ca, cert, key, serverName, isInsecure } = this.#config;
    const authorization = token && `Bearer ${read('the token', token)}`;
    const options = {
      ...(ca && { ca: read('the certificate authority', ca) }),
      ...(cert && { cert: read('the client certificate', cert) }),
      ...(key && { key: read('the client key', key) }),
      ...(serverName && { servername: serverName }),
      rejectUnauthorized: !isInsecure,
    };
    const tls = JSON.stringify(options);
    const isSame = last?.tls === tls;
    // Requests on the former agent go on; its idle connections close soon.
    const agent = isSame ? last.agent : agentFor(server, options);
    return { agent, tls, authorization, readAt: monotonicNow() };
  }
}

function agentFor(server: string, options: https.AgentOptions): http.Agent {
  const keeping = { keepAlive: true, timeout: idleMs };
  return server.startsWith('https:') ? new https.Agent({ ...keeping, ...options }) : new http.Agent(keeping);
}

function read(what: string, source: Source): string {
  if (typeof source === 'string') return source;
  try {
    return readFileSync(source.file, 'utf8').trim();
  } catch (error) {
    throw new Error(`cannot read ${what}: ${(error as Error).message}`);
  }
}

async function* chunksOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (error) {
    throw exchangeError(error as Error, 'Kubernetes');
  }
}

async function* eventsIn<T>(lines: AsyncIterable<string>): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines) {
    const { type, object } = JSON.parse(line);
    if (type === 'ERROR') throw new ApiError(object.code, object);
    yield { type, object };
  }
}
