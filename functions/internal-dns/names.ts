/** The ports of the pod. PowerDNS's API and the webhook listen on the loopback address only. */
export const ports = {
  dns: 5353,
  powerdnsAPI: 8081,
  webhook: 8888,
  agent: 8080,
  probes: 8082,
  externalDNS: 7979,
} as const;

/** The ports of the resolver's pods. Agents have one of their own, so that they may always ask. */
export const resolverPorts = { dns: 5353, agents: 5354, dot: 8853, doh: 8443, metrics: 8083 } as const;

/** The Service's port: the only one that resolvers query (RFC 1035 section 4.2). */
export const dnsPort = 53;

/** Paths inside the pod. */
export const paths = {
  /** The volume. */
  database: '/var/lib/powerdns',
  /** PowerDNS's configuration, mounted from its ConfigMap. */
  powerdns: '/etc/internal-dns/powerdns',
  /** The declaration as it was when the pod started. */
  declared: '/etc/internal-dns/declared',
  /** The API key's file, in memory. */
  key: '/run/internal-dns',
  /** PowerDNS's control socket. */
  socket: '/var/run/pdns',
  /** dnsdist's configuration, mounted from its ConfigMap. */
  dnsdist: '/etc/internal-dns/dnsdist',
  /** A folder for each certificate of the resolver. */
  certificates: '/etc/internal-dns/certificates',
  /** What the resolver's pod knows of its own state. */
  resolver: '/run/internal-dns',
} as const;

/** The volume of the database. If it is a claim, that of a pod is `data-<pod>`. */
export const dataVolume = 'data';

export const claimOf = (pod: string) => `${dataVolume}-${pod}`;

/**
 * The names of the objects of an InternalDNS. Never change them: forced apply would take over any object with a new
 * name.
 */
export interface Names {
  composite: string;
  /** StatefulSet, ServiceAccount, Role and DNS Service. */
  server: string;
  /** ConfigMap and Service of the agents' reports. */
  status: string;
  declared: string;
  powerdns: string;
  /** Secret of the DNSSEC keys. */
  dnssec: string;
  /** ConfigMap of the records that exist nowhere else. */
  kept: string;
  /** ConfigMap of what was written into the split DNS of a tailnet. */
  tailnet: string;
  /** Every object of the resolver, and the Service through which agents ask it. */
  resolver: string;
  pods: string[];
  /** An additional DNS Service. */
  service(name: string): string;
  /** A cluster-scoped object of this instance. */
  cluster(part: string): string;
}

export function namesOf(composite: string, replicas: number): Names {
  const server = `idns-${composite}`;
  return {
    composite,
    server,
    status: `${server}-status`,
    declared: `${server}-declared`,
    powerdns: `${server}-powerdns`,
    dnssec: `${server}-dnssec`,
    kept: `${server}-kept`,
    tailnet: `${server}-tailnet`,
    resolver: `${server}-resolver`,
    pods: Array.from({ length: replicas }, (_, ordinal) => `${server}-${ordinal}`),
    service: (name) => `${server}-${name}`,
    cluster: (part) => `internal-dns:${composite}:${part}`,
  };
}

/** A static ClusterRole of the sources (configuration/sources.yaml). */
export const sourceRole = (role: string) => `internal-dns:source:${role}`;

/** The static ClusterRole for the agent's Events on objects (configuration/events.yaml). */
export const eventsRole = 'internal-dns:events';

/** Labels that select an instance's pods. Immutable in a StatefulSet: never change them. */
export const selectorLabels = (composite: string) => ({
  'app.kubernetes.io/name': 'internal-dns',
  'app.kubernetes.io/instance': composite,
});

/** Labels that select the pods of an instance's resolver, and of no server. Immutable in a Deployment: never change them. */
export const resolverLabels = (composite: string) => ({
  'app.kubernetes.io/name': resolverName,
  'app.kubernetes.io/instance': composite,
});

/** The name, in its label, of every instance's resolver. */
export const resolverName = 'internal-dns-resolver';
