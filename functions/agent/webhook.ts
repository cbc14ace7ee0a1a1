import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Logger } from 'pino';
import { type Agent, messageOf } from './agent.ts';

const mediaType = 'application/external.dns.webhook+json;version=1';

/** Bytes; ExternalDNS's own limit. */
const bodyLimit = 32 * 1024 * 1024;

/**
 * ExternalDNS's extension point: https://kubernetes-sigs.github.io/external-dns/v0.23.0/docs/tutorials/webhook-provider/
 * Every failure is 503, which it takes for a soft error and tries again in its next loop; others would end its process.
 */
export function webhook(agent: Agent, log: Logger): Server {
  const routes: Record<string, (request: IncomingMessage) => Promise<unknown>> = {
    // No filter: a name outside the zones is to be reported, not dropped unheard.
    'GET /': async () => ({}),
    'GET /records': () => agent.records(),
    'POST /adjustendpoints': async (request) => agent.adjust((await json(request)) ?? []),
    'POST /records': async (request) => agent.apply(await json(request)),
  };
  return createServer(async (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    if (!route) return void response.writeHead(404).end();
    try {
      const result = await route(request);
      response.setHeader('Content-Type', mediaType);
      if (result === undefined) response.writeHead(204).end();
      else response.end(JSON.stringify(result));
    } catch (error) {
      log.warn({ route: `${request.method} ${request.url}`, failure: messageOf(error) }, 'put ExternalDNS off');
      response.writeHead(503).end(`cannot serve ExternalDNS: ${messageOf(error)}`);
    }
  });
}

// biome-ignore lint/suspicious/noExplicitAny: ExternalDNS shares the pod; what it sends is judged field by field.
async function json(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > bodyLimit) throw new Error(`the body is larger than ${bodyLimit} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
