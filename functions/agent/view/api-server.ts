import { HttpMethod, IsomorphicFetchHttpLibrary, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { kubernetesWords } from '../failure.ts';

/** What the API server answers instead of what it was asked for. */
export class Refusal extends Error {
  /** Its HTTP status. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const isRefusal = (error: unknown, ...codes: number[]) => error instanceof Refusal && codes.includes(error.code);

/** Query parameters; those that are undefined or empty are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** A GET request. Throws a `Refusal`, or why there was no answer. */
export type Get = (path: string, query: Query, signal: AbortSignal) => Promise<Body>;

interface Body {
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array> | null;
}

/** Requests on one connection, which ask for the credentials once: a token may be another one next time. */
export async function connect(config: KubeConfig): Promise<Get> {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('there is no cluster in the configuration');
  const library = new IsomorphicFetchHttpLibrary();
  const request = new RequestContext(server, HttpMethod.GET);
  request.setHeaderParam('Accept', 'application/json');
  await config.applySecurityAuthentication(request);
  return async (path, query, signal) => {
    const url = new URL(server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(name, `${value}`);
    }
    request.setUrl(url.href);
    request.setSignal(signal);
    const { httpStatusCode, body } = await library.send(request).toPromise();
    if (httpStatusCode !== 200) throw new Refusal(httpStatusCode, kubernetesWords(httpStatusCode, await body.text()));
    return body;
  };
}
