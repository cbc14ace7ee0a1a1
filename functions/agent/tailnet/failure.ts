/** Something that somebody still has to create. */
export class Awaited extends Error {}

/** The API cannot be used. Its message has nothing of what the API answered: that may quote credentials. */
export class TailnetError extends Error {
  /** How long the API wants to be left alone. Milliseconds. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 0) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

const newClient = 'create an OAuth client with the scope dns in the admin console, and put its values into the Secret';

/** @param api the URL of the API */
export function refusal(api: string, { status, retryAfterMs }: { status: number; retryAfterMs: number }): TailnetError {
  return new TailnetError(`${api} answers ${status}: ${cureOf(status)}`, retryAfterMs);
}

/** @param api the URL of the API */
export const tokenRefusal = (api: string, answer: { status: number; retryAfterMs: number }): TailnetError =>
  [400, 401, 403].includes(answer.status)
    ? new TailnetError(`${api} does not accept the OAuth client (${answer.status}): ${newClient}`)
    : refusal(api, answer);

function cureOf(status: number): string {
  if (status === 401) return `the token is not accepted: ${newClient}`;
  if (status === 403) return `the OAuth client lacks the scope dns: ${newClient}`;
  if (status === 404) return 'it has no such tailnet or no split DNS: correct splitDNS.tailnet or splitDNS.apiURL';
  if (status === 429) return 'too many requests: it is asked again later';
  if (status >= 500) return 'it is asked again until that works';
  if (status >= 300 && status < 400) return 'it is elsewhere: set splitDNS.apiURL to where it is';
  return 'it does not accept the request: look for a zone that the tailnet cannot have';
}
