import { readFileSync } from 'node:fs';

export const registry = process.env.REGISTRY ?? 'ghcr.io/internal-dns';
export const version = process.env.VERSION ?? `v${JSON.parse(readFileSync('package.json', 'utf8')).version}`;
export const functionPackage = `${registry}/cdk8s-function-xp:${version}`;

/** The name that Crossplane gives to a dependency of a Configuration. */
export const functionName = 'internal-dns-cdk8s-function-xp';
/** The name that `crossplane xpkg install` gives to it. */
export const configurationName = 'internal-dns-internal-dns-xp';
