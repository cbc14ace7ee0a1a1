/** Resolvers as processes beside the test, which forward a zone to several servers with the lines of docs/clients.md. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { families } from '../../../functions/connect/guide.ts';
import { dnsPort } from '../../../functions/connect/program.ts';
import { type DNSProcess, startDNSProcess } from '../../dns-process.ts';
import { findOnPath } from '../../path.ts';
import { freePort } from '../../powerdns/server.ts';

interface Setup {
  /** The lines of its entry. */
  lines: string;
  port: number;
  folder: string;
}

interface Program {
  /** Where it is on the PATH. */
  name: string;
  configuration(setup: Setup): string;
  arguments(file: string): string[];
}

/** By the id of the program's entry. */
export const programs: Record<string, Program> = {
  coredns: {
    name: 'coredns',
    configuration: ({ lines, port }) => lines.replaceAll(`:${dnsPort}`, `:${port}`),
    arguments: (file) => ['-conf', file],
  },
  unbound: {
    name: 'unbound',
    configuration: ({ lines, port, folder }) => `
server:
    interface: 127.0.0.1@${port}
    username: ""
    chroot: ""
    directory: "${folder}"
    pidfile: ""
    use-syslog: no
${lines}
`,
    arguments: (file) => ['-d', '-c', file],
  },
  dnsmasq: {
    name: 'dnsmasq',
    configuration: ({ lines, port }) => `
port=${port}
listen-address=127.0.0.1
bind-interfaces
user=root
pid-file
no-resolv
no-hosts
${lines}
`,
    arguments: (file) => ['--keep-in-foreground', `--conf-file=${file}`],
  },
};

/** Why they cannot all be started; undefined if they can. */
export function missingProgram(): string | undefined {
  try {
    for (const { name } of Object.values(programs)) findOnPath(name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Resolves when it answers. */
export async function startResolverProcess(id: string, zone: string, servers: string[]): Promise<DNSProcess> {
  const program = programs[id] as Program;
  const folder = mkdtempSync(join(tmpdir(), `${id}-`));
  const [file, port] = [join(folder, 'configuration'), await freePort()];
  writeFileSync(file, program.configuration({ lines: linesFor(id, zone, servers), port, folder }));
  const command = [findOnPath(program.name), ...program.arguments(file)] as const;
  return startDNSProcess({ command, folder, port, probe: { name: zone, type: 'SOA' } });
}

function linesFor(id: string, zone: string, servers: string[]): string {
  const entry = families.flatMap(({ programs }) => programs).find((each) => each.id === id);
  const target = { zones: [{ name: zone, ds: [] }], servers: servers.map((address) => ({ address, port: dnsPort })) };
  return (entry?.steps(target) ?? []).flatMap(({ code }) => code ?? []).join('\n');
}
