/** A realistic overview: a name of every kind, with its message. */

import type { Overview, TrackedName } from '../../../../functions/agent/names/overview.ts';
import type { Reach } from '../../../../functions/connect/guide.ts';

export const now = Date.parse('2026-11-02T14:07:31Z');
const minutes = 60_000;

/** A name that resolves, unless stated otherwise. */
export const known = (name: string, changes: Partial<TrackedName> = {}): TrackedName => ({
  name,
  resource: 'ingress/shop/web',
  verdict: 'Resolved',
  message: 'resolves to 192.0.2.7',
  zone: 'corp.internal',
  answers: ['A 192.0.2.7'],
  since: now - 90 * minutes,
  ...changes,
});

const resolved = (name: string, resource: string, address: string, ago: number, propagation?: number) =>
  known(name, {
    resource,
    message: `resolves to ${address}`,
    answers: [`A ${address}`],
    since: now - ago * minutes,
    ...(propagation !== undefined && { propagation }),
  });

const problem = (
  verdict: TrackedName['verdict'],
  name: string,
  resource: string,
  ago: number,
  message: string,
  answers: string[] = [],
) => known(name, { resource, verdict, message, answers, since: now - ago * minutes });

const corp: TrackedName[] = [
  problem(
    'NoAddress',
    'api.corp.internal',
    'ingress/payments/api',
    12,
    'no address yet: its controller has not written one to its status: check the log of the ingress controller or load balancer, or set discovery.targets.default',
  ),
  resolved('auth.corp.internal', 'ingress/identity/keycloak', '192.0.2.7', 4_310, 1_840),
  problem(
    'Filtered',
    'beta.corp.internal',
    'ingress/shop/beta',
    300,
    'discovery.selector (dns=internal) leaves it out',
  ),
  resolved('chat.corp.internal', 'httproute/chat/mattermost', '192.0.2.9', 1_290, 2_210),
  problem(
    'Refused',
    'db_main.corp.internal',
    'service/data/postgres',
    61,
    'invalid label "db_main": labels consist of letters, digits and inner hyphens, or of * as the first one (RFC 1123 section 2.1)',
  ),
  known('docs.corp.internal', {
    resource: 'ingress/docs/site',
    message: 'resolves to 192.0.2.7, 2001:db8::7',
    answers: ['A 192.0.2.7', 'AAAA 2001:db8::7'],
    since: now - 4_310 * minutes,
    propagation: 1_610,
  }),
  resolved('git.corp.internal', 'ingress/forge/gitea', '192.0.2.7', 4_310, 2_050),
  problem(
    'ForeignRecord',
    'mail.corp.internal',
    'service/mail/smtp',
    2_880,
    'an unmanaged A record exists at this name: delete it, or declare it in spec.zones',
  ),
  problem('Pending', 'new.corp.internal', 'ingress/shop/new', 0, 'about to be requested by ExternalDNS'),
  resolved('shop.corp.internal', 'ingress/shop/web', '192.0.2.7', 870, 3_120),
  problem(
    'Duplicate',
    'shop.corp.internal',
    'ingress/staging/web',
    44,
    'already used by ingress/shop/web, which is older: give one of them another host, or see discovery.sharedHosts',
  ),
  problem(
    'OutsideZones',
    'shop.crop.internal',
    'ingress/shop/typo',
    9,
    'outside the zones corp.internal, lab.internal, 2.0.192.in-addr.arpa; the nearest is corp.internal: use a name in a zone, or declare its zone in spec.zones',
  ),
  problem(
    'DeclaredElsewhere',
    'www.corp.internal',
    'ingress/shop/www',
    870,
    'the InternalDNS declares A at this name: remove the record from the spec, or the host from the object',
  ),
].map((name) => (name.verdict === 'OutsideZones' ? withoutZone(name) : name));

function withoutZone({ zone: _, ...name }: TrackedName): TrackedName {
  return name;
}

export const reach: Reach = {
  zones: [
    { name: 'corp.internal', ds: ['12345 13 2 0123456789abcdef'] },
    { name: 'lab.internal', ds: [] },
    { name: '2.0.192.in-addr.arpa', ds: [] },
  ],
  clusterIPs: ['10.96.0.53', 'fd00::53'],
  ways: [
    {
      service: 'service',
      type: 'ClusterIP',
      servers: ['10.96.0.53', 'fd00::53'].map((address) => ({ address, port: 53 })),
    },
    { service: 'lan', type: 'NodePort', servers: [{ address: '192.0.2.53', port: 30053 }] },
    { service: 'tailnet', type: 'LoadBalancer', servers: [] },
  ],
  notes: [
    "Tailscale's operator has given Service idns-corp-tailnet no address: install it, see its log, or remove additionalServices[tailnet]",
  ],
};

export const overviewOf = (names: readonly TrackedName[] = corp, changes: Partial<Overview> = {}): Overview => ({
  instance: 'corp',
  zones: [
    { name: 'corp.internal', state: 'Serving' },
    { name: 'lab.internal', state: 'Serving' },
    { name: '2.0.192.in-addr.arpa', state: 'Serving' },
  ],
  discovery: { state: 'Synced' },
  resolution: { state: 'Serving', since: '2026-10-30T06:12:05Z' },
  reach,
  names,
  ...changes,
});

/** `h0.corp.internal` and so on. */
export const many = (count: number): TrackedName[] =>
  Array.from({ length: count }, (_, i) =>
    known(`h${i}.corp.internal`, { resource: `ingress/shop/h${i}`, propagation: 1_000 + (i % 2_000) }),
  );

/** Texts that break pages, terminals and logs where they are not escaped. */
export const hostile = [
  '<script>alert(1)</script>.corp.internal',
  '"><img src=x onerror=alert(1)>',
  "'onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '<!--',
  '&lt;b&gt;&amp;&#60;',
  '{{7*7}}`+alert(1)+`',
  'javascript:alert(1)',
  '\u001b]0;owned\u0007\u001b[31mred\u001b[0m',
  'a\r\nSet-Cookie: x=1\n\nb',
  '\u202egnp.corp.internal',
  'موقع.corp.internal',
  '例え.corp.internal',
  '\ud800.corp.internal',
  'nul\u0000.corp.internal',
  '</td></tr></table><form action=https://evil.example><input name=host>',
] as const;

/** As long as a name may be: 253 characters in labels of 63. */
export const longest = [...Array(3).fill('x'.repeat(63)), 'y'.repeat(47), 'corp.internal'].join('.');
