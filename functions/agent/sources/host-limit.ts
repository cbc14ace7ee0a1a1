import { mostHosts, mostTargets } from '../../contract/declaration.ts';
import { parentOf } from '../../dns/name.ts';

/** Returns the targets, at most one more than the limit, which is enough to detect that there are too many. */
export const firstTargets = (targets: readonly string[]): readonly string[] =>
  targets.length > mostTargets ? targets.slice(0, mostTargets + 1) : targets;

export const hasTooManyTargets = (targets: readonly string[] | undefined): boolean =>
  targets !== undefined && targets.length > mostTargets;

export const tooManyTargets = `a host may have ${mostTargets} targets, and the object gives it more: split them over more hosts, or have a load balancer in front of them`;

/**
 * Hosts of an object over the host limit. They must still be attributed to their object, or its targets could be taken for
 * those of another: a hash of four bytes for each. A collision is rare and does little harm, as an object is only considered
 * for targets that it has.
 */
export interface HostOverflow {
  /** The first of them. */
  host: string;
  hashes: Uint32Array;
}

interface LimitedHosts {
  hosts: readonly string[];
  overflow?: HostOverflow;
}

/** Splits the hosts of an object at the host limit. */
export function splitAtLimit(hosts: readonly string[]): LimitedHosts {
  const [host, ...others] = hosts.slice(mostHosts);
  if (host === undefined) return { hosts };
  const hashes = Uint32Array.from([host, ...others], hashOf).sort();
  return { hosts: hosts.slice(0, mostHosts), overflow: { host, hashes } };
}

/** Reports whether a name is one of the object's hosts over the limit, or that of a Pod below one. */
export function isOverLimit(
  { overflow, below = false }: Pick<LimitedHosts, 'overflow'> & { below?: boolean },
  name: string,
): boolean {
  if (!overflow) return false;
  return includesHash(overflow.hashes, name) || (below && includesHash(overflow.hashes, parentOf(name)));
}

/** FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function includesHash(sorted: Uint32Array, name: string): boolean {
  const hash = hashOf(name);
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as number) < hash) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === hash;
}
