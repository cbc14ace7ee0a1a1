/**
 * Bundles the function and the agent, each into one file of the image: `node functions/bundle.ts [FOLDER]`. With
 * `--plugin`, bundles kubectl-idns into FOLDER instead, as a program that Node alone runs.
 * The environment variables REGISTRY and VERSION determine where the packages of this build will be pulled from,
 * and DIGESTS, a file, which images it pins.
 */
import { chmodSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import { readDigests } from './package/digests.ts';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({ options: { plugin: { type: 'boolean' } }, allowPositionals: true });

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const registry = process.env.REGISTRY || 'ghcr.io/internal-dns';
const tag = process.env.VERSION || `v${version}`;
const out = resolve(positionals[0] ?? join(root, values.plugin ? '_build' : '_build/image/app'));

const shared: BuildOptions = {
  absWorkingDir: root,
  outdir: out,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  minify: true,
  // Errors and zod's messages contain the names of classes.
  keepNames: true,
  logLevel: 'warning',
  define: {
    // kubelet runs an xpkg: the agent comes from the function's own package.
    'process.env.AGENT_IMAGE': JSON.stringify(`${registry}/cdk8s-function-xp:${tag}`),
    'process.env.VERSION': JSON.stringify(tag),
    'process.env.PINNED_IMAGES': JSON.stringify(JSON.stringify(Object.fromEntries(pinnedImages()))),
  },
};

const image: BuildOptions = {
  entryPoints: { main: 'functions/main.ts', agent: 'functions/agent/main.ts' },
  format: 'cjs',
  target: 'node24',
};

/** The plugin runs no images. */
function pinnedImages() {
  try {
    return readDigests(values.plugin ? {} : process.env);
  } catch (error) {
    console.error(`make package: ${(error as Error).message}`);
    process.exit(1);
  }
}

/**
 * The file has no extension, so the nearest package.json of wherever it is copied to decides whether Node takes it for
 * CommonJS: it may need neither `require` nor `import`. An old Node must parse all of it to print that it is too old.
 */
const plugin: BuildOptions = {
  entryPoints: { 'kubectl-idns': 'functions/kubectl-idns/main.ts' },
  format: 'iife',
  target: 'node14',
  banner: {
    js: `#!/usr/bin/env node
if (parseInt(process.versions.node) < 24) {
  console.error('cannot run kubectl idns: Node ' + process.versions.node + ' is too old: install Node 24 or newer, https://nodejs.org');
  process.exit(1);
}
var require = process.getBuiltinModule('module').createRequire(process.execPath);`,
  },
};

const chosen = values.plugin ? plugin : image;
await build({ ...shared, ...chosen }).catch(() => process.exit(1)); // esbuild has said why

for (const name of Object.keys(chosen.entryPoints ?? {})) {
  const built = join(out, `${name}.cjs`);
  const file = values.plugin ? join(out, name) : built;
  if (values.plugin) {
    renameSync(built, file);
    chmodSync(file, 0o755);
  }
  const bytes = readFileSync(file);
  console.log(`${file.slice(out.length + 1)} ${bytes.length} bytes, ${gzipSync(bytes).length} gzipped`);
}
