import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { type Guide, guideOf, wayNamed } from '../../connect/guide.ts';
import { linesOf } from '../../connect/text.ts';
import { printable } from '../../contract/printable.ts';
import { readinessTimeoutSeconds } from '../../contract/readiness.ts';
import type { Agent } from '../agent.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { Overview } from '../names/overview.ts';
import type { PowerDNS } from '../powerdns/powerdns.ts';
import { exportZone } from '../zones/zone-file-export.ts';
import { connectionClose, createLimitedServer } from './limited-server.ts';
import { connectPage } from './page/connect.ts';
import { namesAsJson, namesAsText } from './page/listing.ts';
import { contentSecurityPolicy, statusPage } from './page/page.ts';
import { findNames, parseSearch, type Search, type SearchResult } from './page/search.ts';
import { RenderCache } from './render-cache.ts';
import { coalesced, ThrottledQueue } from './throttled-queue.ts';

export interface StatusServerOptions {
  agent: Pick<Agent, 'isReady' | 'report' | 'zone'>;
  /** Returns the present state of names and zones. */
  overview: () => Overview;
  powerdns: Pick<PowerDNS, 'metrics'>;
  metrics: Pick<Registry, 'contentType' | 'metrics'>;
  now?: () => number;
}

interface Reply {
  /** 200 unless stated. */
  status?: number;
  type: string;
  /** In chunks if it may be long. */
  body: string | AsyncGenerator<Buffer>;
  headers?: Record<string, string>;
}

