import { parseArgs } from 'node:util';

/** Everything comes from the command line: the policy decides names and ports, the agent has no defaults of its own. */
const flags = {
  /** File with the declaration: read at the start, and watched where there is no cluster. */
  declaration: { type: 'string' },
  'powerdns-api': { type: 'string' },
  'powerdns-key': { type: 'string' },
  /** HOST:PORT of PowerDNS's DNS. */
  dns: { type: 'string' },
  /** HOST:PORT to listen on. */
  webhook: { type: 'string' },
  http: { type: 'string' },
  /** For kubelet: where nobody else can take its place. */
  probes: { type: 'string' },
  /** Without these there is no cluster: reports are logged. */
  'declared-config-map': { type: 'string' },
  'status-config-map': { type: 'string' },
  pod: { type: 'string' },
  namespace: { type: 'string' },
  claim: { type: 'string' },
  /** Secret with the keys of signed zones. */
  'keys-secret': { type: 'string' },
  /** ConfigMap of what exists nowhere else. */
  'kept-config-map': { type: 'string' },
  /** Folder with the zone files where there is no cluster: CONFIGMAP/KEY. */
  'zone-files': { type: 'string' },
  /** Bytes that the container may use; without it the process finds out for itself. */
  'memory-limit': { type: 'string' },
} as const;

const alwaysNeeded = ['declaration', 'powerdns-api', 'powerdns-key', 'dns', 'webhook', 'http'] as const;
/** The flags that make sense in a cluster only. */
export const clusterNeeds = [
  'declared-config-map',
  'status-config-map',
  'pod',
  'namespace',
  'claim',
  'keys-secret',
  'kept-config-map',
] as const;

type Values<K extends string> = Record<K, string>;
export type Options = Values<(typeof alwaysNeeded)[number]> & {
  cluster: Values<(typeof clusterNeeds)[number]> | undefined;
  'zone-files': string | undefined;
  probes: string | undefined;
  'memory-limit': number | undefined;
};

export function parseOptions(argv: string[]): Options {
  const { values } = parseArgs({ args: argv, options: flags, strict: true });
  const require = <K extends keyof typeof flags>(names: readonly K[]): Values<K> => {
    const missing = names.filter((name) => values[name] === undefined);
    if (missing.length > 0) throw new Error(`missing ${missing.map((name) => `--${name}`).join(', ')}`);
    return Object.fromEntries(names.map((name) => [name, values[name]])) as Values<K>;
  };
  const inCluster = clusterNeeds.some((name) => values[name] !== undefined);
  const { probes, 'zone-files': zoneFiles, 'memory-limit': memoryLimit } = values;
  if (memoryLimit !== undefined && !(Number(memoryLimit) > 0)) throw new Error(`not a number of bytes: ${memoryLimit}`);
  return {
    ...require(alwaysNeeded),
    probes,
    'zone-files': zoneFiles,
    'memory-limit': memoryLimit === undefined ? undefined : Number(memoryLimit),
    cluster: inCluster ? require(clusterNeeds) : undefined,
  };
}

/** `HOST:PORT`, or `:PORT` for every address of the machine. */
export function listenAddress(text: string): { host?: string; port: number } {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port)) throw new Error(`not HOST:PORT: ${text}`);
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return host === '' ? { port } : { host, port };
}
