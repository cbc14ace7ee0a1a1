import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { machineSpec } from '../../functions/contract/kinds/machine.ts';
import { ImportError } from '../../functions/import/zone.ts';
import { parseCSV } from '../../functions/kubectl-idns/machines/csv.ts';
import { parseDnsmasq } from '../../functions/kubectl-idns/machines/dnsmasq.ts';
import { machinesOf } from '../../functions/kubectl-idns/machines/machines.ts';
import { kubectlIdns } from './plugin.ts';

const documents = (yaml: string) => parseAllDocuments(yaml, { version: '1.1' }).map((document) => document.toJS());
const fromCSV = (text: string) => machinesOf(parseCSV(text), 'csv');
const fromDnsmasq = (text: string) => machinesOf(parseDnsmasq(text), 'dnsmasq');
const linesOf = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ImportError) return error.lines;
    throw error;
  }
  return [];
};

describe('CSV', () => {
  test('has a Machine on each line, with what its columns say and no defaults', () => {
    const text = `name,addresses,aliases,labels,ttl,reverse,zone,hostname
nas,192.0.2.7 2001:db8::7,files backup,role=storage tier=1,30,Off,site.internal,box

"Printer",192.0.2.8,,,,,,
`;
    expect(fromCSV(text).yaml).toBe(`apiVersion: dns.internal/v1alpha1
kind: Machine
metadata:
  name: nas
  labels:
    role: storage
    tier: "1"
spec:
  hostname: box
  zone: site.internal
  addresses:
    - 192.0.2.7
    - 2001:db8::7
  aliases:
    - files
    - backup
  ttl: 30
  reverse: "Off"
---
apiVersion: dns.internal/v1alpha1
kind: Machine
metadata:
  name: printer
spec:
  addresses:
    - 192.0.2.8
`);
  });

  test.each([
    ['semicolons', 'name;addresses\nnas;192.0.2.7\n'],
    ['tabs, CRLF and no newline at its end', 'name\taddresses\r\nnas\t192.0.2.7'],
    ['a byte order mark', new TextDecoder().decode(Buffer.from('\ufeffname,addresses\nnas,192.0.2.7'))],
    ['other columns first', 'addresses,name\n192.0.2.7,nas'],
    ['quoted fields over several lines', '"name","addresses"\n"nas","192.0.2.7\n"'],
  ])('can have %s', (_, text) => {
    expect(documents(fromCSV(text).yaml)).toMatchObject([
      { metadata: { name: 'nas' }, spec: { addresses: ['192.0.2.7'] } },
    ]);
  });

  test('is refused as a whole, with each line that is no host', () => {
    const text = `name,addresses,ttl,labels
nas,192.0.2.7,,
n_s,192.0.2.8,,
"p""c",127.0.0.1,x,
NAS,192.0.2.9,,
tv,192.0.2.10
pi,192.0.2.11,,role
"open,192.0.2.12`;
    expect(linesOf(() => fromCSV(text))).toEqual([
      'cannot read the csv list: line 3: name: name must be the name of a Machine: lower case letters, digits, hyphens and dots',
      'cannot read the csv list: line 4: name: name must be the name of a Machine: lower case letters, digits, hyphens and dots',
      expect.stringContaining('line 4: addresses[0]: an address must be one at which others reach the host'),
      expect.stringContaining('line 4: ttl: '),
      'cannot read the csv list: line 5: nas is on line 2 already',
      'cannot read the csv list: line 6: has 2 fields, but there are 4 columns',
      'cannot read the csv list: line 7: a label is written key=value, not role',
      'cannot read the csv list: line 8: a quotation mark has no other end',
    ]);
  });

  test.each([
    ['', 'the first line must name the columns, one of them name'],
    ['nas,192.0.2.7', 'the first line must name the columns'],
    ['name,ip', 'unknown column "ip": the columns are name, addresses'],
    ['name,name', 'a column is named twice'],
  ])('is refused with the header %j', (text, message) => {
    expect(linesOf(() => fromCSV(text))[0]).toContain(`line 1: ${message}`);
  });
});

