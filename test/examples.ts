/** The files of examples/, each of which is a golden case and documentation. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../examples');

/** The path of each example, by its name. */
export const examples: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(folder)
    .sort()
    .map((file) => [file.replace(/[.]yaml$/, ''), join(folder, file)]),
);
