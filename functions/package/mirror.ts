/**
 * Prints how to copy a version to another registry: `node functions/package/mirror.ts TO`, a script for sh. Its comments are what
 * makes a cluster use the copies. REGISTRY, VERSION and DIGESTS, from the environment, say what to copy.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pinned, readDigests, serverImages } from './digests.ts';
import { configurationPackage, functionPackage, parseRegistry, parseRelease, type Release } from './manifests.ts';

// Both are examples of the mirror whose name is replaced here.
const imageConfigs = readFileSync(join(import.meta.dirname, '../../examples/mirror.yaml'), 'utf8');
const exampleMirror = 'registry.example.internal/mirror';
const exampleRegistry = 'ghcr.io/internal-dns/';

/** The script for `to`, a registry with an optional path. */
export function mirrorScript({ registry, version }: Release, to: string, pinned: Pinned): string {
  const agent = `${registry}/${functionPackage}:${version}`;
  const powerdns = pinned.get(serverImages.powerdns) ?? serverImages.powerdns;
  const externalDNS = pinned.get(serverImages.externalDNS) ?? serverImages.externalDNS;
  const dnsdist = pinned.get(serverImages.dnsdist) ?? serverImages.dnsdist;
  // A copy has the digest of the original.
  const copyOf = (image: string) => `${to}/${image.replace(/^.*\//, '')}`;
  // What is pushed gets a tag only.
  const copy = (image: string) => `crane copy ${image} ${copyOf(image).replace(/@.*/, '')}\n`;
  return `\
# Copies Internal DNS ${version} to ${to}: pipe it to \`sh -e\`, after \`crane auth login\`.
${[agent, `${registry}/${configurationPackage}:${version}`, powerdns, externalDNS, dnsdist].map(copy).join('')}
# 1. Crossplane pulls the packages from there with these, examples/mirror.yaml. Apply them before install.yaml.
#
${comment(imageConfigs.replaceAll(exampleMirror, to).replaceAll(exampleRegistry, `${registry}/`))}\
#
# 2. kubelet pulls the images of the servers, which Crossplane does not rewrite. These arguments name them for all servers.
# Add them to the container package-runtime in install.yaml, anew with each version.
#
${comment(`\
args:
  - --powerdns-image=${copyOf(powerdns)}
  - --external-dns-image=${copyOf(externalDNS)}
  - --agent-image=${copyOf(agent)}
  - --dnsdist-image=${copyOf(dnsdist)}
`)}\
#
# Or these fields, for one InternalDNS.
#
${comment(`\
spec:
  images:
    powerdns: ${copyOf(powerdns)}
    externalDNS: ${copyOf(externalDNS)}
    agent: ${copyOf(agent)}
    dnsdist: ${copyOf(dnsdist)}
`)}`;
}

const comment = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `#   ${line}\n`)
    .join('');

/** Throws when packages cannot be copied there. */
export function parseMirror(to: string, { registry }: Release): string {
  if (to === '') throw new Error('cannot copy packages: TO is empty: write TO=registry.example.com/dns');
  parseRegistry('TO', to);
  if (to === registry) throw new Error(`cannot copy packages: TO ${to} is where they are: name another registry`);
  return to;
}

if (import.meta.main) {
  try {
    const release = parseRelease(process.env);
    const to = parseMirror(process.argv[2] ?? '', release);
    process.stdout.write(mirrorScript(release, to, readDigests(process.env)));
  } catch (error) {
    console.error(`make mirror: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
