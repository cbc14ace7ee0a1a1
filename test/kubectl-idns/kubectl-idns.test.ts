/** `kubectl idns` as a process, between a fake kubectl and the agent's real status server. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { statusServer } from '../../functions/agent/http/status-server.ts';
import type { Overview } from '../../functions/agent/names/overview.ts';
import { hostile, known, now, overviewOf } from '../agent/http/page/overview.ts';
import { fixture } from '../dns/zone-file/fixtures.ts';
import { environment } from '../environment.ts';
import { freePort } from '../powerdns/server.ts';
import type { Cluster } from './kubectl.ts';
import { kubectlIdns, program, readyPod } from './plugin.ts';

let overview: Overview;
const agent = { isReady: true, report: () => undefined, zone: () => undefined };
const server = statusServer({
  agent,
  overview: () => overview,
  powerdns: { metrics: async () => '' },
  metrics: new Registry(),
  now: () => now,
});
let cluster: Cluster;

const corp = {
  metadata: { name: 'corp' },
  spec: { namespace: 'dns', replicas: 2 },
  status: {
    zones: [
      {
        name: 'corp.internal',
        state: 'Serving',
        delegation: ['corp.internal. NS ns1.corp.internal.', 'corp.internal. DS 1 13 2 ab'],
      },
      { name: 'lab.internal', state: 'Failed', message: 'line 3: not an IPv4 address\u001b[31m' },
    ],
  },
};

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  overview = overviewOf();
  cluster = {
    internalDNSes: [corp],
    pods: [readyPod('idns-corp-0', false), readyPod('idns-corp-1')],
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
});

/** Also expects that no kubectl is left. */
async function run(args: string[], changes: Partial<Cluster> = {}, input = '') {
  const { left, ...result } = await kubectlIdns(args, { cluster: { ...cluster, ...changes }, input });
  expect(left).toEqual([]);
  return result;
}

describe('why', () => {
  test('prints verdict, message, object and answers of a host, and which pod says so', async () => {
    const { code, stdout, stderr, calls } = await run(['why', 'Docs.corp.internal.']);
    expect(stdout).toBe(
      `docs.corp.internal: Resolved
  message      resolves to 192.0.2.7, 2001:db8::7
  object       ingress/docs/site
  answers      A 192.0.2.7, AAAA 2001:db8::7
  zone         corp.internal
  since        2026-10-30T14:17:31.000Z
  propagation  1.61 s
`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'as idns-corp-1 sees it, one of 2 pods\n' });
    expect(calls.at(-1)).toEqual([
      'port-forward',
      '--namespace=dns',
      '--address=127.0.0.1',
      'pod/idns-corp-1',
      ':8080',
    ]);
  });

  test.each([
    [
      'a host that does not resolve',
      'api.corp.internal',
      /^api.corp.internal: NoAddress\n {2}message {6}no address yet: /,
    ],
    [
      'a host that no object requests',
      'none.corp.internal',
      /^no object requests none.corp.internal, which would be in the zone corp.internal: add the host to an Ingress.*\n$/,
    ],
    [
      'a host outside the zones',
      'a.example.com',
      /^no object requests a.example.com, and it would be outside the zones .*\n$/,
    ],
    [
      'a part of a host',
      'git',
      /^no object requests git: use a whole name\nnames that contain it: git.corp.internal\n$/,
    ],
  ])('exits with 1 for %s', async (_, host, output) => {
    const { code, stdout } = await run(['why', host]);
    expect(stdout).toMatch(output);
    expect(code).toBe(1);
  });

  test('a host that only a wildcard covers takes the verdict of the closest one', async () => {
    const other = known('*.corp.internal', { verdict: 'Refused', message: 'no' });
    overview = overviewOf([known('*.b.corp.internal', { resource: 'ingress/a/wild' }), other]);
    const { code, stdout } = await run(['why', 'a.b.corp.internal']);
    expect(stdout).toMatch(/^no object requests a.b.corp.internal itself, but ingress\/a\/wild requests \*\.b\./);
    expect(stdout).toContain('*.b.corp.internal: Resolved');
    expect(stdout).not.toContain('Refused');
    expect(code).toBe(0);
  });

  test('a host of several objects resolves if it resolves for one of them', async () => {
    const { code, stdout } = await run(['why', 'shop.corp.internal', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      pod: 'idns-corp-1',
      resolves: true,
      names: [{ verdict: 'Resolved' }, { verdict: 'Duplicate' }],
    });
    expect(code).toBe(0);
  });
});

