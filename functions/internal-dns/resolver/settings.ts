import * as z from 'zod';
import { objectName, urlPath } from '../../contract/name-form.ts';
import { network, type Rule, uniqueList, withRules } from '../../contract/rules.ts';
import { type ServicesSpec, typeOf } from '../server/service-schema.ts';
import { forward } from './forward-schema.ts';
import { views } from './view-schema.ts';

/** RFC 1918, RFC 6598, which tailnets use, and RFC 4193. */
export const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Types that can be blocked. dnsdist would not start with one that it does not know. */
export const blockable = [
  ...['A', 'AAAA', 'CAA', 'CERT', 'HINFO', 'HTTPS', 'LOC', 'MX', 'NAPTR', 'NS', 'NULL', 'PTR', 'RP'],
  ...['SMIMEA', 'SOA', 'SRV', 'SSHFP', 'SVCB', 'TLSA', 'TXT', 'URI'],
] as const;

const certificate = z
  .object({
    secretRef: z
      .object({ name: objectName('name', 'a Secret').describe('Name of the Secret, in spec.namespace.') })
      .describe('Secret with the keys tls.crt and tls.key, as cert-manager writes them.'),
  })
  .describe('Certificate, which is renewed without a restart. Until the Secret exists, new pods do not start.');

const port = (number: number, what: string) =>
  z.int().min(1).max(65_535).default(number).describe(`Port of ${what} on every Service.`);

const doT = z
  .object({ port: port(853, 'DNS over TLS'), certificate })
  .optional()
  .describe('DNS over TLS (RFC 7858), on every Service with TCP.');

const doH = z
  .object({
    port: port(443, 'DNS over HTTPS'),
    path: urlPath('path').default('/dns-query').describe('Path of its URL.'),
    certificate,
  })
  .optional()
  .describe('DNS over HTTPS (RFC 8484), on every Service with TCP.');

const rateLimit = withRules(
  z.object({
    queriesPerSecond: z.int().min(1).max(1_000_000).describe('Number of questions that a client may ask in a second.'),
    burst: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Number of questions that a client may ask at once. Defaults to queriesPerSecond.'),
  }),
  {
    cel: '!has(self.burst) || self.burst >= self.queriesPerSecond',
    holds: ({ burst, queriesPerSecond }) => burst === undefined || burst >= queriesPerSecond,
    message: 'burst must be at least queriesPerSecond: leave it out, or raise it',
  },
)
  .optional()
  .describe(
    'Limit of each client: an IPv4 address, or a /64 over IPv6. Beyond it questions over UDP are sent to TCP, where they are refused; so are, for ten seconds, all of a client that floods the resolver with names that do not exist. Behind a proxy, such as that of a tailnet, all clients are one.',
  );

const queryLog = z
  .object({ percent: z.int().min(1).max(100).default(1).describe('Share of the questions that are logged.') })
  .optional()
  .describe(
    'Log of questions with the addresses of their clients, on the standard output of the pods. Off by default.',
  );

const fields = z.object({
  replicas: z.int().min(1).max(5).default(2).describe('Number of pods.'),
  allowFrom: uniqueList(network, 64, 1)
    .default(privateNetworks)
    .describe('CIDRs of the clients that may ask. Defaults to private networks, with those of tailnets.'),
  outsiders: z
    .enum(['Refuse', 'Drop'])
    .default('Refuse')
    .describe('What becomes of the questions of all other clients. Drop gives no answer at all.'),
  forward,
  rateLimit,
  doT,
  doH,
  views,
  blockedTypes: uniqueList(z.enum(blockable), blockable.length)
    .default([])
    .describe(
      'Types of records that no client gets: the answer is that there are none. ANY always gets a minimal answer.',
    ),
  queryLog,
});

type Fields = z.output<typeof fields>;

const rules: Rule<Fields>[] = [
  {
    cel: "!has(self.forward) || !self.allowFrom.exists(n, n.endsWith('/0'))",
    holds: ({ forward, allowFrom }) => !forward || !allowFrom.some((each) => each.endsWith('/0')),
    message:
      'forward with an allowFrom of everybody is an open resolver, which attacks others on behalf of strangers: list the networks of your clients in allowFrom',
  },
  {
    cel: '[has(self.doT) ? self.doT.port : 0, has(self.doH) ? self.doH.port : 0].all(p, p != 53)',
    holds: ({ doT, doH }) => doT?.port !== 53 && doH?.port !== 53,
    message: 'port 53 is that of DNS itself: leave port out of doT and doH, or use another',
  },
  {
    cel: '!has(self.doT) || !has(self.doH) || self.doT.port != self.doH.port',
    holds: ({ doT, doH }) => !doT || !doH || doT.port !== doH.port,
    message: 'doT and doH have the same port: leave it out of one, or use another',
  },
];

export const resolver = withRules(fields, ...rules)
  .optional()
  .describe(
    'A resolver (dnsdist) in front of the server: all Services lead to it. It answers the own names from the server and, with forward, all others from elsewhere; who may ask, how much and how is in its fields. {} turns it on.',
  );

export type Resolver = NonNullable<z.output<typeof resolver>>;

interface ResolverSpec extends ServicesSpec {
  zones: { name: string }[];
  resolver?: Resolver | undefined;
}

const isExposed = (service: ServicesSpec['service']) => typeOf(service) !== 'ClusterIP' && !service.tailscale;

const hidesClients =
  "has(s.externalTrafficPolicy) && s.externalTrafficPolicy == 'Cluster' && !has(s.tailscale) && (!has(s.loadBalancerSourceRanges) || size(s.loadBalancerSourceRanges) == 0)";
const forwards = 'has(self.resolver) && has(self.resolver.forward)';

/** Rules between the resolver and the rest of the spec. */
export const resolverRules: Rule<ResolverSpec>[] = [
  {
    cel: `!(${forwards}) || !has(self.resolver.forward.zones) || self.resolver.forward.zones.all(f, !self.zones.exists(z, z.name == f.name))`,
    holds: ({ zones, resolver }) =>
      !resolver?.forward?.zones.some((forwarded) => zones.some(({ name }) => name === forwarded.name)),
    message: 'resolver.forward.zones has one of zones, which this server answers itself: remove it from one of them',
  },
  {
    cel: '!has(self.resolver) || !has(self.resolver.views) || self.resolver.views.all(v, !has(v.zones) || v.zones.all(n, self.zones.exists(z, z.name == n)))',
    holds: ({ zones, resolver }) =>
      !resolver?.views.some((view) => view.zones?.some((name) => !zones.some((zone) => zone.name === name))),
    message: 'resolver.views has a zone that is none of zones: add it there, or remove it from the view',
  },
  {
    cel: `!(${forwards}) || (![self.service].exists(s, ${hidesClients}) && !self.additionalServices.exists(s, ${hidesClients}))`,
    holds: ({ service, additionalServices, resolver }) =>
      !resolver?.forward ||
      ![service, ...additionalServices].some(
        (each) =>
          isExposed(each) && each.externalTrafficPolicy === 'Cluster' && each.loadBalancerSourceRanges.length === 0,
      ),
    message:
      'resolver.forward needs the addresses of clients, but with externalTrafficPolicy: Cluster each has that of a node, which is private: leave it out, or set loadBalancerSourceRanges',
  },
];
