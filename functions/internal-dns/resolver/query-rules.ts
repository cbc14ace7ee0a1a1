import { canaryZone } from '../../contract/canary-zone.ts';
import { zonesOfTeams } from '../discovery/tenants.ts';
import { resolverPorts } from '../names.ts';
import type { Spec } from '../spec.ts';
import { forwardPool, isForAll, ownPool, upstreamsOf, viewPool, zonePool } from './backends.ts';
import type { Circle } from './circle.ts';
import type { Resolver } from './settings.ts';

// Rules as dnsdist has them, in their order: https://www.dnsdist.org/reference/yaml-selectors.html

interface Selector {
  type: string;
  [setting: string]: unknown;
}

export interface QueryRule {
  name: string;
  selector: Selector;
  action: { type: string; [setting: string]: unknown };
}

const all = (...selectors: Selector[]): Selector => ({ type: 'And', selectors });
const not = (selector: Selector): Selector => ({ type: 'Not', selector });
const from = (netmasks: string[]): Selector => ({ type: 'NetmaskGroup', netmasks });
const below = (suffixes: string[]): Selector => ({ type: 'QNameSuffix', suffixes });
const ofType = (qtype: string): Selector => ({ type: 'QType', qtype });
const overTCP = (tcp: boolean): Selector => ({ type: 'TCP', tcp });
const byAgent: Selector = { type: 'DSTPort', port: resolverPorts.agents };

const answer = (rcode: 'NoError' | 'NotImp' | 'Refused' | 'ServFail') => ({ type: 'RCode', rcode });
const ask = (pool: string) => ({ type: 'Pool', pool_name: pool });

/** RFC 8482 section 4.2: RDATA of a HINFO record, a text `RFC8482` and an empty one. */
const minimalAnswer = { type: 'SpoofRaw', answers: ['\\007RFC8482\\000'], qtype_for_any: 'HINFO', vars: { ttl: 3600 } };

export function queryRulesOf(
  { zones, discovery }: Pick<Spec, 'zones' | 'discovery'>,
  resolver: Resolver,
  circle: Circle,
): QueryRule[] {
  const own = [...new Set([...zones.map(({ name }) => name), ...zonesOfTeams(discovery)])];
  const { allowFrom, outsiders, blockedTypes, queryLog, forward } = resolver;
  return [
    {
      name: 'outsiders',
      selector: all(not(byAgent), not(from(allowFrom))),
      action: outsiders === 'Drop' ? { type: 'Drop' } : answer('Refused'),
    },
    ...limits(resolver),
    ...(queryLog
      ? [{ name: 'log', selector: { type: 'Proba', probability: queryLog.percent / 100 }, action: logging }]
      : []),
    // NOTIFY and UPDATE are for primaries and secondaries, and AXFR and IXFR disclose whole zones.
    { name: 'opcodes', selector: not({ type: 'Opcode', code: 'Query' }), action: answer('NotImp') },
    ...['AXFR', 'IXFR'].map((type) => ({ name: `no-${type}`, selector: ofType(type), action: answer('Refused') })),
    { name: 'any', selector: ofType('ANY'), action: minimalAnswer },
    ...blockedTypes.map((type) => ({ name: `blocked-${type}`, selector: ofType(type), action: answer('NoError') })),
    { name: 'self-test', selector: all(byAgent, below([canaryZone])), action: ask(ownPool) },
    ...(forward
      ? [
          // A test must not be answered by what an upstream said once.
          { name: 'uncached', selector: byAgent, action: { type: 'SetSkipCache' } },
          ...circleRules(forward, circle),
          ...markRules(own, circle),
        ]
      : []),
    ...namesRules(own, resolver),
    forward && forward.upstreams.length > 0
      ? { name: 'forward', selector: { type: 'All' }, action: ask(forwardPool) }
      : { name: 'foreign', selector: { type: 'All' }, action: answer('Refused') },
  ];
}

/** To the standard output, whatever the log level. */
const logging = { type: 'Log', file_name: '', binary: false, append: false, buffered: false, verbose_only: false };