describe('names', () => {
  test('lists all names, and with --problems those that should resolve, the most severe first', async () => {
    const all = await run(['names']);
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(1 + overview.names.length);
    const { stdout } = await run(['names', '--problems']);
    const verdicts = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {3,}/)[1]);
    expect(verdicts).toEqual([
      'VERDICT',
      'Pending',
      'NoAddress',
      'Duplicate',
      'DeclaredElsewhere',
      'ForeignRecord',
      'Refused',
    ]);
  });

  test('no problems is a line of its own', async () => {
    overview = overviewOf([known('a.corp.internal')]);
    expect((await run(['names', '--problems'])).stdout).toBe('no problems: 1 of 1 names resolve\n');
    overview = overviewOf([]);
    expect((await run(['names'])).stdout).toBe('no object requests a name\n');
  });

  test.each([[[]], [['-o', 'json']]])('text from the cluster cannot control the terminal (%s)', async (flags) => {
    overview = overviewOf(hostile.map((text) => known(text, { message: text, resource: text, answers: [text] })));
    const { stdout } = await run(['names', ...flags]);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    if (flags.length > 0) expect(JSON.parse(stdout).names).toHaveLength(hostile.length);
    else expect(stdout.trimEnd().split('\n')).toHaveLength(1 + hostile.length);
  });

  test('--instance, --context, --kubeconfig and --namespace reach kubectl', async () => {
    const flags = ['--context=c', '--kubeconfig=/k', '--instance=corp', '-n', 'other'];
    const { calls, code } = await run(['names', ...flags]);
    expect(code).toBe(0);
    expect(calls.every((args) => args.includes('--context=c') && args.includes('--kubeconfig=/k'))).toBe(true);
    expect(calls[0]?.slice(0, 3)).toEqual(['get', 'internaldnses.dns.internal', 'corp']);
    expect(calls.slice(1).every((args) => args.includes('--namespace=other'))).toBe(true);
  });
});

test('zones prints states, messages and what parents need', async () => {
  const { code, stdout, calls } = await run(['zones']);
  expect(stdout).toBe(
    `ZONE            STATE     MESSAGE
corp.internal   Serving
lab.internal    Failed    line 3: not an IPv4 address\ufffd[31m

The parent of corp.internal needs:
  corp.internal. NS ns1.corp.internal.
  corp.internal. DS 1 13 2 ab
`,
  );
  expect({ code, calls: calls.length }).toEqual({ code: 0, calls: 1 });
  const empty = await run(['zones'], { internalDNSes: [{ metadata: { name: 'corp' } }] });
  expect(empty.stdout).toBe('no zone has a state yet: see kubectl describe internaldns corp\n');
});

