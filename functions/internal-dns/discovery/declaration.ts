import type { DeclaredDiscovery, DeclaredSource } from '../../contract/declaration.ts';
import { printedSelector } from '../../contract/label-selector.ts';
import { seconds } from '../../contract/rules.ts';
import { isOwnKind } from '../../contract/source-kinds.ts';
import type { Spec } from '../spec.ts';
import { intervalOf, isAnticipated } from './anticipation.ts';
import { ignoredParts, resolvesHostnames } from './extra-args.ts';
import { neededFor } from './served.ts';
import { hasZones, type SpecSource, serviceTypesOf } from './source.ts';

type Discovery = Spec['discovery'];

/** The discovery settings of the declaration. Every field is written out, so that only the spec has defaults. */
export function declaredDiscovery(
  discovery: Discovery,
  composite: string,
  letGo: string | undefined,
): DeclaredDiscovery {
  const { reverse, sources, deleteGuard } = discovery;
  return {
    ownerID: discovery.ownerID ?? composite,
    intervalSeconds: seconds(intervalOf(discovery)),
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
    tenants: discovery.tenants.map((tenant) => declaredTenant(tenant, sources)),
    reservedNames: discovery.reservedNames,
    allowAcrossNamespaces: discovery.allowAcrossNamespaces,
    maxNamesPerNamespace: discovery.maxNamesPerNamespace,
    ownershipTXT: discovery.ownershipTXT,
  };
}

function declaredTenant(
  { namespaceSelector, names, networks, machines, checks, zones }: Discovery['tenants'][number],
  sources: SpecSource[],
): DeclaredDiscovery['tenants'][number] {
  const hasOwnKinds = sources.some(({ kind }) => isOwnKind(kind));
  return {
    namespaceSelector,
    names,
    ...(hasOwnKinds && { machines: { networks, selectableBy: machines, checks } }),
    ...(hasZones(sources) && { zones }),
  };
}

function declaredSource(source: SpecSource, discovery: Discovery): DeclaredSource {
  const { extraArgs } = discovery;
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
    isAnticipated: isAnticipated(source, discovery) || undefined,
  };
}

const unlessEmpty = <T>(list: T[] | undefined) => (list && list.length > 0 ? list : undefined);
