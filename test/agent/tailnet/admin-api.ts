/** Tailscale's admin API as far as split DNS goes, over real HTTP. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Credentials } from '../../../functions/agent/tailnet/credentials.ts';

export interface Fault {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export class AdminAPI {
  readonly clients = new Map([
    ['dns-client', { secret: 'dns-secret', scopes: ['dns'] }],
    ['other-client', { secret: 'other-secret', scopes: ['devices:core'] }],
  ]);
  splitDNS: Record<string, string[] | null> = {};
  /** METHOD PATH BODY, without those for tokens. */
  readonly requests: string[] = [];
  tokensIssued = 0;
  tokenSeconds = 3_600;
  /** Answers to come instead of the right ones: to requests for tokens, and to all others. */
  readonly faults: { token: Fault[]; api: Fault[] } = { token: [], api: [] };
  /** Called after a change, before the answer to it. */
  onChange: () => Promise<void> = async () => {};
  readonly #tokens = new Map<string, string[]>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  get changes(): string[] {
    return this.requests.filter((each) => !each.startsWith('GET'));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const path = request.url ?? '';
    const isToken = path === '/api/v2/oauth/token';
    const fault = this.faults[isToken ? 'token' : 'api'].shift();
    if (fault) return void response.writeHead(fault.status, fault.headers).end(fault.body ?? refusal(fault.status));
    if (isToken) return this.#issue(new URLSearchParams(body), response);
    this.requests.push([request.method, path, body].filter(Boolean).join(' '));
    const scopes = this.#tokens.get(request.headers.authorization ?? '');
    if (!scopes) return void response.writeHead(401).end(refusal(401));
    if (!scopes.includes('dns')) return void response.writeHead(403).end(refusal(403));
    if (path !== '/api/v2/tailnet/-/dns/split-dns') return void response.writeHead(404).end(refusal(404));
    if (request.method === 'PATCH') {
      for (const [zone, addresses] of Object.entries<string[] | null>(JSON.parse(body))) {
        if (addresses === null) delete this.splitDNS[zone];
        else this.splitDNS[zone] = addresses;
      }
      await this.onChange();
    }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(this.splitDNS));
  }

  #issue(form: URLSearchParams, response: ServerResponse): void {
    const client = this.clients.get(form.get('client_id') ?? '');
    if (client?.secret !== form.get('client_secret') || form.get('grant_type') !== 'client_credentials')
      return void response.writeHead(401).end(refusal(401));
    const token = `tskey-api-${randomUUID()}`;
    this.#tokens.set(`Bearer ${token}`, client?.scopes ?? []);
    this.tokensIssued += 1;
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: this.tokenSeconds }));
  }
}

const refusal = (status: number) => JSON.stringify({ message: 'refused', status });

export const credentials = new Credentials('dns-client', 'dns-secret');

/** A Secret as the API server has it. */
export const secretOf = (id: string, secret: string) => ({
  metadata: { name: 'tailnet-dns' },
  data: { client_id: Buffer.from(id).toString('base64'), client_secret: Buffer.from(`${secret}\n`).toString('base64') },
});
