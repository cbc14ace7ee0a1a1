/** A real PowerDNS with the configuration of the pod, on this machine. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chownSync, closeSync, globSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { find } from '../programs.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import type { PowerDNS } from './install.ts';
import { type Question, query, type Reply } from './query.ts';

const run = promisify(execFile);

export interface Options {
  /** The text of pdns.conf as rendered for the pod; only folders and ports are replaced. */
  config: string;
  /** The folder of the database, the log (`pdns.log`) and the configuration; created if missing, never removed. */
  dir: string;
  /** DNS on 127.0.0.1, over UDP and TCP; a free one by default. */
  port?: number;
  /** The REST API on 127.0.0.1; a free one by default. */
  apiPort?: number;
  /** Random by default. */
  apiKey?: string;
  powerdns?: PowerDNS;
}

export interface RunningPowerDNS {
  /** Such as `http://127.0.0.1:8081`. */
  apiUrl: string;
  apiKey: string;
  dnsPort: number;
  /** Changes with a restart. */
  pid(): number;
  /** Peak memory since the start, in bytes: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
  peakMemory(): number;
  query(name: string, type?: Question['type'], how?: Pick<Question, 'tcp' | 'timeout'>): Promise<Reply>;
  /** Sends a signal without waiting. */
  kill(signal: NodeJS.Signals): void;
  /** Restarts it at the same ports. Resolves when it answers. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Deletes the files of the database, also of a running server. */
  wipe(): void;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Resolves when the API answers. Rejects with the end of the log if PowerDNS does not start. */
export async function startPowerDNS({ config, dir, ...options }: Options): Promise<RunningPowerDNS> {
  const powerdns = options.powerdns ?? (await find('PowerDNS'));
  const dnsPort = options.port ?? (await freePort());
  const apiPort = options.apiPort ?? (await freePort());
  const apiKey = options.apiKey ?? randomBytes(24).toString('base64url');
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const include = join(dir, 'include');
  const database = join(dir, 'pdns.sqlite3');
  const log = join(dir, 'pdns.log');

  mkdirSync(include, { recursive: true });
  writeFileSync(join(include, 'api.conf'), `api-key=${apiKey}\n`, { mode: 0o600 });
  writeFileSync(
    join(dir, 'pdns.conf'),
    override(config, {
      'gsqlite3-database': database,
      'include-dir': include,
      'socket-dir': dir,
      'local-address': '127.0.0.1',
      'local-port': `${dnsPort}`,
      'webserver-port': `${apiPort}`,
      ...(powerdns.moduleDir && { 'module-dir': powerdns.moduleDir }),
      // Debian 12 has 4.7, which lacks it.
      ...(powerdns.version.startsWith('4.') && { 'ignore-unknown-settings': 'enable-lua-record-updates' }),
    }),
  );
  const user = unprivileged(powerdns, [dir, include, join(include, 'api.conf')]);
  const sqlite3 = (...statements: string[]) => {
    const [command, ...args] = powerdns.sqlite3 as [string, ...string[]];
    return run(command, [...args, '-bail', database, ...statements], user);
  };
  let child: ChildProcess;
  /** Why PowerDNS exited although it was not stopped. */
  let end: Error | undefined;

  async function start(): Promise<void> {
    const { stdout } = await sqlite3("select count(*) from sqlite_master where name='domains'");
    if (stdout.trim() === '0') await sqlite3('BEGIN IMMEDIATE;', `.read ${powerdns.schema}`, 'COMMIT;');

    const output = openSync(log, 'w');
    const [command, ...args] = powerdns.server as [string, ...string[]];
    const flags = [`--config-dir=${dir}`, '--daemon=no', '--guardian=no', '--disable-syslog'];
    child = spawn(command, [...args, ...flags], { stdio: ['ignore', output, output], ...user });
    closeSync(output);
    running.add(child);
    const started = child;
    child.once('exit', (code, signal) => {
      running.delete(started);
      if (!started.killed) end = new Error(`PowerDNS has ended by itself (${signal ?? code}): ${lastLines(log)}`);
    });
    await once(child, 'spawn');
    await answering();
  }

  async function answering(): Promise<void> {
    const ask = { headers: { 'X-API-Key': apiKey }, signal: AbortSignal.timeout(waitTimeoutMs) };
    const up = () =>
      fetch(`${apiUrl}/api/v1/servers/localhost`, ask).then(
        (response) => response.ok,
        () => false,
      );
    while (!(await up())) {
      if (!running.has(child) || ask.signal.aborted) {
        child.kill('SIGKILL');
        throw new Error(`cannot start PowerDNS ${powerdns.version}: ${lastLines(log)}`);
      }
      await delay(20);
    }
  }

  async function stop(): Promise<void> {
    if (end) throw end;
    if (!running.has(child)) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const killTimer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exit;
    clearTimeout(killTimer);
  }

  await start();
  return {
    apiUrl,
    apiKey,
    dnsPort,
    pid: () => child.pid as number,
    peakMemory: () => {
      const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) * 1024;
    },
    query: (name, type, how) =>
      // On a busy machine PowerDNS drops queries that have waited for too long, so retry.
      query({ name, type, port: dnsPort, attempts: waitTimeoutMs / 5_000, ...how }).catch((error) => {
        throw end ?? error;
      }),
    kill: (signal) => void child.kill(signal),
    restart: () => stop().then(start),
    stop,
    wipe: () => {
      for (const file of globSync(`${database}*`)) rmSync(file);
    },
  };
}

const lastLines = (log: string) => readFileSync(log, 'utf8').trim().split('\n').slice(-10).join('\n');

/** Replaces or adds settings. */
function override(config: string, settings: Record<string, string>): string {
  const rest = config.split('\n').filter((line) => !((line.split('=')[0] as string).trim() in settings));
  return [...rest, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ''].join('\n');
}

/** The user of PowerDNS: nobody, if it can access the program and the folder (not below /root); else the current one. */
function unprivileged({ server, schema }: PowerDNS, files: string[]): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const nobody = { uid: 65534, gid: 65534 };
  for (const file of files) chownSync(file, nobody.uid, nobody.gid);
  const may = (right: string, file: string) => spawnSync('test', [right, file], nobody).status === 0;
  if (may('-w', files[0] as string) && may('-x', server.at(-1) as string) && may('-r', schema)) return nobody;
  for (const file of files) chownSync(file, 0, 0);
  return {};
}

// Linux assigns ephemeral ports from 32768 on, so one of those could be taken before PowerDNS binds it. Each
// test worker uses its own block.
const block = { first: 12_000 + 1000 * (Number(process.env.VITEST_POOL_ID ?? 0) % 16), size: 1000 };
let next = randomInt(block.size);

/** A port that is free on 127.0.0.1 over TCP and UDP at once: DNS needs both. */
export async function freePort(): Promise<number> {
  const port = block.first + (next++ % block.size);
  const tcp = createServer().listen(port, '127.0.0.1');
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  const bound = await Promise.allSettled([tcp, udp].map((socket) => once(socket, 'listening')));
  const isFree = bound.every(({ status }) => status === 'fulfilled');
  for (const [index, socket] of [tcp, udp].entries()) {
    if (bound[index]?.status === 'fulfilled') await once(socket.close(), 'close');
  }
  return isFree ? port : freePort();
}
