/** Debian's resolvers, each with the lines of its entry and what a careful administrator sets besides. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Server, Step } from '../../functions/connect/program.ts';
import { type DNSProcess, startDNSProcess } from '../dns-process.ts';
import { freePort } from '../powerdns/server.ts';
import { find } from '../programs.ts';

/** What the resolver asks for everything else: a signed root, with its DS record. */
export interface Internet {
  server: Server;
  ds: string;
}

interface Setup {
  steps: readonly Step[];
  internet: Internet;
  /** Where the resolver listens on 127.0.0.1. */
  port: number;
  /** Its own folder, as it sees it. */
  dir: string;
}

interface Command {
  /** The program with its arguments. */
  command: [string, ...string[]];
  /** Files by their absolute path. */
  files: Record<string, string>;
}

/** The private addresses that no answer from outside may have. */
const privateNetworks = ['10.0.0.0/8', '192.168.0.0/16'];

const codes = (steps: readonly Step[]) => steps.flatMap(({ code }) => code ?? []);
const [tag, algorithm, digestType, digest] = [0, 1, 2, 3];
const field = (ds: string, index: number) => ds.split(' ')[index] ?? '';

/** By the id of the program's entry. */
export const setups: Record<string, (setup: Setup) => Command> = {
  dnsmasq: ({ steps, internet: { server, ds }, port, dir }) => ({
    command: ['/usr/sbin/dnsmasq', '--keep-in-foreground', '--log-facility=-', `--conf-file=${dir}/dnsmasq.conf`],
    files: {
      [`${dir}/dnsmasq.conf`]: `
user=root
group=root
pid-file=
port=${port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
server=${server.address}#${server.port}
domain-needed
bogus-priv
stop-dns-rebind
dnssec
trust-anchor=.,${[tag, algorithm, digestType, digest].map((index) => field(ds, index)).join(',')}
conf-dir=${dir}/dnsmasq.d
`,
      [`${dir}/dnsmasq.d/internal-dns.conf`]: codes(steps).join('\n'),
    },
  }),

  unbound: ({ steps, internet: { server, ds }, port, dir }) => ({
    command: ['/usr/sbin/unbound', '-d', '-p', '-c', `${dir}/unbound.conf`],
    files: {
      [`${dir}/unbound.conf`]: `
server:
  username: ""
  chroot: ""
  directory: "${dir}"
  use-syslog: no
  interface: 127.0.0.1@${port}
  # The servers are on this machine.
  do-not-query-localhost: no
  trust-anchor: ". DS ${ds}"
${privateNetworks.map((network) => `  private-address: ${network}`).join('\n')}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: ${server.address}@${server.port}
include: "${dir}/unbound.conf.d/*.conf"
`,
      [`${dir}/unbound.conf.d/internal-dns.conf`]: codes(steps).join('\n'),
    },
  }),

  bind: ({ steps, internet: { server, ds }, port, dir }) => {
    const [zones = '', options = ''] = codes(steps);
    const [exceptFrom = ''] = steps.flatMap(({ text }) => /except-from \{.*\}/.exec(text)?.[0] ?? []);
    return {
      command: ['/usr/sbin/named', '-g', '-4', '-c', `${dir}/named.conf`],
      files: {
        [`${dir}/named.conf`]: `
options {
  directory "${dir}";
  pid-file none;
  session-keyfile none;
  listen-on port ${port} { 127.0.0.1; };
  forwarders { ${server.address} port ${server.port}; };
  // "forward only" for everything would turn the built-in empty zones off.
  forward first;
  dnssec-validation yes;
  deny-answer-addresses { ${privateNetworks.map((network) => `${network}; `).join('')}} ${exceptFrom};
  ${options}
};
controls {};
trust-anchors { "." static-ds ${field(ds, tag)} ${field(ds, algorithm)} ${field(ds, digestType)} "${field(ds, digest)}"; };
${zones}
`,
      },
    };
  },

  'knot-resolver': ({ steps, internet: { server, ds }, port, dir }) => ({
    command: ['/usr/sbin/kresd', '--noninteractive', '--config', `${dir}/kresd.conf`, dir],
    files: {
      [`${dir}/kresd.conf`]: `
net.listen('127.0.0.1', ${port})
cache.open(10 * MB, 'lmdb://${dir}/cache')
modules.load('rebinding < iterate')
trust_anchors.remove('.')
trust_anchors.add('. DS ${ds}')
${codes(steps)[0]}
policy.add(policy.all(policy.FORWARD('${server.address}@${server.port}')))
`,
    },
  }),

  'systemd-resolved': ({ steps, internet: { server, ds }, port }) => {
    const [, dropIn = '', negative = '', positive = ''] = codes(steps);
    return {
      command: ['/usr/lib/systemd/systemd-resolved'],
      files: {
        '/etc/systemd/resolved.conf': `
[Resolve]
DNSSEC=yes
LLMNR=no
MulticastDNS=no
DNSStubListener=no
DNSStubListenerExtra=127.0.0.1:${port}
`,
        '/etc/systemd/resolved.conf.d/internal-dns.conf': dropIn,
        '/etc/dnssec-trust-anchors.d/internal-dns.negative': negative,
        '/etc/dnssec-trust-anchors.d/internal-dns.positive': positive,
        '/etc/dnssec-trust-anchors.d/root.positive': `. IN DS ${ds}\n`,
        // As networkd tells it the servers of a link.
        [`/run/systemd/netif/links/${linkIndex()}`]: `ADMIN_STATE=configured\nOPER_STATE=routable\nDNS=${server.address}:${server.port}\n`,
      },
    };
  },
};

/** The index of a link that is not the loopback device. */
function linkIndex(): string {
  const [link] =
    Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some(({ internal }) => !internal)) ?? [];
  if (link === undefined) throw new Error('cannot test a link: this machine has none but the loopback device');
  return readFileSync(`/sys/class/net/${link}/ifindex`, 'utf8').trim();
}

/** Rejects with its log if it does not start, as with a line that it refuses. */
export async function startResolver(id: string, steps: readonly Step[], internet: Internet): Promise<DNSProcess> {
  const root = await find('resolvers');
  const setup = setups[id];
  if (!setup) throw new Error(`cannot run ${id}: it has no setup`);
  const folder = mkdtempSync(join(root, 'tmp', `${id}-`));
  const port = await freePort();
  const { command, files } = setup({ steps, internet, port, dir: folder.slice(root.length) });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return startDNSProcess({ command: ['chroot', root, ...command], folder, port, probe: { name: 'www.example' } });
}
