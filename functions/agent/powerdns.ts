import { readFile } from 'node:fs/promises';
import { type Change, declaredAccount, type RRset, type Zone } from './zone.ts';

/** PowerDNS did not take a request; the message is its own. Every other failure means that it does not answer. */
export class Rejection extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface ZoneHeader {
  id: string;
  name: string;
  account: string;
  serial: number;
}

interface ApiRRset {
  name: string;
  type: string;
  ttl: number;
  records: { content: string; disabled?: boolean }[];
  comments: { account: string; content: string }[];
}

export interface PowerDNSOptions {
  /** Such as http://127.0.0.1:8081. */
  api: string;
  /** The file that PowerDNS reads its key from, too: `api-key=...`. It changes whenever PowerDNS starts. */
  keyFile: string;
  timeoutMs?: number;
}

/** PowerDNS's REST API: https://doc.powerdns.com/authoritative/http-api/ */
export class PowerDNS {
  readonly #options: Required<PowerDNSOptions>;
  #key: string | undefined;

  constructor(options: PowerDNSOptions) {
    this.#options = { timeoutMs: 10_000, ...options };
  }

  zones(): Promise<ZoneHeader[]> {
    return this.#call('GET', '/zones');
  }

  async zone({ id, name, account }: ZoneHeader): Promise<Zone> {
    const { rrsets } = await this.#call<{ rrsets: ApiRRset[] }>('GET', `/zones/${id}`);
    return { id, name, account, rrsets: rrsets.map(fromApi) };
  }

  /** Native: replicas share nothing, so there is nobody to notify. */
  async create(name: string, rrsets: RRset[]): Promise<void> {
    await this.#call('POST', '/zones', {
      name,
      kind: 'Native',
      account: declaredAccount,
      nameservers: [],
      rrsets: rrsets.map(toApi),
    });
  }

  /** One transaction: all of the changes or, with a Rejection, none. */
  async patch({ id }: Zone, changes: Change[]): Promise<void> {
    const rrsets = changes.map((change) =>
      change.action === 'delete'
        ? { ...change.rrset, changetype: 'DELETE' }
        : { ...toApi(change.rrset), changetype: 'REPLACE' },
    );
    await this.#call('PATCH', `/zones/${id}`, { rrsets });
  }

  async remove({ id }: Zone): Promise<void> {
    await this.#call('DELETE', `/zones/${id}`);
  }

  /** Forgets what was answered below a name, such as the REFUSED of a zone that did not exist yet. */
  async flush(name: string): Promise<void> {
    await this.#call('PUT', `/cache/flush?domain=${encodeURIComponent(`${name}$`)}`);
  }

  /** PowerDNS's metrics in Prometheus' text format; it serves them without a key. */
  async metrics(): Promise<string> {
    const response = await fetch(`${this.#options.api}/metrics`, {
      signal: AbortSignal.timeout(this.#options.timeoutMs),
    });
    return response.text();
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response = await this.#send(method, path, body);
    if (response.status === 401) {
      this.#key = undefined;
      response = await this.#send(method, path, body);
    }
    const text = await response.text();
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
    throw new Rejection(response.status, wordsOf(text) ?? `PowerDNS answered ${response.status}`);
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const { api, keyFile, timeoutMs } = this.#options;
    this.#key ??= (await readFile(keyFile, 'utf8')).trim().replace(/^api-key=/, '');
    return fetch(`${api}/api/v1/servers/localhost${path}`, {
      method,
      headers: { 'X-API-Key': this.#key, 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

function wordsOf(text: string): string | undefined {
  try {
    const { error, errors } = JSON.parse(text);
    return [error, ...(errors ?? [])].filter(Boolean).join(': ') || undefined;
  } catch {
    return undefined;
  }
}

function fromApi({ name, type, ttl, records, comments }: ApiRRset): RRset {
  const mark = comments[0] && { account: comments[0].account, content: comments[0].content };
  return { name: name.toLowerCase(), type, ttl, records: records.map((r) => r.content), ...(mark && { mark }) };
}

function toApi({ name, type, ttl, records, mark }: RRset): object {
  return {
    name,
    type,
    ttl,
    records: records.map((content) => ({ content, disabled: false })),
    comments: mark ? [mark] : [],
  };
}
