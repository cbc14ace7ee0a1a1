import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Registry } from 'prom-client';
import type { Agent } from '../agent.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import { printable } from '../lib/printable.ts';
import type { Overview } from '../names/overview.ts';
import type { PowerDNS } from '../powerdns/powerdns.ts';
import { exportZone } from '../zones/zone-file-export.ts';
import { lastAnswer, listener } from './listener.ts';
import { jsonOf, textOf } from './page/listing.ts';
import { contentSecurityPolicy, pageOf } from './page/page.ts';
import { type Found, find, type Search, searchOf } from './page/search.ts';
import { Renderings } from './renderings.ts';
import { joined, Turns } from './turns.ts';

export interface HttpOptions {
  agent: Pick<Agent, 'isReady' | 'report' | 'zone'>;
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
  /** In pieces where it may be long. */
  body: string | AsyncGenerator<Buffer>;
  headers?: Record<string, string>;
}

/** What all who ask have in common. */
interface Common extends HttpOptions {
  renderings: Renderings;
  zoneFiles: Renderings;
  report: () => Promise<string>;
  scrape: () => Promise<string>;
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

/** For monitoring and people, and whoever else reaches it: nothing here changes anything, and no number of readers slows the rest. */
export function http(options: HttpOptions): Server {
  const { agent } = options;
  const turns = new Turns(share);
  const common: Common = {
    ...options,
    renderings: new Renderings({ turns }),
    zoneFiles: new Renderings({ turns }),
    report: joined(turns, async () => `${JSON.stringify(agent.report() ?? {})}\n`),
    scrape: joined(turns, () => scrape(options)),
  };
  return listener((request, response) => void serve(response, answerTo(request, response, common)));
}

/** For kubelet, on a port of its own. Being alive depends on nothing else. */
export function probes({ agent }: Pick<HttpOptions, 'agent'>): Server {
  return listener(({ method, url = '' }, response) => {
    const answer = isReading(method) ? (probeOf(url, agent) ?? nothingAt('/healthz, /readyz')) : notAllowed;
    void serve(response, Promise.resolve(answer));
  });
}

/** Of one core, for all that is made for readers. */
const share = 0.2;

const isReading = (method: string | undefined) => method === 'GET' || method === 'HEAD';
const notAllowed: Answer = {
  status: 405,
  type: text,
  body: 'read-only: GET or HEAD\n',
  headers: { Allow: 'GET, HEAD' },
};
const nothingAt = (paths: string): Answer => ({ status: 404, type: text, body: `not here: there are ${paths}\n` });

function probeOf(path: string, agent: Pick<Agent, 'isReady'>): Answer | undefined {
  if (path === '/healthz') return { type: text, body: 'ok\n' };
  if (path !== '/readyz') return undefined;
  return agent.isReady ? { type: text, body: 'ok\n' } : { status: 503, type: text, body: 'not ready\n' };
}

async function answerTo(request: IncomingMessage, response: ServerResponse, common: Common): Promise<Answer> {
  const { method, url = '', headers } = request;
  if (!isReading(method)) return notAllowed;
  const at = URL.parse(url, 'http://agent');
  if (!at) return { status: 400, type: text, body: 'not a URL\n' };
  switch (at.pathname) {
    case '/healthz':
      return { type: text, body: 'ok\n' };
    case '/readyz':
      return { status: common.agent.isReady ? 200 : 503, type: json, body: await common.report() };
    case '/metrics':
      return { type: common.metrics.contentType, body: await common.scrape() };
    case '/':
    case '/names':
    case '/names.txt':
      return namesAt(at, headers.accept, response, common);
    default:
      return zoneFileAt(at, response, common) ?? nothingAt(paths);
  }
}

const paths = '/, /names, /names.txt, /zones/ZONE.zone, /metrics, /healthz, /readyz';

/** `/zones/corp.internal.zone`; a slash in a zone's name (RFC 2317) is `%2F`. */
function zoneFileAt({ pathname }: URL, response: ServerResponse, { agent, zoneFiles }: Common): Answer | undefined {
  const [, encoded] = /^\/zones\/([^/]{1,1024})\.zone$/.exec(pathname) ?? [];
  if (encoded === undefined) return undefined;
  const name = decoded(encoded);
  const zone = name === undefined ? undefined : agent.zone(name.toLowerCase());
  if (!zone) return { status: 404, type: text, body: `there is no zone ${printable(name ?? encoded)}\n` };
  const isGone = () => response.destroyed;
  const key = JSON.stringify(['zone', zone.name]);
  return { type: text, body: zoneFiles.read({ key, of: [zone], isGone, make: () => exportZone(zone) }) };
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** PowerDNS listens on the loopback address only: its metrics are passed on. */
async function scrape({ metrics, powerdns }: HttpOptions): Promise<string> {
  const passedOn = powerdns.metrics().catch(() => '# PowerDNS does not answer\n');
  return `${await metrics.metrics()}\n${await passedOn}`;
}

function namesAt(
  { pathname, searchParams }: URL,
  accept: string | undefined,
  response: ServerResponse,
  { overview, renderings, now = monotonicNow }: Common,
): Answer {
  let search: Search;
  try {
    search = searchOf(searchParams);
  } catch (error) {
    return { status: 400, type: text, body: `${printable(messageOf(error))}\n` };
  }
  const known = overview();
  const { instance, zones, discovery, resolution, names } = known;
  const seconds = Math.floor(now() / 1000);
  const of = [instance, zones, JSON.stringify(discovery), resolution, names, seconds];
  const isGone = () => response.destroyed;
  const rendered = (form: string, make: (found: Found) => Iterable<string>) => {
    const key = JSON.stringify([form, search]);
    return renderings.read({ key, of, isGone, make: () => found(known, search, make) });
  };
  if (pathname === '/') {
    return { type: 'text/html; charset=utf-8', body: rendered('page', (found) => pageOf(known, found, search, now())) };
  }
  const headers: Record<string, string> = pathname === '/names' ? { Vary: 'Accept' } : {};
  if (pathname === '/names.txt' || prefersText(accept)) return { type: text, body: rendered('text', textOf), headers };
  return { type: json, body: rendered('json', (found) => jsonOf(known, found)), headers };
}

/** Searching, too, is work that waits for its turn. */
function* found(overview: Overview, search: Search, make: (found: Found) => Iterable<string>): Generator<string> {
  yield* make(find(overview, search));
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

/** Whatever goes wrong before the answer has begun is said; after that, and when whoever asked has gone, nothing can be. */
async function serve(response: ServerResponse, answer: Promise<Answer>): Promise<void> {
  try {
    await send(response, await answer);
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    const body = `cannot answer: ${printable(messageOf(error))}\n`;
    await send(response, { status: 500, type: text, body });
  }
}

async function send(response: ServerResponse, { status = 200, type, body, headers }: Answer) {
  const beginning = typeof body === 'string' ? undefined : await body.next();
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    ...(typeof body === 'string' && { 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
    ...lastAnswer,
  });
  // Of an answer to HEAD Node sends no body.
  if (typeof body === 'string') return void response.end(body);
  if (beginning?.value) response.write(beginning.value);
  await pipeline(Readable.from(body, { objectMode: false }), response);
}
