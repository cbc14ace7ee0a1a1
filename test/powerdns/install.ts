/** Finds a PowerDNS to test against, and fetches one where that is possible. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PowerDNS {
  /** The command that starts pdns_server; arguments may be added to it. */
  server: string[];
  sqlite3: string[];
  /** Where the backends are, if not where the server looks by itself. */
  moduleDir?: string;
  /** The file with this version's SQLite schema. */
  schema: string;
  /** Such as `5.1.5`. */
  version: string;
}

/** As root PowerDNS 5.1 from Debian, once, into `folder`; else the machine's own. Rejects with what to install. */
export async function findPowerDNS(
  folder = join(import.meta.dirname, '../../_build/pdns'),
  root = process.getuid?.() === 0,
): Promise<PowerDNS> {
  if (!root && !existsSync(folder)) return installed('fetching it takes root');
  try {
    await unpack(folder);
  } catch (error) {
    return installed(`cannot fetch it: ${(error as { stderr?: string }).stderr?.trim() || error}`);
  }
  return unpacked(folder);
}

/** Test files run at the same time: the lock makes all but the first wait, whatever they install, and goes with its holder, however that ends. */
async function unpack(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await run('flock', [join(tmpdir(), 'apt.lock'), join(import.meta.dirname, 'unpack.sh'), folder]);
}

/** Programs of another Debian run by that one's loader, with that one's libraries. */
function unpacked(folder: string): PowerDNS {
  const loader = globSync(join(folder, 'usr/lib/*/ld-linux*.so.*'))[0];
  if (!loader) throw new Error(`cannot use ${folder}: no loader in it; remove it and try again`);
  const libraries = dirname(loader);
  const program = (path: string) => [loader, '--library-path', libraries, join(folder, path)];
  return described({
    server: program('usr/sbin/pdns_server'),
    sqlite3: program('usr/bin/sqlite3'),
    moduleDir: join(libraries, 'pdns'),
    schema: join(folder, SCHEMA),
  });
}

/** Debian's path, also Ubuntu's, and not below /usr/share/doc, which slim images leave out. */
const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

function installed(otherwise: string): PowerDNS {
  // Users other than root have no sbin on their PATH.
  const path = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`.split(':');
  const find = (name: string) => path.map((folder) => join(folder, name)).find((file) => existsSync(file));
  const [server, sqlite3] = [find('pdns_server'), find('sqlite3')];
  if (!server || !sqlite3 || !existsSync(SCHEMA)) {
    throw new Error(
      `cannot find PowerDNS with SQLite (${otherwise}): sudo apt-get install pdns-server pdns-backend-sqlite3 sqlite3`,
    );
  }
  return described({ server: [server], sqlite3: [sqlite3], schema: SCHEMA });
}

function described(found: Omit<PowerDNS, 'version'>): PowerDNS {
  const [command, ...args] = found.server as [string, ...string[]];
  // 4.7 says it and exits with 99.
  const { stdout, stderr, error } = spawnSync(command, [...args, '--version'], { encoding: 'utf8' });
  const version = `${stdout}${stderr}`.match(/Server (\d+\.\d+\.\d+)/)?.[1];
  if (!version) throw new Error(`cannot tell the version of ${found.server.at(-1)}: ${error ?? stderr}`);
  return { ...found, version };
}
