import { parseArgs } from 'node:util';
import { type Address, parseAddress } from './address.ts';
import type { Flags, FlagValues } from './composition.ts';

const ADDRESS = '[::]:9443';
const METRICS_ADDRESS = '[::]:8080';
const CERTIFICATES = 'TLS_SERVER_CERTS_DIR';

const HELP = `Serves a Crossplane composition function.

  --address HOST:PORT           where to serve gRPC (default ${ADDRESS})
  --tls-server-certs-dir DIR    tls.crt, tls.key and ca.crt (default $${CERTIFICATES})
  --insecure                    plain text for anybody instead of mutual TLS, for local rendering
  --metrics-address HOST:PORT   where to serve /healthz and /metrics (default ${METRICS_ADDRESS}; none with --insecure)
  --help                        print this and exit
`;

/** How to serve. */
export interface Arguments {
  help: boolean;
  address: Address;
  /** Undefined means plain text. */
  certificates: string | undefined;
  /** Undefined means no such server. */
  metricsAddress: Address | undefined;
  /** The composition's own flags, as far as they are set. */
  flags: FlagValues;
}

/** What `--help` prints. */
export function helpOn(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, { value, help }]) => {
    const flag = `  --${name}${value === undefined ? '' : ` ${value}`}`;
    return `${flag.padEnd(31)} ${help}\n`;
  });
  return [HELP, ...lines].join('');
}

/** Reads the command line. Throws when it makes no sense, or names neither certificates nor `--insecure`. */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv, flags: Flags = {}): Arguments {
  const values = parse(argv, flags);
  const { help = false, insecure = false, address = ADDRESS } = values;
  const own = Object.entries<string | boolean | undefined>(values).filter(([name]) => Object.hasOwn(flags, name));
  const directory = values['tls-server-certs-dir'] ?? env[CERTIFICATES];
  if (!help && !insecure && !directory) {
    throw new Error(`cannot serve without certificates: set --tls-server-certs-dir, $${CERTIFICATES} or --insecure`);
  }
  const metricsAddress = values['metrics-address'] ?? (insecure ? undefined : METRICS_ADDRESS);
  return {
    help,
    address: parseAddress(address),
    certificates: insecure ? undefined : directory,
    metricsAddress: metricsAddress === undefined ? undefined : parseAddress(metricsAddress),
    flags: Object.fromEntries(own),
  };
}

function parse(argv: readonly string[], flags: Flags) {
  try {
    const string = { type: 'string' } as const;
    const boolean = { type: 'boolean' } as const;
    const options = {
      ...flags,
      address: string,
      'tls-server-certs-dir': string,
      insecure: boolean,
      'metrics-address': string,
      help: boolean,
    };
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    // Node adds advice on positional arguments after the first sentence.
    const [reason] = (error as Error).message.split('. ');
    throw new Error(`cannot read the arguments: ${reason} (see --help)`, { cause: error });
  }
}
