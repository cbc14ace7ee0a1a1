import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** Bundles the function and the agent into `folder`, as in the image; returns the function's file. */
export function bundleFunction(folder: string): string {
  bundleBoth(folder);
  return join(folder, 'main.cjs');
}

/** Like `bundleFunction`, but returns the agent's file. */
export function bundleAgent(folder: string): string {
  bundleBoth(folder);
  return join(folder, 'agent.cjs');
}

function bundleBoth(folder: string): void {
  execFileSync(process.execPath, [join(root, 'functions/bundle.ts'), folder], { stdio: 'pipe' });
}

/** Bundles the composition of the protocol tests, one ConfigMap, with the same options. */
export async function bundleGreeting(folder: string): Promise<string> {
  const outfile = join(folder, 'greeting.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'greeting.ts')],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minify: true,
    keepNames: true,
    logLevel: 'error',
  });
  return outfile;
}
