import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The path of the first of these programs that exists. Throws if none does. */
export function findOnPath(...names: [string, ...string[]]): string {
  // Users other than root have no sbin on their PATH.
  const folders = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`.split(':');
  const file = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
  if (!file) throw new Error(`cannot find ${names[0]}`);
  return file;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
