/** A parent zone that delegates to an InternalDNS, and resolvers that know nothing but the parent. Each is a process here. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type DNSProcess, startDNSProcess } from '../../dns-process.ts';
import { freePort } from '../../powerdns/server.ts';
import { find } from '../../programs.ts';

const run = promisify(execFile);
const host = '127.0.0.1';

export interface Parent extends DNSProcess {
  zone: string;
  /** RDATA of the DNSKEY that the zone is signed with. */
  key: string;
}

/** Serves a signed zone with these lines of a zone file from a BIND. */
export async function startParent(zone: string, lines: readonly string[]): Promise<Parent> {
  const named = await find('BIND');
  const dir = folder();
  writeFileSync(
    join(dir, 'zone'),
    [
      `${zone}. 60 IN SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 60`,
      `${zone}. 60 IN NS ns.${zone}.`,
      `ns.${zone}. 60 IN A ${host}`,
      ...lines,
      '',
    ].join('\n'),
  );
  const options = { cwd: dir };
  const { stdout } = await run('dnssec-keygen', ['-q', '-a', 'ECDSAP256SHA256', '-f', 'KSK', zone], options);
  await run('dnssec-signzone', ['-S', '-z', '-o', zone, '-f', 'signed', 'zone'], options);
  const [, key] = / DNSKEY (.*)/.exec(readFileSync(join(dir, `${stdout.trim()}.key`), 'utf8')) as string[];
  const server = await startNamed(named, dir, zone, (port) => [
    `options { ${namedOptions(dir, port)} recursion no; allow-transfer { ${host}; }; };`,
    `zone "${zone}" { type primary; file "signed"; };`,
  ]);
  return { ...server, zone, key: key as string };
}

/** Starts a BIND that validates, and has a copy of the parent: only this way can it be told of one on another port. */
export async function startBIND({ zone, key, port: parent }: Parent): Promise<DNSProcess> {
  const [flags, protocol, algorithm, ...text] = key.split(' ');
  const anchor = `${zone}. static-key ${flags} ${protocol} ${algorithm} "${text.join('')}";`;
  const dir = folder();
  return startNamed(await find('BIND'), dir, zone, (port) => [
    `options { ${namedOptions(dir, port)} recursion yes; dnssec-validation yes; };`,
    `trust-anchors { ${anchor} };`,
    `zone "${zone}" { type mirror; file "mirror"; primaries { ${host} port ${parent}; }; };`,
  ]);
}

/** Starts an Unbound that validates. */
export async function startUnbound({ zone, key, port: parent }: Parent): Promise<DNSProcess> {
  const dir = folder();
  const [file, port] = [join(dir, 'unbound.conf'), await freePort()];
  writeFileSync(
    file,
    `
server:
  directory: "${dir}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  interface: ${host}@${port}
  do-not-query-localhost: no
  trust-anchor: "${zone}. DNSKEY ${key}"
remote-control:
  control-enable: no
stub-zone:
  name: "${zone}"
  stub-addr: ${host}@${parent}
`,
  );
  return start({ program: await find('Unbound'), dir, port, zone, args: ['-d', '-c', file] });
}

const namedOptions = (dir: string, port: number) =>
  `directory "${dir}"; pid-file none; listen-on port ${port} { ${host}; }; listen-on-v6 { none; };`;

async function startNamed(
  program: string,
  dir: string,
  zone: string,
  configOf: (port: number) => string[],
): Promise<DNSProcess> {
  const [file, port] = [join(dir, 'named.conf'), await freePort()];
  writeFileSync(file, [...configOf(port), 'controls { };', ''].join('\n'));
  return start({ program, dir, port, zone, args: ['-g', '-c', file] });
}

const folder = () => mkdtempSync(join(tmpdir(), 'delegation-'));

interface Program {
  program: string;
  args: string[];
  /** Removed when it is stopped. */
  dir: string;
  port: number;
  /** The zone that it answers for when it has started. */
  zone: string;
}

function start({ program, args, dir, port, zone }: Program): Promise<DNSProcess> {
  // AppArmor confines the installed ones to the folders of their packages, by their path.
  const copy = join(dir, basename(program));
  copyFileSync(program, copy);
  return startDNSProcess({ command: [copy, ...args], folder: dir, port, probe: { name: zone, type: 'SOA' } });
}
