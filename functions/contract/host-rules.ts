/** A host, and the type of the record that it is to have. */
export interface Host {
  labels: readonly string[];
  type: string;
}

/**
 * A rule for every host that is discovered. The ValidatingAdmissionPolicy applies `cel` at `kubectl apply`, the agent
 * `holds` to whatever reaches it. CEL lets more pass: it knows the kind of an object and not the types of its records.
 */
export interface HostRule {
  /** The CEL variable that lists the hosts that break it. */
  name: string;
  /** Whether `h`, a host with a dot before it, breaks the rule. Undefined where that needs the type. */
  cel: string | undefined;
  holds: (host: Host) => boolean;
  message: string;
}

/** CEL. Records other than addresses have names that no host has (RFC 2782, RFC 2317). */
export const isDNSEndpoint = 'request.resource.resource == "dnsendpoints"';

/** A label of a host (RFC 1123 section 2.1), which is also the form of most names in Kubernetes. */
export const hostLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

const otherwise = 'use another name, or declare it in spec.zones';

/** Labels that clients trust whoever owns them, as the first of a host: https://www.kb.cert.org/vuls/id/598349 */
const trustedLabels = {
  wpad: 'wpad would configure the proxies of browsers',
  isatap: 'isatap would be the router of every Windows machine',
};

export const trustedHosts = Object.keys(trustedLabels);

const hasUnderscores = ({ type }: Host) => type === 'SRV' || type === 'TXT';

/** The last one: what is wrong with a label is clear only after all else. */
export const labelRule: HostRule = {
  name: 'misspelt',
  // Names with letters beyond ASCII are left to the agent, which knows how to write them.
  cel: `(${isDNSEndpoint} ? !h.matches("^([.][*])?([.][-_/a-z0-9]+)+$") : !h.matches("^([.][*])?([.]${hostLabel})+$")) && !h.matches("[^\\\\x00-\\\\x7f]")`,
  holds: (host) => illegalLabel(host) === undefined,
  message: 'labels consist of letters, digits and inner hyphens, or of * as the first one (RFC 1123 section 2.1)',
};

/** In the order in which they are reported: the first that a host breaks. */
export const hostRules: readonly HostRule[] = [
  {
    name: 'long',
    cel: 'size(h) > 254',
    holds: ({ labels }) => labels.reduce((sum, { length }) => sum + 1 + length, 0) <= 254,
    message: 'longer than 253 characters (RFC 1035 section 2.3.4): use a shorter name',
  },
  {
    name: 'empty',
    cel: 'h.contains("..") || h.endsWith(".")',
    holds: ({ labels }) => labels.every((label) => label !== ''),
    message: 'has an empty label: write single dots, between labels',
  },
  {
    // ExternalDNS drops these without a log message.
    name: 'wide',
    cel: 'h.matches("[^.]{64}")',
    holds: ({ labels }) => labels.every(({ length }) => length <= 63),
    message: 'has a label of more than 63 characters (RFC 1035 section 2.3.4): shorten it',
  },
  {
    // Challenges such as _acme-challenge prove who owns a name: an annotation must not be enough to answer them.
    name: 'underscored',
    cel: `h.contains("._") && !(${isDNSEndpoint})`,
    holds: (host) => hasUnderscores(host) || !host.labels.some((label) => label.startsWith('_')),
    message: `a label that begins with an underscore is for TXT and SRV records only: ${otherwise}`,
  },
  {
    name: 'service',
    cel: undefined,
    holds: ({ labels: [service = '', proto = ''], type }) =>
      type !== 'SRV' || (/^_./.test(service) && /^_./.test(proto)),
    message: 'not _service._proto and a name, such as _sip._tcp.www (RFC 2782)',
  },
  ...Object.entries(trustedLabels).map(([name, harm]) => ({
    name,
    cel: `h.startsWith(".${name}.")`,
    holds: ({ labels: [first] }: Host) => first !== name,
    message: `${harm}: ${otherwise}`,
  })),
  labelRule,
];

const hostForm = new RegExp(`^${hostLabel}$`);
export const isHostLabel = (label: string) => hostForm.test(label);
const serviceForm = new RegExp(`^_?${hostLabel}$`);

/** The first label that is not of letters, digits and inner hyphens; `*` may be the first of all. */
export function illegalLabel(host: Host): string | undefined {
  const form = hasUnderscores(host) ? serviceForm : hostForm;
  return host.labels.find((label, index) => !(index === 0 && label === '*') && !form.test(label));
}

/** The message for a host that is one of the zones' own name servers. */
export const zoneServerMessage = "the name of a zone's own server";

/** The message for a host that the spec reserves. */
export const reservedNameMessage = 'reserved (discovery.reservedNames): use another host';

/**
 * A pattern of names, as in tenants and reservedNames: `www.corp.internal` is that name, `*.corp.internal` every name
 * below it including its wildcard, `[*].corp.internal` the wildcard alone.
 */
export function parsePattern(pattern: string): { name: string; isBelow: boolean } {
  const isBelow = pattern.startsWith('*.');
  return { name: isBelow ? pattern.slice(2) : pattern.replace(/^\[\*\]\./, '*.'), isBelow };
}
