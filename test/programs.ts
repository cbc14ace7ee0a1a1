/** What tests need of the machine beside Node: where it is, and the one command that brings it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPrometheus } from './monitoring/install.ts';
import { findOnPath } from './path.ts';
import { findPresentPowerDNS } from './powerdns/install.ts';

interface Program<Found> {
  /** Throws with what is missing. */
  find(): Found;
  /** On Debian and its like. */
  command: string;
  /** Anywhere else. */
  page: string;
  /** What changes the machine for others is nobody's but a person's to do. */
  isByHand?: boolean;
}

const program = <Found>(find: () => Found, command: string, page: string): Program<Found> => ({ find, command, page });
const apt = (name: string) => `sudo apt-get install -y --no-install-recommends ${name}`;
const chromiums = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const;
const bind = 'https://www.isc.org/bind/';
const ipv6 = 'https://docs.kernel.org/networking/ipv6.html';

/** By the tag of the tests that need it: https://vitest.dev/guide/test-tags */
const programs = {
  PowerDNS: program(
    findPresentPowerDNS,
    'sudo test/powerdns/unpack.sh',
    'https://doc.powerdns.com/authoritative/installation.html',
  ),
  delv: program(() => findOnPath('delv'), apt('bind9-dnsutils'), bind),
  dig: program(() => findOnPath('dig'), apt('bind9-dnsutils'), bind),
  Lua: program(() => findOnPath('lua5.1'), apt('lua5.1'), 'https://www.lua.org/versions.html#5.1'),
  Chromium: program(() => findOnPath(...chromiums), apt('chromium'), 'https://www.chromium.org/getting-involved/'),
  Prometheus: program(findPrometheus, 'sudo test/monitoring/unpack.sh', 'https://prometheus.io/download/'),
  IPv6: { ...program(expectIPv6, 'sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0', ipv6), isByHand: true },
};

type Programs = typeof programs;
export type Tag = keyof Programs;

declare module 'vitest' {
  interface TestTags {
    /** Histories need nothing: `make soak` draws them again and again. */
    tags: Tag | 'history';
  }
}

type Found<Name extends Tag> = ReturnType<Programs[Name]['find']>;

/** What the one who asks can do about what is missing. */
interface Means {
  isRoot: boolean;
  isDebian: boolean;
  /** Rejects with what the command says. */
  fetch(command: string): Promise<unknown>;
}

const here: Means = { isRoot: process.getuid?.() === 0, isDebian: existsSync('/usr/bin/apt-get'), fetch };

/** Where it is; on Debian it is fetched where it is missing, if this user may. Rejects with what is missing and the command. */
export async function find<Name extends Tag>(name: Name, { isRoot, isDebian, fetch } = here): Promise<Found<Name>> {
  const { find, command, page, isByHand } = programs[name] as Program<Found<Name>>;
  try {
    return find();
  } catch (error) {
    const { message } = error as Error;
    if (!isDebian) throw new Error(`${message}: see ${page}`);
    const mine = isRoot ? command.replace('sudo ', '') : command;
    if (isByHand || mine.startsWith('sudo ')) throw new Error(`${message}: ${mine}`);
    await fetch(mine).catch((failure) => {
      throw new Error(`${message}, nor fetch it (${lastLine(failure)}): ${mine}`);
    });
    return find();
  }
}

const lastLine = ({ stderr, message }: Error & { stderr?: string }) => (stderr || message).trim().split('\n').at(-1);

/** What is missing of all, and cannot be fetched, by its tag: why, and the command. */
export async function missing(): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  // One after the other: packages are installed by one at a time.
  for (const name of Object.keys(programs) as Tag[])
    await find(name).catch(({ message }) => reasons.set(name, message));
  return reasons;
}

/** Tests with a tag of what is missing are skipped. */
export const tagsOf = <Name extends string = Tag>(
  reasons: ReadonlyMap<string, string>,
  names = Object.keys(programs) as Name[],
) =>
  // Of several tags of a test the one that says anything of it would win, be it that it is not to be skipped.
  names.map((name) => (reasons.has(name) ? { name, skip: true } : { name }));

/** The lock makes whoever else fetches something at the same time wait, and goes with its holder, however that ends. */
async function fetch(command: string): Promise<void> {
  // A fresh machine has no package lists.
  const script = `${command} || { apt-get update -qq && ${command}; }`;
  const options = {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  await promisify(execFile)(
    'flock',
    [join(tmpdir(), `internal-dns-${process.getuid?.()}.lock`), 'sh', '-c', script],
    options,
  );
}

function expectIPv6(): void {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list = []) => list);
  if (!addresses.some(({ address }) => address === '::1')) throw new Error('this machine has no IPv6');
}
