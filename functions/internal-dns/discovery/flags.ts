/** Flags of ExternalDNS v0.23 that `discovery.extraArgs` may have: they change what its sources see and nothing else. */

interface Flag {
  /** What its value looks like; a flag without has none. */
  value?: RegExp;
  repeats?: boolean;
}

const on: Flag = {};
const text: Flag = { value: /^.+$/ };
const template: Flag = { value: /^.+$/, repeats: true };
const count: Flag = { value: /^[1-9][0-9]{0,4}$/ };

const allowed: Readonly<Record<string, Flag>> = {
  'always-publish-not-ready-addresses': on,
  'combine-fqdn-annotation': on,
  'exclude-unschedulable': on,
  'expose-internal-ipv6': on,
  'fqdn-target-template': template,
  'fqdn-template': template,
  'gateway-listener-sets': on,
  'ignore-ingress-rules-spec': on,
  'ignore-ingress-tls-spec': on,
  'ignore-non-host-network-pods': on,
  'kube-api-burst': count,
  'kube-api-qps': count,
  'kube-api-request-timeout': { value: /^[1-9][0-9]{0,3}(ms|s|m)$/ },
  'log-level': { value: /^(panic|fatal|error|warning|info|debug)$/ },
  'nat64-networks': { value: /^[0-9a-f:]+\/96$/i, repeats: true },
  'openshift-router-name': text,
  'pod-source-domain': text,
  'publish-host-ip': on,
  'resolve-service-load-balancer-hostname': on,
  'target-template': template,
};

export const allowedFlags = Object.keys(allowed);

const cache = 'leave it out: the agent answers from memory, and a cache only makes names late';
const registry = 'the agent keeps the registry: use discovery.ownerID and discovery.ownershipTXT';
const webhook = 'leave it out: the agent is the provider';

/** What to use instead of flags that would break the agreement with the agent; a name ending in * is a prefix. */
const instead: Readonly<Record<string, string>> = {
  'annotation-filter': 'use discovery.annotationSelector',
  'annotation-prefix': 'use discovery.annotationPrefix',
  'batch-change-*': 'leave it out: the agent writes one batch for each zone',
  compatibility: 'use the annotations of ExternalDNS',
  'create-ptr': 'use discovery.reverse: Publish',
  'crd-source-*': 'use kind: DNSEndpoint or Unstructured in discovery.sources',
  'crd-registry-*': registry,
  'default-targets': 'use discovery.targets.default',
  'domain-filter': 'the zones are the filter: use zones and discovery.excludedDomains',
  'dry-run': 'use discovery.policy: Preview',
  'dynamodb-*': registry,
  'enable-legacy-annotation-prefix': 'it is set unless discovery.annotationPrefix is',
  events: 'use discovery.interval: with events ExternalDNS answers later than at the default interval',
  'events-emit': 'see DiscoveryReady and the metrics of the agent',
  'exclude-domains': 'use discovery.excludedDomains',
  'exclude-record-types': 'use discovery.recordTypes',
  'exclude-target-net': 'use discovery.targets.excludedNetworks',
  'force-default-targets': 'use discovery.targets.override',
  'gateway-label-filter': 'use gatewayLabels of the source',
  'gateway-name': 'use gatewayName of the source',
  'gateway-namespace': 'use gatewayNamespace of the source',
  'ignore-hostname-annotation': 'use discovery.hostnames: Spec',
  'ingress-class': 'use ingressClassNames of the source',
  interval: 'use discovery.interval',
  'label-filter': 'use discovery.selector',
  'listen-endpoint-events': 'use discovery.interval',
  'log-format': 'it is json: use --log-level for how much is logged',
  'managed-record-types': 'use discovery.recordTypes',
  'metrics-address': 'leave it out: the probes need it as it is',
  'migrate-from-txt-owner': registry,
  'min-event-sync-interval': 'use discovery.interval',
  'min-ttl': 'use discovery.defaultTTL, or discovery.minimumTTL for a floor',
  namespace: 'use discovery.namespaces',
  once: 'leave it out: ExternalDNS has to go on',
  'pdns-*': webhook,
  policy: 'use discovery.policy',
  'prefer-alias': 'declare a record of type ALIAS in zones',
  provider: webhook,
  'provider-cache-time': cache,
  'publish-internal-services': 'use serviceTypes with ClusterIP of the source',
  'regex-domain-exclusion': 'use discovery.excludedDomains',
  'regex-domain-filter': 'the zones are the filter: use zones and discovery.excludedDomains',
  registry,
  'request-timeout': 'use --kube-api-request-timeout',
  'service-type-filter': 'use serviceTypes of the source',
  source: 'use discovery.sources',
  'target-net-filter': 'use discovery.targets.networks',
  'traefik-*': 'only the resources of Traefik 3 are read: use kind: TraefikProxy in discovery.sources',
  'txt-cache-interval': cache,
  'txt-*': registry,
  'unstructured-resource': 'use kind: Unstructured with resources in discovery.sources',
  'webhook-*': webhook,
  'zone-*': 'the zones are the filter: use zones',
};

const generalRule =
  'extraArgs takes only flags that change what the sources of ExternalDNS see, as --flag or --flag=value: ';

/** What the API server says of any other flag; the function says more. */
export const flagRule = {
  rule: `self.matches('^--(no-)?(${allowedFlags.join('|')})(=.*)?$')`,
  message: `${generalRule}${allowedFlags.map((flag) => `--${flag}`).join(', ')}`,
};

/** What is wrong with an argument; undefined when nothing is. */
export function argumentFault(argument: string): string | undefined {
  const [, negation, name, value] = /^--(no-)?([a-z0-9-]+)(?:=(.*))?$/s.exec(argument) ?? [];
  if (!name) return `not a flag: ${JSON.stringify(argument.slice(0, 40))} (such as --log-level=debug)`;
  const flag = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  if (!flag) return `--${name} is not allowed: ${insteadOf(name) ?? flagRule.message}`;
  if (!flag.value && value !== undefined) return `--${name} has no value: write --${name} or --no-${name}`;
  if (flag.value && negation) return `--${name} needs a value: write --${name}=VALUE`;
  if (!flag.value || flag.value.test(value ?? '')) return undefined;
  return value
    ? `not a value of --${name}: ${JSON.stringify(value.slice(0, 80))}`
    : `--${name} needs a value: write --${name}=VALUE`;
}

const insteadOf = (name: string): string | undefined =>
  Object.entries(instead).find(([flag]) =>
    flag.endsWith('*') ? name.startsWith(flag.slice(0, -1)) : name === flag,
  )?.[1];

/** The flags that are given twice and may be given once. */
export function repeatedIn(args: readonly string[]): string[] {
  const names = args.map(flagOf);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].filter(
    (name) => !allowed[name]?.repeats,
  );
}

/** The name of an argument's flag, without `no-`. */
export const flagOf = (argument: string): string => argument.replace(/^--(no-)?/, '').replace(/=.*$/s, '');

/** Those of our own arguments that the user has not replaced. */
export const unless = (args: readonly string[], own: readonly string[]): string[] =>
  own.filter((argument) => !args.some((each) => flagOf(each) === flagOf(argument)));
