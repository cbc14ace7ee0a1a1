import http from 'node:http';
import https from 'node:https';
import { exchange, textOf } from '../lib/http-exchange.ts';
import { TailnetError } from './failure.ts';

export interface RequestOptions {
  method: 'GET' | 'POST' | 'PATCH';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  text: string;
  /** From `Retry-After`; 0 without one. Milliseconds. */
  retryAfterMs: number;
}

/** Milliseconds. */
const timeoutMs = 10_000;
/** Seconds. */
const mostRetryAfter = 600;
/** Bytes. The entries of a thousand zones take a tenth of it. */
const mostBytes = 2 ** 20;

/**
 * Sends a request and reads the whole answer, up to a limit. Redirects are not followed: they would take the credentials
 * elsewhere. Throws a `TailnetError` without an answer.
 */
export async function request(url: string, { method, headers, body, signal }: RequestOptions): Promise<Answer> {
  const { origin, protocol } = new URL(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  const content = body === undefined ? undefined : Buffer.from(body);
  const length = content && { 'Content-Length': content.length };
  const client = protocol === 'https:' ? https : http;
  try {
    signal.throwIfAborted();
    const outgoing = client.request(url, { method, headers: { ...headers, ...length }, agent: false });
    const response = await exchange(outgoing, content, AbortSignal.any([signal, timeout]));
    const text = await textOf(response, mostBytes);
    if (text === undefined) throw new TailnetError(`${origin} answers with more than ${mostBytes} bytes`);
    const retryAfterMs = 1_000 * Math.min(Math.max(Number(response.headers['retry-after']) || 0, 0), mostRetryAfter);
    return { status: response.statusCode ?? 0, text, retryAfterMs };
  } catch (error) {
    if (error instanceof TailnetError) throw error;
    throw new TailnetError(
      `cannot reach ${origin}: ${timeout.aborted ? `no answer in ${timeoutMs / 1_000} s` : codeOf(error)}`,
    );
  }
}

/** Only the code: a message can quote what the server sent. */
function codeOf(error: unknown): string {
  const { code, errors } = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] };
  const text = code ?? errors?.[0]?.code;
  return typeof text === 'string' && /^[A-Z0-9_]{1,64}$/.test(text) ? text : 'the connection ended early';
}
