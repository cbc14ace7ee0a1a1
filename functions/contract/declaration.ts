import { createHash } from 'node:crypto';
import * as z from 'zod';
import { soa } from '../dns/rdata/soa.ts';
import { record, ttl } from '../dns/record.ts';
import { labelSelector } from './label-selector.ts';

/** The key of a ConfigMap that holds a zone file. */
const zoneFile = z.object({ configMap: z.string(), key: z.string() });

export type ZoneFileRef = z.infer<typeof zoneFile>;

const signing = z.object({
  mode: z.enum(['Signed', 'Unsigning']),
  algorithm: z.enum(['ECDSA256', 'ECDSA384', 'ED25519']),
  nsec3: z.boolean(),
  /** The DS records that the zone was published with so far. */
  ds: z.array(z.string()),
});

const zone = z.object({
  name: z.string(),
  /** Names of the zone's servers; none means `ns1` below the zone. */
  nameServers: z.array(z.string()),
  soa: soa.optional(),
  /** Seconds. */
  defaultTTL: ttl.optional(),
  records: z.array(record).optional(),
  recordsFrom: z.array(zoneFile).optional(),
  /** Absent when the zone is not signed. */
  dnssec: signing.optional(),
});

const source = z.object({
  kind: z.string(),
  /** Of Ingresses; none means every class. */
  ingressClassNames: z.array(z.string()).optional(),
  /** Of Ingresses: the parts of the spec that name no host. */
  ignoredParts: z.array(z.enum(['rules', 'tls'])).optional(),
  /** Of Services. */
  serviceTypes: z.array(z.string()).optional(),
  /** Of Services: whether the name of a load balancer is resolved, and its addresses are published. */
  resolvesHostnames: z.boolean().optional(),
  /** Of routes: the Gateways that count. */
  gatewayName: z.string().optional(),
  gatewayNamespace: z.string().optional(),
  /** As kubectl's `-l` takes it. */
  gatewayLabels: z.string().optional(),
  /** What the cluster has to serve beyond Kubernetes' own kinds: `plural.version.group`. */
  resources: z.array(z.string()).optional(),
});

export type DeclaredSource = z.infer<typeof source>;

/** The types that objects may ask for. Never LUA: it is code that runs on the server. */
export const discoverable = ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'] as const;

/** Names that answer for hosts beside them, and so for those of other namespaces. */
export const acrossNamespaces = ['UnderscoreNames', 'Wildcards', 'Delegations'] as const;

export type AcrossNamespaces = (typeof acrossNamespaces)[number];

/**
 * So many hosts of one object count: as many names as a namespace has unless the spec says otherwise. Its annotations
 * may have 256 KiB, which is 36,000 hosts, and the state of each takes memory: a few such objects would end the agent.
 * https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/api/validation/objectmeta.go#L36
 */
export const mostHosts = 1000;

/**
 * So many targets of one host count: each host of an object has all of them, so that the bounds of both together do not
 * bound their product.
 */
export const mostTargets = 64;

const names = z.array(z.string());

const discovery = z.object({
  ownerID: z.string(),
  intervalSeconds: z.number().positive(),
  /** Whether the addresses that are published get PTR records. */
  reverse: z.boolean(),
  sources: z.array(source),
  /** None means all, with one ExternalDNS; else each has its own. */
  namespaces: names,
  /** Of labels. */
  selector: labelSelector.optional(),
  annotationSelector: labelSelector.optional(),
  /** Ends in a slash. None means both of ExternalDNS's own. */
  annotationPrefix: z.string().optional(),
  /** Whether an annotation may name a host. */
  hostnames: z.enum(['Spec', 'SpecAndAnnotations']),
  policy: z.enum(['Sync', 'UpsertOnly', 'CreateOnly', 'Preview']),
  recordTypes: z.array(z.string()),
  excludedDomains: names,
  targets: z.object({
    /** For objects whose controller writes no address. */
    default: names,
    /** Instead of every address and name that an object has. */
    override: names,
    /** CIDRs: only addresses within are published. Empty means all. */
    networks: names,
    excludedNetworks: names,
  }),
  /** Seconds; for wishes without one, before the zone's. */
  defaultTTL: ttl.optional(),
  /** Seconds; none is published with less. */
  minimumTTL: ttl.optional(),
  deleteGuard: z.object({
    /** Of an owner's names; 100 disables the guard. */
    percent: z.number(),
    holdSeconds: z.number(),
    /** RFC 3339. Names held before this time are released. */
    letGo: z.string().optional(),
  }),
  sharedHosts: z.enum(['FirstWins', 'SameNamespace', 'Merge', 'Refuse']),
  tenants: z.array(z.object({ namespaceSelector: labelSelector, names: z.array(z.string()) })),
  /** Patterns of names that no object may take. */
  reservedNames: names,
  /** What of these an object may take beside hosts of other namespaces. */
  allowAcrossNamespaces: z.array(z.enum(acrossNamespaces)),
  maxNamesPerNamespace: z.number(),
  /** ExternalDNS's TXT records beside each record, for a move to its own registry. */
  ownershipTXT: z.object({ prefix: z.string(), wildcardReplacement: z.string() }).optional(),
});

export type DeclaredDiscovery = z.infer<typeof discovery>;

/**
 * What one InternalDNS declares, as the function writes it and the agent reads it. It has no defaults: those are in the
 * XRD alone, and the function writes every field out. Names are lower case and without the trailing dot, as in the
 * composite; records are as the user wrote them, with the placeholders filled in.
 */
export const declaration = z.object({
  /** Of the InternalDNS, for those who are told. */
  name: z.string(),
  replicas: z.int(),
  zones: z.array(zone),
  /** Where clients reach the DNS Service: IPv4 and IPv6 addresses of the zones' own name servers. */
  addresses: z.array(z.string()),
  /** Where the pods of the cluster reach the DNS Service, on port 53: its cluster IPs. */
  service: names,
  /** Kinds that are composed only where the cluster serves them: `plural.version.group`. */
  optional: names,
  /** Absent when nothing is to be discovered. */
  discovery: discovery.optional(),
  /** The size that the pod's claim should have, as a Kubernetes quantity. */
  storage: z.object({ size: z.string() }),
});

export type Declaration = z.infer<typeof declaration>;
export type DeclaredZone = Declaration['zones'][number];

/** On the InternalDNS: what the delete guard held before this time is let go. */
export const letGoAnnotation = 'dns.internal/let-go';

/** What to type for it. */
export const letGoCommand = (composite: string) =>
  `kubectl annotate internaldns ${composite} --overwrite ${letGoAnnotation}=$(date -u +%FT%TZ)`;

/** The key of the ConfigMap that holds a declaration. */
export const declarationKey = 'declaration.json';

/** Identifies a declaration by its text, so that a report can say which one it speaks of. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
