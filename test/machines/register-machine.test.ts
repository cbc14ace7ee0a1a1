/** The script with which a machine registers itself, as systemd runs it, against an API server with the Role of the example. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { machineSpec } from '../../functions/contract/kinds/machine.ts';
import { nameClaimSpec } from '../../functions/contract/kinds/name-claim.ts';
import { makeAuthority, makeLeaf } from '../cdk8s-function-xp/certificates.ts';
import { environment } from '../environment.ts';
import { findOnPath } from '../path.ts';

const examples = join(import.meta.dirname, '../../examples/machines');
const read = (file: string) => readFileSync(join(examples, file), 'utf8');
const objects = (file: string) => parseAllDocuments(read(file)).map((document) => document.toJS());
const script = join(examples, 'register-machine');

interface Rule {
  resources: string[];
  resourceNames: string[];
  verbs: string[];
}

const rules: Rule[] = objects('self-registration.yaml').find(({ kind }) => kind === 'Role').rules;
const machinePath = (name: string) => `/apis/dns.internal/v1alpha1/namespaces/office/machines/${name}`;
const tokenPath = '/api/v1/namespaces/office/serviceaccounts/nas/token';

let folder: string;
const authority = makeAuthority();
let server: Server;
/** What the API server holds, and has answered. */
let cluster: { token: string; addresses: string[][]; renewals: unknown[]; expirationSeconds: number; writes: string[] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'register-'));
  server = createServer(makeLeaf(authority, { usage: 'server', commonName: 'kube-apiserver' }), (request, response) => {
    void serve(request, response);
  });
  server.listen(0);
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** Answers as an API server does, with the rules of the Role. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = request;
  const { pathname } = new URL(url, 'https://any');
  const body = await text(request);
  const answer = (code: number, object: object) => response.writeHead(code).end(JSON.stringify(object));
  const refuse = (code: number, message: string) =>
    answer(code, { kind: 'Status', metadata: {}, status: 'Failure', message, code });
  if (pathname === '/version') return void refuse(401, 'Unauthorized');
  if (headers.authorization !== `Bearer ${cluster.token}`) return void refuse(401, 'Unauthorized');
  const [, resource = '', name = '', part] =
    /\/namespaces\/office\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(pathname) ?? [];
  const kind = part ? `${resource}/${part}` : resource;
  const verb = method === 'PATCH' ? 'patch' : 'create';
  const isAllowed = rules.some(
    (rule) => rule.resources.includes(kind) && rule.resourceNames.includes(name) && rule.verbs.includes(verb),
  );
  if (!isAllowed)
    return void refuse(403, `${resource}.dns.internal "${name}" is forbidden: User "nas" cannot ${verb} resource`);
  cluster.writes.push(`${method} ${pathname} ${headers['content-type']}`);
  if (verb === 'patch') {
    cluster.addresses.push(JSON.parse(body).spec.addresses);
    return void answer(200, { kind: 'Machine', spec: JSON.parse(body).spec });
  }
  cluster.renewals.push(JSON.parse(body));
  cluster.token = `token-${cluster.renewals.length}`;
  const { expirationSeconds } = cluster;
  answer(201, {
    kind: 'TokenRequest',
    metadata: { managedFields: [{ 'f:token': {} }] },
    spec: { audiences: ['a'], expirationSeconds },
    status: { token: cluster.token },
  });
}

const [config, state] = ['config', 'state'];
const path = (...parts: string[]) => join(folder, ...parts);
const configure = (...lines: string[]) =>
  writeFileSync(
    path(config, 'machine.conf'),
    [
      `SERVER=https://localhost:${(server.address() as AddressInfo).port}`,
      'NAMESPACE=office',
      'MACHINE=nas',
      ...lines,
      '',
    ].join('\n'),
  );

beforeEach(() => {
  cluster = { token: 'first', addresses: [], renewals: [], expirationSeconds: 604_800, writes: [] };
  for (const each of [config, state]) mkdirSync(path(each));
  writeFileSync(path(config, 'ca.crt'), authority.cert);
  writeFileSync(path(state, 'token'), 'first');
  configure('ADDRESSES="192.0.2.7 2001:db8::7"');
});
afterEach(() => {
  for (const each of [config, state]) rmSync(path(each), { recursive: true });
});

const shells = ['dash', 'bash', 'busybox'].filter((name) => {
  try {
    return findOnPath(name) !== undefined;
  } catch {
    return false;
  }
});

async function register(shell = shells[0] ?? 'sh') {
  const args = { bash: ['bash', '--posix'], busybox: ['busybox', 'sh'] }[shell] ?? [shell];
  const child = spawn(args[0] as string, [...args.slice(1), script], {
    env: { ...environment, CONFIG_DIR: path(config), STATE_DIR: path(state) },
  });
  const exit = once(child, 'close') as Promise<[number]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, stdout, stderr };
}

const token = () => readFileSync(path(state, 'token'), 'utf8');
const due = () => writeFileSync(path(state, 'renewal'), '1');

