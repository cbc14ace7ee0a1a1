import { parseArgs } from 'node:util';

/** The composition function sets every name and port on the command line: the agent has no defaults. */
const flags = {
  /** File with the declaration: read at the start, and watched when there is no cluster. */
  declaration: { type: 'string' },
  'powerdns-api': { type: 'string' },
  'powerdns-key': { type: 'string' },
  /** HOST:PORT at which PowerDNS answers DNS queries. */
  dns: { type: 'string' },
  /** HOST:PORT to listen on. */
  webhook: { type: 'string' },
  http: { type: 'string' },
  /** A port of kubelet's own, where other clients cannot use up its connections. */
  probes: { type: 'string' },
  /** All or none of the flags for a cluster: without them, reports are logged. */
  'declared-config-map': { type: 'string' },
  'status-config-map': { type: 'string' },
  pod: { type: 'string' },
  namespace: { type: 'string' },
  claim: { type: 'string' },
  /** Addresses of the pod's node, with commas between them; empty where they are not known. */
  'host-ips': { type: 'string' },
  /** Secret with the DNSSEC keys. */
  'keys-secret': { type: 'string' },
  /** ConfigMap with the record mirror, which outlives the database. */
  'kept-config-map': { type: 'string' },
  /** ConfigMap with what was written into the split DNS of a tailnet. */
  'tailnet-config-map': { type: 'string' },
  /** Folder with zone files at CONFIGMAP/KEY, when there is no cluster. */
  'zone-files': { type: 'string' },
  /** Memory limit of the container in bytes; detected if absent. */
  'memory-limit': { type: 'string' },
} as const;

const requiredFlags = ['declaration', 'powerdns-api', 'powerdns-key', 'dns', 'webhook', 'http'] as const;
export const requiredInCluster = [
  'declared-config-map',
  'status-config-map',
  'pod',
  'namespace',
  'claim',
  'keys-secret',
  'kept-config-map',
  'tailnet-config-map',
] as const;

type Values<K extends string> = Record<K, string>;
export type Options = Values<(typeof requiredFlags)[number]> & {
  cluster: Values<(typeof requiredInCluster)[number]> | undefined;
  'zone-files': string | undefined;
  probes: string | undefined;
  'memory-limit': number | undefined;
  'host-ips': string[];
};

export function parseOptions(argv: string[]): Options {
  const { values } = parseArgs({ args: argv, options: flags, strict: true });
  const require = <K extends keyof typeof flags>(names: readonly K[]): Values<K> => {
    const missing = names.filter((name) => values[name] === undefined);
    if (missing.length > 0) throw new Error(`missing ${missing.map((name) => `--${name}`).join(', ')}`);
    return Object.fromEntries(names.map((name) => [name, values[name]])) as Values<K>;
  };
  const inCluster = requiredInCluster.some((name) => values[name] !== undefined);
  const { probes, 'zone-files': zoneFiles, 'memory-limit': memoryLimit } = values;
  if (memoryLimit !== undefined && !(Number(memoryLimit) > 0))
    throw new Error(`invalid --memory-limit ${memoryLimit}: use a number of bytes`);
  return {
    ...require(requiredFlags),
    probes,
    'zone-files': zoneFiles,
    'memory-limit': memoryLimit === undefined ? undefined : Number(memoryLimit),
    'host-ips': (values['host-ips'] ?? '').split(',').filter((address) => address !== ''),
    cluster: inCluster ? require(requiredInCluster) : undefined,
  };
}

/** `HOST:PORT`, or `:PORT` for every address of the machine. */
export function listenAddress(text: string): { host?: string; port: number } {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port)) throw new Error(`invalid address ${text}: use HOST:PORT`);
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return host === '' ? { port } : { host, port };
}
