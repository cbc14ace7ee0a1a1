import { lines, type Program, type Target } from './program.ts';

// What clients are told to ask for every name. Another server beside this one would get some of their questions.

const addressesOf = ({ servers }: Target) => servers.map(({ address }) => address);
const isIPv6 = (address: string) => address.includes(':');

/** What hands out the addresses of DNS servers in a network. */
export const wholeNetworks: Program[] = [
  {
    id: 'dhcp',
    name: 'DHCP servers',
    ports: '53',
    steps: (target) => {
      const [v4, v6] = [addressesOf(target).filter((ip) => !isIPv6(ip)), addressesOf(target).filter(isIPv6)];
      return [
        {
          // https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html
          text: 'As the only DNS server: option 6 (RFC 2132), over IPv6 option 23 (RFC 3646). List no other next to it, as clients would use either. In dnsmasq:',
          code: lines(
            v4.length > 0 ? `dhcp-option=option:dns-server,${v4.join(',')}` : [],
            v6.length > 0 ? `dhcp-option=option6:dns-server,${v6.map((ip) => `[${ip}]`).join(',')}` : [],
          ),
        },
      ];
    },
  },
  {
    id: 'lan-dns',
    name: 'Routers, for the clients of their LAN',
    ports: '53',
    steps: (target) => [
      {
        text: 'As the DNS server that clients get: FRITZ!Box under Home Network, Network, IPv4 Settings, Local DNS server; UniFi in the network, DHCP Service Management, DNS Server; OPNsense and pfSense under Services, DHCP. Not as the server that the router asks itself, if the router is an upstream of the resolver: questions would go round.',
        code: lines(addressesOf(target)),
      },
    ],
  },
];

/** VPNs whose control server tells all of its members. */
export const wholeTailnets: Program[] = [
  {
    id: 'tailscale-all',
    name: 'Tailscale, for all names',
    ports: '53',
    steps: (target) => [
      {
        // https://tailscale.com/kb/1054/dns
        text: `Admin console, DNS, Add nameserver, Custom: ${addressesOf(target).join(', ')}, as global nameserver, with Override DNS servers. Or by the API, which replaces the other global nameservers:`,
        code: lines(
          'curl -u "$TAILSCALE_API_KEY:" -X POST https://api.tailscale.com/api/v2/tailnet/-/dns/nameservers \\',
          `  --data '${JSON.stringify({ dns: addressesOf(target) })}'`,
        ),
      },
    ],
  },
];
