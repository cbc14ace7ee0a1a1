import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../agent.ts';
import { endpointChanges } from '../discovery/endpoint.ts';
import { EndpointsParser, fewerNames, readToEnd } from '../discovery/endpoints-parser.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { parse } from '../lib/parse.ts';

const mediaType = 'application/external.dns.webhook+json;version=1';

export interface WebhookOptions {
  agent: Agent;
  failureLog: FailureLog;
  /** Characters of request bodies that may be kept, divided among all ExternalDNS. */
  bodyLimit: number;
  /** A request may have changed something. */
  onAnswered?: () => unknown;
  /** ExternalDNS waits 15 s for a response, and exits without one. */
  timeoutMs?: number;
}

/**
 * ExternalDNS's extension point: https://kubernetes-sigs.github.io/external-dns/v0.23.0/docs/tutorials/webhook-provider/
 * Every failure is a 503, which ExternalDNS treats as a soft error and retries in its next loop. Others make it exit.
 */
export function webhook({
  agent,
  failureLog,
  bodyLimit,
  onAnswered = () => {},
  timeoutMs = 10_000,
}: WebhookOptions): Server {
  const seenAt = (name: string) => agent.seenAt(name);
  const parsers = new Map<string | undefined, EndpointsParser>();
  const namespaces = () => agent.declaration?.discovery?.namespaces ?? [];
  const limit = () => Math.floor(bodyLimit / Math.max(1, namespaces().length));
  const parserFor = (namespace: string | undefined): EndpointsParser => {
    const parser = parsers.get(namespace) ?? new EndpointsParser({ seenAt, limit });
    // Frees the parsers of namespaces that are no longer declared.
    const declared = new Set<string | undefined>(namespaces());
    for (const each of parsers.keys()) if (!declared.has(each)) parsers.delete(each);
    parsers.set(namespace, parser);
    return parser;
  };
  const handlers: Record<string, (request: IncomingMessage, namespace: string | undefined) => Promise<unknown>> = {
    // No domain filter: ExternalDNS would drop names outside the zones, and they could not be reported.
    'GET /': async () => ({}),
    'GET /records': (_, namespace) => agent.records(namespace),
    'POST /adjustendpoints': async (request, namespace) =>
      agent.adjustEndpoints(await parserFor(namespace).parse(request), namespace),
    'POST /records': async (request, namespace) =>
      agent.applyChanges(parse(await readBody(request, limit()), endpointChanges), namespace),
  };
  return createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    const { namespace, path } = parsePath(request.url ?? '');
    const handler = handlers[`${request.method} ${path}`];
    if (!handler) return void response.writeHead(404).end();
    const timer = new AbortController();
    try {
      const result = await Promise.race([handler(request, namespace), rejectAfter(timeoutMs, timer.signal)]);
      response.setHeader('Content-Type', mediaType);
      if (result === undefined) response.writeHead(204).end();
      else response.end(serialize(result as object));
      failureLog.record('serve ExternalDNS', undefined, { route });
    } catch (error) {
      failureLog.record('serve ExternalDNS', messageOf(error), { route });
      agent.recordFailure(messageOf(error), namespace);
      response.writeHead(503).end(`cannot serve ExternalDNS: ${messageOf(error)}`);
    } finally {
      timer.abort();
      if (request.method === 'POST') onAnswered();
    }
  });
}

/**
 * While nothing changes, the agent returns the same objects every interval, one per namespace and route, so they are
 * serialized once. Weak: a text lives as long as the object that the agent may return again.
 */
const serialized = new WeakMap<object, string>();

function serialize(result: object): string {
  const text = serialized.get(result) ?? JSON.stringify(result);
  serialized.set(result, text);
  return text;
}

/** With `discovery.namespaces`, each ExternalDNS has the routes below a path of its namespace. */
const namespacePath = /^\/namespaces\/([a-z0-9-]+)(\/.*)?$/;

function parsePath(url: string): { namespace: string | undefined; path: string } {
  const [, namespace, path = '/'] = namespacePath.exec(url) ?? [];
  return { namespace, path: namespace === undefined ? url : path };
}

async function rejectAfter(ms: number, signal: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal });
  throw new Error(`no answer within ${ms} ms`);
}

async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await readToEnd(request, (chunk) => {
    size += chunk.length;
    if (size > limit) throw new Error(`the changes of ExternalDNS exceed ${limit} bytes: ${fewerNames}`);
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}
