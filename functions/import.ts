/**
 * Prints a zone file as an item of an InternalDNS's `spec.zones`: `node functions/import.ts FILE ZONE`.
 * FILE may be `-`, standard input: `dig @old axfr corp.internal | node functions/import.ts - corp.internal`.
 * Records that cannot be parsed or declared are skipped. Standard error has a line for each of them, and for everything
 * that was changed. Exits with 1, and prints nothing, if the file may not be the whole zone.
 */
import { importFile } from './import/import-file.ts';
import { ImportError } from './import/zone.ts';

const [file, zone] = process.argv.slice(2);
try {
  const { yaml, notes } = await importFile(file, zone);
  for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(yaml);
} catch (error) {
  if (!(error instanceof ImportError)) throw error;
  for (const line of error.lines) process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
