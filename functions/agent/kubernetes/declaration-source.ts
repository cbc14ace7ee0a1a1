import { watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { waysInKey } from '../../contract/ways-in.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { AgentClient } from './agent-client.ts';

export interface DeclarationSourceOptions {
  /** Without one, the file is the only source. */
  client?: Pick<AgentClient, 'watchDeclaration'> | undefined;
  file: string;
  /** May be called again with the same texts. Throws if `text` is not a valid declaration. */
  apply: (text: string, waysIn?: string) => void;
  /** Receives whether the ConfigMap exists. */
  onExistence?: (exists: boolean) => void;
  failureLog: Pick<FailureLog, 'record'>;
  log: Pick<Logger, 'warn'>;
  /** How long to wait for the ConfigMap before the file is read. */
  timeoutMs?: number;
}

const action = 'read the declaration';

/**
 * Applies the declaration and each later version: of the ConfigMap or, without a client, of the file. Resolves after the
 * first attempt. Throws if there is neither a client nor a file.
 */
export async function watchDeclaration(options: DeclarationSourceOptions): Promise<void> {
  const { client, file, failureLog } = options;
  if (client) return watchConfigMap(client, options);
  const read = async () => void apply(options, await readFile(file, 'utf8'), await waysInNextTo(file));
  await read();
  watchFile(file, { interval: 500 }, () => {
    read().catch((error) => failureLog.record(action, messageOf(error)));
  });
}

async function watchConfigMap(
  client: NonNullable<DeclarationSourceOptions['client']>,
  options: DeclarationSourceOptions,
): Promise<void> {
  const { file, failureLog, log, onExistence, timeoutMs = 3_000 } = options;
  let isApplied = false;
  const applied = new Promise<void>((resolve) => {
    const onText = (text: string, waysIn?: string): void => {
      isApplied = apply(options, text, waysIn) || isApplied;
      if (isApplied) resolve();
    };
    const onFailure = (failure?: string) => failureLog.record('watch the declaration', failure);
    client.watchDeclaration(onText, onFailure, onExistence);
  });
  await Promise.race([applied, sleep(timeoutMs)]);
  if (isApplied) return;
  // The kubelet wrote the file when the pod started: it allows a start while the API server is down.
  const text = await readFile(file, 'utf8').catch((error) => log.warn(messageOf(error)));
  // The ConfigMap, which is newer, may have been applied meanwhile.
  if (text !== undefined && !isApplied) apply(options, text, await waysInNextTo(file));
}

/** They are the other file of the ConfigMap, which one of an older version does not have. */
const waysInNextTo = (file: string): Promise<string | undefined> =>
  readFile(join(dirname(file), waysInKey), 'utf8').catch(() => undefined);

/** Reports whether the text was applied. */
function apply(options: DeclarationSourceOptions, text: string, waysIn: string | undefined): boolean {
  const failure = failureOf(() => options.apply(text, waysIn));
  options.failureLog.record(action, failure);
  return failure === undefined;
}

function failureOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
