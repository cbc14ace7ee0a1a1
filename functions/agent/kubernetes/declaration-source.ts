import { watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Cluster } from './cluster.ts';

export interface DeclarationSourceOptions {
  /** Where there is none, the file is all there is. */
  cluster?: Pick<Cluster, 'watchDeclaration'> | undefined;
  file: string;
  /** Takes over a declaration, which may be the same again. Throws on a text that is none. */
  take: (text: string) => void;
  failureLog: Pick<FailureLog, 'record'>;
  log: Pick<Logger, 'warn'>;
  /** How long the cluster has to tell the declaration before the file does. Milliseconds. */
  patienceMs?: number;
}

const reading = 'read the declaration';

/**
 * Hands on the declaration as it is and whenever it changes: of the ConfigMap or, without a cluster, of the file. Resolves
 * when that was tried once. Throws without a cluster when there is no file.
 */
export async function followDeclaration(options: DeclarationSourceOptions): Promise<void> {
  const { cluster, file, failureLog } = options;
  if (cluster) return followConfigMap(cluster, options);
  const read = async () => void hear(await readFile(file, 'utf8'), options);
  await read();
  watchFile(file, { interval: 500 }, () => {
    read().catch((error) => failureLog.record(reading, messageOf(error)));
  });
}

async function followConfigMap(
  cluster: NonNullable<DeclarationSourceOptions['cluster']>,
  options: DeclarationSourceOptions,
): Promise<void> {
  const { file, failureLog, log, patienceMs = 3_000 } = options;
  let isHeard = false;
  const heard = new Promise<void>((resolve) => {
    const onText = (text: string): void => {
      isHeard = hear(text, options) || isHeard;
      if (isHeard) resolve();
    };
    cluster.watchDeclaration(onText, (failure) => failureLog.record('watch the declaration', failure));
  });
  await Promise.race([heard, sleep(patienceMs)]);
  if (isHeard) return;
  // The file is the declaration as it was at the pod's start: for a start while Kubernetes is away.
  const text = await readFile(file, 'utf8').catch((error) => log.warn(messageOf(error)));
  // Kubernetes may have come meanwhile, and knows better.
  if (text !== undefined && !isHeard) hear(text, options);
}

/** Whether it was taken. */
function hear(text: string, { take, failureLog }: DeclarationSourceOptions): boolean {
  const failure = failureOf(() => take(text));
  failureLog.record(reading, failure);
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
