import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { parseName } from '../dns/rdata/domain-name.ts';
import { zoneFileText } from '../dns/zone-file/text.ts';
import { ImportError, importZone } from './zone.ts';

/**
 * Converts the zone file FILE of ZONE to an item of an InternalDNS's `spec.zones`. FILE may be `-`, standard input.
 * Throws an ImportError, each line of which begins with "cannot import".
 */
export async function importFile(file?: string, zone?: string): Promise<ReturnType<typeof importZone>> {
  try {
    if (!file || !zone)
      throw new ImportError('missing FILE or ZONE, such as corp.zone corp.internal (- is standard input)');
    return importZone(await read(file), parseName(zone, '.'));
  } catch (error) {
    const lines = error instanceof ImportError ? error.lines : [(error as Error).message];
    const shown = file === '-' ? 'standard input' : (file ?? 'a zone');
    throw new ImportError(...lines.map((line) => `cannot import ${shown}: ${line}`));
  }
}

async function read(file: string): Promise<string> {
  return zoneFileText(await (file === '-' ? buffer(process.stdin) : readFile(file)));
}
