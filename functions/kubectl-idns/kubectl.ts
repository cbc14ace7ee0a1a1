import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Failure } from './failure.ts';

/** Flags that are passed on to kubectl. */
export interface KubectlFlags {
  context?: string | undefined;
  kubeconfig?: string | undefined;
}

export interface KubectlOptions {
  /** Such as `read the InternalDNSes`. */
  action: string;
  /** What to do about an error; may depend on what kubectl says. */
  cure: (message: string) => string;
}

/** Milliseconds. Long enough for a credential plugin that opens a browser. */
const commandTimeout = 60_000;
const forwardTimeout = 20_000;
const killTimeout = 2_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code));
}

/** Runs the user's kubectl, with the user's rights. */
export class Kubectl {
  readonly #flags: string[];

  constructor({ context, kubeconfig }: KubectlFlags) {
    this.#flags = [
      ...(context === undefined ? [] : [`--context=${context}`]),
      ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ];
  }

  /** Returns the standard output of a command. */
  async run(args: readonly string[], { action, cure }: KubectlOptions): Promise<string> {
    const child = this.#start(args);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, commandTimeout);
    try {
      const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]);
      if (code === 0) return stdout;
      const message = isLate ? `kubectl did not end within ${commandTimeout / 1000} s` : messageIn(stderr, code);
      throw new Failure(`cannot ${action}: ${message}: ${cure(message)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls `use` with a local port that leads to the pod's. */
  async withPort<T>(
    { namespace, pod, port }: { namespace: string; pod: string; port: number },
    { action, cure }: KubectlOptions,
    use: (local: number) => Promise<T>,
  ): Promise<T> {
    // kubectl chooses a free port.
    const child = this.#start([
      'port-forward',
      `--namespace=${namespace}`,
      '--address=127.0.0.1',
      `pod/${pod}`,
      `:${port}`,
    ]);
    const ended = exitOf(child);
    ended.catch(() => {});
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, forwardTimeout);
    const stderr = text(child.stderr);
    try {
      const local = await localPort(child);
      clearTimeout(timer);
      if (local !== undefined) return await use(local);
      const message = isLate
        ? `kubectl port-forward was not ready within ${forwardTimeout / 1000} s`
        : messageIn(await stderr, await ended);
      throw new Failure(`cannot ${action}: ${message}: ${cure(message)}`);
    } finally {
      clearTimeout(timer);
      await stop(child, ended);
    }
  }

  #start(args: readonly string[]) {
    // A credential plugin may have to ask for something: it gets the terminal.
    const child = spawn('kubectl', [...args, ...this.#flags], { stdio: ['inherit', 'pipe', 'pipe'] });
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  try {
    const [code] = await once(child, 'close');
    return code;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = code === 'ENOENT' ? 'it is not on the PATH' : message;
    throw new Failure(`cannot run kubectl: ${cause}: install it, see https://kubernetes.io/docs/tasks/tools/`);
  }
}

async function localPort({ stdout }: ChildProcessByStdio<null, Readable, Readable>): Promise<number | undefined> {
  for await (const line of createInterface({ input: stdout })) {
    const [, port] = /^Forwarding from 127\.0\.0\.1:(\d{1,5}) ->/.exec(line) ?? [];
    if (port !== undefined) return Number(port);
  }
  return undefined;
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdout?.resume();
  child.kill();
  const timer = setTimeout(() => child.kill('SIGKILL'), killTimeout);
  await ended.catch(() => {});
  clearTimeout(timer);
}

/** The last line of kubectl, which is its error, without the words before it. */
function messageIn(stderr: string, code: number | null): string {
  const last = stderr.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return (
    last.replace(/^error: /i, '').replace(/^Unable to connect to the server: /, 'no connection to the server: ') ||
    `kubectl exited with ${code}`
  );
}
