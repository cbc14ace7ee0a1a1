/** A real dnsdist with the configuration of the pod, on this machine. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { paths, resolverPorts } from '../../functions/internal-dns/names.ts';
import { type DNSProcess, startDNSProcess } from '../dns-process.ts';
import { freePort } from '../powerdns/server.ts';
import { find } from '../programs.ts';

const run = promisify(execFile);

export interface DnsdistOptions {
  /** As rendered for the pod; only ports, addresses and folders are replaced. */
  files: Record<string, string>;
  /** Ports on 127.0.0.1 of backends, by their address and port. */
  backends?: Record<string, number>;
  /** A name that it answers once it has started, which an agent asks for. */
  probe: string;
  /** PEM files by path below the folder of certificates. */
  certificates?: Record<string, string>;
  /** The authority that upstreams' certificates are of. */
  authority?: string;
}

export interface RunningDnsdist extends DNSProcess {
  /** The ports on 127.0.0.1. */
  ports: Record<keyof typeof resolverPorts, number>;
  /** Writes a file below the folder of certificates. */
  renew(path: string, text: string): void;
  /** The values of its metrics. */
  metrics(): Promise<Record<string, number>>;
}

/** Rejects with dnsdist's own words if it refuses the files. */
export async function checkConfig(files: Record<string, string>): Promise<string> {
  const { root, folder } = await folderIn();
  const certificates = { doT: await makeCertificate(), doH: await makeCertificate() };
  for (const [field, { cert, key }] of Object.entries(certificates)) {
    write(root, `${folder}/${field}/tls.crt`, cert);
    write(root, `${folder}/${field}/tls.key`, key);
  }
  for (const [name, text] of Object.entries(files))
    write(root, `${folder}/${name}`, text.replaceAll(paths.certificates, folder));
  const command = ['dnsdist', '--check-config', '--config', `${folder}/dnsdist.yml`];
  const { stdout, stderr } = await run('chroot', [root, ...command]).catch(({ stdout, stderr }) => {
    throw new Error(stdout + stderr);
  });
  return stdout + stderr;
}

export async function startDnsdist(options: DnsdistOptions): Promise<RunningDnsdist> {
  const { files, backends = {}, probe, certificates = {}, authority } = options;
  const { root, folder } = await folderIn();
  const ports = { ...resolverPorts } as RunningDnsdist['ports'];
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  const renew = (path: string, text: string) => write(root, `${folder}/${path}`, text);
  for (const [path, text] of Object.entries(certificates)) renew(path, text);
  if (authority) renew('authority.pem', authority);
  const local = (text: string) => text.replaceAll(paths.certificates, folder);
  for (const [name, text] of Object.entries(files)) {
    write(root, `${folder}/${name}`, local(name.endsWith('.yml') ? localized(text, ports, backends) : text));
  }
  const command = ['chroot', root, 'dnsdist', '--supervised', '--disable-syslog', '--config', `${folder}/dnsdist.yml`];
  const started = await startDNSProcess({
    command: ['env', ...(authority ? [`SSL_CERT_FILE=${folder}/authority.pem`] : []), ...command],
    folder: join(root, folder),
    port: ports.agents,
    probe: { name: probe, type: 'SOA' },
  });
  return { ...started, port: ports.dns, ports, renew, metrics: () => metricsAt(ports.metrics) };
}

/** A folder for dnsdist, as it sees it from its root. */
async function folderIn() {
  const root = await find('dnsdist');
  return { root, folder: mkdtempSync(join(root, 'tmp/dnsdist-')).slice(root.length) };
}

function write(root: string, path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A configuration with these ports on 127.0.0.1 instead of those of the pod and of backends. */
function localized(text: string, ports: RunningDnsdist['ports'], backends: Record<string, number>): string {
  const portOf = (number: number) =>
    ports[Object.entries(resolverPorts).find(([, port]) => port === number)?.[0] as keyof typeof ports];
  const here = (address: string) =>
    address.replace(/^(0\.0\.0\.0|\[::\]):(\d+)$/, (_, __, port) => `127.0.0.1:${portOf(Number(port))}`);
  const configuration = parse(text, (key, value) => {
    if (key === 'listen_address') return here(value as string);
    if (key === 'listen_addresses') return (value as string[]).slice(0, 1).map(here);
    if (key === 'port') return portOf(value as number);
    const backend = key === 'address' ? backends[value as string] : undefined;
    return backend === undefined ? value : `127.0.0.1:${backend}`;
  });
  // One address has one listener.
  const seen = new Set<string>();
  configuration.binds = configuration.binds.filter(({ listen_address: address }: { listen_address: string }) => {
    return !seen.has(address) && seen.add(address);
  });
  return stringify(configuration);
}

async function metricsAt(port: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value] = line.split(/ (?=[^ ]*$)/);
      return [name, Number(value)];
    }),
  );
}

/** A certificate that is its own authority. */
export async function makeCertificate(name = 'dns.internal', days = 2): Promise<{ cert: string; key: string }> {
  const root = await find('dnsdist');
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    `${days}`,
    ...subject,
  ];
  const text = execFileSync('chroot', [root, 'openssl', ...args, '-keyout', '-', '-out', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const part = (label: string) => new RegExp(`-----BEGIN ${label}[^]*?END ${label}-----\n`).exec(text)?.[0] ?? '';
  return { cert: part('CERTIFICATE'), key: part('PRIVATE KEY') };
}
