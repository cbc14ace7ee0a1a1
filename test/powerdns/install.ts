/** Finds a PowerDNS to test against. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath } from '../path.ts';

export interface PowerDNS {
  /** The command that starts pdns_server; arguments may be added to it. */
  server: string[];
  sqlite3: string[];
  /** The folder of the backends, if it is not the default one. */
  moduleDir?: string;
  /** The file with this version's SQLite schema. */
  schema: string;
  /** Such as `5.1.5`. */
  version: string;
}

/** Returns a PowerDNS that supports all tests. Throws if there is none. */
export function findPresentPowerDNS(): PowerDNS {
  const powerdns = findPowerDNS();
  // Older versions return some contents in another form, and check health differently.
  if (powerdns.version.localeCompare('5.1', 'en', { numeric: true }) < 0) {
    throw new Error(`cannot use PowerDNS ${powerdns.version}, which is older than 5.1`);
  }
  return powerdns;
}

/** Returns the PowerDNS that unpack.sh has unpacked, else the installed one. Throws if there is none. */
export function findPowerDNS(folder = join(import.meta.dirname, '../../_build/pdns')): PowerDNS {
  return existsSync(folder) ? unpacked(folder) : installed();
}

/** Programs of another Debian release need its loader and libraries. */
function unpacked(folder: string): PowerDNS {
  const loader = globSync(join(folder, 'usr/lib/*/ld-linux*.so.*'))[0];
  if (!loader) throw new Error(`cannot use ${folder}: no loader in it; remove it and try again`);
  const libraries = dirname(loader);
  const program = (path: string) => [loader, '--library-path', libraries, join(folder, path)];
  return withVersion({
    server: program('usr/sbin/pdns_server'),
    sqlite3: program('usr/bin/sqlite3'),
    moduleDir: join(libraries, 'pdns'),
    schema: join(folder, SCHEMA),
  });
}

/** Debian's path, also Ubuntu's, and not below /usr/share/doc, which slim images leave out. */
const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

function installed(): PowerDNS {
  const server = findOnPath('pdns_server');
  if (!existsSync(SCHEMA)) throw new Error('cannot find the SQLite backend of PowerDNS');
  return withVersion({ server: [server], sqlite3: [findOnPath('sqlite3')], schema: SCHEMA });
}

function withVersion(powerdns: Omit<PowerDNS, 'version'>): PowerDNS {
  const [command, ...args] = powerdns.server as [string, ...string[]];
  // 4.7 prints it and exits with 99.
  const { stdout, stderr, error } = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
  const version = `${stdout}${stderr}`.match(/Server (\d+\.\d+\.\d+)/)?.[1];
  if (!version) throw new Error(`cannot tell the version of ${powerdns.server.at(-1)}: ${error ?? stderr}`);
  return { ...powerdns, version };
}
