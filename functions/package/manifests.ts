/**
 * Writes the manifests of a build: `node functions/package/manifests.ts FOLDER`. REGISTRY and VERSION, from the
 * environment, say where its packages will be pulled from.
 *
 *   FOLDER/configuration/   the root of the Configuration package
 *   FOLDER/install.yaml     all that an administrator applies
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

/** A version of both packages. */
export interface Release {
  registry: string;
  version: string;
}

// A host with neither a dot nor a port would be a repository of Docker Hub, which has no packages outside of a path.
// https://github.com/google/go-containerregistry/blob/v0.22.1/pkg/name/repository.go
const host = /^(localhost|(?=.*[.:])[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?)$/;
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const pathComponent = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;

/** Throws when packages cannot be pushed to the registry that the variable `name` has. */
export function parseRegistry(name: string, registry: string): void {
  const [first = '', ...path] = registry.split('/');
  const isValid = host.test(first) && path.every((component) => pathComponent.test(component));
  if (!isValid || registry === 'docker.io') {
    throw new Error(
      `cannot use ${name} ${registry}: write a host and a path in lower case, such as ghcr.io/internal-dns`,
    );
  }
}

/** Throws when packages cannot be pushed under these names. */
export function parseRelease({ REGISTRY: registry = '', VERSION: version = '' }: NodeJS.ProcessEnv): Release {
  parseRegistry('REGISTRY', registry);
  if (!/^v\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`cannot use VERSION ${version}: it must be vX.Y.Z, as ">=v0.1.0" excludes prereleases`);
  }
  return { registry, version };
}

/**
 * The name that Crossplane gives the object of a package that is installed as a dependency, or by its CLI: the DNS label of
 * the repository.
 * https://github.com/crossplane/crossplane-runtime/blob/v2.4.0/pkg/xpkg/name.go#L86
 */
export function objectName(registry: string, name: string): string {
  const repository = [...registry.split('/').slice(1), name].join('/');
  const longest = 63;
  const label = [...repository.slice(0, longest)].map((character, index) => {
    if (/[a-z0-9]/.test(character)) return character;
    const isInner = index !== 0 && index !== longest - 1 && index !== repository.length - 1;
    return isInner && /[./:-]/.test(character) ? '-' : '';
  });
  return label
    .join('')
    .replace(/^-+/, '')
    .replace(/(?<!-)-+$/, '');
}

export const functionPackage = 'cdk8s-function-xp';
export const configurationPackage = 'internal-dns-xp';
/** What derives from the default registry: the packages, and the name of the Function. */
const derived = /ghcr\.io\/internal-dns\/|internal-dns-cdk8s-function-xp/g;

/** A manifest of the repository, with the names that derive from the registry. */
export function rewrite(manifest: string, registry: string): string {
  return manifest.replaceAll(derived, (name) =>
    name.endsWith('/') ? `${registry}/` : objectName(registry, functionPackage),
  );
}

/** An object comes after those that it refers to. The packages come last. */
const order = [
  'Namespace',
  'CustomResourceDefinition',
  'ClusterRole',
  'NetworkPolicy',
  'DeploymentRuntimeConfig',
  'ImageConfig',
];

/** The files of configuration/ and both packages, as one. The same input gives the same bytes. */
export function installManifest(files: readonly string[], { registry, version }: Release): string {
  const documents = files
    .flatMap((file) => file.split(/^---\n/m))
    .map((document) => {
      const { kind } = parse(document) as { kind: string };
      if (!order.includes(kind))
        throw new Error(`cannot order the kind ${kind}: add it to functions/package/manifests.ts`);
      return { text: rewrite(document, registry), rank: order.indexOf(kind) };
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ text }) => text);
  const packages = [functionManifest(registry, version), configurationManifest(registry, version)];
  const header = `# Internal DNS ${version}. Before you delete it, delete every InternalDNS.\n`;
  return header + [...documents, ...packages].join('---\n');
}

const functionManifest = (registry: string, version: string) => `\
# The Configuration depends on it. It would install the newest version of it, and leave it behind when it is deleted.
apiVersion: pkg.crossplane.io/v1
kind: Function
metadata:
  # The name of the dependency.
  name: ${objectName(registry, functionPackage)}
spec:
  package: ${registry}/${functionPackage}:${version}
  # The same as in the ImageConfig. With the ImageConfig alone Crossplane would see neither one that arrives after the
  # function nor a change of the DeploymentRuntimeConfig until something else changes.
  # https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/pkg/revision/watch.go#L59
  # https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/pkg/runtime/watch.go#L45
  runtimeConfigRef:
    name: internal-dns
`;

const configurationManifest = (registry: string, version: string) => `\
apiVersion: pkg.crossplane.io/v1
kind: Configuration
metadata:
  name: ${objectName(registry, configurationPackage)}
spec:
  package: ${registry}/${configurationPackage}:${version}
`;

const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Paths in the repository, in an order that does not depend on the file system. */
const find = (pattern: string) => globSync(pattern, { cwd: root }).sort();

/** The files of the Configuration package. */
export const configurationSources = (): string[] => ['crossplane.yaml', ...find('apis/**/*.yaml')];

/** What an administrator applies before the package. */
export const clusterSources = (): string[] => find('configuration/**/*.yaml');

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function main(folder: string): void {
  const release = parseRelease(process.env);
  // `xpkg build` takes every YAML file below its root.
  for (const file of configurationSources()) {
    write(join(folder, 'configuration', file), rewrite(read(file), release.registry));
  }
  write(join(folder, 'install.yaml'), installManifest(clusterSources().map(read), release));
}

if (import.meta.main) {
  try {
    main(process.argv[2] ?? join(root, '_build'));
  } catch (error) {
    console.error(`make package: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