describe('a lease file of dnsmasq', () => {
  const leases = `1769860800 00:00:5e:00:53:01 192.0.2.7 NAS 01:00:00:5e:00:53:01
1769860800 00:00:5e:00:53:02 192.0.2.8 * *
duid 00:01:00:01:2b:00:00:00:00:00:5e:00:53:00
1769860800 5e005301 2001:db8::7 nas 00:01:00:01
0 00:00:5e:00:53:03 192.0.2.9 tv *
`;

  test('has one Machine for each name, with its addresses of both families', () => {
    const { yaml, notes } = fromDnsmasq(leases);
    expect(documents(yaml).map(({ metadata, spec }) => [metadata.name, spec.addresses])).toEqual([
      ['nas', ['192.0.2.7', '2001:db8::7']],
      ['tv', ['192.0.2.9']],
    ]);
    expect(notes).toEqual(['left out line 2: 192.0.2.8 has told no name']);
  });

  test('is refused as a whole, with each line that is no lease', () => {
    expect(linesOf(() => fromDnsmasq(`${leases}nonsense\n1 a 192.0.2 b *\n1 a 192.0.2.1 my_pc *`))).toEqual([
      'cannot read the dnsmasq list: line 6: no lease of dnsmasq: expiry, MAC address, address and name',
      'cannot read the dnsmasq list: line 7: no lease of dnsmasq: expiry, MAC address, address and name',
      'cannot read the dnsmasq list: line 8: name: name must be the name of a Machine: lower case letters, digits, hyphens and dots',
    ]);
  });
});

test('whatever the list holds, it becomes valid Machines or is refused by line', () => {
  const word = fc.oneof(
    fc.constantFrom('nas', '192.0.2.7', '1', '*', 'true', '1e3', 'a=b', '"', '\n', '{{x}}', '~'),
    fc.string(),
  );
  const row = fc.array(word, { maxLength: 6 });
  const text = fc
    .tuple(fc.constantFrom(',', ' ', ';'), fc.array(row, { maxLength: 5 }))
    .map(([separator, rows]) => rows.map((words) => words.join(separator)).join('\n'));
  fc.assert(
    fc.property(text, (list) => {
      for (const read of [() => fromCSV(`name,addresses,labels\n${list}`), () => fromDnsmasq(list)]) {
        const lines = linesOf(read);
        for (const line of lines)
          expect(line).toMatch(/^cannot read the (csv|dnsmasq) list: line [0-9]+: [ -~\P{C}]+$/u);
        if (lines.length > 0) continue;
        for (const { metadata, spec } of documents(read().yaml)) {
          expect(metadata.name).toMatch(/^[a-z0-9][-.a-z0-9]*$/);
          expect(machineSpec.safeParse(spec).error).toBeUndefined();
        }
      }
    }),
  );
});

describe('kubectl idns machines', () => {
  test('reads standard input, prints Machines and notes, and needs no cluster', async () => {
    const { code, stdout, stderr, calls } = await kubectlIdns(['machines', 'dnsmasq'], {
      input: '1 a 192.0.2.7 nas *\n1 b 192.0.2.8 * *\n',
    });
    expect([code, stderr, calls]).toEqual([0, 'left out line 2: 192.0.2.8 has told no name\n', []]);
    expect(documents(stdout)).toHaveLength(1);
  });

  test.each([
    [
      'no format',
      [],
      '',
      'cannot read the list: FORMAT must be csv or dnsmasq, such as kubectl idns machines csv < hosts.csv\n',
    ],
    ['another format', ['constructor'], '', 'cannot read the list: FORMAT must be csv or dnsmasq'],
    ['a wrong line', ['csv'], 'name\nn_s\n', 'cannot read the csv list: line 2: name: '],
  ])('with %s prints nothing and exits with 1', async (_, args, input, message) => {
    const { code, stdout, stderr } = await kubectlIdns(['machines', ...args], { input });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });
});
