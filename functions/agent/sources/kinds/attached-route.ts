import type { DeclaredSource } from '../../../contract/declaration.ts';
import { shortList } from '../../lib/short-list.ts';
import { firstTargets } from '../host-limit.ts';
import type { SourceObject } from '../source-object.ts';
import { fieldOf, taking } from './filter.ts';
import type { Gateway } from './gateway.ts';
import { type Listener, refusalOf, type Visitor } from './listener.ts';
import { type Labels, toFilteredObject, toSourceObject, unique } from './metadata.ts';
import { toSourceObjectPerHost } from './per-host-targets.ts';
import { labelOf, type Parent, type Route } from './route.ts';

/** What there is for a route at one of its parents. */
interface Place {
  gateway: string;
  /** Those that the route asks for there, and those of them that take it. */
  listeners: readonly Listener[];
  open: readonly Listener[];
  targets: readonly string[];
  /** Why there is no listener. */
  obstacle?: Obstacle;
}

interface Obstacle {
  why: string;
  /** Whether that is a filter of the spec. */
  isFilter: boolean;
}

/**
 * What a route claims through the Gateways there are.
 * @param labels those of its namespace; undefined while they are not known
 */
export function fromRoute(
  { metadata, parents, ttl, filtered, isPartial, ...route }: Route,
  source: DeclaredSource,
  gatewayAt: (key: string) => Gateway | undefined,
  labels?: Labels,
): SourceObject[] {
  const label = labelOf(source);
  const hosts = route.hosts.split(',');
  const visitor = { kind: source.kind, namespace: metadata.namespace ?? '', labels };
  const places = parents.map((parent) => placeAt(parent, visitor, source, gatewayAt(parent.gateway)));
  const open = places.flatMap((place) => place.open);
  const lost = isPartial ? [] : hosts.filter((host) => host !== '' && overlaps(host, open).length === 0);
  const obstacles = lost.map((host) => ({ host, ...obstacleTo(host, places, visitor) }));
  const inVain = [...Map.groupBy(obstacles, ({ why }) => why)].flatMap(([why, alike]) => {
    const names = alike.map(({ host }) => host);
    return toFilteredObject(label, metadata, names, why, !alike[0]?.isFilter);
  });
  const targetsAt = targetsByName(hosts, places);
  // A ListenerSet may have any of the hosts, and addresses of its own.
  const attached = isPartial
    ? toSourceObject(label, metadata, [...targetsAt.keys()], undefined, ttl)
    : toSourceObjectPerHost(label, metadata, targetsAt, ttl);
  return [...attached, ...inVain, ...filtered];
}

/** The names that a route has through its places, and what each answers with. */
function targetsByName(hosts: readonly string[], places: readonly Place[]): ReadonlyMap<string, readonly string[]> {
  const targetsAt = new Map<string, readonly string[]>();
  for (const { open, targets } of places) {
    for (const name of unique(hosts.flatMap((host) => overlaps(host, open)))) {
      const others = targetsAt.get(name);
      targetsAt.set(name, others ? firstTargets(unique([...others, ...targets])) : targets);
    }
  }
  return targetsAt;
}

/** Why no place has anything for a host. */
function obstacleTo(host: string, places: readonly Place[], visitor: Visitor): Obstacle {
  const there = places.filter(({ listeners }) => listeners.length > 0);
  for (const { gateway, listeners } of there) {
    // Were it open, the host would not want for anything.
    const closed = listeners.find((listener) => overlaps(host, [listener]).length > 0);
    if (!closed) continue;
    const refusal = refusalOf(closed, gateway, visitor);
    return { why: `listener ${closed.section} of Gateway ${gateway} ${refusal}`, isFilter: false };
  }
  if (there.length > 0) {
    const gateways = shortList(unique(there.map(({ gateway }) => gateway)));
    return { why: `no listener of Gateway ${gateways} takes this name`, isFilter: false };
  }
  const obstacles = places.flatMap(({ obstacle }) => obstacle ?? []);
  return obstacles.find(({ isFilter }) => !isFilter) ?? obstacles[0] ?? { why: '', isFilter: false };
}

function placeAt(parent: Parent, visitor: Visitor, source: DeclaredSource, gateway: Gateway | undefined): Place {
  const place = { gateway: parent.gateway, listeners: [], open: [], targets: [] };
  const filter = filterAt(parent, source);
  if (filter !== undefined) return { ...place, obstacle: { why: filter, isFilter: true } };
  if (!gateway) return { ...place, obstacle: unseen(parent, source) };
  if (gateway.foreign !== undefined) {
    const why = `the annotation ${gateway.foreign} of Gateway ${parent.gateway} gives it to another controller: ${taking}`;
    return { ...place, obstacle: { why, isFilter: true } };
  }
  const listeners = gateway.listeners.filter((listener) => isAt(parent, listener));
  const open = listeners.filter((listener) => refusalOf(listener, parent.gateway, visitor) === undefined);
  if (listeners.length > 0) return { ...place, listeners, open, targets: gateway.targets };
  const why = `Gateway ${parent.gateway} has no listener${which(parent)}`;
  return { ...place, obstacle: { why, isFilter: false } };
}

/** The filter of the spec that does not take a Gateway, in words. */
function filterAt({ gateway }: Parent, source: DeclaredSource): string | undefined {
  const { gatewayName, gatewayNamespace } = source;
  const accepted = `and it is accepted by ${gateway}: change its parentRefs, or that field`;
  if (gatewayName && !gateway.endsWith(`/${gatewayName}`))
    return `${fieldOf(source, 'gatewayName')} takes only ${gatewayName}, ${accepted}`;
  if (gatewayNamespace && !gateway.startsWith(`${gatewayNamespace}/`))
    return `${fieldOf(source, 'gatewayNamespace')} takes only ${gatewayNamespace}, ${accepted}`;
  return undefined;
}

/** The API server selects Gateways by their labels, so that another one is as good as none. */
function unseen({ gateway }: Parent, source: DeclaredSource): Obstacle {
  const { gatewayLabels } = source;
  if (!gatewayLabels) return { why: `there is no Gateway ${gateway}`, isFilter: false };
  const field = fieldOf(source, 'gatewayLabels');
  const why = `${field} takes only Gateways with ${shortList([gatewayLabels])}, and ${gateway} is not among them: label that Gateway, or change that field`;
  return { why, isFilter: true };
}

const isAt = ({ section, port }: Parent, listener: Listener) =>
  (section === undefined || section === listener.section) && (port === undefined || port === listener.port);

const which = ({ section, port }: Parent) =>
  `${section === undefined ? '' : ` ${section}`}${port === undefined ? '' : ` on port ${port}`}`;

const overlaps = (host: string, listeners: readonly Listener[]) =>
  listeners.map((listener) => overlap(listener.host, host)).filter((name) => name !== '');

/** The narrower one of two hosts that have names in common, else none. A wildcard stands for any number of labels. */
function overlap(a: string, b: string): string {
  if (a === '' || b === '' || a === b) return a || b;
  if (isBelow(b, a)) return b;
  return isBelow(a, b) ? a : '';
}

const isBelow = (host: string, wildcard: string) => wildcard.startsWith('*.') && host.endsWith(wildcard.slice(1));
