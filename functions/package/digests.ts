/**
 * The images that a release pins, from the file in DIGESTS. `node functions/package/digests.ts BASE` prints BASE, with its digest
 * if the file has one.
 */
import { readFileSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { image as dnsdist } from '../internal-dns/resolver/dnsdist.ts';
import { image as externalDNS } from '../internal-dns/server/external-dns.ts';
import { image as powerdns } from '../internal-dns/server/powerdns.ts';

/** The images of the servers that a spec need not name, besides that of the agent, which every build makes itself. */
export const serverImages = { powerdns, externalDNS, dnsdist };

/** IMAGE:TAG@sha256:..., by IMAGE:TAG. */
export type Pinned = ReadonlyMap<string, string>;

/** Throws unless each line has a digest, and each image of the servers has a line. */
export function parseDigests(text: string, file: string): Pinned {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const pinned = new Map(lines.map((line) => [parseLine(line, file), line]));
  const missing = Object.values(serverImages).find((image) => !pinned.has(image));
  if (missing !== undefined) {
    throw new Error(`cannot pin ${missing}: ${file} does not have it: ${cureFor(missing)}`);
  }
  return pinned;
}

function parseLine(line: string, file: string): string {
  const [, image, digest] = /^([^\s@]+:[^\s@:/]+)(@sha256:[0-9a-f]{64})?$/.exec(line) ?? [];
  if (image === undefined) {
    throw new Error(`cannot read ${JSON.stringify(line)} in ${file}: it is no image: write IMAGE:TAG@sha256:...`);
  }
  if (digest === undefined) throw new Error(`cannot pin ${image}: it has no digest in ${file}: ${cureFor(image)}`);
  return image;
}

const cureFor = (image: string) => `merge Renovate's pull request, or add what \`crane digest ${image}\` prints`;

/** Empty without DIGESTS: only a release pins images. */
export function readDigests({ DIGESTS: file }: NodeJS.ProcessEnv): Pinned {
  if (!file) return new Map();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = getSystemErrorMessage((error as NodeJS.ErrnoException).errno ?? 0);
    throw new Error(`cannot read DIGESTS ${file}: ${reason}: name a file such as functions/package/digests.txt`);
  }
  return parseDigests(text, file);
}

if (import.meta.main) {
  try {
    const [, , base = ''] = process.argv;
    console.log(readDigests(process.env).get(base) ?? base);
  } catch (error) {
    console.error(`make package: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
