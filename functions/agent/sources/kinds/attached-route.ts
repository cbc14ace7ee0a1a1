import type { DeclaredSource } from '../../../contract/declaration.ts';
import type { Labels } from '../../kubernetes/object.ts';
import { shortList } from '../../lib/short-list.ts';
import { firstTargets } from '../host-limit.ts';
import type { SourceObject } from '../source-object.ts';
import { toFilteredObject, toSourceObject, toSourceObjectPerHost, unique } from './conversion.ts';
import { withExactness } from './exactness.ts';
import { controllerCure, fieldOf } from './filter.ts';
import { type AttachingRoute, attachmentFailure, type Gateway, isUnknownSelection, type Listener } from './gateway.ts';
import { labelOf, type Parent, type Route } from './route.ts';

/** A route at one of its parents. */
interface Attachment {
  gateway: string;
  /** Listeners that match the parentRef. */
  listeners: readonly Listener[];
  /** Those of them that accept the route. */
  accepting: readonly Listener[];
  targets: readonly string[];
  /** Whether ExternalDNS may attach the route to other listeners, or read other targets. */
  isInexact?: boolean;
  /** Why there is no listener. */
  failure?: Failure;
}

interface Failure {
  message: string;
  /** Whether a filter of the spec is the cause. */
  isFilter: boolean;
}

/**
 * Returns the source objects of a route, given its Gateways.
 * @param labels those of its namespace; undefined while unknown
 */
export function fromRoute(
  { metadata, parents, ttl, filtered, isPartial, ...route }: Route,
  source: DeclaredSource,
  gatewayAt: (key: string) => Gateway | undefined,
  labels?: Labels,
): SourceObject[] {
  const label = labelOf(source);
  const hosts = route.hosts.split(',');
  const attaching = { kind: source.kind, namespace: metadata.namespace ?? '', labels };
  const attachments = parents.map((parent) => attach(parent, attaching, source, gatewayAt(parent.gateway)));
  const accepting = attachments.flatMap((attachment) => attachment.accepting);
  const unmatched = isPartial ? [] : hosts.filter((host) => host !== '' && overlaps(host, accepting).length === 0);
  const failures = unmatched.map((host) => ({ host, ...failureOf(host, attachments, attaching) }));
  const dropped = [...Map.groupBy(failures, ({ message }) => message)].flatMap(([message, alike]) => {
    const names = alike.map(({ host }) => host);
    return toFilteredObject(label, metadata, names, message, !alike[0]?.isFilter);
  });
  const targetsByHost = targetsByName(hosts, attachments);
  // A ListenerSet may have any of the hosts, and addresses of its own.
  const attached = isPartial
    ? toSourceObject(label, metadata, [...targetsByHost.keys()], undefined, ttl)
    : toSourceObjectPerHost(label, metadata, targetsByHost, ttl);
  const isExact = !route.isInexact && !attachments.some(({ isInexact }) => isInexact);
  return [...withExactness(attached, isExact), ...dropped, ...filtered];
}

function targetsByName(
  hosts: readonly string[],
  attachments: readonly Attachment[],
): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, readonly string[]>();
  for (const { accepting, targets } of attachments) {
    for (const name of unique(hosts.flatMap((host) => overlaps(host, accepting)))) {
      const others = byName.get(name);
      byName.set(name, others ? firstTargets(unique([...others, ...targets])) : targets);
    }
  }
  return byName;
}

