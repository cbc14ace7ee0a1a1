/** A real Chromium, driven through its DevTools protocol. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const isRoot = process.getuid?.() === 0;

/** The machine's own; as root, on Debian, it is installed where it is missing. Rejects with what to install. */
export async function findChromium(root = isRoot): Promise<string> {
  return onPath() ?? (await install(root));
}

export async function startChromium(root = isRoot): Promise<Browser> {
  const executablePath = await findChromium(root);
  // Chromium has no sandbox for root: https://crbug.com/638180
  return chromium.launch({ executablePath, args: root ? ['--no-sandbox'] : [] });
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.flatMap((folder) => programs.map((name) => join(folder, name))).find((file) => existsSync(file));
}

async function install(root: boolean): Promise<string> {
  const command = 'apt-get install -y --no-install-recommends chromium';
  if (!root) throw new Error(`cannot find Chromium: sudo ${command}`);
  // A fresh machine has no package lists. Whoever else installs something at the same time is waited for.
  const all = `apt-get update -qq && DEBIAN_FRONTEND=noninteractive ${command} -o DPkg::Lock::Timeout=300`;
  await run('flock', [join(tmpdir(), 'apt.lock'), 'sh', '-c', `command -v chromium || { ${all}; }`]).catch((error) => {
    throw new Error(`cannot install Chromium: ${error.stderr?.trim() || error}`);
  });
  const installed = onPath();
  if (!installed) throw new Error(`cannot find Chromium after ${command}`);
  return installed;
}
