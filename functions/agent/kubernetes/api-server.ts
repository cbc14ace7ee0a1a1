import { HttpMethod, IsomorphicFetchHttpLibrary, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { kubernetesWords } from '../lib/error-message.ts';

/** What the API server answers instead of what it was asked for. */
export class ApiError extends Error {
  /** Its HTTP status. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const isApiError = (error: unknown, ...codes: number[]) =>
  error instanceof ApiError && codes.includes(error.code);

/** Query parameters; those that are undefined or empty are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** A GET request. Throws a `Refusal`, or why there was no answer. */
export type Get = (path: string, query: Query, signal: AbortSignal) => Promise<Body>;

interface Body {
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array> | null;
}

/** A POST of an object. Throws a `Refusal`, or why there was no answer. */
export type Post = (path: string, object: object, signal: AbortSignal) => Promise<void>;

/** Requests on one connection, which ask for the credentials once: a token may be another one next time. */
export async function connect(config: KubeConfig): Promise<Get> {
  const { server, request, send } = await open(config, HttpMethod.GET);
  return async (path, query, signal) => {
    const url = new URL(server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(name, `${value}`);
    }
    request.setUrl(url.href);
    return send(signal, 200);
  };
}

/**
 * Likewise for many objects, one after the other: each request of the library's own clients has a connection of its own,
 * with some ten kilobytes of it outside of the heap.
 */
export async function connectToPost(config: KubeConfig): Promise<Post> {
  const { server, request, send } = await open(config, HttpMethod.POST);
  request.setHeaderParam('Content-Type', 'application/json');
  return async (path, object, signal) => {
    request.setUrl(server + path);
    request.setBody(JSON.stringify(object));
    await (await send(signal, 201)).text();
  };
}

async function open(config: KubeConfig, method: HttpMethod) {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, '');
  if (server === undefined) throw new Error('there is no cluster in the configuration');
  const library = new IsomorphicFetchHttpLibrary();
  const request = new RequestContext(server, method);
  request.setHeaderParam('Accept', 'application/json');
  await config.applySecurityAuthentication(request);
  const send = async (signal: AbortSignal, wanted: number): Promise<Body> => {
    request.setSignal(signal);
    const { httpStatusCode, body } = await library.send(request).toPromise();
    if (httpStatusCode !== wanted)
      throw new ApiError(httpStatusCode, kubernetesWords(httpStatusCode, await body.text()));
    return body;
  };
  return { server, request, send };
}