/** What all requests share. */
interface Context extends StatusServerOptions {
  pages: RenderCache;
  zoneFiles: RenderCache;
  guides: RenderCache;
  report: () => Promise<string>;
  scrape: () => Promise<string>;
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

/** Of one core, for all requests together. */
const cpuShare = 0.2;

/**
 * The status page, metrics and zone files, for untrusted clients: read-only, and no number of requests slows down the rest
 * of the agent.
 */
export function statusServer(options: StatusServerOptions): Server {
  const { agent } = options;
  const queue = new ThrottledQueue(cpuShare);
  const context: Context = {
    ...options,
    pages: new RenderCache({ queue }),
    zoneFiles: new RenderCache({ queue }),
    guides: new RenderCache({ queue }),
    report: coalesced(queue, async () => `${JSON.stringify(agent.report() ?? {})}\n`),
    scrape: coalesced(queue, () => scrape(options)),
  };
  return createLimitedServer((request, response) => void respond(response, replyTo(request, response, context)));
}

export interface ProbeServerOptions extends Pick<StatusServerOptions, 'agent'> {
  /** How long an agent that is not ready keeps that to itself. */
  patienceMs?: number;
}

/** Before kubelet gives up. */
const defaultPatienceMs = (readinessTimeoutSeconds - 1) * 1_000;
const readinessPollMs = 50;

/** kubelet's probes, on a port of their own. Liveness depends on nothing else. */
export function probeServer({ agent, patienceMs = defaultPatienceMs }: ProbeServerOptions): Server {
  return createLimitedServer(({ method, url = '' }, response) => {
    const reply = isReadMethod(method) ? probeReply(url, () => becomesReady(agent, patienceMs)) : methodNotAllowed;
    void respond(response, Promise.resolve(reply));
  });
}

const isReadMethod = (method: string | undefined) => method === 'GET' || method === 'HEAD';
const methodNotAllowed: Reply = {
  status: 405,
  type: text,
  body: 'method not allowed: use GET or HEAD\n',
  headers: { Allow: 'GET, HEAD' },
};
const notFound = (paths: string): Reply => ({ status: 404, type: text, body: `not found: the paths are ${paths}\n` });

async function probeReply(path: string, isReady: () => Promise<boolean>): Promise<Reply> {
  if (path === '/healthz') return { type: text, body: 'ok\n' };
  if (path !== '/readyz') return notFound('/healthz, /readyz');
  return (await isReady()) ? { type: text, body: 'ok\n' } : { status: 503, type: text, body: 'not ready\n' };
}

/** Resolves as soon as the agent is ready. */
async function becomesReady(agent: Pick<Agent, 'isReady'>, withinMs: number): Promise<boolean> {
  const until = monotonicNow() + withinMs;
  while (!agent.isReady && monotonicNow() < until) await sleep(readinessPollMs);
  return agent.isReady;
}

async function replyTo(request: IncomingMessage, response: ServerResponse, context: Context): Promise<Reply> {
  const { method, url: target = '' } = request;
  if (!isReadMethod(method)) return methodNotAllowed;
  const url = URL.parse(target, 'http://agent');
  if (!url) return { status: 400, type: text, body: 'invalid URL\n' };
  switch (url.pathname) {
    case '/healthz':
      return { type: text, body: 'ok\n' };
    case '/readyz':
      return { status: context.agent.isReady ? 200 : 503, type: json, body: await context.report() };
    case '/metrics':
      return { type: context.metrics.contentType, body: await context.scrape() };
    case '/':
    case '/names.json':
    case '/names.txt':
      return namesReply(url, response, context);
    case '/connect':
    case '/connect.txt':
    case '/connect.json':
      return connectReply(url, response, context);
    default:
      return zoneFileReply(url, response, context) ?? notFound(paths);
  }
}

const paths =
  '/, /names.json, /names.txt, /connect, /connect.json, /connect.txt, /zones/ZONE.zone, /metrics, /healthz, /readyz';

/** `/zones/corp.internal.zone`; a slash in the name of a zone (RFC 2317) is `%2F`. */
function zoneFileReply({ pathname }: URL, response: ServerResponse, { agent, zoneFiles }: Context): Reply | undefined {
  const [, encoded] = /^\/zones\/([^/]{1,1024})\.zone$/.exec(pathname) ?? [];
  if (encoded === undefined) return undefined;
  const name = decoded(encoded);
  const zone = name === undefined ? undefined : agent.zone(name.toLowerCase());
  if (!zone) return { status: 404, type: text, body: `zone not found: ${printable(name ?? encoded)}\n` };
  const key = JSON.stringify(['zone', zone.name]);
  const isAborted = () => response.destroyed;
  return { type: text, body: zoneFiles.read({ key, inputs: [zone], isAborted, render: () => exportZone(zone) }) };
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** Includes PowerDNS's metrics, because PowerDNS listens on the loopback address only. */
async function scrape({ metrics, powerdns }: StatusServerOptions): Promise<string> {
  const ofPowerDNS = powerdns.metrics().catch(() => '# PowerDNS does not answer\n');
  return `${await metrics.metrics()}\n${await ofPowerDNS}`;
}

function namesReply(
  { pathname, searchParams }: URL,
  response: ServerResponse,
  { overview, pages, now = monotonicNow }: Context,
): Reply {
  let search: Search;
  try {
    search = parseSearch(searchParams);
  } catch (error) {
    return { status: 400, type: text, body: `${printable(messageOf(error))}\n` };
  }
  const current = overview();
  const { instance, zones, discovery, resolution, reach, names } = current;
  const seconds = Math.floor(now() / 1000);
  const inputs = [instance, zones, JSON.stringify(discovery), resolution, reach, names, seconds];
  const isAborted = () => response.destroyed;
  const body = (format: string, render: (found: SearchResult) => Iterable<string>) => {
    const key = JSON.stringify([format, search]);
    return pages.read({ key, inputs, isAborted, render: () => searched(current, search, render) });
  };
  if (pathname === '/') {
    return {
      type: 'text/html; charset=utf-8',
      body: body('page', (found) => statusPage(current, found, search, now())),
    };
  }
  if (pathname === '/names.txt') return { type: text, body: body('text', namesAsText) };
  return { type: json, body: body('json', (found) => namesAsJson(current, found)) };
}

/** What to paste where, through the way in of the query or the best one. */
function connectReply({ pathname, searchParams }: URL, response: ServerResponse, { overview, guides }: Context): Reply {
  const { instance, reach } = overview();
  const service = searchParams.get('way') || undefined;
  try {
    wayNamed(service, reach.ways);
  } catch (error) {
    return { status: 400, type: text, body: `${printable(messageOf(error))}\n` };
  }
  const body = (render: (guide: Guide) => Iterable<string>) => {
    const key = JSON.stringify([pathname, service]);
    const isAborted = () => response.destroyed;
    const guided = function* () {
      yield* render(guideOf(instance, reach, service));
    };
    return guides.read({ key, inputs: [instance, reach], isAborted, render: guided });
  };
  switch (pathname) {
    case '/connect':
      return { type: 'text/html; charset=utf-8', body: body((guide) => connectPage(guide, service)) };
    case '/connect.txt':
      return { type: text, body: body((guide) => linesOf(guide).map((line) => `${line}\n`)) };
    default:
      return { type: json, body: body((guide) => [`${JSON.stringify(guide)}\n`]) };
  }
}

/** A generator, so that searching, too, waits for its turn in the queue. */
function* searched(
  overview: Overview,
  search: Search,
  render: (found: SearchResult) => Iterable<string>,
): Generator<string> {
  yield* render(findNames(overview, search));
}

/** An error before the response has started becomes a 500. After that the connection can only be closed. */
async function respond(response: ServerResponse, reply: Promise<Reply>): Promise<void> {
  try {
    await send(response, await reply);
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    const body = `cannot answer: ${printable(messageOf(error))}\n`;
    await send(response, { status: 500, type: text, body });
  }
}

async function send(response: ServerResponse, { status = 200, type, body, headers }: Reply) {
  const first = typeof body === 'string' ? undefined : await body.next();
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    ...(typeof body === 'string' && { 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
    ...connectionClose,
  });
  // Node sends no body in response to HEAD.
  if (typeof body === 'string') return void response.end(body);
  if (first?.value) response.write(first.value);
  await pipeline(Readable.from(body, { objectMode: false }), response);
}
