/** Finds a Prometheus to test against. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../path.ts';

/** Paths of the programs. */
export interface Programs {
  prometheus: string;
  promtool: string;
}

/** What unpack.sh has brought, else the machine's own. Throws when there is none. */
export function findPrometheus(folder = join(import.meta.dirname, '../../_build/prometheus/usr/bin')): Programs {
  if (existsSync(folder)) return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
  return { prometheus: findOnPath('prometheus'), promtool: findOnPath('promtool') };
}
