/**
 * `node functions/agent/main.ts` beside a real PowerDNS, without a cluster.
 *
 * @module-tag PowerDNS
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Declaration } from '../../functions/contract/declaration.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { environment } from '../environment.ts';
import { freePort, type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { polling } from '../timeouts.ts';
import { loop, webhookAt } from './external-dns.ts';
import { ApiServer } from './kubernetes/api-server.ts';
import { corp, declare, endpoint, zones } from './make.ts';
import { inCluster, putConfigMaps, writeDeclaration } from './run.ts';

const dir = mkdtempSync(join(tmpdir(), 'agent-'));
const file = join(dir, 'declaration.json');
const write = (declaration: Declaration) => writeDeclaration(file, declaration);
let server: RunningPowerDNS;

beforeAll(async () => {
  mkdirSync(join(dir, 'pdns'));
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, 'pdns') });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

/** An agent process with its output so far. */
class Process {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [join(import.meta.dirname, '../../functions/agent/main.ts'), ...args], {
      env: { ...environment, ...env },
    });
    this.child.stdout!.on('data', (text) => (this.stdout += text));
    this.child.stderr!.on('data', (text) => (this.stderr += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get log(): Record<string, unknown>[] {
    return this.stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

const running = new Set<Process>();
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
});

/** Starts the agent on free ports. */
async function start(changes: Record<string, string> = {}, env: NodeJS.ProcessEnv = {}) {
  const [web, http] = [await freePort(), await freePort()];
  const flags = {
    declaration: file,
    'powerdns-api': server.apiUrl,
    'powerdns-key': join(dir, 'pdns/include/api.conf'),
    dns: `127.0.0.1:${server.dnsPort}`,
    webhook: `127.0.0.1:${web}`,
    http: `127.0.0.1:${http}`,
    ...changes,
  };
  const agent = new Process(
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    env,
  );
  const get = async (path: string) => {
    const response = await fetch(`http://${flags.http}${path}`);
    return { status: response.status, text: await response.text() };
  };
  running.add(agent);
  return { agent, external: webhookAt(`http://${flags.webhook}`), get, port: http };
}

describe.concurrent('a process that cannot start says why in one line and exits with 1', () => {
  const failures: [string, Record<string, string>, RegExp][] = [
    ['an unknown flag', { nonsense: '1' }, /^cannot run the agent: Unknown option '--nonsense'.*$/],
    [
      'only some of the flags for a cluster',
      { pod: 'idns-corp-0' },
      /^cannot run the agent: missing --declared-config-map, --status-config/,
    ],
    ['an invalid address', { webhook: 'nonsense' }, /^cannot run the agent: invalid address nonsense: use HOST:PORT$/],
    ['an invalid port', { http: '127.0.0.1:99999' }, /^cannot run the agent: .*99999.*$/],
    [
      'no declaration',
      { declaration: '/none' },
      /^cannot run the agent: ENOENT: no such file or directory, open '\/none'$/,
    ],
  ];
  test.each(failures)('%s', async (_, flags, line) => {
    write(declare());
    const { agent } = await start(flags);
    expect(await agent.ended).toBe(1);
    expect(agent.stderr.trimEnd()).toMatch(line);
    expect(agent.stderr.trimEnd()).not.toContain('\n');
  });

  test.each(['webhook', 'http'])('a port that is taken (%s)', async (flag) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const { agent } = await start({ [flag]: address });
    expect(await agent.ended).toBe(1);
    expect(agent.stderr).toMatch(
      new RegExp(`^cannot run the agent: cannot listen on ${address}: .*EADDRINUSE[^\\n]*\\n$`),
    );
    taken.close();
  });
});

