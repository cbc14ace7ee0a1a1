import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Registry } from 'prom-client';
import type { Agent } from './agent.ts';
import { messageOf } from './failure.ts';
import type { Overview } from './names/overview.ts';
import { jsonOf, textOf } from './page/listing.ts';
import { contentSecurityPolicy, page } from './page/page.ts';
import { find, type Search, searchOf } from './page/search.ts';
import type { PowerDNS } from './powerdns/powerdns.ts';
import { printable } from './printable.ts';

export interface HttpOptions {
  agent: Pick<Agent, 'isReady' | 'report'>;
  /** What is known at the moment. */
  overview: () => Overview;
  powerdns: Pick<PowerDNS, 'metrics'>;
  metrics: Pick<Registry, 'contentType' | 'metrics'>;
  now?: () => number;
}

interface Answer {
  /** 200 unless stated. */
  status?: number;
  type: string;
  /** In pieces where it may be long: they are made as fast as they are read. */
  body: string | Iterable<string>;
  headers?: Record<string, string>;
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

/** For kubelet, monitoring and people. Being alive depends on nothing else, and nothing here changes anything. */
export function http(options: HttpOptions): Server {
  return createServer((request, response) => {
    answerTo(request, options)
      .catch((error): Answer => ({ status: 500, type: text, body: `cannot answer: ${printable(messageOf(error))}\n` }))
      .then((answer) => send(response, answer))
      // Whoever asked has gone.
      .catch(() => response.destroy());
  });
}

async function answerTo({ method, url = '', headers }: IncomingMessage, options: HttpOptions): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, type: text, body: 'read-only: GET or HEAD\n', headers: { Allow: 'GET, HEAD' } };
  }
  const at = URL.parse(url, 'http://agent');
  if (!at) return { status: 400, type: text, body: 'not a URL\n' };
  switch (at.pathname) {
    case '/healthz':
      return { type: text, body: 'ok\n' };
    case '/readyz': {
      const { agent } = options;
      return { status: agent.isReady ? 200 : 503, type: json, body: `${JSON.stringify(agent.report() ?? {})}\n` };
    }
    case '/metrics':
      return metricsOf(options);
    case '/':
    case '/names':
    case '/names.txt':
      return namesAt(at, headers.accept, options);
    default:
      return {
        status: 404,
        type: text,
        body: 'not here: there are /, /names, /names.txt, /metrics, /healthz, /readyz\n',
      };
  }
}

/** PowerDNS listens on the loopback address only: its metrics are passed on. */
async function metricsOf({ metrics, powerdns }: HttpOptions): Promise<Answer> {
  const passedOn = powerdns.metrics().catch(() => '# PowerDNS does not answer\n');
  return { type: metrics.contentType, body: `${await metrics.metrics()}\n${await passedOn}` };
}

function namesAt({ pathname, searchParams }: URL, accept: string | undefined, options: HttpOptions): Answer {
  let search: Search;
  try {
    search = searchOf(searchParams);
  } catch (error) {
    return { status: 400, type: text, body: `${printable(messageOf(error))}\n` };
  }
  const { now = Date.now } = options;
  const overview = options.overview();
  if (pathname === '/') {
    return { type: 'text/html; charset=utf-8', body: page(overview, search, now()) };
  }
  const found = find(overview, search);
  if (pathname === '/names.txt') return { type: text, body: textOf(found) };
  const headers = { Vary: 'Accept' };
  if (prefersText(accept)) return { type: text, body: textOf(found), headers };
  return { type: json, body: jsonOf(overview, found), headers };
}

/** Of JSON and text (RFC 9110 section 12.5.1); who says nothing of text gets JSON. */
function prefersText(accept = ''): boolean {
  const weights = new Map(
    accept.split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return [type, weight === undefined ? 1 : Number(weight.slice(2))];
    }),
  );
  const any = weights.get('*/*') ?? 0;
  const ofJson = weights.get('application/json') ?? weights.get('application/*') ?? any;
  const ofText = weights.get('text/plain') ?? weights.get('text/*') ?? 0;
  return ofText > ofJson;
}

async function send(response: ServerResponse, { status = 200, type, body, headers }: Answer) {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    ...(typeof body === 'string' && { 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
  });
  // Of an answer to HEAD Node sends no body.
  if (typeof body === 'string') response.end(body);
  else await pipeline(Readable.from(body), response);
}
