/** Constants of the build, which functions/bundle.ts defines. Unbundled, as in a test, they have these defaults. */
export const version = process.env.VERSION ?? 'dev';
export const agentImage = process.env.AGENT_IMAGE ?? 'ghcr.io/internal-dns/cdk8s-function-xp:dev';

const pinnedImages = JSON.parse(process.env.PINNED_IMAGES ?? '{}') as Record<string, string>;

/** An image of the sources, which name it by tag: with its digest in a release, which functions/package/digests.txt pins. */
export const pinned = (image: string): string => pinnedImages[image] ?? image;
