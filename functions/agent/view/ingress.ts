import type { DeclaredSource } from '../declaration.ts';
import type { Claim } from '../discovery/claim.ts';
import {
  annotationsOf,
  givenTargets,
  isForeign,
  isRead,
  listIn,
  lowerCase,
  type Reading,
  valueAt,
} from './annotation.ts';
import { claimOf, hostsOf, type List, type Metadata, targetsOf } from './metadata.ts';
import { ttlIn } from './ttl.ts';

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
export function ingressClaim(
  ingress: Ingress,
  reading: Reading,
  { ingressClassNames }: Pick<DeclaredSource, 'ingressClassNames'> = {},
): Claim | undefined {
  const { metadata, spec = {}, status } = ingress;
  const annotations = annotationsOf(metadata, reading);
  if (isForeign(annotations) || !isRead(metadata, reading) || !isOfClass(ingress, ingressClassNames)) return undefined;
  const defined = [
    ...(spec.rules ?? []).map(({ host = '' }) => host),
    ...(spec.tls ?? []).flatMap(({ hosts }) => hosts ?? []),
  ];
  const annotated = reading.hostnames === 'Spec' ? [] : listIn(annotations('hostname'));
  const hosts = hostsFrom(annotations('ingress-hostname-source'), defined, annotated);
  const given = givenTargets(annotations);
  const targets = given.length > 0 ? given : loadBalancerTargets(status?.loadBalancer);
  return claimOf('ingress', metadata, hostsOf(hosts), targetsOf(targets), ttlIn(annotations('ttl')));
}

/** Both the address and the name of each entry, should it have both. */
export const loadBalancerTargets = ({ ingress }: LoadBalancer = {}) =>
  (ingress ?? []).flatMap(({ ip, hostname }) => [ip, hostname]).filter((target) => target !== undefined);

/** An annotation that says neither names no host at all. */
function hostsFrom(source: string | undefined, defined: string[], annotated: string[]): string[] {
  switch (lowerCase(source)) {
    case undefined:
      return [...defined, ...annotated];
    case 'defined-hosts-only':
      return defined;
    case 'annotation-only':
      return annotated;
    default:
      return [];
  }
}

/** Which class an Ingress without one would get from its controller is not asked. */
function isOfClass({ metadata, spec }: Ingress, names: string[] = []): boolean {
  if (names.length === 0) return true;
  const name = spec?.ingressClassName || valueAt(metadata.annotations ?? {}, 'kubernetes.io/ingress.class');
  return name !== undefined && names.includes(name);
}
