import type { DeclaredDiscovery, DeclaredSource } from '../../contract/declaration.ts';
import { printedSelector } from '../../contract/label-selector.ts';
import { seconds } from '../rules.ts';
import type { Spec } from '../spec.ts';
import { ignoredParts, resolvesHostnames } from './extra-args.ts';
import { neededFor } from './served.ts';
import { type SpecSource, serviceTypesOf } from './source.ts';

type Discovery = Spec['discovery'];

/** The discovery settings of the declaration. Every field is written out, so that only the spec has defaults. */
export function declaredDiscovery(
  discovery: Discovery,
  composite: string,
  letGo: string | undefined,
): DeclaredDiscovery {
  const { interval, reverse, sources, deleteGuard } = discovery;
  return {
    ownerID: discovery.ownerID ?? composite,
    intervalSeconds: seconds(interval),
    reverse: reverse === 'Publish',
    // Includes those that the cluster does not serve yet: the agent detects when it does.
    sources: sources.map((source) => declaredSource(source, discovery)),
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
  };
}

function declaredSource(source: SpecSource, { extraArgs }: Discovery): DeclaredSource {
  const { kind, gatewayLabels } = source;
  return {
    kind,
    ingressClassNames: unlessEmpty(source.ingressClassNames),
    ignoredParts: kind === 'Ingress' ? unlessEmpty(ignoredParts(extraArgs)) : undefined,
    serviceTypes: kind === 'Service' ? serviceTypesOf(source) : undefined,
    resolvesHostnames: (kind === 'Service' && resolvesHostnames(extraArgs)) || undefined,
    gatewayName: source.gatewayName,
    gatewayNamespace: source.gatewayNamespace,
    gatewayLabels: printedSelector({ matchLabels: gatewayLabels }) || undefined,
    resources: unlessEmpty(neededFor(source, { extraArgs })),
  };
}

const unlessEmpty = <T>(list: T[] | undefined) => (list && list.length > 0 ? list : undefined);
