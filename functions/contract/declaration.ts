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

type DeclaredSigning = z.infer<typeof signing>;

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
  /** Whether the agent may publish what objects ask for before ExternalDNS does. */
  isAnticipated: z.literal(true).optional(),
});

export type DeclaredSource = z.infer<typeof source>;

/** The types that objects can request. Never LUA: it is code that runs on the server. */
export const discoverable = ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'PTR'] as const;

/** Names that affect hosts next to them, and so those of other namespaces. */
export const acrossNamespaces = ['UnderscoreNames', 'Wildcards', 'Delegations'] as const;

export type AcrossNamespaces = (typeof acrossNamespaces)[number];

/** Whose claims can have the Machines of a tenant as members. */
export const claimants = ['SelectableByNamespace', 'SelectableByTenant', 'SelectableByAll'] as const;

/** The checks that the claims of a tenant can have. URL includes Port. */
export const tenantChecks = ['Port', 'URL'] as const;

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
    /** What becomes of host names outside the zones. */
    hostNames: z.enum(['Addresses', 'CNAME']),
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
  tenants: z.array(
    z.object({
      namespaceSelector: labelSelector,
      names,
      /** Absent without the kinds Machine, NameClaim and Zone. */
      machines: z
        .object({
          /** CIDRs of the addresses that Machines and claims can have, and Zones can check. Empty means any. */
          networks: names,
          selectableBy: z.enum(claimants),
          checks: z.enum(tenantChecks),
        })
        .optional(),
      /** Patterns of the zones that these namespaces can declare. Absent without the kind Zone. */
      zones: names.optional(),
    }),
  ),
  /** Patterns of names that no object can have. */
  reservedNames: names,
  /** The ones of these that an object can have next to hosts of other namespaces. */
  allowAcrossNamespaces: z.array(z.enum(acrossNamespaces)),
  maxNamesPerNamespace: z.number(),
  /** ExternalDNS's TXT records for each record, for a migration to its own registry. */
  ownershipTXT: z.object({ prefix: z.string(), wildcardReplacement: z.string() }).optional(),
});

export type DeclaredDiscovery = z.infer<typeof discovery>;

/** The split DNS of a tailnet. */
const splitDNS = z.object({
  /** The Service whose addresses in the tailnet the entries have. */
  service: z.string(),
  /** Instead of those of the Service. Empty means those. */
  addresses: names,
  /** The Secret with the OAuth client. */
  secret: z.string(),
  tailnet: z.string(),
  apiURL: z.string(),
});

/** The resolver in front of the servers. */
const resolver = z.object({
  /** The Service of its pods. */
  service: z.string(),
  /** Ports of its pods: the one at which agents ask, and that of its metrics. */
  ports: z.object({ agents: z.int(), metrics: z.int() }),
  /** Where its pods show a certificate, by the field of the spec that has it. */
  certificates: z.array(z.object({ field: z.enum(['doT', 'doH']), port: z.int() })),
  upstreams: z.array(
    z.object({
      /** In the metrics. */
      name: z.string(),
      /** With its port. */
      address: z.string(),
      /** Absent if it is asked for some zones only. */
      circle: z
        .object({
          /** A question for a name below goes to this upstream alone. */
          domain: z.string(),
          /** The TXT record that it gets if it comes back to the resolver. */
          answer: z.string(),
        })
        .optional(),
    }),
  ),
  /** The question that forwarding is tested with. Absent if only some zones are forwarded, or none. */
  check: z.object({ name: z.string(), type: z.enum(['A', 'AAAA', 'NS', 'SOA', 'TXT']) }).optional(),
  /** Whether the addresses of the pods' nodes are to be reported. */
  reportsNodes: z.literal(true).optional(),
});

export type DeclaredResolver = z.infer<typeof resolver>;

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
  /** Of the advertised Service: IPv4 and IPv6 addresses of the zones' own name servers. */
  addresses: z.array(z.string()),
  /** The same of each replica's own Service, by ordinal, empty until it has one. Absent if replicas have none. */
  replicaAddresses: z.array(names).optional(),
  /** The cluster IPs of the DNS Service, where pods reach it on port 53. */
  service: names,
  /** Those of the DNS Service. Absent means both. */
  protocols: z.array(z.enum(['UDP', 'TCP'])).optional(),
  resolver: resolver.optional(),
  /** Absent if nobody but people keeps it. */
  splitDNS: splitDNS.optional(),
  /** Whether clients outside the cluster come through tailnets only. */
  isTailnetOnly: z.literal(true).optional(),
  /** Kinds that are composed only if the cluster serves them: `plural.version.group`. */
  optional: names,
  /** Absent if nothing is discovered. */
  discovery: discovery.optional(),
  /** The desired size of each PersistentVolumeClaim, as a Kubernetes quantity. Absent if there are none. */
  storage: z.object({ size: z.string() }).optional(),
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

/**
 * Identifies a declaration by its text: a report carries the hash of the one it is on. Without the DS records, which say what
 * has been published and not what to serve: an agent that reported those of a new key would have to report again.
 */
export const hashOf = (text: string): string => shortDigest(JSON.stringify(JSON.parse(text, withoutDS)));

const withoutDS = (key: string, value: unknown) => (key === ('ds' satisfies keyof DeclaredSigning) ? undefined : value);
