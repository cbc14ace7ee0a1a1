import { isForwardZone } from './locally-served.ts';
import { hostAndPort, lines, namesOf, type Program, withPort } from './program.ts';
import { unboundLines } from './resolvers.ts';

/** Routers that resolve for their network. */
export const routers: Program[] = [
  {
    id: 'opnsense',
    name: 'OPNsense',
    ports: 'Any',
    steps: (target) => [
      {
        // https://docs.opnsense.org/manual/unbound.html#advanced-configurations
        text: 'In /usr/local/etc/unbound.opnsense.d/internal-dns.conf, then configctl unbound restart. Services, Unbound DNS, Query Forwarding alone is not enough: private-domain lets private addresses through its protection against rebinding.',
        code: unboundLines(target),
      },
    ],
  },
  {
    id: 'pfsense',
    name: 'pfSense',
    ports: 'Any',
    steps: ({ zones, servers }) => [
      {
        // It writes forward-zone, private-domain, domain-insecure and local-zone for each:
        // https://github.com/pfsense/pfsense/blob/master/src/etc/inc/unbound.inc
        text: 'Services, DNS Resolver, Domain Overrides: add one for each zone and address. pfSense lets private addresses of these domains through its protection against rebinding, and does not validate them.',
        code: lines(
          namesOf(zones).flatMap((name) =>
            servers.map((server) => `Domain ${name}, IP Address ${withPort(server, '@')}`),
          ),
        ),
      },
    ],
  },
  {
    id: 'openwrt',
    name: 'OpenWrt',
    ports: 'Any',
    steps: ({ zones, servers }) => [
      {
        // https://openwrt.org/docs/guide-user/base-system/dhcp
        text: 'As root on the router. rebind_domain lets private addresses through its protection against rebinding, which is on unless it was turned off.',
        code: lines(
          namesOf(zones).flatMap((name) =>
            servers.map((server) => `uci add_list dhcp.@dnsmasq[0].server='/${name}/${withPort(server, '#')}'`),
          ),
          namesOf(zones)
            .filter(isForwardZone)
            .map((name) => `uci add_list dhcp.@dnsmasq[0].rebind_domain='/${name}/'`),
          'uci commit dhcp',
          '/etc/init.d/dnsmasq restart',
        ),
      },
    ],
  },
  {
    id: 'unifi',
    name: 'UniFi gateways',
    ports: '53',
    steps: ({ zones, servers }) => [
      {
        text: 'In the Network application (9 or newer), among the DNS records of the gateway, create one of type Forward Domain for each zone. UniFi documents no protection against rebinding.',
        code: lines(
          namesOf(zones).flatMap((name) => servers.map((server) => `Domain ${name}, DNS Server ${server.address}`)),
        ),
      },
    ],
  },
  {
    id: 'fritzbox',
    name: 'FRITZ!Box',
    ports: 'Any',
    steps: ({ zones, servers, answersAll }) => [
      {
        text: answersAll
          ? `A FRITZ!Box cannot forward single domains: all it takes is another DNS server for everything. Announce ${servers.map(hostAndPort).join(', ')} under Home Network, Network, IPv4 Settings, Local DNS server; likewise for IPv6.`
          : 'A FRITZ!Box cannot forward single domains: all it takes is another DNS server for everything, and this server answers for its own zones only. Run a resolver in the network (dnsmasq, Pi-hole, AdGuard Home, Unbound) with the lines above, and announce it under Home Network, Network, IPv4 Settings, Local DNS server; likewise for IPv6.',
      },
      {
        text: 'A FRITZ!Box that is to resolve the names itself, through that server, drops answers with private addresses. Add the zones under Home Network, Network, Network Settings, DNS Rebind Protection:',
        code: lines(namesOf(zones).filter(isForwardZone)),
      },
      ...(answersAll ? [] : [{ text: `The resolver asks ${servers.map(hostAndPort).join(', ')}.` }]),
    ],
  },
];