describe('connect', () => {
  test('prints what to paste where, for all programs', async () => {
    const { code, stdout, stderr } = await run(['connect']);
    expect(stdout).toMatch(
      /^Internal DNS corp\nZones: corp\.internal, lab\.internal, 2\.0\.192\.in-addr\.arpa\nWay in service /,
    );
    expect(stdout).toContain('\n        forward . 10.96.0.53 fd00::53 {\n            max_fails 1\n');
    expect(stdout).toContain('-- FRITZ!Box (fritzbox)');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('prints one program, through a way in', async () => {
    const { stdout } = await run(['connect', 'dnsmasq', '--way', 'service']);
    expect(
      stdout.trim(),
    ).toBe(`Caution: the way in service has cluster IPs, which usually only nodes and pods reach: add one of
type LoadBalancer or NodePort to spec.additionalServices.

-- dnsmasq (dnsmasq)
In a file in /etc/dnsmasq.d, and restart it. rebind-domain-ok only matters with stop-dns-rebind,
which drops answers with private addresses.

    server=/corp.internal/10.96.0.53
    server=/corp.internal/fd00::53
    server=/lab.internal/10.96.0.53
    server=/lab.internal/fd00::53
    server=/2.0.192.in-addr.arpa/10.96.0.53
    server=/2.0.192.in-addr.arpa/fd00::53
    all-servers
    rebind-domain-ok=/corp.internal/
    rebind-domain-ok=/lab.internal/
    trust-anchor=corp.internal,12345,13,2,0123456789abcdef`);
    const { stdout: json } = await run(['connect', 'windows', '-o', 'json']);
    expect(JSON.parse(json).families).toMatchObject([{ programs: [{ id: 'windows' }] }]);
  });

  test.each([
    [['connect', 'nonsense'], 'cannot connect nonsense: it is not known: use one of coredns, coredns-custom, eks, '],
    [
      ['connect', '--way=wan'],
      'cannot read how to connect to corp: unknown way in wan: use one of service, lan, tailnet\n',
    ],
  ])('%j is refused with what is known', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.slice(0, message.length)).toBe(message);
  });
});

describe('let-go', () => {
  const annotation = (calls: string[][]) => calls.find(([verb]) => verb === 'annotate');
  beforeEach(() => {
    const held = known('web.corp.internal', { verdict: 'Held', message: 'the delete guard keeps its records' });
    overview = overviewOf([held, known('ok.corp.internal')], {
      discovery: { state: 'Synced', held: { since: '2026-11-02T14:00:00Z', names: ['gone.corp.internal'] } },
    });
  });

  test.each(['y\n', 'yes\n'])('shows what is held, asks, and annotates the InternalDNS (%j)', async (answer) => {
    const before = Date.now();
    const { code, stdout, stderr, calls } = await run(['let-go'], {}, answer);
    expect(stderr).toMatch(
      /^NAME .*\nweb.corp.internal .*\ngone.corp.internal .*\nheld since 2026-11-02T14:00:00Z\nDelete these 2 names now\? \[y\/N\] /,
    );
    expect(stderr).not.toContain('ok.corp.internal');
    expect(stdout).toMatch(/^released: what the delete guard of corp held before \S+Z\n$/);
    expect(code).toBe(0);
    const [, , name, , value = ''] = annotation(calls) ?? [];
    const [key, time = ''] = value.split('=');
    expect([name, key]).toEqual(['corp', 'dns.internal/let-go']);
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
  });

  test.each(['n\n', '\n', ''])('changes nothing without a yes (%j)', async (answer) => {
    const { code, stdout, stderr, calls } = await run(['let-go'], {}, answer);
    expect({ code, stdout, annotation: annotation(calls) }).toEqual({ code: 1, stdout: '', annotation: undefined });
    expect(stderr).toMatch(/cannot release the names: not confirmed: answer y, or use --yes\n$/);
  });

  test('--yes asks nothing, and still prints what was held', async () => {
    const { code, stdout, calls } = await run(['let-go', '--yes']);
    expect(stdout).toMatch(/^NAME .*\nweb.corp.internal [\s\S]*\nreleased: /);
    expect(annotation(calls)).toBeDefined();
    expect(code).toBe(0);
  });

  test('nothing is annotated if nothing is held', async () => {
    overview = overviewOf();
    const { code, stdout, calls } = await run(['let-go', '--yes']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'the delete guard of corp holds no name\n' });
    expect(annotation(calls)).toBeUndefined();
  });

  test('a user who may not annotate reads which right is missing', async () => {
    const failures = { annotate: 'Error from server (Forbidden): User "u" cannot patch resource' };
    const { code, stderr } = await run(['let-go', '--yes'], { failures });
    expect(stderr).toBe(
      'cannot annotate InternalDNS corp: Error from server (Forbidden): User "u" cannot patch resource: ask for the verbs get and patch on internaldnses.dns.internal\n',
    );
    expect(code).toBe(1);
  });
});

