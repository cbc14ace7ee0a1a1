import { lines, namesOf, type Program, type Target } from './program.ts';

const addressesOf = ({ servers }: Target) => servers.map(({ address }) => address);

/** NetBird takes at most three: https://docs.netbird.io/api/resources/dns */
const mostOfNetBird = 3;

/** VPNs whose control server tells all of its members. */
export const meshVPNs: Program[] = [
  {
    id: 'tailscale',
    name: 'Tailscale',
    ports: '53',
    steps: (target) => [
      {
        // https://tailscale.com/kb/1054/dns
        text: `Admin console, DNS, Add nameserver, Custom: ${addressesOf(target).join(', ')}, restricted to each of the domains (split DNS). Or by the API, which leaves the other domains as they are:`,
        code: lines(
          'curl -u "$TAILSCALE_API_KEY:" -X PATCH https://api.tailscale.com/api/v2/tailnet/-/dns/split-dns \\',
          `  --data '${JSON.stringify(Object.fromEntries(namesOf(target.zones).map((name) => [name, addressesOf(target)])))}'`,
        ),
      },
      {
        text: 'Members reach an address outside the tailnet only through a subnet router.',
      },
    ],
  },
  {
    id: 'headscale',
    name: 'headscale',
    ports: '53',
    steps: (target) => [
      {
        // https://headscale.net/stable/ref/dns/
        text: 'In config.yaml, then restart it. It needs dns.magic_dns: true.',
        code: lines(
          'dns:',
          '  nameservers:',
          '    split:',
          namesOf(target.zones).flatMap((name) => [
            `      ${name}:`,
            ...addressesOf(target).map((address) => `        - "${address}"`),
          ]),
        ),
      },
    ],
  },
  {
    id: 'netbird',
    name: 'NetBird',
    ports: 'Any',
    steps: ({ zones, servers }) => [
      {
        // https://docs.netbird.io/api/resources/dns#create-a-nameserver-group
        text: 'DNS, Nameservers, Add Nameserver, with the zones as match domains. Or by the API, with the id of the group of peers that use it:',
        code: lines(
          'curl -X POST https://api.netbird.io/api/dns/nameservers \\',
          '  -H "Authorization: Token $NETBIRD_TOKEN" -H "Content-Type: application/json" --data \'',
          `  ${JSON.stringify({
            name: 'Internal DNS',
            description: 'Zones of the cluster',
            nameservers: servers.slice(0, mostOfNetBird).map(({ address: ip, port }) => ({ ip, ns_type: 'udp', port })),
            enabled: true,
            groups: ['GROUP_ID'],
            primary: false,
            domains: namesOf(zones),
            search_domains_enabled: false,
          })}'`,
        ),
      },
    ],
  },
];
