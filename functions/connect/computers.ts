import { hostAndPort, isSigned, lines, namesOf, type Program, type Target } from './program.ts';
import { dnsmasqLines } from './resolvers.ts';

const resolvedServers = ({ zones, servers }: Target): string[] => [
  `DNS=${servers.map(hostAndPort).join(' ')}`,
  `Domains=${namesOf(zones)
    .map((name) => `~${name}`)
    .join(' ')}`,
];

/** Single computers, which ask for the zones past the resolver of their network. */
export const computers: Program[] = [
  {
    id: 'systemd-resolved',
    name: 'systemd-resolved',
    ports: 'Any',
    steps: (target) => {
      const unsigned = namesOf(target.zones.filter((zone) => !isSigned(zone)));
      const anchors = target.zones.flatMap(({ name, ds }) => ds.map((each) => `${name}. IN DS ${each}`));
      return [
        {
          // https://www.freedesktop.org/software/systemd/man/latest/systemd.dns-delegate.html
          text: 'With systemd 258 or newer, in /etc/systemd/dns-delegate.d/internal-dns.dns-delegate, then systemctl restart systemd-resolved:',
          code: lines('[Delegate]', resolvedServers(target)),
        },
        {
          // https://www.freedesktop.org/software/systemd/man/latest/resolved.conf.html
          text: "With an older one, in /etc/systemd/resolved.conf.d/internal-dns.conf. The servers of the links stay as they are, and answer for everything else; this server is asked for that, too, and refuses it. Do not use resolvectl dns for this: it replaces a link's servers.",
          code: lines('[Resolve]', resolvedServers(target)),
        },
        // https://www.freedesktop.org/software/systemd/man/latest/dnssec-trust-anchors.d.html
        ...(unsigned.length > 0
          ? [
              {
                text: 'Only with DNSSEC=yes, in /etc/dnssec-trust-anchors.d/internal-dns.negative:',
                code: lines(unsigned),
              },
            ]
          : []),
        ...(anchors.length > 0
          ? [
              {
                text: 'Only with DNSSEC=yes or allow-downgrade, in /etc/dnssec-trust-anchors.d/internal-dns.positive:',
                code: lines(anchors),
              },
            ]
          : []),
      ];
    },
  },
  {
    id: 'networkmanager',
    name: 'NetworkManager',
    ports: 'Any',
    steps: (target) => [
      {
        text: 'Where it uses systemd-resolved, as on Fedora and Ubuntu, configure that, as above. A DNS server of a connection would be asked for everything, or for the domains of all servers of that connection.',
      },
      {
        // https://networkmanager.dev/docs/api/latest/NetworkManager.conf.html
        text: 'Where it runs dnsmasq (dns=dnsmasq), in /etc/NetworkManager/dnsmasq.d/internal-dns.conf, then sudo nmcli general reload:',
        code: dnsmasqLines(target),
      },
    ],
  },
  {
    id: 'macos',
    name: 'macOS',
    ports: 'Any',
    steps: ({ zones, servers }) => {
      const ports = [...Map.groupBy(servers, ({ port }) => port)];
      // A file has one port: resolver(5).
      const [port, sameports] = ports[0] as (typeof ports)[0];
      return [
        {
          text: 'In a terminal; a file for each zone. scutil --dns shows them. nslookup and dig do not use them: ask with dscacheutil -q host -a name NAME.',
          code: lines(
            'sudo mkdir -p /etc/resolver',
            namesOf(zones)
              // The name of a file; the zones of RFC 2317 have a slash in their names, and nobody asks for them directly.
              .filter((name) => !name.includes('/'))
              .map(
                (name) =>
                  `printf '${[...sameports.map(({ address }) => `nameserver ${address}`), ...(port === 53 ? [] : [`port ${port}`])].join('\\n')}\\n' | sudo tee /etc/resolver/${name}`,
              ),
          ),
        },
      ];
    },
  },
  {
    id: 'windows',
    name: 'Windows',
    ports: '53',
    steps: ({ zones, servers }) => [
      {
        // https://learn.microsoft.com/powershell/module/dnsclient/add-dnsclientnrptrule
        text: 'In PowerShell as an administrator: rules of the Name Resolution Policy Table, which can also come from a Group Policy. nslookup does not use them: ask with Resolve-DnsName.',
        code: lines(
          `Add-DnsClientNrptRule -Namespace ${namesOf(zones)
            .map((name) => `'.${name}'`)
            .join(', ')} -NameServers ${servers.map(({ address }) => `'${address}'`).join(', ')}`,
          'Clear-DnsClientCache',
        ),
      },
    ],
  },
];
