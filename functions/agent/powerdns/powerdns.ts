import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { apiContent } from '../../dns/rdata/api-content.ts';
import { request, type TextResponse } from './http-request.ts';
import { type Change, declaredAccount, isManaged, type RRset, type Zone } from './rrset.ts';

/** PowerDNS has rejected a request, with this message. Any other error means that it did not answer. */
export class PowerDNSRejection extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** Whether the request was wrong, rather than PowerDNS or the API key. */
  get isRequestError(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 401;
  }
}

/** The message of a rejection that concerns one zone. Any other error concerns all of them, and is thrown. */
export function rejectionMessage(error: unknown): string {
  if (error instanceof PowerDNSRejection && error.isRequestError) return error.message;
  throw error;
}

interface ZoneHeader {
  id: string;
  name: string;
  account: string;
  kind?: string;
  serial: number;
  /** Whether a key signs the zone's answers. */
  dnssec: boolean;
}

/** A DNSSEC key, without its private part. */
export interface Cryptokey {
  id: number;
  /** Whether it signs. */
  active: boolean;
  /** Whether it is in the zone's DNSKEY RRset. */
  published: boolean;
  /** RDATA, such as `257 3 13 oJMR...`. */
  dnskey: string;
}

type ZoneRef = Pick<Zone, 'id'>;

/** PowerDNS leaves these to applications: https://doc.powerdns.com/authoritative/domainmetadata.html#extra-metadata */
export type MetadataKind = `X-${string}`;

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
  /** The file that PowerDNS reads its API key from: `api-key=...`. It changes with every start of PowerDNS. */
  keyFile: string;
  timeoutMs?: number;
  request?: typeof request;
}

/** PowerDNS's REST API: https://doc.powerdns.com/authoritative/http-api/ */
export class PowerDNS {
  readonly #options: Required<PowerDNSOptions>;
  #key: string | undefined;
  /** Of the responses that zones were parsed from. */
  readonly #digests = new WeakMap<Zone, string>();

  constructor(options: PowerDNSOptions) {
    this.#options = { timeoutMs: 5_000, request, ...options };
  }

  zones(): Promise<ZoneHeader[]> {
    return this.#call('GET', '/zones');
  }

  /** Returns `before` itself if the zone has not changed since: parsing ten thousand records costs more than reading them. */
  async zone({ id, name, kind, dnssec = false }: Omit<Zone, 'rrsets' | 'account'>, before?: Zone): Promise<Zone> {
    const text = await this.#request('GET', `/zones/${id}`);
    const digest = hash('sha256', text);
    if (before && this.#digests.get(before) === digest) return before;
    // Somebody may have replaced the zone since the zones were listed.
    const { account, rrsets } = JSON.parse(text) as { account: string; rrsets: ApiRRset[] };
    const zone = { id, name, account, ...(kind && { kind }), dnssec, rrsets: rrsets.map(fromApi) };
    this.#digests.set(zone, digest);
    return zone;
  }

  /** Returns the RRsets of one name. */
  async rrsetsAt({ id }: ZoneRef, name: string): Promise<RRset[]> {
    const path = `/zones/${id}?rrset_name=${encodeURIComponent(name)}`;
    return (await this.#call<{ rrsets: ApiRRset[] }>('GET', path)).rrsets.map(fromApi);
  }

  /** Native: replicas share nothing, so there are no secondaries to notify. */
  create(name: string, rrsets: RRset[], account = declaredAccount): Promise<ZoneHeader> {
    return this.#call('POST', '/zones', {
      name,
      kind: 'Native',
      account,
      nameservers: [],
      rrsets: rrsets.map(toApi),
    });
  }

