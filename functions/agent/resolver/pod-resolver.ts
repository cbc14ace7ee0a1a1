import { Resolver } from 'node:dns/promises';

/** A resolver that queries the servers in /etc/resolv.conf, as the pod's own programs do. */
export const podResolver = (): Resolver => new Resolver({ timeout: 2_000, tries: 2 });
