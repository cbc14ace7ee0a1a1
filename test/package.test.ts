/** The packages and the install manifest of `make package`, as far as they need neither a registry nor a cluster. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { namesOf } from '../functions/internal-dns/names.ts';
import { agent } from '../functions/internal-dns/server/agent.ts';
import { parseDigests, serverImages } from '../functions/package/digests.ts';
import {
  clusterSources,
  configurationSources,
  installManifest,
  objectName,
  parseRelease,
  rewrite,
} from '../functions/package/manifests.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const released = { registry: 'ghcr.io/internal-dns', version: 'v0.1.0' };
const mirror = { registry: 'registry.example.com:5000/platform/dns', version: 'v1.2.3' };
const mirroredFunction = 'platform-dns-cdk8s-function-xp';

// What `crossplane xpkg install` v2.5.0 calls the Function.
test.each([
  ['ghcr.io/internal-dns', 'internal-dns-cdk8s-function-xp'],
  ['registry.example.com:5000/dns', 'dns-cdk8s-function-xp'],
  ['registry.example.com', 'cdk8s-function-xp'],
  ['localhost/x', 'x-cdk8s-function-xp'],
  ['registry.example.com/a_b/c.d/e--f', 'ab-c-d-e--f-cdk8s-function-xp'],
  [
    'registry.example.com/the-platform-team-of-a-rather-large-company-with-names',
    'the-platform-team-of-a-rather-large-company-with-names-cdk8s-fu',
  ],
])('from %s Crossplane installs the Function %s', (registry, name) => {
  expect(objectName(registry, 'cdk8s-function-xp')).toBe(name);
});

describe('install.yaml', () => {
  const install = (release: typeof released) => installManifest(clusterSources().map(read), release);
  const documentsOf = (text: string) =>
    parseAllDocuments(text).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    });
  const nameOf = ({ kind, metadata }: { kind: string; metadata: { name: string } }) => `${kind} ${metadata.name}`;

  test('has every object of configuration/ once, and both packages', () => {
    const sources = clusterSources().flatMap((file) => documentsOf(read(file)).map(nameOf));
    expect(documentsOf(install(released)).map(nameOf).sort()).toEqual(
      [...sources, 'Function internal-dns-cdk8s-function-xp', 'Configuration internal-dns-internal-dns-xp'].sort(),
    );
  });

  test('has an object after those that it refers to, and the Configuration last', () => {
    expect([...new Set(documentsOf(install(released)).map(({ kind }) => kind))]).toEqual([
      'Namespace',
      'CustomResourceDefinition',
      'ClusterRole',
      'NetworkPolicy',
      'DeploymentRuntimeConfig',
      'ImageConfig',
      'Function',
      'Configuration',
    ]);
  });

  test('is the same for the same input', () => {
    expect(install(mirror)).toBe(install(mirror));
    expect(clusterSources()).toEqual(clusterSources().toSorted());
  });

  test('has the objects of configuration/ unchanged for the default registry', () => {
    const objects = documentsOf(install(released));
    for (const file of clusterSources()) expect(objects).toEqual(expect.arrayContaining(documentsOf(read(file))));
  });

  test('runs the function with the DeploymentRuntimeConfig that it contains', () => {
    const objects = documentsOf(install(released));
    const { name } = objects.find(({ kind }) => kind === 'DeploymentRuntimeConfig').metadata;
    expect(objects.find(({ kind }) => kind === 'ImageConfig').spec.runtime.configRef).toEqual({ name });
    expect(objects.find(({ kind }) => kind === 'Function').spec.runtimeConfigRef).toEqual({ name });
  });

  test('refuses a kind whose place is not known', () => {
    expect(() => installManifest(['kind: Secret\n'], released)).toThrow(
      'cannot order the kind Secret: add it to functions/package/manifests.ts',
    );
  });

  test('names the registry and the version of the build', () => {
    const objects = documentsOf(install(mirror));
    const packages = objects.filter(({ apiVersion }) => apiVersion === 'pkg.crossplane.io/v1');
    expect(packages.map(({ metadata, spec }) => [metadata.name, spec.package])).toEqual([
      [mirroredFunction, 'registry.example.com:5000/platform/dns/cdk8s-function-xp:v1.2.3'],
      ['platform-dns-internal-dns-xp', 'registry.example.com:5000/platform/dns/internal-dns-xp:v1.2.3'],
    ]);
    const { matchImages } = objects.find(({ kind }) => kind === 'ImageConfig').spec;
    expect(matchImages).toEqual([
      { type: 'Prefix', prefix: 'registry.example.com:5000/platform/dns/cdk8s-function-xp' },
    ]);
  });

  test('leaves nothing of the default registry', () => {
    expect(install(mirror)).not.toMatch(/ghcr\.io|internal-dns-cdk8s-function-xp/);
  });
});

describe('the Configuration package', () => {
  const built = ({ registry }: typeof released) =>
    Object.fromEntries(configurationSources().map((file) => [file, rewrite(read(file), registry)]));

  test('is built from the files as they are for the default registry', () => {
    expect(built(released)).toEqual(Object.fromEntries(configurationSources().map((file) => [file, read(file)])));
  });

  test('depends on the Function of the registry, and calls it by the name that Crossplane gives it', () => {
    const files = built(mirror);
    const [dependency] = parse(files['crossplane.yaml']!).spec.dependsOn;
    expect(dependency.package).toBe('registry.example.com:5000/platform/dns/cdk8s-function-xp');
    const [step] = parse(files['apis/internaldns/composition.yaml']!).spec.pipeline;
    expect(step.functionRef.name).toBe(mirroredFunction);
    expect(Object.values(files).join('')).not.toMatch(/ghcr\.io|internal-dns-cdk8s-function-xp/);
  });
});

describe('make package', () => {
  const dir = mkdtempSync(join(tmpdir(), 'package-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const image = (architecture: string, ...Entrypoint: string[]) =>
    JSON.stringify({ os: 'linux', architecture, config: { Entrypoint } });
  // `crane config --platform linux/ARCH IMAGE`, for images that are named after what is wrong with them.
  const crane = `#!/bin/bash
case $4 in
  amd64-only) echo '${image('amd64', '/nodejs/bin/node')}' ;;
  no-arm64) [[ $3 == linux/amd64 ]] && echo '${image('amd64', '/nodejs/bin/node')}' ||
    { echo 'Error: fetching config: no child with platform linux/arm64 in index no-arm64' >&2; exit 1; } ;;
  shell) echo '${image('amd64', '/bin/sh')}' ;;
  bare) echo '${image('amd64')}' ;;
  *) printf '2026/01/01 retrying\\nError: connection refused\\n' >&2; exit 1 ;;
esac
`;
  const folderWith = (programs: Record<string, string>) => {
    const bin = mkdtempSync(join(dir, 'bin-'));
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(bin, name), text, { mode: 0o755 });
    return bin;
  };
  const both = folderWith({ crane, crossplane: '#!/bin/sh\n' });

  /** What it prints, and its exit code. */
  function build(set: Record<string, string>, bin = both) {
    const { stdout, stderr, status } = spawnSync(join(root, 'functions/package/build.sh'), {
      env: {
        PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        BUILD: join(dir, 'build'),
        REGISTRY: released.registry,
        VERSION: released.version,
        BASE: 'amd64-only',
        ...set,
      },
      // From a socket, bash takes itself for a remote shell.
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    return { printed: stdout + stderr, status };
  }

  const index = 'use an index of linux/amd64 and linux/arm64, such as gcr.io/distroless/nodejs24-debian13:nonroot';
  const registryForm = 'write a host and a path in lower case, such as ghcr.io/internal-dns';
  const versionForm = 'it must be vX.Y.Z, as ">=v0.1.0" excludes prereleases';
  test.each<[string, Record<string, string>, string]>([
    ['a REGISTRY with a scheme', { REGISTRY: 'https://x.io' }, `cannot use REGISTRY https://x.io: ${registryForm}`],
    ['a VERSION without a v', { VERSION: '0.1.0' }, `cannot use VERSION 0.1.0: ${versionForm}`],
    ...['BUILD', 'REGISTRY', 'VERSION', 'BASE'].map((name): [string, Record<string, string>, string] => [
      `an empty ${name}`,
      { [name]: '' },
      `cannot build packages: ${name} is empty: leave it out for the default`,
    ]),
    [
      'an image for one platform',
      { BASE: 'amd64-only' },
      `cannot use BASE amd64-only for linux/arm64: it is an image for linux/amd64: ${index}`,
    ],
    [
      'an index without a platform',
      { BASE: 'no-arm64' },
      `cannot use BASE no-arm64: it has no image for linux/arm64: ${index}`,
    ],
    [
      'an image without Node',
      { BASE: 'shell' },
      `cannot use BASE shell: its entry point is "/bin/sh" instead of /nodejs/bin/node: ${index}`,
    ],
    [
      'an image without an entry point',
      { BASE: 'bare' },
      `cannot use BASE bare: its entry point is "" instead of /nodejs/bin/node: ${index}`,
    ],
    [
      'an image that cannot be pulled',
      { BASE: 'none' },
      'cannot pull BASE none for linux/amd64: connection refused: check the name, the network and `crane auth login`',
    ],
  ])('refuses %s in one line', (_, set, message) => {
    expect(build(set)).toEqual({ printed: `make package: ${message}\n`, status: 1 });
  });

  test.each([
    ['crane', { crossplane: '' }, /^make package: cannot layer the image: crane is not on the PATH \(https:.*\)\n$/],
    ['crossplane', { crane }, /^make package: cannot build packages: crossplane is not on the PATH \(https:.*\)\n$/],
  ])('says in one line where %s comes from', (_, programs, message) => {
    expect(build({}, folderWith(programs))).toEqual({ printed: expect.stringMatching(message), status: 1 });
  });

  const base = 'gcr.io/distroless/nodejs24-debian13:nonroot';
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
  const pinned = (...images: string[]) => images.map((image) => `${image}@${digest}`).join('\n');
  const { powerdns, externalDNS, dnsdist } = serverImages;
  const digestsFile = (text: string) => {
    const file = join(mkdtempSync(join(dir, 'digests-')), 'digests.txt');
    writeFileSync(file, text);
    return file;
  };
  const digestsForm = 'it is no image: write IMAGE:TAG@sha256:...';
  const cureFor = (image: string) => `merge Renovate's pull request, or add what \`crane digest ${image}\` prints`;

  test.each<[string, string, (file: string) => string]>([
    [
      'an image without a digest',
      `${pinned(powerdns, externalDNS, dnsdist)}\n${base}\n`,
      (file) => `cannot pin ${base}: it has no digest in ${file}: ${cureFor(base)}`,
    ],
    [
      'digests without an image of the sources',
      pinned(powerdns, base, dnsdist, externalDNS.replace(/:.*/, ':v0.1.0')),
      (file) => `cannot pin ${externalDNS}: ${file} does not have it: ${cureFor(externalDNS)}`,
    ],
    [
      'a digest that is too short',
      `${pinned(powerdns, externalDNS, dnsdist)}\n${base}@${digest.slice(0, -1)}\n`,
      (file) => `cannot read "${base}@${digest.slice(0, -1)}" in ${file}: ${digestsForm}`,
    ],
  ])('refuses %s in one line, and builds nothing', (_, text, message) => {
    const file = digestsFile(text);
    const BUILD = join(dir, 'pinned');
    const printed = `make package: ${message(file)}\n`;
    expect(build({ DIGESTS: file, BUILD })).toEqual({ printed, status: 1 });
    expect(existsSync(BUILD)).toBe(false);
  });

  test('refuses a file of digests that does not exist', () => {
    const message = 'no such file or directory: name a file such as functions/package/digests.txt';
    expect(build({ DIGESTS: 'none.txt' })).toEqual({
      printed: `make package: cannot read DIGESTS none.txt: ${message}\n`,
      status: 1,
    });
  });

  test.each([
    ['pins BASE', base, `${base}@${digest}`],
    ['leaves a BASE as it is that the digests do not have', 'mine', 'mine'],
  ])('%s', (_, BASE, used) => {
    const { printed } = build({ BASE, DIGESTS: digestsFile(pinned(powerdns, base, externalDNS, dnsdist)) });
    expect(printed).toMatch(`make package: cannot pull BASE ${used} for linux/amd64: `);
  });

  test.each([`${base} ${digest}`, `gcr.io/distroless/nodejs24-debian13@${digest}`, `${base} # comment`])(
    'refuses the line %s of digests',
    (line) => {
      expect(() => parseDigests(line, 'x.txt')).toThrow(`cannot read "${line}" in x.txt: ${digestsForm}`);
    },
  );

  test('takes comments, empty lines and the line ends of Windows', () => {
    const text = `# Digests\r\n\r\n${pinned(powerdns, externalDNS, dnsdist).replaceAll('\n', '\r\n')}\r\n`;
    expect([...parseDigests(text, 'x.txt')]).toEqual(
      [powerdns, externalDNS, dnsdist].map((image) => [image, pinned(image)]),
    );
  });

  const { registry, version } = mirror;
  const parseOf = (set: object) => parseRelease({ REGISTRY: registry, VERSION: version, ...set });

  test.each(['ghcr.io/x/', 'ghcr.io/X', 'ghcr.io/x:v1', 'internal-dns', 'docker.io', 'ghcr.io/a b', 'ghcr.io/x|y'])(
    'refuses the registry %s',
    (REGISTRY) => {
      expect(() => parseOf({ REGISTRY })).toThrow(`cannot use REGISTRY ${REGISTRY}: ${registryForm}`);
    },
  );

  test.each(['v0.1', 'v0.1.0-rc.1', 'latest'])('refuses the version %s', (VERSION) => {
    expect(() => parseOf({ VERSION })).toThrow(`cannot use VERSION ${VERSION}: ${versionForm}`);
  });

  test.each([
    'ghcr.io/internal-dns',
    'registry.example.com:5000/a/b-c_d',
    'localhost:5000',
    'localhost/x',
    '10.0.0.1/x',
  ])('takes the registry %s', (REGISTRY) => {
    expect(parseOf({ REGISTRY })).toEqual({ registry: REGISTRY, version });
  });
});

