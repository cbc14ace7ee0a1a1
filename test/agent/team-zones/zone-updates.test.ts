import { describe, expect, test } from 'vitest';
import { ObjectStatuses } from '../../../functions/agent/machines/object-statuses.ts';
import { SeenEntries } from '../../../functions/agent/machines/seen-entries.ts';
import type { ZoneEntry } from '../../../functions/agent/machines/status-entry.ts';
import { StatusUpdates } from '../../../functions/agent/machines/status-updates.ts';
import { StatusWriter } from '../../../functions/agent/machines/status-writer.ts';
import { nameStateOf, type ZoneOutcome } from '../../../functions/agent/team-zones/zone-outcomes.ts';
import { ZoneUpdates, zoneEntry } from '../../../functions/agent/team-zones/zone-updates.ts';
import { zoneStatus } from '../../../functions/contract/kinds/zone.ts';
import { zoneObject } from '../machines/objects.ts';

const object = zoneObject('a.internal');
const outcome = (more: Partial<ZoneOutcome> = {}): ZoneOutcome => ({
  ...{ object, name: 'a.internal', state: 'Serving' },
  ...more,
});
const dnssec = { ds: ['1 13 2 aa'], dnskey: ['257 3 13 key'] };
const at = { instance: 'corp', now: '2026-01-31T00:00:00.000Z' };

describe('an entry', () => {
  test.each<[Partial<ZoneOutcome>, string[]]>([
    [{}, ['True', 'Serving', 'a.internal is served']],
    [{ state: 'Pending' }, ['Unknown', 'Pending', 'a.internal is about to be served']],
    [{ state: 'Pending', message: 'labels' }, ['Unknown', 'Pending', 'labels']],
    [{ state: 'Failed', message: 'no\u0000 way' }, ['False', 'Failed', 'no\ufffd way']],
    [{ state: 'Refused', message: 'x'.repeat(600) }, ['False', 'Refused', `${'x'.repeat(499)}…`]],
  ])('%o', (more, ready) => {
    const entry = zoneEntry(outcome({ delegation: Array(70).fill('a. 1 IN NS b.'), dnssec, ...more }), at);
    expect(zoneStatus.parse({ instances: [entry] }).instances).toEqual([entry]);
    const [condition] = entry.conditions ?? [];
    expect([condition?.status, condition?.reason, condition?.message]).toEqual(ready);
  });

  test('is the same object while nothing changes, and keeps the time of its condition', () => {
    const before = zoneEntry(outcome(), at);
    const later = { ...at, now: '2026-02-01T00:00:00.000Z' };
    expect(zoneEntry(outcome(), later, structuredClone(before))).toEqual(before);
    expect(zoneEntry(outcome(), later, before)).toBe(before);
    const failed = zoneEntry(outcome({ state: 'Failed' }), later, before);
    expect(failed.conditions?.[0]?.lastTransitionTime).toBe(later.now);
  });

  test('keeps what the zone was published with until it is served without', () => {
    const before = zoneEntry(outcome({ dnssec }), at);
    expect(zoneEntry(outcome({ state: 'Refused', message: 'no' }), at, before).dnssec).toEqual(dnssec);
    expect(zoneEntry(outcome(), at, before)).not.toHaveProperty('dnssec');
  });
});

test.each<[ZoneOutcome['state'], string]>([
  ['Serving', 'Resolved'],
  ['Pending', 'Pending'],
  ['Failed', 'Refused'],
  ['Refused', 'Refused'],
])('an Event says that a zone is %s', (state, verdict) => {
  expect(nameStateOf(outcome({ state })).verdict).toBe(verdict);
});

test('entries are written once, others that are abandoned go, and all are removed when Zones are no source any more', async () => {
  const written: string[] = [];
  const seen = new SeenEntries(() => 'corp');
  const clock = { now: Date.UTC(2026, 0, 31) };
  const common = { instance: () => 'corp', seen, now: () => clock.now, timeOf: (time: number) => time };
  const observedAt = '2026-01-29T00:00:00Z';
  let instances: ZoneEntry[] = [
    { name: 'lab', observedAt, state: 'Serving' },
    { name: 'home', observedAt, state: 'Serving', dnssec },
  ];
  const see = () => seen.see('zone/a/a.internal', { metadata: { name: 'a.internal' }, status: { instances } });
  const applyStatusEntry = async ({ kind, name }: { kind: string; name: string }, owner: string, entry?: object) => {
    written.push(`${kind} ${name} ${entry ? '+' : '-'} ${owner}`);
    instances = [...instances.filter((each) => each.name !== owner), ...(entry ? [entry as ZoneEntry] : [])];
    see();
    return { result: 'applied' as const };
  };
  see();
  const health = {
    update: () => {},
    poll: async () => {},
    healthOf: () => undefined,
    answersOf: () => [],
    isWatching: false,
    version: {},
  };
  const statuses = new ObjectStatuses({
    updates: new StatusUpdates({ ...common, health }),
    health,
    writer: new StatusWriter({
      ...common,
      cluster: { applyStatusEntry },
      failureLog: { record: () => {} },
    }),
  });
  const updates = new ZoneUpdates(common);
  const outcomes = [outcome()];
  for (let i = 0; i < 3; i++) {
    clock.now += 60_000;
    await statuses.write({ outcomes: undefined, zones: updates.of(outcomes) });
  }
  expect(written).toEqual(['Zone a.internal + corp', 'Zone a.internal - lab']);
  clock.now += 60_000;
  await statuses.remove(updates.removals());
  expect(written.slice(2)).toEqual(['Zone a.internal - corp']);
  // The parent may still have the DS records of the other one.
  expect(instances).toEqual([{ name: 'home', observedAt, state: 'Serving', dnssec }]);
});
