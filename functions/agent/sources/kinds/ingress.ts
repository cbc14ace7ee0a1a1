import type { DeclaredSource } from '../../../contract/declaration.ts';
import { shortList } from '../../lib/short-list.ts';
import type { SourceObject } from '../source-object.ts';
import { annotationsOf, givenTargets, listIn, lowerCase, type SourceFilters, valueAt } from './annotation.ts';
import { annotationsIgnored, fieldOf, filterReason } from './filter.ts';
import { hostsOf, type List, type Metadata, targetsOf, toFilteredObject, toSourceObject, without } from './metadata.ts';
import { statedTTL } from './ttl.ts';

export interface Ingress {
  metadata: Metadata;
  spec?: {
    ingressClassName?: string;
    rules?: List<{ host?: string }>;
    tls?: List<{ hosts?: List<string> }>;
  };
  status?: { loadBalancer?: LoadBalancer };
}

/** Where a controller writes the addresses of an Ingress or a Service. */
export interface LoadBalancer {
  ingress?: List<{ ip?: string; hostname?: string }>;
}

/** https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/ingress.go */
export function fromIngress(
  ingress: Ingress,
  filters: SourceFilters,
  { ingressClassNames, ignoredParts = [] }: Pick<DeclaredSource, 'ingressClassNames' | 'ignoredParts'> = {},
): SourceObject[] {
  const { metadata, status } = ingress;
  const annotations = annotationsOf(metadata, filters);
  const source = annotations('ingress-hostname-source');
  const annotated = listIn(annotations('hostname'));
  const asked = hostsOf(hostsFrom(source, definedIn(ingress), annotated));
  const filteredBy = filterReason(metadata, filters) ?? otherClass(ingress, ingressClassNames) ?? unknownSource(source);
  if (filteredBy !== undefined) return toFilteredObject('ingress', metadata, asked, filteredBy);
  const counted = filters.hostnames === 'Spec' ? [] : annotated;
  const hosts = hostsOf(hostsFrom(source, definedIn(ingress, ignoredParts), counted));
  const ignored = without(hostsOf(hostsFrom(source, definedIn(ingress), [])), hosts);
  const given = givenTargets(annotations);
  const targets = given.length > 0 ? given : loadBalancerTargets(status?.loadBalancer);
  return [
    ...toSourceObject('ingress', metadata, hosts, targetsOf(targets), statedTTL(annotations('ttl'))),
    ...toFilteredObject('ingress', metadata, ignored, flagged(ignoredParts)),
    ...toFilteredObject('ingress', metadata, without(asked, [...hosts, ...ignored]), annotationsIgnored),
  ];
}

type Part = NonNullable<DeclaredSource['ignoredParts']>[number];

function definedIn({ spec = {} }: Ingress, ignored: readonly Part[] = []): string[] {
  const rules = (spec.rules ?? []).map(({ host = '' }) => host);
  const tls = (spec.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
  return [...(ignored.includes('rules') ? [] : rules), ...(ignored.includes('tls') ? [] : tls)];
}

/** Why hosts are left out that only these parts name. */
function flagged(parts: readonly Part[]): string {
  const flags = parts.map((part) => `--ignore-ingress-${part}-spec`).join(', ');
  return `discovery.extraArgs (${flags}) leaves it out: name it in another part of the Ingress, or remove the flag`;
}

/** Both the address and the name of each entry, should it have both. */
export const loadBalancerTargets = ({ ingress }: LoadBalancer = {}) =>
  (ingress ?? []).flatMap(({ ip, hostname }) => [ip, hostname]).filter((target) => target !== undefined);

function hostsFrom(source: string | undefined, defined: string[], annotated: string[]): string[] {
  switch (lowerCase(source)) {
    case 'defined-hosts-only':
      return defined;
    case 'annotation-only':
      return annotated;
    default:
      return [...defined, ...annotated];
  }
}

/** An annotation that says neither leaves no host at all. */
function unknownSource(source: string | undefined): string | undefined {
  const word = lowerCase(source);
  if (word === undefined || word === 'defined-hosts-only' || word === 'annotation-only') return undefined;
  return 'its annotation ingress-hostname-source is neither defined-hosts-only nor annotation-only: correct it, or remove it';
}

/** Which class an Ingress without one would get from its controller is not asked. */
function otherClass({ metadata, spec }: Ingress, names: string[] = []): string | undefined {
  if (names.length === 0) return undefined;
  const name = spec?.ingressClassName || valueAt(metadata.annotations ?? {}, 'kubernetes.io/ingress.class');
  if (name !== undefined && names.includes(name)) return undefined;
  const has = name ? shortList([name]) : 'none';
  return `${fieldOf({ kind: 'Ingress' }, 'ingressClassNames')} takes only ${shortList(names)}, and it has ${has}: give it one of these, or change that field`;
}
