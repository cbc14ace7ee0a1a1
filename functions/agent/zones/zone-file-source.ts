import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { ConfigMapData, WatchConfigMap } from './zone-files.ts';

/** Zone files of ConfigMaps, as they change. */
export const configMapsOf =
  (cluster: Pick<AgentClient, 'watchConfigMap'>, failureLog: Pick<FailureLog, 'record'>): WatchConfigMap =>
  (name, take) =>
    cluster.watchConfigMap(name, take, (failure) =>
      failureLog.record('watch a zone file', failure, { configMap: name }),
    );

/** Zone files of a folder, CONFIGMAP/KEY, that are read once; without a folder there are none. */
export const configMapsIn =
  (folder: string | undefined): WatchConfigMap =>
  (name, take) => {
    take(folder === undefined ? undefined : configMapAt(join(folder, name)));
    return () => {};
  };

function configMapAt(folder: string): ConfigMapData | undefined {
  if (!existsSync(folder)) return undefined;
  return { data: Object.fromEntries(readdirSync(folder).map((key) => [key, readFileSync(join(folder, key), 'utf8')])) };
}
