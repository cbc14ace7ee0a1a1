import { randomBytes } from 'node:crypto';
import type { DeclaredResolver } from '../../contract/declaration.ts';
import { messageOf } from '../lib/error-message.ts';
import { query, queryOnce, ResponseCodeError, type ServerAddress } from '../self-test/dns-query.ts';

/** Of one attempt. Milliseconds. */
const timeoutMs = 1500;

/** Why the resolver cannot answer a question for a name elsewhere; undefined if it can. That there is no such name is an answer. */
export async function whyUnforwarded(
  server: ServerAddress,
  { name, type }: NonNullable<DeclaredResolver['check']>,
): Promise<string | undefined> {
  try {
    await query({ server, name, type, transport: 'UDP', timeoutMs, isRecursive: true });
    return undefined;
  } catch (error) {
    const message = messageOf(error);
    return error instanceof ResponseCodeError && message === 'NXDOMAIN' ? undefined : message;
  }
}

/**
 * Whether a question that the resolver sends to an upstream comes back to the resolver. The name is a new one each time,
 * which nobody on the way has cached.
 */
export async function comesBack(
  server: ServerAddress,
  { domain, answer }: NonNullable<DeclaredResolver['upstreams'][number]['circle']>,
): Promise<boolean> {
  const name = `${randomBytes(8).toString('hex')}.${domain}`;
  try {
    const answers = await queryOnce({ server, name, type: 'TXT', transport: 'UDP', timeoutMs, isRecursive: true });
    return answers.some((record) => record.type === 'TXT' && [record.data].flat().join('') === answer);
  } catch {
    return false;
  }
}
