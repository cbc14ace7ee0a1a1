import { isForwardZone, locallyServedAbove } from './locally-served.ts';
import {
  fieldsOfDS,
  hostAndPort,
  isSigned,
  lines,
  namesOf,
  type Program,
  type Target,
  withPort,
  type Zone,
} from './program.ts';

/** https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html */
export function dnsmasqLines({ zones, servers }: Target): string {
  return lines(
    zones.flatMap(({ name }) => servers.map((server) => `server=/${name}/${withPort(server, '#')}`)),
    // Otherwise it asks one, and another only when the client asks again.
    servers.length > 1 ? 'all-servers' : [],
    // The protection against rebinding (stop-dns-rebind) drops answers with private addresses.
    zones.filter(({ name }) => isForwardZone(name)).map(({ name }) => `rebind-domain-ok=/${name}/`),
    zones.flatMap(({ name, ds }) =>
      ds.map(fieldsOfDS).map((of) => `trust-anchor=${name},${of.tag},${of.algorithm},${of.digestType},${of.digest}`),
    ),
  );
}

/** https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html */
export function unboundLines({ zones, servers }: Target): string {
  return lines(
    'server:',
    // The protection against rebinding (private-address) drops answers with private addresses.
    zones.filter(({ name }) => isForwardZone(name)).map(({ name }) => `  private-domain: "${name}"`),
    // "transparent" rather than "nodefault", which is for exactly the zones that Unbound answers itself, not those below.
    zones.filter(({ name }) => locallyServedAbove(name)).map(({ name }) => `  local-zone: "${name}." transparent`),
    zones.flatMap((zone) =>
      isSigned(zone)
        ? zone.ds.map((ds) => `  trust-anchor: "${zone.name}. DS ${ds}"`)
        : [`  domain-insecure: "${zone.name}"`],
    ),
    // Not a forward-zone, which is for resolvers: only a stub-zone follows the delegations in the zone.
    zones.flatMap((zone) => [
      'stub-zone:',
      `  name: "${zone.name}"`,
      ...servers.map((server) => `  stub-addr: ${withPort(server, '@')}`),
      // From its cache Unbound answers that the zone does not exist once the root has denied the top-level domain
      // (aggressive-nsec), whatever the trust anchor is.
      ...(isSigned(zone) ? ['  stub-no-cache: yes'] : []),
    ]),
  );
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"; `).join('');

/** https://bind9.readthedocs.io/en/stable/reference.html */
function bindOptions({ zones }: Target): string[] {
  const unsigned = namesOf(zones.filter((zone) => !isSigned(zone)));
  const empty = new Set(zones.flatMap(({ name }) => locallyServedAbove(name) ?? []));
  return [
    ...(unsigned.length > 0 ? [`validate-except { ${quoted(unsigned)}};`] : []),
    ...[...empty].map((name) => `disable-empty-zone "${name}";`),
  ];
}

const bindZones = ({ zones, servers }: Target): string[] => [
  ...zones.map(({ name }) => {
    const addresses = servers.map((server) => `${withPort(server, ' port ')}; `).join('');
    return `zone "${name}" { type forward; forward only; forwarders { ${addresses}}; };`;
  }),
  ...zones.flatMap(bindAnchors),
];

const bindAnchors = ({ name, ds }: Zone): string[] =>
  ds
    .map(fieldsOfDS)
    .map((of) => `trust-anchors { "${name}" static-ds ${of.tag} ${of.algorithm} ${of.digestType} "${of.digest}"; };`);

const luaList = (values: readonly string[]) => `{${values.map((value) => `'${value}'`).join(', ')}}`;

/** A stub is not validated: https://www.knot-resolver.cz/documentation/v5.7.5/modules-policy.html */
const knotLua = ({ zones, servers }: Target): string =>
  lines(
    `internal = policy.todnames(${luaList(namesOf(zones))})`,
    // Private addresses pass the protection against rebinding (module "rebinding").
    "policy.add(policy.suffix(policy.FLAGS({'ALLOW_LOCAL'}), internal))",
    `policy.add(policy.suffix(policy.STUB(${luaList(servers.map((server) => withPort(server, '@')))}), internal))`,
  );

/** https://www.knot-resolver.cz/documentation/latest/config-forward.html */
const knotYAML = ({ zones, servers }: Target): string =>
  lines(
    'forward:',
    `  - subtree: [${namesOf(zones).join(', ')}]`,
    `    servers: [${servers.map((server) => `"${withPort(server, '@')}"`).join(', ')}]`,
    '    options: {authoritative: true, dnssec: false}',
  );

/** The resolvers that a network shares. */
export const resolvers: Program[] = [
  {
    id: 'dnsmasq',
    name: 'dnsmasq',
    ports: 'Any',
    steps: (target) => [
      {
        text: 'In a file in /etc/dnsmasq.d, and restart it. rebind-domain-ok only matters with stop-dns-rebind, which drops answers with private addresses.',
        code: dnsmasqLines(target),
      },
    ],
  },
  {
    id: 'pi-hole',
    name: 'Pi-hole 6',
    ports: 'Any',
    steps: (target) => [
      {
        // https://docs.pi-hole.net/ftldns/configfile/#etc_dnsmasq_d
        text: 'Let it read files of dnsmasq:',
        code: 'sudo pihole-FTL --config misc.etc_dnsmasq_d true',
      },
      {
        text: 'In /etc/dnsmasq.d/internal-dns.conf, then sudo systemctl restart pihole-FTL. It has no protection against rebinding unless stop-dns-rebind is set there, too.',
        code: dnsmasqLines(target),
      },
    ],
  },
  {
    id: 'adguard-home',
    name: 'AdGuard Home',
    ports: 'Any',
    steps: ({ zones, servers }) => {
      const upstream = ({ name }: Zone) => `[/${name}/]${servers.map(hostAndPort).join(' ')}`;
      const reverse = zones.filter(({ name }) => !isForwardZone(name));
      return [
        {
          // https://github.com/AdguardTeam/AdGuardHome/wiki/Configuration#upstreams-for-domains
          text: 'Settings, DNS settings, Upstream DNS servers: add these lines to the others.',
          code: lines(zones.map(upstream)),
        },
        ...(reverse.length > 0
          ? [
              {
                text: 'It asks other servers for the names of private addresses: add these to Private reverse DNS servers, and enable Use private reverse DNS resolvers.',
                code: lines(reverse.map(upstream)),
              },
            ]
          : []),
        {
          // https://github.com/AdguardTeam/AdGuardHome/issues/102
          text: "Its protection against rebinding is a filter, HaGeZi's DNS Rebind Protection, which drops answers with private addresses. If it is on, add these to Filters, Custom filtering rules:",
          code: lines(
            namesOf(zones)
              .filter(isForwardZone)
              .map((name) => `@@||${name}^`),
          ),
        },
      ];
    },
  },
  {
    id: 'unbound',
    name: 'Unbound',
    ports: 'Any',
    steps: (target) => [
      {
        text: 'In a file in /etc/unbound/unbound.conf.d, then unbound-control reload. private-domain only matters with private-address, which drops answers with private addresses; domain-insecure ends the search for a signature that these zones do not have.',
        code: unboundLines(target),
      },
    ],
  },
  {
    id: 'bind',
    name: 'BIND',
    ports: 'Any',
    steps: (target) => {
      const options = bindOptions(target);
      return [
        { text: 'In named.conf (/etc/bind/named.conf.local), then rndc reconfig:', code: lines(bindZones(target)) },
        ...(options.length > 0 ? [{ text: 'In options (/etc/bind/named.conf.options):', code: lines(options) }] : []),
        {
          text: `If there is a deny-answer-addresses, which drops answers with private addresses, it needs except-from { ${quoted(namesOf(target.zones.filter(({ name }) => isForwardZone(name))))}}.`,
        },
      ];
    },
  },
  {
    id: 'knot-resolver',
    name: 'Knot Resolver',
    ports: 'Any',
    steps: (target) => [
      { text: 'Version 5, in /etc/knot-resolver/kresd.conf, then restart it:', code: knotLua(target) },
      { text: 'Version 6, in /etc/knot-resolver/config.yaml:', code: knotYAML(target) },
    ],
  },
];
