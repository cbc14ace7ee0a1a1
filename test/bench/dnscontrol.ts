/** The baseline: DNSControl (https://dnscontrol.org), which pushes a zone with one command. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Server } from './agent.ts';
import { type Host, zone } from './declared-zone.ts';

const run = promisify(execFile);

/** Undefined if there is no `dnscontrol` on the PATH. */
export async function dnscontrolVersion(): Promise<string | undefined> {
  try {
    return (await run('dnscontrol', ['version'])).stdout.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Pushes the zone with these hosts; returns the milliseconds that the command takes. */
export async function push({ apiUrl, dir }: Server, hosts: Host[]): Promise<number> {
  const [config, creds] = [join(dir, 'dnsconfig.js'), join(dir, 'creds.json')];
  const apiKey = readFileSync(join(dir, 'include/api.conf'), 'utf8').trim().replace('api-key=', '');
  const powerdns = { TYPE: 'POWERDNS', apiKey, apiUrl, serverName: 'localhost' };
  writeFileSync(creds, JSON.stringify({ powerdns, none: { TYPE: 'NONE' } }), { mode: 0o600 });
  writeFileSync(config, configOf(hosts));
  const since = performance.now();
  // The output lists every change.
  await run('dnscontrol', ['push', '--config', config, '--creds', creds], { cwd: dir, maxBuffer: 2 ** 28 });
  return performance.now() - since;
}

const configOf = (hosts: Host[]) => `
var powerdns = NewDnsProvider("powerdns", { default_ns: ["ns1.${zone}."] });
D("${zone}", NewRegistrar("none"), DnsProvider(powerdns), DefaultTTL(60),
  SOA("@", "ns1.${zone}.", "hostmaster.${zone}.", 10800, 3600, 604800, 60),
  A("ns1", "127.0.0.1"),
  [
${hosts.map(([name, address]) => `A("${name}", "${address}"),`).join('\n')}
  ]
);
`;