test('a process serves what its file declares, follows changes of the file, and exits at once', async () => {
  write(declare());
  const probes = `127.0.0.1:${await freePort()}`;
  const { agent, external, get, port } = await start({ probes });
  const probe = async (path: string) => (await fetch(`http://${probes}${path}`)).status;
  const www = endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1');
  await vi.waitFor(async () => expect((await get('/healthz')).status).toBe(200), polling);
  const answer = async (name: string) => (await server.query(name)).rcode;
  await vi.waitFor(async () => expect(await answer('ns1.corp.internal')).toBe('NOERROR'), polling);

  // Ready when every zone answers and ExternalDNS has completed a loop.
  await vi.waitFor(async () => {
    const early = await get('/readyz');
    expect([early.status, JSON.parse(early.text)]).toMatchObject([503, { discovery: { state: 'Waiting' } }]);
    expect([await probe('/healthz'), await probe('/readyz')]).toEqual([200, 503]);
  }, polling);
  await vi.waitFor(() => loop(external, [www]), polling);
  expect(await answer('www.corp.internal')).toBe('NOERROR');
  await vi.waitFor(async () => expect((await get('/readyz')).status).toBe(200), polling);
  expect(await probe('/readyz')).toBe(200);
  await vi.waitFor(() => expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'report' })), polling);

  // An invalid or missing file changes nothing; the next valid one does.
  writeFileSync(file, '{');
  await vi.waitFor(() => expect(agent.stdout).toContain('cannot read the declaration'), polling);
  rmSync(file);
  await vi.waitFor(() => expect(agent.stdout).toContain('ENOENT'), polling);
  write(declare({ zones: [corp, ...zones('b.internal')] }));
  await vi.waitFor(async () => expect(await answer('ns1.b.internal')).toBe('NOERROR'), polling);

  // PowerDNS's metrics are included; without PowerDNS the agent stays alive and ready.
  expect((await get('/metrics')).text).toMatch(/process_resident_memory_bytes.*pdns_auth_/s);
  server.kill('SIGKILL');
  await server.stop();
  expect((await get('/metrics')).text).toContain('# PowerDNS does not answer');
  await vi.waitFor(() => expect(agent.stdout).toContain('cannot reconcile the zones'), polling);
  expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 200]);
  await expect(external.records()).rejects.toThrow('503');

  // A lost database is restored.
  server.wipe();
  await server.restart();
  await vi.waitFor(() => loop(external, [www]), polling);
  await vi.waitFor(async () => expect(await answer('www.corp.internal')).toBe('NOERROR'), polling);
  expect(await answer('ns1.b.internal')).toBe('NOERROR');

  expect((await get('/other')).status).toBe(404);
  // Each failure is logged once, and its end.
  for (const action of ['reconcile the zones', 'read the declaration']) {
    const messages = agent.log
      .filter(({ msg }) => String(msg).includes(action))
      .map(({ msg, failure }) => `${msg}: ${failure}`);
    expect(messages.length).toBeGreaterThan(1);
    expect(messages).toEqual(messages.filter((line, index) => line !== messages[index - 1]));
    expect(messages.at(-1)).toBe(`can ${action} again: undefined`);
  }
  expect(agent.stderr).toBe('');
  expect(agent.stdout).not.toContain(server.apiKey);

  // An open connection does not delay the exit.
  const idle = connect(port, '127.0.0.1').on('error', () => {});
  await once(idle, 'connect');
  agent.child.kill('SIGTERM');
  expect(await agent.ended).toBe(0);
});

test('a target that is a host name is resolved by the resolver of the machine', async () => {
  write(declare());
  const { agent, external, get } = await start();
  const far = endpoint('ingress/a/far', 'far.corp.internal', 'CNAME', 'lb.invalid');
  await vi.waitFor(() => loop(external, [far]), polling);
  // RFC 6761 section 6.4: it does not exist. A machine without a resolver gets no answer.
  await vi.waitFor(async () => {
    await loop(external, [far]);
    expect((await get('/names.txt')).text).toMatch(/NoAddress.*the target lb\.invalid \(/s);
  }, polling);
  expect((await get('/metrics')).text).toMatch(/internal_dns_host_name_targets\{state="(Answered|Failing)"\} 1/);
  agent.child.kill('SIGTERM');
  expect(await agent.ended).toBe(0);
});

test('what an object asks for is answered at once, also while ExternalDNS is away', async () => {
  const kubernetes = new ApiServer();
  const { flags, env } = inCluster(dir, await kubernetes.start(), { pod: 'p' });
  const sources = [{ kind: 'Ingress', isAnticipated: true as const }];
  const declaration = declare({ zones: zones('early.internal'), discovery: { ownerID: 'early', sources } });
  putConfigMaps(kubernetes, declaration);
  const ingresses = '/apis/networking.k8s.io/v1/ingresses';
  const ingress = (ip: string) => ({
    metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-11-21T08:00:00Z' },
    spec: { rules: [{ host: 'www.early.internal' }] },
    status: { loadBalancer: { ingress: [{ ip }] } },
  });
  const { agent, external, get } = await start(flags, env);
  const answers = async (...expected: string[]) => {
    const startedAt = performance.now();
    await vi.waitFor(async () => {
      const { answers: found } = await server.query('www.early.internal', 'A');
      expect(found.map(({ data }) => data)).toEqual(expected);
    }, polling);
    return performance.now() - startedAt;
  };
  await vi.waitFor(() => loop(external, []), polling);
  await vi.waitFor(() => expect(kubernetes.watches(ingresses)).toBe(1), polling);
  const took: number[] = [];
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    kubernetes.put(ingresses, ingress(address));
    took.push(await answers(address));
  }
  kubernetes.remove(ingresses, 'shop/web');
  took.push(await answers());
  console.log(`answered after ${took.map(Math.round).join(', ')} ms`);
  const { text } = await get('/metrics');
  expect(text).toContain('internal_dns_anticipation_differences_total{kind="Ingress"} 0');
  agent.child.kill('SIGTERM');
  expect(await agent.ended).toBe(0);
  kubernetes.stop();
});

test('while the API server is unreachable, the declaration is read from the file', async () => {
  // Nothing is pending, so the report is written at once.
  write(declare({ zones: zones('away.internal'), discovery: undefined }));
  const { flags, env } = inCluster(dir, { server: `http://127.0.0.1:${await freePort()}`, token: 't' }, { pod: 'p' });
  const { agent, get } = await start(flags, env);
  await vi.waitFor(async () => expect((await get('/healthz')).status).toBe(200), polling);
  await vi.waitFor(async () => expect((await server.query('ns1.away.internal')).rcode).toBe('NOERROR'), polling);
  await vi.waitFor(() => expect(agent.stdout).toContain('cannot write the report'), polling);
  expect(agent.log.filter(({ msg }) => msg === 'cannot watch the declaration')).toHaveLength(1);
  expect(agent.log.filter(({ msg }) => msg === 'cannot write the report')).toHaveLength(1);
});
