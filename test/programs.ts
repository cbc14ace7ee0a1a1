/** The programs that tests need besides Node: their paths, and the command that installs each. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPrometheus } from './monitoring/install.ts';
import { findOnPath } from './path.ts';
import { findPresentPowerDNS } from './powerdns/install.ts';
import { findRoot } from './unpacked-root.ts';

interface Program<Found> {
  /** Throws if it is missing. */
  find(): Found;
  /** Installs it on Debian and its derivatives. */
  command: string;
  /** The website for all other systems. */
  page: string;
  /** Only a person may run the command, because it changes the machine for others. */
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
  BIND: program(() => findOnPath('named'), apt('bind9'), bind),
  Unbound: program(() => findOnPath('unbound'), apt('unbound'), 'https://nlnetlabs.nl/projects/unbound/'),
  dnsmasq: program(() => findOnPath('dnsmasq'), apt('dnsmasq-base'), 'https://thekelleys.org.uk/dnsmasq/doc.html'),
  Lua: program(() => findOnPath('lua5.1'), apt('lua5.1'), 'https://www.lua.org/versions.html#5.1'),
  Chromium: program(() => findOnPath(...chromiums), apt('chromium'), 'https://www.chromium.org/getting-involved/'),
  Prometheus: program(findPrometheus, 'sudo test/monitoring/unpack.sh', 'https://prometheus.io/download/'),
  resolvers: program(
    () => findRoot('resolvers', 'the resolvers of Debian'),
    'sudo test/connect/unpack.sh',
    'https://www.debian.org/distrib/packages',
  ),
  dnsdist: program(
    () => findRoot('dnsdist', 'dnsdist 2.1'),
    'sudo test/dnsdist/unpack.sh',
    'https://www.dnsdist.org/install.html',
  ),
  IPv6: { ...program(expectIPv6, 'sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0', ipv6), isByHand: true },
};

type Programs = typeof programs;
export type Tag = keyof Programs;

declare module 'vitest' {
  interface TestTags {
    /** Random histories, which need no program, are repeated by `make soak`. */
    tags: Tag | 'history';
  }
}

type Found<Name extends Tag> = ReturnType<Programs[Name]['find']>;

/** How the current user can install a program. */
interface Means {
  isRoot: boolean;
  isDebian: boolean;
  /** Rejects with the output of the command. */
  fetch(command: string): Promise<unknown>;
}

const here: Means = { isRoot: process.getuid?.() === 0, isDebian: existsSync('/usr/bin/apt-get'), fetch };

/** Returns the path of a program; root on Debian installs it if it is missing. Rejects with the command to install it. */
export async function find<Name extends Tag>(name: Name, { isRoot, isDebian, fetch } = here): Promise<Found<Name>> {
  const { find, command, page, isByHand } = programs[name] as Program<Found<Name>>;
  try {
    return find();
  } catch (error) {
    const { message } = error as Error;
    if (!isDebian) throw new Error(`${message}: see ${page}`);
    const install = isRoot ? command.replace('sudo ', '') : command;
    if (isByHand || install.startsWith('sudo ')) throw new Error(`${message}: ${install}`);
    await fetch(install).catch((failure) => {
      throw new Error(`${message}, nor fetch it (${lastLine(failure)}): ${install}`);
    });
    return find();
  }
}

const lastLine = ({ stderr, message }: Error & { stderr?: string }) => (stderr || message).trim().split('\n').at(-1);

/** The programs that are missing and cannot be fetched, by tag, with the reason and the command. */
export async function missing(): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  // One after the other: only one apt-get can run at a time.
  for (const name of Object.keys(programs) as Tag[])
    await find(name).catch(({ message }) => reasons.set(name, message));
  return reasons;
}

/** The tags for vitest: tests with the tag of a missing program are skipped. */
export const tagsOf = <Name extends string = Tag>(
  reasons: ReadonlyMap<string, string>,
  names = Object.keys(programs) as Name[],
) =>
  // Without `skip: false`, which could override the `skip` of another tag of the same test.
  names.map((name) => (reasons.has(name) ? { name, skip: true } : { name }));

/** Runs a command under a lock, which serializes concurrent runs and is released when its holder exits in any way. */
async function fetch(command: string): Promise<void> {
  // A new machine has no package lists.
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