describe.each(shells)('under %s a machine', (shell) => {
  test('reports its addresses and renews its first token, then writes nothing', async () => {
    expect(await register(shell)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(cluster.addresses).toEqual([['192.0.2.7', '2001:db8::7']]);
    expect(cluster.writes).toEqual([
      `PATCH ${machinePath('nas')} application/merge-patch+json`,
      `POST ${tokenPath} application/json`,
    ]);
    expect(token()).toBe('token-1');
    expect(await register(shell)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(cluster.writes).toHaveLength(2);
  });

  test('reports a changed address with the token that it has', async () => {
    await register(shell);
    configure('ADDRESSES=192.0.2.8');
    await register(shell);
    expect(cluster.addresses.at(-1)).toEqual(['192.0.2.8']);
    expect(cluster.renewals).toHaveLength(1);
  });

  test('is refused the Machine of another, and told by whom', async () => {
    configure('ADDRESSES=192.0.2.7', 'MACHINE=other');
    expect(await register(shell)).toEqual({
      code: 1,
      stdout: '',
      stderr: `cannot report the addresses of other: 403 machines.dns.internal 'other' is forbidden: User 'nas' cannot patch resource\n`,
    });
    expect(cluster.writes).toEqual([]);
    expect(existsSync(path(state, 'reported'))).toBe(false);
  });
});

test('the token is renewed at half of the time that the cluster grants, and the addresses are reported once more', async () => {
  cluster.expirationSeconds = 3600;
  const before = Math.floor(Date.now() / 1000);
  await register();
  const renewal = Number(readFileSync(path(state, 'renewal'), 'utf8'));
  expect(renewal - before).toBeGreaterThanOrEqual(1800);
  expect(renewal - before).toBeLessThan(1800 + 60);
  due();
  await register();
  expect(token()).toBe('token-2');
  expect(cluster.addresses).toHaveLength(2);
  expect(cluster.renewals.at(-1)).toEqual({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 604_800 },
  });
});

test('the token is readable by its owner alone, and never an argument of curl', async () => {
  const bin = path(config, 'bin');
  mkdirSync(bin);
  const curl = findOnPath('curl');
  writeFileSync(
    join(bin, 'curl'),
    `#!/bin/sh\nprintf '%s\\n' "$*" >>'${path(config, 'arguments')}'\nexec '${curl}' "$@"\n`,
  );
  chmodSync(join(bin, 'curl'), 0o755);
  const child = spawn('sh', [script], {
    env: { PATH: `${bin}:${environment.PATH}`, CONFIG_DIR: path(config), STATE_DIR: path(state) },
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(statSync(path(state, 'token')).mode & 0o777).toBe(0o600);
  expect(
    readFileSync(path(config, 'arguments'), 'utf8')
      .split('\n')
      .filter((line) => /first|token-1|Bearer/.test(line)),
  ).toEqual([]);
});

test('an expired token is said to be one, with what to do', async () => {
  cluster.token = 'another';
  const { code, stderr } = await register();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `cannot report the addresses of nas: the token has expired: put a new one into ${path(state, 'token')}: kubectl create token nas -n office\n`,
  );
  expect(token()).toBe('first');
});

test('a refused renewal keeps the token, after the addresses were reported', async () => {
  const role = rules.splice(1, 1);
  try {
    const { code, stderr } = await register();
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot renew the token of nas: 403 ')]);
    expect(token()).toBe('first');
    expect(cluster.addresses).toHaveLength(1);
  } finally {
    rules.push(...role);
  }
});

test('without ADDRESSES it reports those from which it reaches the cluster', async () => {
  configure();
  expect((await register()).code).toBe(0);
  const [found = []] = cluster.addresses;
  expect(found.length).toBeGreaterThan(0);
  expect(['127.0.0.1', '::1']).toEqual(expect.arrayContaining(found));
});

test.each([
  [
    'an unreachable cluster',
    ['SERVER=https://localhost:1', 'ADDRESSES=192.0.2.7'],
    'https://localhost:1 does not answer',
  ],
  [
    'no way to its own address',
    ['SERVER=https://localhost:1'],
    'cannot find an address of this machine: https://localhost:1 cannot be reached',
  ],
  ['a text instead of an address', ['ADDRESSES=\'"],"zone":"x"\''], 'cannot report "],"zone":"x": it is no address'],
  ['nothing in its configuration', ['NAMESPACE='], 'is missing in machine.conf'],
])('with %s it exits with 1 and says so', async (_, lines, message) => {
  configure(...lines);
  const { code, stderr } = await register();
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
  expect(cluster.writes).toEqual([]);
});

test('a server with another certificate authority gets no token', async () => {
  writeFileSync(path(config, 'ca.crt'), makeAuthority().cert);
  const { code, stderr } = await register();
  expect([code, stderr]).toEqual([1, expect.stringContaining('does not answer')]);
  expect(cluster.writes).toEqual([]);
});

describe('the examples', () => {
  const all = ['machine.yaml', 'mail.yaml', 'self-registration.yaml'].flatMap(objects);

  test('are valid Machines and NameClaims', () => {
    for (const { kind, spec } of all) {
      if (kind === 'Machine') expect(machineSpec.safeParse(spec).error).toBeUndefined();
      if (kind === 'NameClaim') expect(nameClaimSpec.safeParse(spec).error).toBeUndefined();
    }
    expect(all.filter(({ kind }) => kind === 'Machine' || kind === 'NameClaim')).toHaveLength(5);
  });

  test('let a machine patch the Machine of its own name and get its own token, and nothing else', () => {
    expect(rules).toEqual([
      { apiGroups: ['dns.internal'], resources: ['machines'], resourceNames: ['nas'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['nas'], verbs: ['create'] },
    ]);
  });

  test('have user data of cloud-init with the paths of the script', () => {
    const { write_files } = parse(read('cloud-init.yaml'));
    const paths = write_files.map((file: { path: string }) => file.path);
    expect(paths).toEqual([
      '/etc/internal-dns/machine.conf',
      '/etc/internal-dns/ca.crt',
      '/var/lib/internal-dns/token',
    ]);
    for (const each of paths) expect(read('register-machine')).toContain(each);
  });
});
