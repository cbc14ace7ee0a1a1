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
  /** Characters that are kept of the bodies of all ExternalDNS, each of which has its share. */
  bodyLimit: number;
  /** ExternalDNS waits 15 s for an answer, and ends its process without one. */
  patienceMs?: number;
}

/**
 * ExternalDNS's extension point: https://kubernetes-sigs.github.io/external-dns/v0.23.0/docs/tutorials/webhook-provider/
 * Every failure is 503, which it takes for a soft error and tries again in its next loop; others would end its process.
 */
export function webhook({ agent, failureLog, bodyLimit, patienceMs = 10_000 }: WebhookOptions): Server {
  const seenAt = (name: string) => agent.seenAt(name);
  const wantedOf = new Map<string | undefined, EndpointsParser>();
  const namespaces = () => agent.declaration?.discovery?.namespaces ?? [];
  const limit = () => Math.floor(bodyLimit / Math.max(1, namespaces().length));
  const repetitionOf = (namespace: string | undefined): EndpointsParser => {
    const known = wantedOf.get(namespace) ?? new EndpointsParser({ seenAt, limit });
    // Of one that is declared no more nothing is kept.
    const declared = new Set<string | undefined>(namespaces());
    for (const each of wantedOf.keys()) if (!declared.has(each)) wantedOf.delete(each);
    wantedOf.set(namespace, known);
    return known;
  };
  const routes: Record<string, (request: IncomingMessage, namespace: string | undefined) => Promise<unknown>> = {
    // No filter: a name outside the zones is to be reported, not dropped unheard.
    'GET /': async () => ({}),
    'GET /records': (_, namespace) => agent.records(namespace),
    'POST /adjustendpoints': async (request, namespace) =>
      agent.adjustEndpoints(await repetitionOf(namespace).parse(request), namespace),
    'POST /records': async (request, namespace) =>
      agent.applyChanges(parse(await body(request, limit()), endpointChanges), namespace),
  };
  return createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    const { namespace, path } = placeOf(request.url ?? '');
    const answer = routes[`${request.method} ${path}`];
    if (!answer) return void response.writeHead(404).end();
    const slow = new AbortController();
    try {
      const result = await Promise.race([answer(request, namespace), late(patienceMs, slow.signal)]);
      response.setHeader('Content-Type', mediaType);
      if (result === undefined) response.writeHead(204).end();
      else response.end(textOf(result as object));
      failureLog.record('serve ExternalDNS', undefined, { route });
    } catch (error) {
      failureLog.record('serve ExternalDNS', messageOf(error), { route });
      agent.recordFailure(messageOf(error), namespace);
      response.writeHead(503).end(`cannot serve ExternalDNS: ${messageOf(error)}`);
    } finally {
      slow.abort();
    }
  });
}

const texts = new WeakMap<object, string>();

/** As JSON, made once: an answer that is the same as before is the same object. */
function textOf(answer: object): string {
  const text = texts.get(answer) ?? JSON.stringify(answer);
  texts.set(answer, text);
  return text;
}

/** The path of an ExternalDNS that sees only one namespace; the rest of it is as everybody's. */
const ofNamespace = /^\/namespaces\/([a-z0-9-]+)(\/.*)?$/;

function placeOf(url: string): { namespace: string | undefined; path: string } {
  const [, namespace, rest = '/'] = ofNamespace.exec(url) ?? [];
  return { namespace, path: namespace === undefined ? url : rest };
}

async function late(ms: number, signal: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal });
  throw new Error(`the answer takes longer than ${ms} ms`);
}

async function body(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await readToEnd(request, (chunk) => {
    size += chunk.length;
    if (size > limit) throw new Error(`the changes of ExternalDNS are more than ${limit} bytes at once: ${fewerNames}`);
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}
