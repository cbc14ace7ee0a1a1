/** Finds the Prometheus for the tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../path.ts';

/** Paths of the programs. */
export interface Programs {
  prometheus: string;
  promtool: string;
}

/** Prefers the programs that unpack.sh has unpacked to those on the PATH. Throws if there are none. */
export function findPrometheus(folder = join(import.meta.dirname, '../../_build/prometheus/usr/bin')): Programs {
  if (existsSync(folder)) return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
  return { prometheus: findOnPath('prometheus'), promtool: findOnPath('promtool') };
}
