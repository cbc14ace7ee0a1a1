/** The packages under test, as `make package` built them and as they are pushed. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { configurationSources, objectName, rewrite } from '../../../functions/package/manifests.ts';

const run = promisify(execFile);

export const registry = process.env.REGISTRY ?? 'ghcr.io/internal-dns';
export const version = process.env.VERSION ?? `v${JSON.parse(readFileSync('package.json', 'utf8')).version}`;

/** Where `make package` wrote them. */
export const build = process.env.BUILD ?? '_build';
/** The manifest that installs everything. */
export const manifest = `${build}/install.yaml`;

export const functionPackageOf = (tag: string) => `${registry}/cdk8s-function-xp:${tag}`;
export const configurationPackageOf = (tag: string) => `${registry}/internal-dns-xp:${tag}`;

/** What the sources need to be of this version. */
export const built = { VERSION: version, AGENT_IMAGE: functionPackageOf(version) };

export const functionName = objectName(registry, 'cdk8s-function-xp');
export const configurationName = objectName(registry, 'internal-dns-xp');

/** The command that pushes a package: `PUSH FILE IMAGE`. */
const [pushCommand, ...pushArguments] = (process.env.PUSH ?? 'crossplane xpkg push -f').split(' ') as [string];

export async function push(file: string, image: string): Promise<void> {
  await run(pushCommand, [...pushArguments, file, image]);
}

/** Builds the Configuration of this repository with `edit` applied to each of its files, and pushes it under a tag. */
export async function pushConfiguration(tag: string, edit: (file: string, text: string) => string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  try {
    for (const file of configurationSources()) {
      const copy = join(folder, 'root', file);
      mkdirSync(dirname(copy), { recursive: true });
      writeFileSync(copy, edit(file, rewrite(readFileSync(file, 'utf8'), registry)));
    }
    const built = join(folder, 'configuration.xpkg');
    const flags = [`--package-root=${folder}/root`, `--examples-root=${folder}/none`, `--package-file=${built}`];
    await run('crossplane', ['xpkg', 'build', ...flags]);
    await push(built, configurationPackageOf(tag));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