describe('a failure is one line with its cause and its cure', () => {
  const waiting = {
    metadata: { name: 'idns-corp-0' },
    status: {
      phase: 'Pending',
      containerStatuses: [{ name: 'agent', state: { waiting: { reason: 'ImagePullBackOff' } } }],
    },
  };
  test.each<[string, string[], () => Partial<Cluster> | Promise<Partial<Cluster>>, string | RegExp]>([
    [
      'no InternalDNS',
      ['names'],
      () => ({ internalDNSes: [] }),
      /^cannot find an InternalDNS: the cluster has none: create one/,
    ],
    [
      'several',
      ['names'],
      () => ({ internalDNSes: [corp, { metadata: { name: 'a' } }] }),
      'cannot choose an InternalDNS: there are a, corp: use --instance a',
    ],
    [
      'an unknown instance',
      ['zones', '--instance', 'x'],
      () => ({}),
      'cannot read InternalDNS x: Error from server (NotFound): internaldnses.dns.internal "x" not found: kubectl get internaldns lists them',
    ],
    [
      'no right to read the InternalDNS',
      ['zones'],
      () => ({ failures: { get: 'Error from server (Forbidden): User "u" cannot list resource' } }),
      /: ask for the verbs get and list on internaldnses.dns.internal$/,
    ],
    [
      'a cluster without Internal DNS',
      ['zones'],
      () => ({ failures: { get: `error: the server doesn't have a resource type "internaldnses"` } }),
      /^cannot read the InternalDNSes: the server doesn't have a resource type "internaldnses": install Internal DNS/,
    ],
    [
      'no connection',
      ['zones'],
      () => ({ failures: { get: 'Unable to connect to the server: dial tcp: connection refused' } }),
      'cannot read the InternalDNSes: no connection to the server: dial tcp: connection refused: check --context and --kubeconfig; kubectl get internaldns must work',
    ],
    [
      'an unknown context',
      ['zones', '--context=x'],
      () => ({ failures: { get: 'error: context was not found for specified context: x' } }),
      'cannot read the InternalDNSes: context was not found for specified context: x: check --context and --kubeconfig; kubectl get internaldns must work',
    ],
    [
      'no JSON',
      ['zones'],
      () => ({ output: 'nonsense' }),
      'cannot read the InternalDNSes: unexpected answer: use the plugin of the installed version',
    ],
    [
      'no right to list pods',
      ['names'],
      () => ({ failures: { 'get pods': 'Error from server (Forbidden): no' } }),
      'cannot find a pod of corp: Error from server (Forbidden): no: ask for the verb list on pods in the namespace dns',
    ],
    [
      'no pod',
      ['names'],
      () => ({ pods: [] }),
      'cannot find a pod of corp: the namespace dns has none: see kubectl describe internaldns corp',
    ],
    [
      'a pod that is not ready',
      ['names'],
      () => ({ pods: [waiting] }),
      'cannot reach corp: its pod idns-corp-0 is not ready (ImagePullBackOff): see kubectl -n dns describe pod idns-corp-0',
    ],
    [
      'no right to forward ports',
      ['names'],
      () => ({ failures: { 'port-forward': 'Error from server (Forbidden): pods "idns-corp-1" is forbidden' } }),
      /^cannot read the names of corp: .* is forbidden: ask for the verb get on pods and create on pods\/portforward in the namespace dns$/,
    ],
    [
      'a pod that has ended',
      ['names'],
      () => ({ failures: { 'port-forward': 'error: unable to forward port because pod is not running' } }),
      'cannot read the names of corp: unable to forward port because pod is not running: see kubectl -n dns describe pod idns-corp-1',
    ],
    [
      'an agent that does not answer',
      ['names'],
      async () => ({ target: `127.0.0.1:${await freePort()}` }),
      /^cannot read the names of corp: the agent in the pod idns-corp-1 does not answer \(.+\): see kubectl -n dns logs idns-corp-1 -c agent$/,
    ],
    [
      'an unknown flag',
      ['names', '--nonsense'],
      () => ({}),
      "cannot run kubectl idns: unknown option '--nonsense': see kubectl idns --help",
    ],
  ])('%s', async (_, args, changes, message) => {
    const { code, stdout, stderr } = await run(args, await changes());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    const line = stderr.trimEnd();
    if (typeof message === 'string') expect(line).toBe(message);
    else expect(line).toMatch(message);
  });

  test('no kubectl', async () => {
    const { code, stderr } = await kubectlIdns(['names']);
    expect(stderr).toBe(
      'cannot run kubectl: it is not on the PATH: install it, see https://kubernetes.io/docs/tasks/tools/\n',
    );
    expect(code).toBe(1);
  });
});

