import { MemoByKey } from '../lib/memo.ts';
import type { RejectedChange } from '../powerdns/database.ts';
import {
  type Change,
  deletion,
  haveSameAnswer,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../powerdns/rrset.ts';
import { answeredBy } from './lua.ts';

// Whoever decides about a name sees the addresses that it is answered with. PowerDNS has one LUA record for all of them.

const views = new MemoByKey<Zone, Zone>();

/** A zone with the addresses that objects have computed answers of, instead of their LUA records. The same for the same zone. */
export const withAddresses = (zone: Zone): Zone =>
  views.get(zone, [], () =>
    zone.rrsets.some(isComputed) ? { ...zone, rrsets: zone.rrsets.flatMap(addressesOf) } : zone,
  );

const isComputed = (rrset: RRset) => rrset.type === 'LUA' && ownershipOf(rrset) === 'discovered';

function addressesOf(rrset: RRset): RRset[] {
  if (!isComputed(rrset)) return [rrset];
  const all = rrset.records.map((computed): RRset | undefined => {
    const answered = answeredBy(computed);
    return answered && { ...rrset, type: answered.type, records: answered.addresses, computed };
  });
  // A record that somebody has edited is nobody's answer: it is replaced, or goes.
  return all.every((each) => each !== undefined) ? all : [rrset];
}

/** RRsets as PowerDNS has them: of each name one LUA record for all computed answers. */
export function stored(rrsets: readonly RRset[]): RRset[] {
  const { computed = [], plain = [] } = Object.groupBy(rrsets, (rrset) =>
    rrset.computed === undefined ? 'plain' : 'computed',
  );
  if (computed.length === 0) return plain;
  const lua = [...Map.groupBy(computed, ({ name }) => name).values()].map((ofName): RRset => {
    // The addresses of one name may be those of two claims, and the LUA record is that of the first.
    const [first, ...others] = ofName.toSorted((a, b) => (a.type < b.type ? -1 : 1)) as [RRset, ...RRset[]];
    const { computed: _, ...rrset } = first;
    const ttl = Math.min(...ofName.map((each) => each.ttl));
    return { ...rrset, type: 'LUA', ttl, records: [first, ...others].map((each) => each.computed ?? '') };
  });
  return [...plain, ...lua];
}

/** Changes of such a zone as PowerDNS takes them. */
export function storedChanges({ rrsets }: Zone, changes: readonly Change[]): Change[] {
  const computed = new Set(
    [...rrsets, ...changes.map(({ rrset }) => rrset)].filter(hasComputed).map(({ name }) => name),
  );
  if (!changes.some(({ rrset }) => computed.has(rrset.name))) return [...changes];
  return [...Map.groupBy(changes, ({ rrset }) => rrset.name)].flatMap(([name, ofName]) =>
    computed.has(name)
      ? changesAt(
          rrsets.filter((rrset) => rrset.name === name),
          ofName,
        )
      : ofName,
  );
}

function changesAt(before: readonly RRset[], changes: readonly Change[]): Change[] {
  const changed = new Set(changes.map(({ rrset }) => keyOf(rrset)));
  const replaced = changes.flatMap((change) => (change.action === 'replace' ? change.rrset : []));
  const after = stored([...before.filter((rrset) => !changed.has(keyOf(rrset))), ...replaced]);
  const there = new Map(stored(before).map((rrset) => [keyOf(rrset), rrset]));
  const isSame = (rrset: RRset) => {
    const current = there.get(keyOf(rrset));
    return current && haveSameAnswer(current, rrset) && current.mark?.content === rrset.mark?.content;
  };
  const kept = new Set(after.map(keyOf));
  return [
    ...[...there.values()].filter((rrset) => !kept.has(keyOf(rrset))).map(deletion),
    ...after.filter((rrset) => !isSame(rrset)).map(replacement),
  ];
}

const hasComputed = (rrset: Pick<RRset, 'computed'> | object) => 'computed' in rrset && rrset.computed !== undefined;

/** Rejections of stored changes as those of the changes that were meant: PowerDNS rejects all of a name together. */
export const rejectedAmong = (changes: readonly Change[], rejected: readonly RejectedChange[]): RejectedChange[] =>
  rejected.flatMap(({ change, message }) => {
    if (change.rrset.type !== 'LUA') return { change, message };
    const meant = changes.filter(({ rrset }) => rrset.name === change.rrset.name && hasComputed(rrset));
    return meant.map((each) => ({ change: each, message }));
  });
