import { buffer } from 'node:stream/consumers';
import * as z from 'zod';
import { issuePath } from '../../contract/issue-path.ts';
import { group, version } from '../../contract/kinds/group.ts';
import { machineSpec } from '../../contract/kinds/machine.ts';
import { objectName } from '../../contract/name-form.ts';
import { printable } from '../../contract/printable.ts';
import { labelsOf } from '../../contract/selector-schema.ts';
import { yamlOf } from '../../import/yaml.ts';
import { ImportError } from '../../import/zone.ts';
import { parseCSV } from './csv.ts';
import { parseDnsmasq } from './dnsmasq.ts';
import type { HostList, LineFault, ListedHost } from './list.ts';

const formats: Readonly<Record<string, (text: string) => HostList>> = { csv: parseCSV, dnsmasq: parseDnsmasq };

const fields = z.object({
  name: objectName('name', 'a Machine'),
  labels: labelsOf('labels').optional(),
  spec: machineSpec,
});

/** Converts the list on standard input to Machines in YAML. Throws an ImportError with each line that is no host. */
export async function machines(format = ''): Promise<{ yaml: string; notes: string[] }> {
  const parse = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (!parse) {
    const known = Object.keys(formats).join(' or ');
    throw new ImportError(
      `cannot read the list: FORMAT must be ${known}, such as kubectl idns machines csv < hosts.csv`,
    );
  }
  return machinesOf(parse(decoded(await buffer(process.stdin))), format);
}

/** Pure: the Machines of a list, one document each, in its order. */
export function machinesOf({ hosts, faults, skipped }: HostList, format: string): { yaml: string; notes: string[] } {
  const all = [...faults, ...hosts.flatMap(faultsOf), ...repeated(hosts)].sort((a, b) => a.line - b.line);
  const told = ({ line, message }: LineFault) => `line ${line}: ${printable(message).slice(0, 300)}`;
  if (all.length > 0) throw new ImportError(...all.map((fault) => `cannot read the ${format} list: ${told(fault)}`));
  return {
    yaml: hosts.map((host) => yamlOf(machineOf(host))).join('---\n'),
    notes: skipped.map((fault) => `left out ${told(fault)}`),
  };
}

/** Names of DNS and of Kubernetes are in lower case. */
const nameOf = ({ name }: ListedHost) => name.toLowerCase();

const machineOf = (host: ListedHost) => ({
  apiVersion: `${group}/${version}`,
  kind: 'Machine',
  metadata: { name: nameOf(host), ...(host.labels && { labels: host.labels }) },
  spec: host.spec,
});

const faultsOf = (host: ListedHost): LineFault[] =>
  (fields.safeParse({ ...host, name: nameOf(host) }).error?.issues ?? []).map(({ message, path }) => ({
    line: host.line,
    message: `${issuePath(path.filter((key) => key !== 'spec'))}: ${message}`,
  }));

function repeated(hosts: readonly ListedHost[]): LineFault[] {
  const first = new Map<string, number>();
  return hosts.flatMap((host) => {
    const earlier = first.get(nameOf(host));
    if (earlier === undefined) first.set(nameOf(host), host.line);
    return earlier === undefined ? [] : [{ line: host.line, message: `${nameOf(host)} is on line ${earlier} already` }];
  });
}

/** Spreadsheets put a byte order mark first. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ImportError('cannot read the list: it is not UTF-8: save it as UTF-8');
  }
}
