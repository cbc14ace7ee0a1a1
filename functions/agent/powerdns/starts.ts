import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';

export interface PowerDNSStartsOptions {
  /** PowerDNS's key, which every start writes anew. */
  keyFile: string;
  onStart: () => void;
  failureLog: Pick<FailureLog, 'record'>;
}

/** Tells when PowerDNS is about to start: with another database, maybe, and nothing else shows that before it is read. */
export function watchStarts({ keyFile, onStart, failureLog }: PowerDNSStartsOptions): void {
  // The folder, as the file may not exist yet.
  const failed = (error: unknown) => failureLog.record("watch PowerDNS's key", messageOf(error));
  try {
    watch(dirname(keyFile), { persistent: false }, onStart).on('error', failed);
  } catch (error) {
    failed(error);
  }
}
