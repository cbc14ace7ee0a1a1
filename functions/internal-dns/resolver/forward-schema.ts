import * as z from 'zod';
import { domainForm, domainName, hostName, labelRule, urlPath } from '../../contract/name-form.ts';
import { durationOf, matching, octet, type Rule, withRules } from '../../contract/rules.ts';
import { parseUpstreamAddress } from './upstream-address.ts';

const form = `^(${octet}([.]${octet}){3}(:[1-9][0-9]{0,4})?|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*|[[][0-9a-fA-F]*:[0-9a-fA-F:.]*](:[1-9][0-9]{0,4})?)$`;

const address = withRules(z.string().min(2).max(64), {
  cel: `self.matches('${form}')`,
  holds: (s) => new RegExp(form).test(s) && parseUpstreamAddress(s) !== undefined,
  message:
    'address must be an IPv4 or IPv6 address, optionally with a port, such as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:853; a name could not be resolved without the resolver itself',
});

const protocols = ['UDP', 'TCP', 'DoT', 'DoH'] as const;

const upstreamFields = z.object({
  address: address.describe(
    'Address, optionally with a port, which defaults to 53, to 853 with DoT and to 443 with DoH.',
  ),
  protocol: z.enum(protocols).default('UDP').describe('Protocol. UDP also uses TCP, for long answers.'),
  tlsName: hostName('tlsName')
    .optional()
    .describe('Name in its certificate, with DoT and DoH. If unset, its certificate must have its address.'),
  path: urlPath('path').optional().describe('Path of its URL, with DoH. Defaults to /dns-query.'),
});

type UpstreamFields = z.output<typeof upstreamFields>;

const upstreamRules: Rule<UpstreamFields>[] = [
  {
    cel: "!has(self.tlsName) || self.protocol in ['DoT', 'DoH']",
    holds: ({ tlsName, protocol }) => tlsName === undefined || protocol === 'DoT' || protocol === 'DoH',
    message: 'tlsName needs protocol: DoT or DoH',
  },
  {
    cel: "!has(self.path) || self.protocol == 'DoH'",
    holds: ({ path, protocol }) => path === undefined || protocol === 'DoH',
    message: 'path needs protocol: DoH',
  },
];

const upstream = withRules(upstreamFields, ...upstreamRules);

export type Upstream = z.output<typeof upstream>;

const upstreams = (max: number, min = 0) =>
  z.array(upstream).min(min).max(max).meta({ 'x-kubernetes-list-type': 'atomic' });

const zone = z.object({
  name: domainName('name').describe('Name of the zone, such as ad.example.com.'),
  upstreams: upstreams(4, 1).describe('Servers that are asked for it.'),
});

const cache = z
  .object({
    size: z
      .int()
      .min(100)
      .max(1_000_000)
      .optional()
      .describe('Maximum number of answers. It is at most what the memory limit has room for, which is the default.'),
    serveStale: durationOf('serveStale', '1s', '72h')
      .default('1h')
      .describe('How long an expired answer is given while no upstream answers.'),
  })
  .prefault({})
  .describe('Cache of the answers of upstreams. Own names are never cached.');

const check = z
  .object({
    name: withRules(
      z.string().min(1).max(253),
      matching(
        `^[.]$|${domainForm}`,
        'name must be a domain name in lower case, without the trailing dot, or . for the root',
      ),
      labelRule('name'),
    )
      .default('.')
      .describe('Name that is asked for.'),
    type: z.enum(['A', 'AAAA', 'NS', 'SOA', 'TXT']).default('NS').describe('Type that is asked for.'),
  })
  .prefault({})
  .describe(
    'Question by which upstreams are checked every second, and forwarding by the self-test. An upstream is up if it gives any answer but SERVFAIL. Those of zones are asked for the SOA record of their zone.',
  );

export const forward = withRules(
  z.object({
    upstreams: upstreams(8).default([]).describe('Servers that are asked for all other names.'),
    zones: withRules(z.array(zone).max(32).default([]), {
      cel: 'self.all(z, self.exists_one(y, y.name == z.name))',
      holds: (list) => new Set(list.map(({ name }) => name)).size === list.length,
      message: 'forward.zones must have different names',
    })
      .describe('Zones with servers of their own.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    cache,
    check,
  }),
  {
    cel: '(has(self.upstreams) && size(self.upstreams) > 0) || (has(self.zones) && size(self.zones) > 0)',
    holds: ({ upstreams, zones }) => upstreams.length + zones.length > 0,
    message: 'forward needs upstreams, zones or both: list a server, or leave forward out',
  },
)
  .optional()
  .describe(
    'Where names outside the own zones are asked for. Without it they are refused. EDNS Client Subnet is not added. A blocklist is not part of it: name a filter, such as Pi-hole or AdGuard Home, as the upstream.',
  );

export type Forward = NonNullable<z.output<typeof forward>>;
