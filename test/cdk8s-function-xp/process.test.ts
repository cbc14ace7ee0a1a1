import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { formatAddress, listen } from '../../functions/cdk8s-function-xp/address.ts';
import { environment } from '../environment.ts';
import { polling } from '../timeouts.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { makeClient, requestFor } from './client.ts';
import { greeting } from './greeting.ts';

/** A process of main.ts and its output so far. */
class Process {
  readonly child: ChildProcess;
  readonly #ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      env: { ...environment, ...env },
    });
    this.child.stdout!.on('data', (text) => (this.stdout += text));
    this.child.stderr!.on('data', (text) => (this.stderr += text));
    this.#ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get log(): Record<string, unknown>[] {
    return this.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Waits for the log line `listening`. */
  async listening(): Promise<{ address: string; metrics?: string; tls: boolean }> {
    return vi.waitUntil(() => this.log.find(({ msg }) => msg === 'listening') as never, polling);
  }

  /** Resolves to the exit code. */
  ended(): Promise<number | null> {
    return this.#ended;
  }
}

const running: Process[] = [];
function start(args: string[], env?: NodeJS.ProcessEnv): Process {
  const started = new Process(args, env);
  running.push(started);
  return started;
}
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map((each) => each.ended()));
});

const local = ['--insecure', '--address', '127.0.0.1:0'];
const secure = ['--address', '127.0.0.1:0', '--metrics-address', '127.0.0.1:0'];

let directory: string;
let certificates: Certificates;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  certificates = makeCertificates(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('a process that cannot start prints one line and exits with 1', () => {
  const failures: [string, string[], RegExp][] = [
    ['no certificates', [], /^cannot serve without certificates: set --tls-server-certs-dir, .* or --insecure$/],
    ['no such directory', ['--tls-server-certs-dir', '/none'], /^cannot read the certificates in \/none: ENOENT/],
    ['an unknown flag', ['--nonsense'], /^cannot read the arguments: Unknown option '--nonsense' \(see --help\)$/],
    ['an unexpected argument', ['nonsense'], /^cannot read the arguments: Unexpected argument 'nonsense'/],
    ['a flag without its value', ['--address'], /^cannot read the arguments: Option '--address <value>'/],
    ['an invalid address', ['--insecure', '--address', 'nonsense'], /^cannot read the address nonsense: want/],
  ];
  test.each(failures)('%s', async (_, args, line) => {
    const failed = start(args);
    expect(await failed.ended()).toBe(1);
    expect(failed.stderr.trimEnd()).toMatch(line);
    expect(failed.stderr.trimEnd()).not.toContain('\n');
    expect(failed.stdout).toBe('');
  });

  test.each(['--address', '--metrics-address'])('a port that is taken (%s)', async (flag) => {
    const other = createServer();
    const address = formatAddress(await listen(other, { host: '127.0.0.1', port: 0 }));
    const failed = start([...local, flag, address]);
    expect(await failed.ended()).toBe(1);
    expect(failed.stderr).toMatch(new RegExp(`^cannot listen on ${address}: .*EADDRINUSE[^\\n]*\\n$`));
    other.close();
  });
});

describe('a process', () => {
  test('prints its flags with --help', async () => {
    const help = start(['--help']);
    expect(await help.ended()).toBe(0);
    expect(help.stdout).toContain('--tls-server-certs-dir');
  });

  test('reads the directory of its certificates from the environment, as Crossplane sets it', async () => {
    const { address, tls } = await start(secure, { TLS_SERVER_CERTS_DIR: directory }).listening();
    expect(tls).toBe(true);
    const client = makeClient({ address, certificates });
    expect((await client.run(requestFor(greeting('hi')))).results).toEqual([]);
    client.close();
  });

  test('serves one port and no metrics with --insecure', async () => {
    const server = start(local, { TLS_SERVER_CERTS_DIR: '/none', WARM_UP: 'yes' });
    const { address, metrics, tls } = await server.listening();
    expect({ metrics, tls }).toEqual({ metrics: undefined, tls: false });
    // The warm-up is not logged, not even if it is refused.
    expect(server.log).toHaveLength(1);
    const client = makeClient({ address });
    expect((await client.run(requestFor(greeting('hi')))).results).toEqual([]);
    client.close();
    // The response may arrive before its log line.
    await vi.waitFor(() => expect(server.log).toHaveLength(2), polling);
    expect(server.log[1]).toMatchObject({ msg: 'request', composite: 'Greeting/hello', outcome: 'ok' });
  });

  test('serves /healthz and /metrics', async () => {
    const { address, metrics } = await start([...local, '--metrics-address', '127.0.0.1:0']).listening();
    const client = makeClient({ address });
    await client.run(requestFor(greeting('hi')));
    await client.run(requestFor(greeting('')));
    client.close();

    const healthz = await fetch(`http://${metrics}/healthz`);
    expect([healthz.status, await healthz.text()]).toEqual([200, 'ok\n']);
    const scrape = await fetch(`http://${metrics}/metrics`);
    expect(scrape.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await scrape.text();
    expect(text).toContain('function_request_duration_seconds_count{outcome="ok"} 1');
    expect(text).toContain('function_request_duration_seconds_count{outcome="fatal"} 1');
    expect(text).toContain('function_refused_clients_total 0');
    expect(text).toContain('process_resident_memory_bytes');
    expect((await fetch(`http://${metrics}/other`)).status).toBe(404);
  });
});

describe('a process that receives a signal', () => {
  /** Starts a process with certificates, a client, and a call that the server has accepted but that has not sent its request. */
  async function startWithCall(env: NodeJS.ProcessEnv = {}) {
    const server = start(secure, { TLS_SERVER_CERTS_DIR: directory, ...env });
    const { address } = await server.listening();
    const client = makeClient({ address, certificates });
    const call = client.begin();
    // A response on the same connection proves that the earlier call has arrived.
    await client.run(requestFor(greeting('hi')));
    return { server, client, call, address };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('finishes the call in flight and exits with 0 (%s)', async (signal) => {
    // The deadline is after the end of the test, so that it does not end the process.
    const { server, client, call, address } = await startWithCall({ DEADLINE: '3600000' });
    server.child.kill(signal);
    await vi.waitUntil(() => server.log.some(({ msg }) => msg === 'stopping'), polling);

    const late = makeClient({ address, certificates });
    await expect(late.run(requestFor(greeting('hi')))).rejects.toMatchObject({ code: 14 });
    late.close();

    call.send(requestFor(greeting('at last')));
    expect((await call.response).desired?.resources.words?.resource?.data).toEqual({ text: 'at last' });
    expect(await server.ended()).toBe(0);
    client.close();
  });

  test('cuts off unfinished calls and TLS handshakes at the deadline, and exits with 0', async () => {
    const { server, client, call, address } = await startWithCall({ DEADLINE: '1000' });
    const silent = connect(Number(address.split(':')[1]), '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    const cutOff = expect(call.response).rejects.toMatchObject({ code: expect.any(Number) });
    const since = Date.now();
    server.child.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
    expect(Date.now() - since).toBeGreaterThanOrEqual(1_000);
    await cutOff;
    silent.destroy();
    client.close();
  });
});
