import http from 'node:http';
import { exchange, exchangeError, textOf } from '../lib/http-exchange.ts';

/** Whether dnsdist takes each of its backends, by their names, to be up. */
export type BackendStates = ReadonlyMap<string, boolean>;

/** Milliseconds. */
const timeoutMs = 2000;
/** Bytes. Each of up to 150 backends takes 5 KB. */
const mostBytes = 2 ** 20;

/**
 * Reads them from the metrics, for which dnsdist needs no password:
 * https://www.dnsdist.org/guides/webserver.html#get--metrics
 */
export async function readBackendStates(host: string, port: number): Promise<BackendStates> {
  const outgoing = http.request({ host, port, path: '/metrics', agent: false });
  try {
    const response = await exchange(outgoing, undefined, AbortSignal.timeout(timeoutMs));
    const text = await textOf(response, mostBytes);
    if (response.statusCode !== 200) throw new Error(`dnsdist answered ${response.statusCode}`);
    if (text === undefined) throw new Error(`dnsdist has more than ${mostBytes} bytes of metrics`);
    return backendStatesIn(text);
  } catch (error) {
    throw exchangeError(error as Error, 'dnsdist');
  }
}

/** Pure: those in the text of the metrics. */
export const backendStatesIn = (text: string): BackendStates =>
  new Map(
    [...text.matchAll(/^dnsdist_server_status\{server="([^"]{1,64})"[^}]*\} ([01])$/gm)].map(([, name = '', value]) => [
      name,
      value === '1',
    ]),
  );
