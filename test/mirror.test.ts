/** `make mirror`, and the examples of a cluster that pulls from one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readArguments } from '../functions/cdk8s-function-xp/arguments.ts';
import { run } from '../functions/cdk8s-function-xp/function.ts';
import { agentImage } from '../functions/internal-dns/build.ts';
import { internalDNS } from '../functions/internal-dns/composition.ts';
import { restrictionFlags, restrictionsOf } from '../functions/internal-dns/restrictions.ts';
import { serverImages } from '../functions/package/digests.ts';
import { mirrorScript, parseMirror } from '../functions/package/mirror.ts';
import { requestFor } from './cdk8s-function-xp/client.ts';
import { examples } from './examples.ts';
import { readComposite, readObjects } from './render.ts';

const root = join(import.meta.dirname, '..');
const version = `v${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}`;
const released = { registry: 'ghcr.io/internal-dns', version };
const to = 'registry.example.com:5000/dns';
const { powerdns, externalDNS, dnsdist } = serverImages;

const linesOf = (script: string) => script.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
/** The YAML in the comments. */
const blocksOf = (script: string) =>
  script
    .split(/^#(?: [^ ].*)?$/m)
    .map((part) => part.replace(/^# {3}/gm, ''))
    .filter((part) => /^\w+:/m.test(part) && !part.startsWith('crane'));

test('copies both packages and the images of the servers, and nothing else', () => {
  expect(linesOf(mirrorScript(released, to, new Map()))).toEqual([
    `crane copy ghcr.io/internal-dns/cdk8s-function-xp:${version} ${to}/cdk8s-function-xp:${version}`,
    `crane copy ghcr.io/internal-dns/internal-dns-xp:${version} ${to}/internal-dns-xp:${version}`,
    `crane copy ${powerdns} ${to}/pdns-auth-51:${powerdns.split(':')[1]}`,
    `crane copy ${externalDNS} ${to}/external-dns:${externalDNS.split(':')[1]}`,
    `crane copy ${dnsdist} ${to}/dnsdist-21:${dnsdist.split(':')[1]}`,
  ]);
});

test('copies every image that a server runs by default', () => {
  const { desired } = run(requestFor(readComposite(examples.minimal!)), internalDNS);
  const pods = desired?.resources['server/pods']?.resource as {
    spec: { template: { spec: Record<string, object[]> } };
  };
  const { initContainers = [], containers = [] } = pods.spec.template.spec;
  const images = [...initContainers, ...containers].map((container) => (container as { image: string }).image);
  expect(new Set(images)).toEqual(new Set([powerdns, externalDNS, agentImage]));
  const copied = linesOf(mirrorScript(released, to, new Map())).map((line) => line.split(' ')[2]);
  expect(copied).toEqual(
    expect.arrayContaining(images.map((image) => (image === agentImage ? agentImage.replace(/dev$/, version) : image))),
  );
});

test('copies by the digests of a release, and has the servers pull by them', () => {
  const digest = `@sha256:${'0'.repeat(64)}`;
  const script = mirrorScript(released, to, new Map([[powerdns, powerdns + digest]]));
  const copy = `${to}/pdns-auth-51:${powerdns.split(':')[1]}`;
  expect(linesOf(script)).toContain(`crane copy ${powerdns}${digest} ${copy}`);
  expect(script).toContain(`- --powerdns-image=${copy}${digest}\n`);
  expect(script).toContain(`powerdns: ${copy}${digest}\n`);
});

test('prints the ImageConfigs, the arguments and the fields of the examples, for a mirror of their name', () => {
  const [imageConfigs = '', args = '', fields = ''] = blocksOf(
    mirrorScript(released, 'registry.example.internal/mirror', new Map()),
  );
  expect(parseAllDocuments(imageConfigs).map((document) => document.toJS())).toEqual(
    readObjects(join(root, 'examples/mirror.yaml')),
  );
  const { pullPolicy: _, pullSecrets: __, ...images } = readObjects(examples['private-registry']!)[0]!.spec.images;
  expect(parse(fields).spec.images).toEqual(images);
  const { flags } = readArguments(['--insecure', ...parse(args).args], {}, restrictionFlags);
  expect(restrictionsOf(flags, {}).images).toEqual(images);
});

test('rewrites the name of each package to that of its copy', () => {
  const [imageConfigs = ''] = blocksOf(mirrorScript(released, to, new Map()));
  const [rewriting, login] = parseAllDocuments(imageConfigs).map((document) => document.toJS().spec);
  const [{ prefix }] = rewriting.matchImages;
  const packages = linesOf(mirrorScript(released, to, new Map())).slice(0, 2);
  for (const [, , original = '', copy = ''] of packages.map((line) => line.split(' '))) {
    // https://github.com/crossplane/crossplane-runtime/blob/v2.4.0/pkg/xpkg/config.go#L137
    expect(original.startsWith(prefix)).toBe(true);
    expect(rewriting.rewriteImage.prefix + original.slice(prefix.length)).toBe(copy);
    expect(login.matchImages.filter((match: { prefix: string }) => copy.startsWith(match.prefix))).toHaveLength(1);
  }
});

test.each([
  ['no TO', '', 'cannot copy packages: TO is empty: write TO=registry.example.com/dns'],
  [
    'a TO with a scheme',
    'https://x.io',
    'cannot use TO https://x.io: write a host and a path in lower case, such as ghcr.io/internal-dns',
  ],
  [
    'the registry itself',
    released.registry,
    `cannot copy packages: TO ${released.registry} is where they are: name another registry`,
  ],
])('refuses %s', (_, TO, message) => {
  expect(() => parseMirror(TO, released)).toThrow(message);
});

test('prints a script, or why not in one line', () => {
  const print = (TO: string) =>
    spawnSync(process.execPath, ['functions/package/mirror.ts', TO], {
      cwd: root,
      env: { REGISTRY: released.registry, VERSION: version, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
      encoding: 'utf8',
    });
  const { stdout, stderr, status } = print(to);
  expect({ stdout, stderr, status }).toEqual({ stdout: mirrorScript(released, to, new Map()), stderr: '', status: 0 });
  expect(stdout).toMatch(/\n$/);
  // With a `crane` that prints its arguments, as sh reads them.
  const sh = spawnSync('sh', ['-e'], { input: `crane() { echo crane "$@"; }\n${stdout}`, encoding: 'utf8' });
  expect(sh).toMatchObject({ status: 0, stderr: '', stdout: `${linesOf(stdout).join('\n')}\n` });
  expect(print('')).toMatchObject({
    stdout: '',
    stderr: 'make mirror: cannot copy packages: TO is empty: write TO=registry.example.com/dns\n',
    status: 1,
  });
});
