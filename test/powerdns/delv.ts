/** BIND's delv, which queries a server and validates the answer like a resolver. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { find } from '../programs.ts';

const run = promisify(execFile);

/** Finds delv, or installs it if possible. */
export const findDelv = () => find('delv');

export interface Validation {
  /** 127.0.0.1 by default. */
  server?: string;
  port?: number;
  /** The zone that the trust anchor is for. */
  zone: string;
  /** DS records' RDATA, all trusted. */
  ds: string[];
  name: string;
  type?: string;
}

/** Returns the verdict of delv, such as `fully validated`, and the records, or its error. */
export async function delv({
  server = '127.0.0.1',
  port = 53,
  zone,
  ds,
  name,
  type = 'A',
}: Validation): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'delv-'));
  const anchors = join(folder, 'anchors');
  try {
    await writeFile(anchors, `trust-anchors { ${ds.map((record) => anchor(zone, record)).join(' ')} };\n`);
    const question = [`@${server}`, '-p', `${port}`, '-a', anchors, `+root=${zone}`, name, type];
    const { stdout, stderr } = await run('delv', question).catch((error) => error);
    return `${stdout}${stderr}`.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}

function anchor(zone: string, ds: string): string {
  const [tag, algorithm, type, ...digest] = ds.split(' ');
  return `${zone}. static-ds ${tag} ${algorithm} ${type} "${digest.join('')}";`;
}
