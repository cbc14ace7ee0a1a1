/** Installation and removal as in README.md, with its commands, in a cluster that has nothing of it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { commandsIn, readme } from '../readme.ts';
import { figure } from './cluster/figures.ts';
import { apply, exists, get, kubectl, list, remove, until, waitFor } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { configurationName, functionName, functionPackageOf, manifest, version } from './cluster/packages.ts';
import { scenario } from './scenario.ts';

const run = promisify(execFile);
const commands = commandsIn('README.md');
const documents = parseAllDocuments(readFileSync(manifest, 'utf8')).map((document) => document.toJS());

/** Runs a command of README.md on the files of this build, which are not published yet. */
async function runAsWritten(command: string, env: Record<string, string> = {}): Promise<string> {
  const local = command
    .replace(/https:\S+\/install\.yaml/, manifest)
    .replace('internal-dns-internal-dns-xp', configurationName)
    .replace(/https:\/\/raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[^/]+\//, '');
  return (await run('bash', ['-c', local], { env: { ...process.env, ...env } })).stdout;
}

/** What is left of install.yaml, and of what it installs. */
const remaining = async () => {
  const names: string[] = [];
  for (const { kind, metadata } of documents) {
    if (await exists(kind, metadata.name, metadata.namespace).catch(() => false))
      names.push(`${kind} ${metadata.name}`);
  }
  if (await exists('crd', 'internaldnses.dns.internal')) names.push('CustomResourceDefinition');
  return names;
};

const untilGone = () =>
  until('nothing is left', async () => {
    const left = await remaining();
    return left.length === 0 || left;
  });

/** That the Function runs as configuration/runtime.yaml says. */
async function expectInstalled(): Promise<void> {
  expect((await get('function', functionName)).spec.package).toBe(functionPackageOf(version));
  await until('the Function runs with its DeploymentRuntimeConfig', async () => {
    const pods = await list('pod', {
      namespace: 'crossplane-system',
      labels: `pkg.crossplane.io/function=${functionName}`,
    });
    const running = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const configured = running.filter(
      ({ metadata, spec }) =>
        metadata.labels?.['app.kubernetes.io/name'] === 'cdk8s-function-xp' &&
        spec.containers[0].securityContext.readOnlyRootFilesystem,
    );
    return (running.length === 2 && configured.length === 2) || pods.map(({ spec }) => spec.containers);
  });
}

scenario('readme', ({ ingress, owns }) => {
  const removeAll = async () => {
    for (const command of commands.get('Remove') ?? []) await runAsWritten(command);
    await untilGone();
  };

  test('Remove leaves nothing', removeAll);

  test('the objects of install.yaml may arrive in any order', async () => {
    for (const document of documents.toReversed()) await apply(document);
    await waitFor('Healthy', `configuration/${configurationName}`);
    await waitFor('Healthy', `function/${functionName}`);
    await expectInstalled();
    await removeAll();
  });

  test('Install installs, and creates the resource that is shown', async () => {
    owns('corp');
    const start = performance.now();
    for (const command of commands.get('Install') ?? []) await runAsWritten(command);
    figure('install.yaml applied -> Configuration Healthy, InternalDNS created', (performance.now() - start) / 1000);
    await waitFor('Ready', 'internaldns/corp');
    figure('install.yaml applied -> InternalDNS Ready', (performance.now() - start) / 1000);
    const client = await clientOf('corp');
    await client.becomes('ns1.corp.internal', (await get('internaldns', 'corp')).status.address);
    figure('install.yaml applied -> answer', (performance.now() - start) / 1000);
    await expectInstalled();
  });

  test('installing again changes nothing', async () => {
    // It exits with 1 when there is a difference.
    await kubectl('diff', '-f', manifest);
    const versions = async () => {
      const objects = await Promise.all(
        documents.map(({ kind, metadata }) => get(kind, metadata.name, metadata.namespace)),
      );
      return objects.map(({ metadata }) => metadata.generation ?? metadata.resourceVersion);
    };
    const before = await versions();
    await kubectl('apply', '-f', manifest);
    expect(await versions()).toEqual(before);
  });

  test('What you see is seen', async () => {
    await apply(ingress({ name: 'web', hosts: ['web.corp.internal'], annotations: { [target]: '192.0.2.1' } }));
    const client = await clientOf('corp');
    await client.becomes('web.corp.internal', '192.0.2.1');
    const { address } = (await get('internaldns', 'corp')).status;
    const [wait, table, dig, describe] = commands.get('What you see') as [string, string, string, string];
    await runAsWritten(wait);
    const headings = (await runAsWritten(table))
      .split('\n')[0]
      ?.trim()
      .split(/\s{2,}/);
    const [, shown = ''] = new RegExp(`\\$ ${table}\\n +(NAME .*)`).exec(readme) ?? [];
    expect(headings).toEqual(shown.split(/\s{2,}/));
    expect(await runAsWritten(dig.replace(/@\S+/, `@${address}`))).toMatch(
      /^web\.corp\.internal\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1$/m,
    );
    expect(await runAsWritten(describe)).toContain('Resolvable');
  });

  test('A first answer in docs/install.md comes through a port-forward', async () => {
    const written = commandsIn('docs/install.md').get('A first answer') ?? [];
    const [forward, dig] = ['kubectl -n internal-dns port-forward ', 'dig +tcp '].map((start) => {
      return written.find((command) => command.startsWith(start)) ?? `false "no ${start}in docs/install.md"`;
    }) as [string, string];
    const child = spawn('bash', ['-c', `exec ${forward}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('Forwarding')) break;
      expect(await runAsWritten(dig)).toMatch(/^corp\.internal\.\s+\d+\s+IN\s+SOA\s/m);
    } finally {
      child.kill();
    }
  });

  test('kubectl idns why HOST says why', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    try {
      await run('make', ['plugin', `BUILD=${bin}`]);
      const [why = ''] = commands.get('More')?.filter((command) => command.startsWith('kubectl idns ')) ?? [];
      const path = `${bin}:${process.env.PATH}`;
      expect(await runAsWritten(why.replace('HOST', 'web.corp.internal'), { PATH: path })).toContain('192.0.2.1');
    } finally {
      rmSync(bin, { recursive: true });
    }
    await remove('ingress', 'web', 'e2e-readme');
  });
});
