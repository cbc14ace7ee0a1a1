/** The files of examples/ that hold an InternalDNS, each a golden case and a page of documentation. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../examples');

const holdsInternalDNS = (file: string) => /^kind: InternalDNS$/m.test(readFileSync(join(folder, file), 'utf8'));

/** The path of each example, by its name. */
export const examples: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && holdsInternalDNS(file))
    .sort()
    .map((file) => [file.replace(/[.]yaml$/, ''), join(folder, file)]),
);