/** Over UDP a client that exceeds its rate is sent to TCP, which proves its address; each rule counts for itself. */
function limits({ rateLimit }: Resolver): QueryRule[] {
  if (!rateLimit) return [];
  const { queriesPerSecond: qps, burst = qps } = rateLimit;
  const exceeds = { type: 'MaxQPSIP', qps, burst, ...perClient };
  return [
    { name: 'rate-udp', selector: all(not(byAgent), overTCP(false), exceeds), action: { type: 'TC' } },
    { name: 'rate-tcp', selector: all(not(byAgent), overTCP(true), exceeds), action: answer('Refused') },
  ];
}

/** An agent's question for a circle goes to one upstream; if it comes back, it is answered, and goes round no more. */
function circleRules(forward: NonNullable<Resolver['forward']>, circle: Circle): QueryRule[] {
  const upstreams = upstreamsOf(forward).filter(isForAll);
  if (upstreams.length === 0) return [];
  return [
    ...upstreams.map(({ name }) => ({
      name: `circle-${name}`,
      selector: all(byAgent, below([`${name}.${circle.domain}`])),
      action: ask(name),
    })),
    { name: 'circle', selector: below([circle.domain]), action: textOf(circle.answer) },
  ];
}

/**
 * Marks what leaves, by EDNS options for local use (RFC 6891 section 9), which others ignore or pass on. Two of them: one in
 * five hundred resolvers has the same first one. With no data in them, dnsdist 2.1.3 gets no answers.
 */
function markRules(own: string[], { marks }: Circle): QueryRule[] {
  const foreign = not(below(own));
  const marked = marks.map((code) => ({ type: 'EDNSOption', option_code: code }));
  return [
    { name: 'round', selector: all(foreign, ...marked), action: answer('ServFail') },
    ...marks.map((code) => ({
      name: `mark-${code}`,
      selector: foreign,
      action: { type: 'SetEDNSOption', code, data: '0' },
    })),
  ];
}

/** The RDATA of a TXT record: a length, and the text. */
const textOf = (text: string) => ({
  type: 'SpoofRaw',
  answers: [`\\${text.length.toString().padStart(3, '0')}${text}`],
  vars: { ttl: 0 },
});

/** A client: a network over IPv6 has a /64. */
export const perClient = { ipv4_mask: 32, ipv6_mask: 64 };

/** The rules for own and forwarded zones, longer names first, as each can be below one of the other kind. */
function namesRules(own: string[], { views, forward }: Resolver): QueryRule[] {
  const zones = [
    ...own.map((name) => ({ name, isOwn: true })),
    ...(forward?.zones ?? []).map(({ name }) => ({ name, isOwn: false })),
  ].sort((a, b) => labelsIn(b.name) - labelsIn(a.name) || Number(b.isOwn) - Number(a.isOwn));
  return runsOf(zones).flatMap(([first, ...others], index) =>
    first?.isOwn
      ? ownRules(
          `own-${index}`,
          [first, ...others].map(({ name }) => name),
          views,
        )
      : [first, ...others].flatMap((zone) =>
          zone ? [{ name: zonePool(zone.name), selector: below([zone.name]), action: ask(zonePool(zone.name)) }] : [],
        ),
  );
}

const labelsIn = (name: string) => name.split('.').length;

/** Neighbours of the same kind, together. */
function runsOf<T extends { isOwn: boolean }>(zones: T[]): T[][] {
  const runs: T[][] = [];
  for (const zone of zones) {
    const run = runs.at(-1);
    if (run?.[0]?.isOwn === zone.isOwn) run.push(zone);
    else runs.push([zone]);
  }
  return runs;
}

function ownRules(name: string, zones: string[], views: Resolver['views']): QueryRule[] {
  return [
    // Views are for clients: an agent tests the server, whatever networks have its pod.
    ...(views.length > 0
      ? [{ name: `${name}-agents`, selector: all(byAgent, below(zones)), action: ask(ownPool) }]
      : []),
    ...views.flatMap((view): QueryRule[] => {
      const rule = (suffix: string, names: string[], action: QueryRule['action']) => ({
        name: `${name}-${view.name}${suffix}`,
        selector: all(from(view.from), below(names)),
        action,
      });
      if (view.internalDNS !== undefined) return [rule('', zones, ask(viewPool(view.name)))];
      const seen = zones.filter((zone) => view.zones?.includes(zone));
      return [...(seen.length > 0 ? [rule('', seen, ask(ownPool))] : []), rule('-hidden', zones, answer('Refused'))];
    }),
    { name, selector: below(zones), action: ask(ownPool) },
  ];
}