test('a signal ends kubectl, too', async () => {
  let plugin: ChildProcess | undefined;
  const silent = createServer(() => plugin?.kill('SIGTERM')).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const disconnected = once(silent, 'connection').then(([socket]) => once(socket.resume(), 'close'));
  const { code } = await kubectlIdns(['names'], {
    cluster: { ...cluster, target: `127.0.0.1:${(silent.address() as AddressInfo).port}` },
    onStart: (child) => {
      plugin = child;
    },
  });
  expect(code).toBe(143);
  await disconnected;
  silent.close();
});

describe('the built file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'plugin-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each(['module', 'commonjs'])('works from a folder of a package of type %s', async (type) => {
    const folder = join(dir, type);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
    copyFileSync(program, join(folder, 'kubectl-idns'));
    const { code, stderr } = await kubectlIdns(['why', 'git.corp.internal'], {
      cluster,
      node: [join(folder, 'kubectl-idns')],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'as idns-corp-1 sees it, one of 2 pods\n' });
  });

  test('begins with a shebang and imports zone files as make import does', async () => {
    expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { path, text, zone } = fixture('corp.zone');
    const make = join(import.meta.dirname, '../../functions/import.ts');
    const made = await kubectlIdns([path, zone], { node: [make] });
    expect(made.code).toBe(0);
    expect(await kubectlIdns(['import', path, zone], { node: [program] })).toEqual(made);
    expect((await kubectlIdns(['import', '-', zone], { node: [program], input: text })).stdout).toBe(made.stdout);
    const none = await kubectlIdns(['import'], { node: [program] });
    expect(none).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^cannot import a zone: missing FILE or ZONE.*\n$/),
    });
  });

  test('krew installs it from an archive with the hash and the version of the manifest', () => {
    const folder = dirname(program);
    const script = join(import.meta.dirname, '../../functions/kubectl-idns/krew.sh');
    execFileSync(script, { env: { ...environment, BUILD: folder, VERSION: 'v1.2.3' } });
    const archive = join(folder, 'kubectl-idns.tar.gz');
    const { spec } = parse(readFileSync(join(folder, 'krew.yaml'), 'utf8'));
    expect(spec.version).toBe('v1.2.3');
    expect(spec.platforms).toMatchObject([
      {
        uri: expect.stringMatching(/\/download\/v1\.2\.3\/kubectl-idns\.tar\.gz$/),
        sha256: createHash('sha256').update(readFileSync(archive)).digest('hex'),
        bin: 'kubectl-idns',
      },
    ]);
    expect(execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' })).toMatch(/^kubectl-idns$/m);
  });

  test('an older Node prints that it is too old', async () => {
    const older = join(dir, 'older.cjs');
    writeFileSync(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.20.0' } });`,
    );
    const { code, stderr } = await kubectlIdns(['names'], { node: ['--require', older, program] });
    expect(stderr).toBe(
      'cannot run kubectl idns: Node 22.20.0 is too old: install Node 24 or newer, https://nodejs.org\n',
    );
    expect(code).toBe(1);
  });
});
