import type { WrittenDeclaration } from '../../agent/declaration.ts';
import { seconds } from '../rules.ts';
import type { Spec } from '../spec.ts';
import { type LabelSelector, printedSelector } from './label-selector.ts';
import type { SpecSource } from './source.ts';
import { typesOf, watchedOf } from './sources.ts';

type WrittenDiscovery = NonNullable<WrittenDeclaration['discovery']>;
type Discovery = Spec['discovery'];

/** What the agent is to judge by. What equals the declaration's own defaults is left out. */
export function declaredDiscovery(
  discovery: Discovery,
  composite: string,
  letGo: string | undefined,
): WrittenDiscovery {
  const { sources, policy, hostnames, sharedHosts, recordTypes, tenants, maxNamesPerNamespace } = discovery;
  return {
    ownerID: discovery.ownerID ?? composite,
    intervalSeconds: seconds(discovery.interval),
    reverse: discovery.reverse === 'Publish',
    // All that are wanted, also those that the cluster does not serve: the agent learns when it does.
    sources: sources.map((source) => declaredSource(source, discovery)),
    ...someOf({ namespaces: discovery.namespaces }),
    ...selectorOf('annotationSelector', discovery.annotationSelector),
    ...given({ selector: printed(discovery.selector), annotationPrefix: discovery.annotationPrefix }),
    ...(hostnames !== 'SpecAndAnnotations' && { hostnames }),
    ...(policy !== 'Sync' && { policy }),
    ...(recordTypes.join() !== 'A,AAAA,CNAME' && { recordTypes }),
    ...someOf({ excludedDomains: discovery.excludedDomains }),
    ...partOf('targets', someOf(discovery.targets)),
    ...given({ defaultTTL: discovery.defaultTTL, minimumTTL: discovery.minimumTTL }),
    ...partOf('deleteGuard', guardOf(discovery, letGo)),
    ...(sharedHosts !== 'SameNamespace' && { sharedHosts }),
    ...someOf({ tenants, reservedNames: discovery.reservedNames }),
    ...(maxNamesPerNamespace !== 1000 && { maxNamesPerNamespace }),
    ...given({ ownershipTXT: discovery.ownershipTXT }),
  };
}

function declaredSource(source: SpecSource, discovery: Discovery): NonNullable<WrittenDiscovery['sources']>[number] {
  const { kind, ingressClassNames = [], gatewayName, gatewayNamespace, gatewayLabels } = source;
  return {
    kind,
    ...someOf({ ingressClassNames }),
    ...(kind === 'Service' && { serviceTypes: typesOf(source) }),
    ...given({ gatewayName, gatewayNamespace, gatewayLabels: printed({ matchLabels: gatewayLabels }) }),
    ...someOf({ resources: watchedOf(source, discovery) }),
  };
}

function guardOf({ deleteGuard: { percent, hold } }: Discovery, letGo: string | undefined) {
  const holdSeconds = seconds(hold);
  return { ...(percent !== 50 && { percent }), ...(holdSeconds !== 600 && { holdSeconds }), ...given({ letGo }) };
}

function selectorOf<K extends string>(field: K, { matchLabels = {}, matchExpressions = [] }: LabelSelector = {}) {
  const some = { ...(Object.keys(matchLabels).length > 0 && { matchLabels }), ...someOf({ matchExpressions }) };
  return partOf(field, some);
}

const printed = (selector: LabelSelector = {}) => printedSelector(selector) || undefined;

/** The fields that are there. */
function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** The lists that have something in them. */
function someOf<T extends Record<string, readonly unknown[]>>(lists: T): Partial<T> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<T>;
}

/** A part, if there is anything in it. */
function partOf<K extends string, T extends object>(field: K, part: T): { [k in K]?: T } {
  return (Object.keys(part).length > 0 ? { [field]: part } : {}) as { [k in K]?: T };
}
