import * as z from 'zod';
import { monotonicNow } from '../lib/clock.ts';
import type { Credentials } from './credentials.ts';
import { type Entries, type EntryChanges, entriesSchema, objectOf } from './entries.ts';
import { refusal, TailnetError, tokenRefusal } from './failure.ts';
import { type Answer, request } from './http-request.ts';

export interface TailnetAPIOptions {
  /** Such as `https://api.tailscale.com`. */
  apiURL: string;
  /** Its name; `-` is that of the credentials. */
  tailnet: string;
  /** Monotonic milliseconds. */
  now?: () => number;
}

const tokenSchema = z.object({
  // Of characters that a header can have.
  access_token: z.string().regex(/^[!-~]{1,4096}$/),
  /** Seconds. */
  expires_in: z.number().positive().max(86_400).default(3_600),
});

/** A token is replaced so long before it expires that a request with it still arrives. Milliseconds. */
const marginMs = 60_000;

interface Token {
  value: string;
  credentials: Credentials;
  expiresAt: number;
}

/**
 * The split DNS of a tailnet in the admin API. Every method throws a `TailnetError`.
 * https://tailscale.com/api#tag/dns
 */
export class TailnetAPI {
  readonly #url: string;
  readonly #path: string;
  readonly #now: () => number;
  #token: Token | undefined;

  constructor({ apiURL, tailnet, now = monotonicNow }: TailnetAPIOptions) {
    this.#url = apiURL.endsWith('/') ? apiURL.slice(0, -1) : apiURL;
    this.#path = `/api/v2/tailnet/${encodeURIComponent(tailnet)}/dns/split-dns`;
    this.#now = now;
  }

  read(credentials: Credentials, signal: AbortSignal): Promise<Entries> {
    return this.#send('GET', undefined, credentials, signal);
  }

  /** Changes these entries and leaves all others as they are. Returns all. */
  change(changes: EntryChanges, credentials: Credentials, signal: AbortSignal): Promise<Entries> {
    return this.#send('PATCH', JSON.stringify(objectOf(changes)), credentials, signal);
  }

  async #send(method: 'GET' | 'PATCH', body: string | undefined, credentials: Credentials, signal: AbortSignal) {
    const ask = async () =>
      request(this.#url + this.#path, {
        method,
        headers: {
          Accept: 'application/json',
          Authorization: `Bearer ${await this.#tokenFor(credentials, signal)}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body }),
        signal,
      });
    const isReused = this.#token !== undefined;
    let answer = await ask();
    if (answer.status === 401) {
      this.#token = undefined;
      // It may have been revoked.
      if (isReused) answer = await ask();
    }
    if (answer.status !== 200) throw refusal(this.#url, answer);
    return this.#parse(answer, entriesSchema);
  }

  async #tokenFor(credentials: Credentials, signal: AbortSignal): Promise<string> {
    const token = this.#token;
    if (token?.credentials.equals(credentials) && this.#now() < token.expiresAt) return token.value;
    const answer = await request(`${this.#url}/api/v2/oauth/token`, {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: credentials.tokenRequest(),
      signal,
    });
    if (answer.status !== 200) throw tokenRefusal(this.#url, answer);
    const { access_token: value, expires_in: seconds } = this.#parse(answer, tokenSchema);
    this.#token = { value, credentials, expiresAt: this.#now() + 1_000 * seconds - marginMs };
    return value;
  }

  #parse<T>({ text }: Answer, schema: z.ZodType<T>): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new TailnetError(`${this.#url} answers something else than Tailscale's admin API: correct splitDNS.apiURL`);
    }
  }
}
