import { isDeepStrictEqual } from 'node:util';
import { type DeclarationJSON, declaration } from '../../contract/declaration.ts';
import { seconds } from '../rules.ts';
import type { Spec } from '../spec.ts';
import { ignoredParts, resolvesHostnames } from './extra-args.ts';
import { printedSelector } from './label-selector.ts';
import { neededFor } from './served.ts';
import { type SpecSource, serviceTypesOf } from './source.ts';

type WrittenDiscovery = NonNullable<DeclarationJSON['discovery']>;
type Discovery = Spec['discovery'];

/** What the agent is to judge by. What equals the declaration's own defaults is left out. */
export function declaredDiscovery(
  discovery: Discovery,
  composite: string,
  letGo: string | undefined,
): WrittenDiscovery {
  const { interval, reverse, sources, deleteGuard } = discovery;
  return {
    ownerID: discovery.ownerID ?? composite,
    intervalSeconds: seconds(interval),
    reverse: reverse === 'Publish',
    // All that are wanted, also those that the cluster does not serve: the agent learns when it does.
    sources: sources.map((source) => declaredSource(source, discovery)),
    ...beyond(defaults, {
      namespaces: discovery.namespaces,
      annotationSelector: discovery.annotationSelector,
      selector: discovery.selector,
      annotationPrefix: discovery.annotationPrefix,
      hostnames: discovery.hostnames,
      policy: discovery.policy,
      recordTypes: discovery.recordTypes,
      excludedDomains: discovery.excludedDomains,
      targets: discovery.targets,
      defaultTTL: discovery.defaultTTL,
      minimumTTL: discovery.minimumTTL,
      deleteGuard: { percent: deleteGuard.percent, holdSeconds: seconds(deleteGuard.hold), letGo },
      sharedHosts: discovery.sharedHosts,
      tenants: discovery.tenants,
      reservedNames: discovery.reservedNames,
      allowAcrossNamespaces: discovery.allowAcrossNamespaces,
      maxNamesPerNamespace: discovery.maxNamesPerNamespace,
      ownershipTXT: discovery.ownershipTXT,
    }),
  };
}

type WrittenSource = NonNullable<WrittenDiscovery['sources']>[number];

function declaredSource(source: SpecSource, discovery: Discovery): WrittenSource {
  const { kind, gatewayLabels } = source;
  return {
    kind,
    ...beyond(nothing, {
      ingressClassNames: source.ingressClassNames,
      ignoredParts: kind === 'Ingress' ? ignoredParts(discovery.extraArgs) : [],
      serviceTypes: kind === 'Service' ? serviceTypesOf(source) : [],
      resolvesHostnames: (kind === 'Service' && resolvesHostnames(discovery.extraArgs)) || undefined,
      gatewayName: source.gatewayName,
      gatewayNamespace: source.gatewayNamespace,
      gatewayLabels: printedSelector({ matchLabels: gatewayLabels }) || undefined,
      resources: neededFor(source, discovery),
    }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const defaults: Fields = declaration.shape.discovery.unwrap().parse({ ownerID: '', intervalSeconds: 1 });
const nothing: Fields = {};

type Beyond<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that say more than their defaults: of an object likewise, and none that is empty. */
function beyond<T extends Fields>(usual: Fields, fields: T): Beyond<T> {
  const said = Object.entries(fields)
    .map(([name, value]) => [name, isFields(value) ? beyond(fieldsOf(usual[name]), value) : value] as const)
    .filter(([name, value]) => !isEmpty(value) && !isDeepStrictEqual(value, usual[name]));
  return Object.fromEntries(said) as Beyond<T>;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : nothing);
const isEmpty = (value: unknown) =>
  value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