/** Returns why no attachment has the host. */
function failureOf(host: string, attachments: readonly Attachment[], route: AttachingRoute): Failure {
  const matching = attachments.filter(({ listeners }) => listeners.length > 0);
  for (const { gateway, listeners } of matching) {
    const listener = listeners.find((each) => overlaps(host, [each]).length > 0);
    // It does not accept the route, or the host would have matched.
    if (!listener) continue;
    const failure = attachmentFailure(listener, gateway, route);
    return { message: `listener ${listener.section} of Gateway ${gateway} ${failure}`, isFilter: false };
  }
  if (matching.length > 0) {
    const gateways = shortList(unique(matching.map(({ gateway }) => gateway)));
    return { message: `no listener of Gateway ${gateways} matches this name`, isFilter: false };
  }
  const failures = attachments.flatMap(({ failure }) => failure ?? []);
  return failures.find(({ isFilter }) => !isFilter) ?? failures[0] ?? { message: '', isFilter: false };
}

function attach(
  parent: Parent,
  route: AttachingRoute,
  source: DeclaredSource,
  gateway: Gateway | undefined,
): Attachment {
  const none = { gateway: parent.gateway, listeners: [], accepting: [], targets: [] };
  const filter = gatewayFilterReason(parent, source);
  if (filter !== undefined) return { ...none, failure: { message: filter, isFilter: true } };
  if (!gateway) return { ...none, failure: missingGateway(parent, source) };
  if (gateway.foreign !== undefined) {
    const message = `the annotation ${gateway.foreign} of Gateway ${parent.gateway} assigns it to another controller: ${controllerCure}`;
    return { ...none, failure: { message, isFilter: true } };
  }
  const listeners = gateway.listeners.filter((listener) => isAt(parent, listener));
  const accepting = listeners.filter((each) => attachmentFailure(each, parent.gateway, route) === undefined);
  const isInexact = gateway.isInexact === true || accepting.some((each) => isUnknownSelection(each, route));
  if (listeners.length > 0) return { ...none, listeners, accepting, targets: gateway.targets, isInexact };
  const message = `Gateway ${parent.gateway} has no listener${which(parent)}`;
  return { ...none, failure: { message, isFilter: false } };
}

/** Returns why a filter of the spec does not match the Gateway. */
function gatewayFilterReason({ gateway }: Parent, source: DeclaredSource): string | undefined {
  const { gatewayName, gatewayNamespace } = source;
  const accepted = `and it is accepted by ${gateway}: change its parentRefs, or that field`;
  if (gatewayName && !gateway.endsWith(`/${gatewayName}`))
    return `${fieldOf(source, 'gatewayName')} selects only ${gatewayName}, ${accepted}`;
  if (gatewayNamespace && !gateway.startsWith(`${gatewayNamespace}/`))
    return `${fieldOf(source, 'gatewayNamespace')} selects only ${gatewayNamespace}, ${accepted}`;
  return undefined;
}

/** The API server selects Gateways by label, so a missing one may just have other labels. */
function missingGateway({ gateway }: Parent, source: DeclaredSource): Failure {
  const { gatewayLabels } = source;
  if (!gatewayLabels) return { message: `Gateway ${gateway} does not exist`, isFilter: false };
  const field = fieldOf(source, 'gatewayLabels');
  const message = `${field} selects only Gateways with ${shortList([gatewayLabels])}, and ${gateway} is not among them: label that Gateway, or change that field`;
  return { message, isFilter: true };
}

const isAt = ({ section, port }: Parent, listener: Listener) =>
  (section === undefined || section === listener.section) && (port === undefined || port === listener.port);

const which = ({ section, port }: Parent) =>
  `${section === undefined ? '' : ` ${section}`}${port === undefined ? '' : ` on port ${port}`}`;

const overlaps = (host: string, listeners: readonly Listener[]) =>
  listeners.map((listener) => overlap(listener.host, host)).filter((name) => name !== '');

/** Returns the narrower of two overlapping hosts, else an empty text. A wildcard matches any number of labels. */
function overlap(a: string, b: string): string {
  if (a === '' || b === '' || a === b) return a || b;
  if (isBelow(b, a)) return b;
  return isBelow(a, b) ? a : '';
}

const isBelow = (host: string, wildcard: string) => wildcard.startsWith('*.') && host.endsWith(wildcard.slice(1));
