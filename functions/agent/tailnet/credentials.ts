import type { Secret } from '../kubernetes/object.ts';
import { Awaited } from './failure.ts';

/** The keys of the Secret, which are those of Tailscale's own operator. */
const keys = ['client_id', 'client_secret'] as const;

/** An OAuth client. Its values are in private fields, so that no log, error or JSON can have them. */
export class Credentials {
  readonly #id: string;
  readonly #secret: string;

  constructor(id: string, secret: string) {
    this.#id = id;
    this.#secret = secret;
  }

  /** @param name that of the Secret. Throws `Awaited` until it has both values. */
  static from(secret: Secret | undefined, name: string): Credentials {
    if (!secret) throw new Awaited(`Secret ${name} does not exist: create it with the keys ${keys.join(' and ')}`);
    // Not every editor and shell leaves out the line feed at the end.
    const [id = '', value = ''] = keys.map((key) =>
      Buffer.from(secret.data?.[key] ?? '', 'base64')
        .toString()
        .trim(),
    );
    const missing = keys[[id, value].indexOf('')];
    if (missing) throw new Awaited(`Secret ${name} has no ${missing}: add it`);
    return new Credentials(id, value);
  }

  /** The body of the request for a token: https://tailscale.com/kb/1215/oauth-clients */
  tokenRequest(): string {
    return `${new URLSearchParams({ grant_type: 'client_credentials', client_id: this.#id, client_secret: this.#secret })}`;
  }

  equals(other: Credentials | undefined): boolean {
    return other !== undefined && this.#id === other.#id && this.#secret === other.#secret;
  }
}
