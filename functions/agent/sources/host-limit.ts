import { mostHosts, mostTargets } from '../../contract/declaration.ts';
import { parentOf } from '../../dns/name.ts';

/** As many of some targets as count, and one more where they are too many. */
export const firstTargets = (targets: readonly string[]): readonly string[] =>
  targets.length > mostTargets ? targets.slice(0, mostTargets + 1) : targets;

export const hasTooManyTargets = (targets: readonly string[] | undefined): boolean =>
  targets !== undefined && targets.length > mostTargets;

export const tooManyTargets = `a host may have ${mostTargets} targets, and the object gives it more: split them over more hosts, or have a load balancer in front of them`;

/**
 * The hosts of an object that are beyond the bound. It is still to be known whose they are, or its targets could be
 * taken for those of another object: four bytes for each. That two names share a hash is rare and does little harm, as
 * an object is not seen to want what it has no target of.
 */
export interface HostOverflow {
  /** The first of them. */
  host: string;
  hashes: Uint32Array;
}

/** The hosts of an object. */
interface Hosts {
  hosts: readonly string[];
  overflow?: HostOverflow;
}

/** The hosts of an object that count, and what there is beyond them. */
export function splitAtLimit(hosts: readonly string[]): Hosts {
  const [host, ...others] = hosts.slice(mostHosts);
  if (host === undefined) return { hosts };
  const hashes = Uint32Array.from([host, ...others], hashOf).sort();
  return { hosts: hosts.slice(0, mostHosts), overflow: { host, hashes } };
}

/** Whether a name is one of those beyond the bound, or that of a Pod below one of them. */
export function isOverLimit(
  { overflow, below = false }: Pick<Hosts, 'overflow'> & { below?: boolean },
  name: string,
): boolean {
  if (!overflow) return false;
  return isAmong(overflow.hashes, name) || (below && isAmong(overflow.hashes, parentOf(name)));
}

/** FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function isAmong(sorted: Uint32Array, name: string): boolean {
  const hash = hashOf(name);
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as number) < hash) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === hash;
}
