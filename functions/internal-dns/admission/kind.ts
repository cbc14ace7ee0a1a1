/** The kinds of objects whose hosts can be read at apply time, with the CEL of Kubernetes 1.30. */
import {
  annotationPrefix as defaultPrefix,
  legacyAnnotationPrefix,
  type SourceResource,
  sourceResources,
} from '../../contract/source-kinds.ts';
import type { SpecSource } from '../discovery/source.ts';
import type { Spec } from '../spec.ts';

type Discovery = Spec['discovery'];

export interface Kind extends SourceResource {
  /** CEL: lists of texts, each of hosts separated by commas, with the flag of ExternalDNS that ignores them. */
  inSpec: { flag?: string; texts: (object: string) => string }[];
  /** Annotations that name hosts. */
  inAnnotations: string[];
  /** The annotation that excludes the hosts of the spec or of annotations. */
  sourceAnnotation?: string;
}

const route = (resource: SourceResource): Kind => ({
  ...resource,
  inSpec: [{ texts: (object) => `${object}.spec.?hostnames.orValue([])` }],
  inAnnotations: ['hostname'],
  sourceAnnotation: 'gateway-hostname-source',
});

const kinds: Readonly<Partial<Record<SpecSource['kind'], Kind>>> = {
  Ingress: {
    ...sourceResources.Ingress,
    inSpec: [
      {
        flag: '--ignore-ingress-rules-spec',
        texts: (object) => `${object}.spec.?rules.orValue([]).map(r, r.?host.orValue(""))`,
      },
      {
        flag: '--ignore-ingress-tls-spec',
        texts: (object) => `${object}.spec.?tls.orValue([]).map(t, t.?hosts.orValue([]).join(","))`,
      },
    ],
    inAnnotations: ['hostname'],
    sourceAnnotation: 'ingress-hostname-source',
  },
  Service: { ...sourceResources.Service, inSpec: [], inAnnotations: ['hostname', 'internal-hostname'] },
  HTTPRoute: route(sourceResources.HTTPRoute),
  GRPCRoute: route(sourceResources.GRPCRoute),
  TLSRoute: route(sourceResources.TLSRoute),
  DNSEndpoint: {
    ...sourceResources.DNSEndpoint,
    inSpec: [{ texts: (object) => `${object}.spec.?endpoints.orValue([]).map(e, e.?dnsName.orValue(""))` }],
    inAnnotations: [],
  },
};

/**
 * The sources whose objects are checked. CEL cannot see the Gateway of a route, so routes selected by its labels are
 * not.
 */
export function checkedSources({ sources, hostnames }: Discovery): { source: SpecSource; kind: Kind }[] {
  return sources.flatMap((source) => {
    const kind = kinds[source.kind];
    const hasHosts = kind && (kind.inSpec.length > 0 || hostnames !== 'Spec');
    const dependsOnGateway = Object.keys(source.gatewayLabels ?? {}).length > 0;
    return hasHosts && !dependsOnGateway ? [{ source, kind }] : [];
  });
}

/** CEL: a string or a list of strings. CEL has the escapes of JSON. */
export const literal = (value: string | readonly string[]): string => JSON.stringify(value);

/** CEL: whether the admitted object is of a kind. */
export const isOf = ({ plural }: SourceResource) => `request.resource.resource == ${literal(plural)}`;

/** CEL: the optional value of an annotation. */
export const annotation = (object: string, key: string) => `${object}.metadata.?annotations[?${literal(key)}]`;

/**
 * CEL: the optional value of an annotation of ExternalDNS. The new prefix takes precedence over the legacy one:
 * source/annotations/annotations.go in v0.23.
 */
export function ownAnnotation({ annotationPrefix }: Discovery, object: string, name: string): string {
  if (annotationPrefix) return annotation(object, annotationPrefix + name);
  return `${annotation(object, defaultPrefix + name)}.or(${annotation(object, legacyAnnotationPrefix + name)})`;
}
