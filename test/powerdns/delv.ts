/** BIND's delv: asks a server, and validates what it answers as a resolver would. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { find } from '../programs.ts';

const run = promisify(execFile);

/** Fetches it where that is possible. */
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

/** What delv says of an answer: its verdict, such as `fully validated`, and then the records; or why there is none. */
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
