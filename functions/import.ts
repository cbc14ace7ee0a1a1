/**
 * Prints a zone file as an item of an InternalDNS's `spec.zones`: `node functions/import.ts FILE ZONE`.
 * FILE may be `-`, standard input: `dig @old axfr corp.internal | node functions/import.ts - corp.internal`.
 * Records that cannot be parsed or declared are skipped. Standard error has a line for each of them, and for everything
 * that was changed. Exits with 1, and prints nothing, if the file may not be the whole zone.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { parseName } from './dns/rdata/domain-name.ts';
import { zoneFileText } from './dns/zone-file/text.ts';
import { ImportError, importZone } from './import/zone.ts';

async function read(file: string): Promise<string> {
  return zoneFileText(await (file === '-' ? buffer(process.stdin) : readFile(file)));
}

async function main([file, zone]: string[]): Promise<void> {
  if (!file || !zone)
    throw new ImportError('missing FILE or ZONE, such as corp.zone corp.internal (- is standard input)');
  const { yaml, notes } = importZone(await read(file), parseName(zone, '.'));
  for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(yaml);
}

const file = process.argv[2] === '-' ? 'standard input' : (process.argv[2] ?? 'a zone');
await main(process.argv.slice(2)).catch((error: Error) => {
  const lines = error instanceof ImportError ? error.lines : [error.message];
  for (const line of lines) process.stderr.write(`cannot import ${file}: ${line}\n`);
  process.exitCode = 1;
});
