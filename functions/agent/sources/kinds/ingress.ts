import type { DeclaredSource } from '../../../contract/declaration.ts';
import type { List, ObjectMeta } from '../../kubernetes/object.ts';
import { shortList } from '../../lib/short-list.ts';
import type { SourceObject } from '../source-object.ts';
import {
  annotatedTargets,
  annotatedTTL,
  annotationsOf,
  listIn,
  lowerCase,
  type SourceFilters,
  valueAt,
} from './annotation.ts';
import { hostsOf, targetsOf, toFilteredObject, toSourceObject, without } from './conversion.ts';
import { arePlain, withExactness } from './exactness.ts';
import { annotationsIgnored, fieldOf, filterReason } from './filter.ts';

export interface Ingress {
  metadata: ObjectMeta;
  spec?: {
    ingressClassName?: string;
    rules?: List<{ host?: string }>;
    tls?: List<{ hosts?: List<string> }>;
  };
  status?: { loadBalancer?: LoadBalancer };
}

/** Where a controller reports the addresses of an Ingress or a Service. */
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
  const requested = hostsOf(hostsFrom(source, definedIn(ingress), annotated));
  const filteredBy =
    filterReason(metadata, filters) ?? classMismatch(ingress, ingressClassNames) ?? invalidHostnameSource(source);
  if (filteredBy !== undefined) return toFilteredObject('ingress', metadata, requested, filteredBy);
  const allowed = filters.hostnames === 'Spec' ? [] : annotated;
  const hosts = hostsOf(hostsFrom(source, definedIn(ingress, ignoredParts), allowed));
  const ignored = without(hostsOf(hostsFrom(source, definedIn(ingress), [])), hosts);
  const given = annotatedTargets(annotations);
  const targets = given.length > 0 ? given : loadBalancerTargets(status?.loadBalancer);
  const sourceObjects = toSourceObject('ingress', metadata, hosts, targetsOf(targets), annotatedTTL(annotations));
  const isExact = arePlain(annotations, ['hostname', 'target']) && !given.includes('');
  return [
    ...withExactness(sourceObjects, isExact),
    ...toFilteredObject('ingress', metadata, ignored, ignoredByFlag(ignoredParts)),
    ...toFilteredObject('ingress', metadata, without(requested, [...hosts, ...ignored]), annotationsIgnored),
  ];
}

type Part = NonNullable<DeclaredSource['ignoredParts']>[number];

function definedIn({ spec = {} }: Ingress, ignored: readonly Part[] = []): string[] {
  const rules = (spec.rules ?? []).map(({ host = '' }) => host);
  const tls = (spec.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
  return [...(ignored.includes('rules') ? [] : rules), ...(ignored.includes('tls') ? [] : tls)];
}

/** Returns why hosts that are only in these parts are dropped. */
function ignoredByFlag(parts: readonly Part[]): string {
  const flags = parts.map((part) => `--ignore-ingress-${part}-spec`).join(', ');
  return `discovery.extraArgs (${flags}) excludes it: name it in another part of the Ingress, or remove the flag`;
}

/** An entry may have both an address and a name. */
export const loadBalancerTargets = ({ ingress }: LoadBalancer = {}) =>
  (ingress ?? []).flatMap(({ ip = '', hostname = '' }) => [ip, hostname]).filter((target) => target !== '');

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

/** ExternalDNS ignores all hosts of an Ingress if this annotation has another value. */
function invalidHostnameSource(source: string | undefined): string | undefined {
  const word = lowerCase(source);
  if (word === undefined || word === 'defined-hosts-only' || word === 'annotation-only') return undefined;
  return 'its annotation ingress-hostname-source is neither defined-hosts-only nor annotation-only: correct it, or remove it';
}

/** An Ingress without a class matches none, not even the class that is the default of the cluster. */
function classMismatch({ metadata, spec }: Ingress, names: string[] = []): string | undefined {
  if (names.length === 0) return undefined;
  const name = spec?.ingressClassName || valueAt(metadata.annotations ?? {}, 'kubernetes.io/ingress.class');
  if (name !== undefined && names.includes(name)) return undefined;
  const actual = name ? shortList([name]) : 'none';
  return `${fieldOf({ kind: 'Ingress' }, 'ingressClassNames')} selects only ${shortList(names)}, and it has ${actual}: give it one of these, or change that field`;
}
