/** What the build knows: functions/bundle.ts puts both in. Unbundled, as in a test, they are what they were released as. */
export const version = process.env.VERSION ?? 'dev';
export const agentImage = process.env.AGENT_IMAGE ?? 'ghcr.io/internal-dns/cdk8s-function-xp:dev';