  /** Applies all changes in one transaction, or none if PowerDNS rejects it. */
  async patch({ id }: Pick<Zone, 'id'>, changes: Change[]): Promise<void> {
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

  /** Returns a zone's metadata of a kind; empty if there is none. */
  async metadata({ id }: ZoneRef, kind: MetadataKind): Promise<string[]> {
    return (await this.#call<{ metadata: string[] }>('GET', `/zones/${id}/metadata/${kind}`)).metadata;
  }

  /** Does not change the serial. */
  async setMetadata({ id }: ZoneRef, kind: MetadataKind, metadata: string[]): Promise<void> {
    await this.#call('PUT', `/zones/${id}/metadata/${kind}`, { kind, metadata });
  }

  cryptokeys({ id }: ZoneRef): Promise<Cryptokey[]> {
    return this.#call('GET', `/zones/${id}/cryptokeys`);
  }

  /** A key's private part, in the format of BIND's .private files. */
  async privateKey({ id }: ZoneRef, key: Pick<Cryptokey, 'id'>): Promise<string> {
    return (await this.#call<{ privatekey: string }>('GET', `/zones/${id}/cryptokeys/${key.id}`)).privatekey;
  }

  /** Adds a key that signs everything and is not published; PowerDNS does not rectify the zone for it. */
  async addKey({ id }: ZoneRef, privatekey: string): Promise<Cryptokey> {
    const state = { active: true, published: false };
    const body = { keytype: 'csk', ...state, privatekey };
    // The response includes the private key.
    const added = await this.#call<Cryptokey>('POST', `/zones/${id}/cryptokeys`, body);
    return { id: added.id, dnskey: added.dnskey, ...state };
  }

  async setKey({ id }: ZoneRef, key: Pick<Cryptokey, 'id' | 'active' | 'published'>): Promise<void> {
    const { active, published } = key;
    await this.#call('PUT', `/zones/${id}/cryptokeys/${key.id}`, { active, published });
  }

  async removeKey({ id }: ZoneRef, key: Pick<Cryptokey, 'id'>): Promise<void> {
    await this.#call('DELETE', `/zones/${id}/cryptokeys/${key.id}`);
  }

  /** A signed zone's NSEC3PARAM, such as `1 0 0 -`; empty when it has NSEC. */
  async nsec3param({ id }: ZoneRef): Promise<string> {
    return (await this.#call<{ nsec3param: string }>('GET', `/zones/${id}?rrsets=false`)).nsec3param;
  }

  /** Sets NSEC3PARAM, or NSEC if it is empty, and rectifies the zone in the same transaction. */
  async setNsec3param({ id }: ZoneRef, nsec3param: string): Promise<void> {
    await this.#call('PUT', `/zones/${id}`, { nsec3param });
  }

  /** Orders a signed zone's names for denial of existence; a PATCH does so by itself. */
  async rectify({ id }: ZoneRef): Promise<void> {
    await this.#call('PUT', `/zones/${id}/rectify`);
  }

  /** Flushes the cached answers, keys and metadata of a zone. */
  async flush({ name }: Pick<Zone, 'name'>): Promise<void> {
    await this.#call('PUT', `/cache/flush?domain=${encodeURIComponent(name)}`);
  }

  /** Returns the effective value of a setting. */
  async setting(name: string): Promise<string | undefined> {
    const settings = await this.#call<{ name: string; value: string }[]>('GET', '/config');
    return settings.find((setting) => setting.name === name)?.value;
  }

  /** Returns PowerDNS's metrics in Prometheus' text format; they need no API key. */
  async metrics(): Promise<string> {
    const { api, timeoutMs, request } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    const { status, text } = await request(`${api}/metrics`, { method: 'GET', signal });
    if (!isSuccess(status)) throw new PowerDNSRejection(status, `PowerDNS answered ${status}`);
    return text;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await this.#request(method, path, body);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async #request(method: string, path: string, body?: unknown): Promise<string> {
    let response = await this.#send(method, path, body);
    if (response.status === 401) {
      this.#key = undefined;
      response = await this.#send(method, path, body);
    }
    const { status, text } = response;
    if (isSuccess(status)) return text;
    throw new PowerDNSRejection(status, errorIn(text) ?? `PowerDNS answered ${status}`);
  }

  async #send(method: string, path: string, body: unknown): Promise<TextResponse> {
    const { api, keyFile, timeoutMs, request } = this.#options;
    this.#key ??= (await readFile(keyFile, 'utf8')).trim().replace(/^api-key=/, '');
    return request(`${api}/api/v1/servers/localhost${path}`, {
      method,
      headers: { 'X-API-Key': this.#key, 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

const isSuccess = (status: number) => status >= 200 && status < 300;

function errorIn(text: string): string | undefined {
  try {
    const { error, errors } = JSON.parse(text);
    return [error, ...(errors ?? [])].filter(Boolean).join(': ') || undefined;
  } catch {
    return undefined;
  }
}

function fromApi({ name, type, ttl, records, comments }: ApiRRset): RRset {
  // Somebody may have added a comment beside ours.
  const comment = comments.find(({ account }) => isManaged(account)) ?? comments[0];
  return {
    name: name.toLowerCase(),
    type,
    ttl,
    // A disabled record is not answered.
    records: records.filter(({ disabled }) => !disabled).map(({ content }) => content),
    ...(comment && { mark: { account: comment.account, content: comment.content } }),
  };
}

function toApi({ name, type, ttl, records, mark }: RRset): object {
  return {
    name,
    type,
    ttl,
    records: records.map((content) => ({ content: apiContent(type, content), disabled: false })),
    comments: mark ? [mark] : [],
  };
}
