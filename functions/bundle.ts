/**
 * Bundles the function and the agent, each into one file of the image: `node functions/bundle.ts [FOLDER]`.
 * The environment variables REGISTRY and VERSION determine where the packages of this build will be pulled from.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const entries = { main: 'functions/main.ts', agent: 'functions/agent/main.ts' };

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const registry = process.env.REGISTRY || 'ghcr.io/internal-dns';
const tag = process.env.VERSION || `v${version}`;
const out = resolve(process.argv[2] ?? join(root, '_build/image/app'));

await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: out,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  // Errors and zod's messages contain the names of classes.
  keepNames: true,
  logLevel: 'warning',
  define: {
    // kubelet runs an xpkg: the agent comes from the function's own package.
    'process.env.AGENT_IMAGE': JSON.stringify(`${registry}/cdk8s-function-xp:${tag}`),
    'process.env.VERSION': JSON.stringify(tag),
  },
}).catch(() => process.exit(1)); // esbuild has logged the errors

for (const name of Object.keys(entries)) {
  const file = join(out, `${name}.cjs`);
  const bytes = readFileSync(file);
  console.log(`${name}.cjs ${bytes.length} bytes, ${gzipSync(bytes).length} gzipped`);
}
