/** Constants of the build, which functions/bundle.ts defines. Unbundled, as in a test, they have these defaults. */
export const version = process.env.VERSION ?? 'dev';
export const agentImage = process.env.AGENT_IMAGE ?? 'ghcr.io/internal-dns/cdk8s-function-xp:dev';
