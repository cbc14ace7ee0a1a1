import { readFileSync } from 'node:fs';

export const registry = process.env.REGISTRY ?? 'ghcr.io/internal-dns';
export const version = process.env.VERSION ?? `v${JSON.parse(readFileSync('package.json', 'utf8')).version}`;
export const functionPackage = `${registry}/cdk8s-function-xp:${version}`;

/** As Crossplane calls what a Configuration depends on. */
export const functionName = 'internal-dns-cdk8s-function-xp';
/** As `crossplane xpkg install` calls it. */
export const configurationName = 'internal-dns-internal-dns-xp';
