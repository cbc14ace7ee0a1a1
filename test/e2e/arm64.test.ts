/** The image of the Function for linux/arm64, by an emulator. It needs no cluster. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applied, yamlOf } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { type RunningFunction, startFunction } from '../function.ts';
import { findOnPath } from '../path.ts';
import { callFunction, readComposite } from '../render.ts';
import { build, built } from './cluster/packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'arm64-'));
let served: RunningFunction;
let native: RunningFunction;
beforeAll(async () => {
  const untar = (file: string, into: string) => execFileSync('tar', ['-xf', file, '-C', into]);
  const [archive, root] = ['archive', 'root'].map((name) => join(folder, name)) as [string, string];
  execFileSync('mkdir', [archive, root]);
  untar(`${build}/cdk8s-function-xp-arm64.xpkg`, archive);
  const read = (file: string) => JSON.parse(readFileSync(join(archive, file), 'utf8'));
  const [{ Config, Layers }] = read('manifest.json');
  const { os, architecture, config } = read(Config);
  expect([os, architecture]).toEqual(['linux', 'arm64']);
  for (const layer of Layers) untar(join(archive, layer), root);
  const [node, program] = config.Entrypoint;
  const emulator = arch() === 'arm64' ? [] : [findOnPath('qemu-aarch64-static'), '-L', root];
  const [command, ...args] = [...emulator, join(root, node), join(root, program)];
  [served, native] = await Promise.all([
    startFunction({ command: [command as string, ...args] }),
    startFunction({ build: built }),
  ]);
});
afterAll(async () => {
  await Promise.all([served?.stop(), native?.stop()]);
  rmSync(folder, { recursive: true });
});

test('the image for arm64 renders what the sources do', async () => {
  const composite = readComposite(examples.records as string);
  const render = async ({ address }: RunningFunction) =>
    yamlOf(applied(composite, await callFunction(address, composite)));
  expect(await render(served)).toBe(await render(native));
});
