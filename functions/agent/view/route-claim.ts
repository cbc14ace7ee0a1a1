import type { DeclaredSource } from '../declaration.ts';
import type { Claim } from '../discovery/claim.ts';
import { listed } from '../names/sentence.ts';
import { fieldOf } from './filter.ts';
import type { Gateway, Listener } from './gateway.ts';
import { claimLeftOut, claimOf, unique } from './metadata.ts';
import { labelOf, type Parent, type Route } from './route.ts';

/** What there is for a route at one of its parents. */
interface Place {
  gateway: string;
  listeners: readonly Listener[];
  targets: readonly string[];
  /** Why there is nothing, and whether that is a filter of the spec. */
  obstacle?: { why: string; isFilter: boolean };
}

/**
 * What a route claims through the Gateways there are. Which namespaces, kinds and protocols a listener takes is not
 * asked again: the Gateway's controller has accepted the route.
 */
export function routeClaims(
  { metadata, hosts, parents, ttl, leftOut, isPartial }: Route,
  source: DeclaredSource,
  gatewayAt: (key: string) => Gateway | undefined,
): Claim[] {
  const label = labelOf(source);
  const places = parents.map((parent) => placeAt(parent, source, gatewayAt(parent.gateway)));
  const namesAt = ({ listeners }: Place) => hosts.flatMap((host) => overlaps(host, listeners));
  const taken = places.filter((place) => namesAt(place).length > 0);
  const names = unique(taken.flatMap(namesAt));
  const claims = claimOf(label, metadata, names, unique(taken.flatMap(({ targets }) => targets)), ttl);
  const listeners = places.flatMap((place) => place.listeners);
  const lost = isPartial ? [] : hosts.filter((host) => host !== '' && overlaps(host, listeners).length === 0);
  const { why, isFilter } = untaken(places);
  return [...claims, ...claimLeftOut(label, metadata, lost, why, !isFilter), ...leftOut];
}

/** Why no place has anything for a host. */
function untaken(places: readonly Place[]): { why: string; isFilter: boolean } {
  const gateways = places.filter(({ listeners }) => listeners.length > 0).map(({ gateway }) => gateway);
  const obstacles = places.flatMap(({ obstacle }) => obstacle ?? []);
  if (gateways.length === 0)
    return obstacles.find(({ isFilter }) => !isFilter) ?? obstacles[0] ?? { why: '', isFilter: false };
  return { why: `no listener of Gateway ${listed(unique(gateways))} takes this name`, isFilter: false };
}

function placeAt(parent: Parent, source: DeclaredSource, gateway: Gateway | undefined): Place {
  const place = { gateway: parent.gateway, listeners: [], targets: [] };
  const filter = filterAt(parent, source);
  if (filter !== undefined) return { ...place, obstacle: { why: filter, isFilter: true } };
  if (!gateway) return { ...place, obstacle: unseen(parent, source) };
  if (gateway.foreign !== undefined) {
    const why = `the annotation ${gateway.foreign} of Gateway ${parent.gateway} gives it to another controller`;
    return { ...place, obstacle: { why, isFilter: true } };
  }
  const listeners = gateway.listeners.filter((listener) => isAt(parent, listener));
  if (listeners.length > 0) return { ...place, listeners, targets: gateway.targets };
  const why = `Gateway ${parent.gateway} has no listener${which(parent)}`;
  return { ...place, obstacle: { why, isFilter: false } };
}

/** The filter of the spec that does not take a Gateway, in words. */
function filterAt({ gateway }: Parent, source: DeclaredSource): string | undefined {
  const { gatewayName, gatewayNamespace } = source;
  const accepted = `and it is accepted by ${gateway}`;
  if (gatewayName && !gateway.endsWith(`/${gatewayName}`))
    return `${fieldOf(source, 'gatewayName')} takes only ${gatewayName}, ${accepted}`;
  if (gatewayNamespace && !gateway.startsWith(`${gatewayNamespace}/`))
    return `${fieldOf(source, 'gatewayNamespace')} takes only ${gatewayNamespace}, ${accepted}`;
  return undefined;
}

/** The API server selects Gateways by their labels, so that another one is as good as none. */
function unseen({ gateway }: Parent, source: DeclaredSource): NonNullable<Place['obstacle']> {
  const { gatewayLabels } = source;
  if (!gatewayLabels) return { why: `there is no Gateway ${gateway}`, isFilter: false };
  const field = fieldOf(source, 'gatewayLabels');
  const why = `${field} takes only Gateways with ${listed([gatewayLabels])}, and ${gateway} is not among them`;
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
