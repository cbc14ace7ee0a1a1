import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { burstMs, leastInMass } from '../discovery/delete-guard.ts';
import type { ServedZone } from '../zones/served-declaration.ts';

/** A zone that is served for a team. */
export interface KeptZone {
  zone: ServedZone;
  /** Since when no accepted Zone declares it: milliseconds since 1970. */
  since?: number;
  /** Whether it stays until its hold is over. */
  isHeld?: true;
}

export interface KeptInput {
  /** By absolute name. */
  kept: ReadonlyMap<string, KeptZone>;
  /** What Zones declare; `Unknown` while they cannot be read, `Unserved` while the cluster has no such kind. */
  wanted: ReadonlyMap<string, ServedZone> | 'Unknown' | 'Unserved';
  /** The Zones of which nobody can tell yet whether they are accepted. */
  awaited: ReadonlySet<string>;
  guard: DeclaredDiscovery['deleteGuard'];
  /** Milliseconds since 1970. */
  time: number;
}

/**
 * Returns the zones that teams have after a look at their Zones. A zone that no Zone declares any more, because it was
 * deleted or is refused now, goes once it shows whether others go with it, unless too many do: as names of the delete guard,
 *
 * - zones that go together stay for `holdSeconds` if they are at least five and more than `percent` of all,
 * - so do all of them when the cluster no longer serves the kind,
 * - and while Zones cannot be read, or the labels of a namespace, nothing changes.
 */
export function keptZones(input: KeptInput): { kept: Map<string, KeptZone>; isSettling: boolean } {
  const { kept, wanted, awaited, guard, time } = input;
  if (wanted === 'Unknown') return { kept: new Map(kept), isSettling: false };
  const next = new Map(
    [...(wanted === 'Unserved' ? [] : wanted)].map(([name, zone]): [string, KeptZone] => [name, { zone }]),
  );
  const lost: [string, Lost][] = [];
  for (const [name, { zone, since = time, isHeld }] of kept) {
    if (next.has(name)) continue;
    if (awaited.has(zone.resource ?? '')) next.set(name, { zone });
    else lost.push([name, { zone, since: Math.min(since, time), ...(isHeld && { isHeld }) }]);
  }
  const isOver = ({ since }: Lost) =>
    guard.percent >= 100 || time - since >= guard.holdSeconds * 1000 || since < Date.parse(guard.letGo ?? '');
  const served = next.size;
  let isSettling = false;
  for (const burst of inBursts(lost)) {
    const isMass = burst.length >= leastInMass && burst.length * 100 > guard.percent * (burst.length + served);
    const settles = burst.some(([, { since }]) => time - since < burstMs);
    for (const [name, each] of burst) {
      const isHeld = each.isHeld || isMass || wanted === 'Unserved';
      if (isOver(each) || !(isHeld || settles)) continue;
      next.set(name, { ...each, ...(isHeld && { isHeld }) });
      isSettling ||= !isHeld;
    }
  }
  return { kept: next, isSettling };
}

type Lost = KeptZone & { since: number };

/** Groups zones that went one soon after the other. */
function inBursts(lost: readonly [string, Lost][]): [string, Lost][][] {
  const bursts: [string, Lost][][] = [];
  for (const each of lost.toSorted(([, a], [, b]) => a.since - b.since)) {
    const last = bursts.at(-1);
    const before = last?.at(-1)?.[1].since ?? Number.NEGATIVE_INFINITY;
    if (last && each[1].since - before < burstMs) last.push(each);
    else bursts.push([each]);
  }
  return bursts;
}
