import { parseArgs } from 'node:util';
import { Failure } from './failure.ts';

export const usage = `Usage: kubectl idns COMMAND [flags]

  why HOST          why a host resolves or not; exits with 1 if it does not
  names             all names that objects request; --problems: those that should resolve and do not
  zones             the zones, and what their parents need
  connect [PROGRAM] what to paste where, so that resolvers and clients ask this server; --way NAME: through that Service
  import FILE ZONE  print a zone file (- is standard input) as an item of spec.zones
  machines FORMAT   print a list of hosts on standard input, csv or dnsmasq, as Machines
  let-go            delete what the delete guard holds, after a question; --yes: without it

Flags:
  --instance NAME   the InternalDNS, if there are several
  -n, --namespace   the namespace of its pods, if not that of the InternalDNS
  --context, --kubeconfig   as in kubectl
  -o json           for programs
  --version
`;

const options = {
  instance: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  context: { type: 'string' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o' },
  problems: { type: 'boolean' },
  way: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Flag = keyof typeof options;

const ofCluster: readonly Flag[] = ['instance', 'namespace', 'context', 'kubeconfig', 'output'];
const commands = {
  why: { flags: ofCluster, operands: 1 },
  names: { flags: [...ofCluster, 'problems'], operands: 0 },
  zones: { flags: ofCluster, operands: 0 },
  connect: { flags: [...ofCluster, 'way'], operands: 1 },
  import: { flags: [], operands: 2 },
  machines: { flags: [], operands: 1 },
  'let-go': { flags: [...ofCluster, 'yes'], operands: 0 },
} as const satisfies Record<string, { flags: readonly Flag[]; operands: number }>;

export type Command = keyof typeof commands;
export type Arguments = ReturnType<typeof parseArguments>;

const isCommand = (text: string): text is Command => Object.hasOwn(commands, text);
const seeHelp = 'see kubectl idns --help';

/** Parses the arguments. `command` is `help` or `version` if one of these flags is given. */
export function parseArguments(args: string[]) {
  const { values, positionals } = parsed(args);
  const [command, ...operands] = positionals;
  if (values.version) return { command: 'version' as const, operands, values };
  if (values.help || command === 'help') return { command: 'help' as const, operands, values };
  if (command === undefined) throw new Failure(`cannot run kubectl idns: no command: ${seeHelp}`);
  if (!isCommand(command)) throw new Failure(`cannot run kubectl idns: unknown command ${command}: ${seeHelp}`);
  const { flags, operands: most } = commands[command];
  const refused = (Object.keys(values) as Flag[]).find((flag) => !(flags as readonly Flag[]).includes(flag));
  const fail = (cause: string) => new Failure(`cannot run kubectl idns ${command}: ${cause}: ${seeHelp}`);
  if (refused) throw fail(`it has no flag --${refused}`);
  if (operands.length > most) throw fail(`unexpected ${operands[most]}`);
  const { output, instance, namespace } = values;
  if (output !== undefined && output !== 'json') throw fail(`unknown output ${output}, use -o json`);
  checkName('--instance', instance, 'internaldns');
  checkName('--namespace', namespace, 'namespaces');
  return { command, operands, values };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. ');
    throw new Failure(`cannot run kubectl idns: ${first.charAt(0).toLowerCase()}${first.slice(1)}: ${seeHelp}`);
  }
}

/** A name becomes an argument of kubectl, where one that begins with a hyphen would be a flag. */
function checkName(flag: string, name: string | undefined, kind: string): void {
  if (name !== undefined && !/^[a-z0-9][-a-z0-9]{0,62}$/.test(name))
    throw new Failure(`cannot use ${flag} ${name}: not a name in Kubernetes: kubectl get ${kind} shows them`);
}