test('the image serves the function, and the agent has a command of its own', () => {
  const [, entrypoint = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(read('functions/Dockerfile')) ?? [];
  expect(JSON.parse(entrypoint)).toEqual(['/nodejs/bin/node', '/app/main.cjs']);
  expect(read('functions/Dockerfile')).not.toMatch(/^CMD/m);
  expect(read('functions/package/build.sh')).toContain('--entrypoint /nodejs/bin/node,/app/main.cjs ');
  const options = { image: undefined, pullPolicy: 'Always', resources: undefined, sidecar: true, replicas: 1 };
  const { command, args } = agent({ ...options, names: namesOf('corp', 1) });
  expect(command).toEqual(['/nodejs/bin/node', '/app/agent.cjs']);
  expect(args?.filter((arg) => !arg.startsWith('--'))).toEqual([]);
});

test.each<[string, string, RegExp]>([
  ['crossplane.yaml', parse(read('crossplane.yaml')).spec.crossplane.version, /^>=v(\d+\.\d+)\.0$/g],
  [
    'the Function package',
    parse(read('functions/package/crossplane.yaml')).spec.crossplane.version,
    /^>=v(\d+\.\d+)\.0$/g,
  ],
  ['README.md', read('README.md'), /Crossplane (\d+\.\d+)/g],
  ['docs/install.md', read('docs/install.md'), /Crossplane (\d+\.\d+)/g],
])('%s requires Crossplane 2.2', (_, text, version) => {
  expect(new Set([...text.matchAll(version)].map(([, named]) => named))).toEqual(new Set(['2.2']));
});

// Native sidecars: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
test.each(['README.md', 'docs/install.md'])('%s requires Kubernetes 1.29', (file) => {
  const [, oldest] = /Kubernetes (\d\.\d+)/.exec(read(file)) ?? [];
  expect(oldest).toBe('1.29');
});
