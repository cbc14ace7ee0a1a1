import * as z from 'zod';
import { soa } from '../dns/rdata/soa.ts';
import { record, ttl } from '../dns/record.ts';
import { shortDigest } from './digest.ts';
import { labelSelector } from './label-selector.ts';

/** The key of a ConfigMap that holds a zone file. */
const zoneFile = z.object({ configMap: z.string(), key: z.string() });

export type ZoneFileRef = z.infer<typeof zoneFile>;

const signing = z.object({
  mode: z.enum(['Signed', 'Unsigning']),
  algorithm: z.enum(['ECDSA256', 'ECDSA384', 'ED25519']),
  nsec3: z.boolean(),
  /** The DS records that the zone has been published with. */
  ds: z.array(z.string()),
});

const zone = z.object({
  name: z.string(),
  /** Names of the zone's servers. Empty means `ns1` below the zone. */
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
  /** Only for Ingresses. Absent means every class. */
  ingressClassNames: z.array(z.string()).optional(),
  /** Only for Ingresses: the parts of the spec whose hosts are ignored. */
  ignoredParts: z.array(z.enum(['rules', 'tls'])).optional(),
  /** Only for Services. */
  serviceTypes: z.array(z.string()).optional(),
  /** Only for Services: whether to resolve the hostname of a load balancer and publish its addresses. */
  resolvesHostnames: z.boolean().optional(),
  /** Only for routes: the Gateways to select. */
  gatewayName: z.string().optional(),
  gatewayNamespace: z.string().optional(),
  /** As kubectl's `-l` takes it. */
  gatewayLabels: z.string().optional(),
  /** Custom resources that the cluster must serve: `plural.version.group`. */
  resources: z.array(z.string()).optional(),
});

export type DeclaredSource = z.infer<typeof source>;

/** The types that objects can request. Never LUA: it is code that runs on the server. */
export const discoverable = ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'] as const;

/** Names that affect hosts next to them, and so those of other namespaces. */
export const acrossNamespaces = ['UnderscoreNames', 'Wildcards', 'Delegations'] as const;

export type AcrossNamespaces = (typeof acrossNamespaces)[number];

/**
 * The maximum number of hosts of an object, which is also the default of a namespace. Annotations can have 256 KiB, which
 * is 36,000 hosts, and the state of each takes memory: a few such objects would exhaust the agent's.
 * https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/api/validation/objectmeta.go#L36
 */
export const mostHosts = 1000;

/**
 * The maximum number of targets of a host: each host of an object has all of them, so the limit of hosts alone does not
 * limit the product.
 */
export const mostTargets = 64;

const names = z.array(z.string());

const discovery = z.object({
  ownerID: z.string(),
  intervalSeconds: z.number().positive(),
  /** Whether published addresses get PTR records. */
  reverse: z.boolean(),
  sources: z.array(source),
  /** Each has its own ExternalDNS. Empty means all namespaces, with one ExternalDNS. */
  namespaces: names,
  /** Of labels. */
  selector: labelSelector.optional(),
  annotationSelector: labelSelector.optional(),
  /** Ends in a slash. Absent means both prefixes of ExternalDNS. */
  annotationPrefix: z.string().optional(),
  /** Whether annotations can name hosts. */
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
  /** Seconds, for endpoints without a TTL. Takes precedence over the zone's. */
  defaultTTL: ttl.optional(),
  /** Seconds. Lower TTLs are raised to it. */
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
  /** Patterns of names that no object can have. */
  reservedNames: names,
  /** The ones of these that an object can have next to hosts of other namespaces. */
  allowAcrossNamespaces: z.array(z.enum(acrossNamespaces)),
  maxNamesPerNamespace: z.number(),
  /** ExternalDNS's TXT records for each record, for a migration to its own registry. */
  ownershipTXT: z.object({ prefix: z.string(), wildcardReplacement: z.string() }).optional(),
});

export type DeclaredDiscovery = z.infer<typeof discovery>;

/**
 * What one InternalDNS declares, as the function writes it and the agent reads it. It has no defaults: those are in the
 * XRD alone, and the function writes every field out. Names are lower case and without the trailing dot, as in the
 * composite; records are as the user wrote them, with the placeholders filled in.
 */
export const declaration = z.object({
  /** The name of the InternalDNS, for messages. */
  name: z.string(),
  replicas: z.int(),
  zones: z.array(zone),
  /** Where clients reach the DNS Service: IPv4 and IPv6 addresses of the zones' own name servers. */
  addresses: z.array(z.string()),
  /** The cluster IPs of the DNS Service, where pods reach it on port 53. */
  service: names,
  /** Kinds that are composed only if the cluster serves them: `plural.version.group`. */
  optional: names,
  /** Absent if nothing is discovered. */
  discovery: discovery.optional(),
  /** The desired size of each PersistentVolumeClaim, as a Kubernetes quantity. */
  storage: z.object({ size: z.string() }),
});

export type Declaration = z.infer<typeof declaration>;
export type DeclaredZone = Declaration['zones'][number];

/** Annotation of the InternalDNS: names that the delete guard has held since before this time are released. */
export const letGoAnnotation = 'dns.internal/let-go';

/** The command that releases all held names. */
export const letGoCommand = (composite: string) =>
  `kubectl annotate internaldns ${composite} --overwrite ${letGoAnnotation}=$(date -u +%FT%TZ)`;

/** The key of the ConfigMap that holds a declaration. */
export const declarationKey = 'declaration.json';

/** Identifies a declaration by its text: a report carries the hash of the one it is on. */
export const hashOf = (text: string): string => shortDigest(text);
