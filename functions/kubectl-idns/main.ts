/**
 * `kubectl idns`: explains names and zones of an InternalDNS, with the rights of the user's own kubectl.
 * https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
 */
import { printable } from '../contract/printable.ts';
import { importFile } from '../import/import-file.ts';
import { ImportError } from '../import/zone.ts';
import { readListing } from './agent.ts';
import { type Arguments, parseArguments, usage } from './arguments.ts';
import { connect } from './connect.ts';
import { readInternalDNS } from './instance.ts';
import { Kubectl } from './kubectl.ts';
import { letGo } from './let-go.ts';
import { machines } from './machines/machines.ts';
import { names } from './names.ts';
import { jsonText, type Output } from './output.ts';
import { parseHost, why } from './why.ts';
import { zones } from './zones.ts';

const print = (lines: readonly string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));
const note = (lines: readonly string[]) => process.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''));

async function run(args: string[]): Promise<number> {
  const parsed = parseArguments(args);
  const { command, operands, values } = parsed;
  switch (command) {
    case 'help':
      process.stdout.write(usage);
      return 0;
    case 'version':
      print([process.env.VERSION ?? 'development']);
      return 0;
    case 'import':
    case 'machines': {
      const { yaml, notes } = await (command === 'import' ? importFile(...operands) : machines(...operands));
      note(notes);
      process.stdout.write(yaml);
      return 0;
    }
  }
  const { lines, json, notes = [], code = 0 } = await ofCluster(parsed);
  if (values.output === 'json') print([jsonText(json)]);
  else {
    print(lines);
    note(notes);
  }
  return code;
}

async function ofCluster({ command, operands, values }: Arguments): Promise<Output> {
  const kubectl = new Kubectl(values);
  const { namespace } = values;
  // Before kubectl runs: it may take a while.
  const host = command === 'why' ? parseHost(operands[0]) : undefined;
  const instance = await readInternalDNS(kubectl, values.instance);
  if (command === 'zones') return zones(instance);
  if (command === 'connect') return connect({ kubectl, instance, namespace, program: operands[0], way: values.way });
  const at = new Date();
  const listing = await readListing(kubectl, instance, { namespace, ...(host !== undefined && { host }) });
  const notes = listing.pods > 1 ? [`as ${listing.pod} sees it, one of ${listing.pods} pods`] : [];
  if (host !== undefined) return { ...why(host, listing), notes };
  if (command === 'let-go') return { ...(await letGo({ kubectl, instance, listing, at, yes: values.yes })), notes };
  return { ...names(listing, { problems: values.problems ?? false }), notes };
}

// The reader of a pipe may need no more, such as head.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    const lines = error instanceof ImportError ? error.lines : [error.message];
    note(lines);
    process.exitCode = 1;
  },
);
