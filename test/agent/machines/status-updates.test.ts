import { expect, test } from 'vitest';
import { Outcomes } from '../../../functions/agent/machines/outcomes.ts';
import { SeenEntries } from '../../../functions/agent/machines/seen-entries.ts';
import type { Health } from '../../../functions/agent/machines/status-entry.ts';
import { StatusUpdates } from '../../../functions/agent/machines/status-updates.ts';
import type { NameState } from '../../../functions/contract/verdict.ts';
import { claim, machine, translationOf } from './objects.ts';

const state = (resource: string, name: string, verdict: NameState['verdict'] = 'Resolved'): NameState => ({
  ...{ name, resource, verdict, message: 'resolves', answers: [] },
});

function make() {
  const translation = translationOf({
    machines: [machine('nas', '192.0.2.7'), machine('disk', '192.0.2.8')],
    claims: [
      claim('storage', {
        name: 'storage.corp.internal',
        selector: {},
        check: { port: 445 },
        template: '{{machine.name}}.storage.corp.internal',
      }),
    ],
  });
  const states = [
    state('machine/a/nas', 'nas.corp.internal'),
    state('machine/a/disk', 'disk.corp.internal'),
    state('nameclaim/a/storage', 'storage.corp.internal'),
    state('nameclaim/a/storage', 'nas.storage.corp.internal'),
    state('nameclaim/a/storage', 'disk.storage.corp.internal'),
  ];
  const outcomes = new Outcomes();
  const health = {
    version: {},
    up: new Set(['192.0.2.7', '192.0.2.8']),
    healthOf: (_: string, address: string): Health => ({ isUp: health.up.has(address) }),
    answersOf: () => [...health.up],
  };
  const clock = { now: Date.UTC(2026, 0, 31) };
  const seen = new SeenEntries(() => 'corp');
  const updates = new StatusUpdates({ instance: () => 'corp', seen, health, now: () => clock.now, timeOf: (at) => at });
  return { translation, states, outcomes, health, clock, seen, updates };
}

test('every object gets its entry, and all are the same until something changes', () => {
  const { translation, states, outcomes, seen, updates } = make();
  const before = outcomes.of({ translation, states, reverse: new Map() });
  const all = updates.of(before);
  expect(all.map(({ kind, name, entry, current }) => [kind, name, entry?.conditions?.[0]?.status, current])).toEqual([
    ['Machine', 'disk', 'True', undefined],
    ['Machine', 'nas', 'True', undefined],
    ['NameClaim', 'storage', 'True', undefined],
  ]);
  expect(updates.of(before)).toBe(all);

  // As the API server sends what was written.
  const nas = all.find(({ name }) => name === 'nas');
  seen.see('machine/a/nas', { metadata: { name: 'nas' }, status: { instances: [nas!.entry!] } });
  const written = updates.of(before);
  expect(written.find(({ name }) => name === 'nas')).toMatchObject({ current: nas?.entry });
  expect(written.find(({ name }) => name === 'nas')?.entry).toEqual(nas?.entry);
  for (const name of ['disk', 'storage'])
    expect(written.find((each) => each.name === name)).toBe(all.find((each) => each.name === name));

  const refused = states.map((each) => (each.name === 'nas.corp.internal' ? { ...each, verdict: 'Refused' } : each));
  const after = updates.of(outcomes.of({ translation, states: refused as NameState[], reverse: new Map() }));
  expect(after.find(({ name }) => name === 'nas')?.entry?.conditions?.[0]).toMatchObject({ reason: 'Refused' });
});

test('a member that fails changes the entry of its claim, and no other', () => {
  const { translation, states, outcomes, health, updates } = make();
  const of = outcomes.of({ translation, states, reverse: new Map() });
  const before = updates.of(of);
  expect(before.at(-1)?.entry).toMatchObject({ membersUp: '2/2', answers: ['192.0.2.7', '192.0.2.8'] });
  health.up.delete('192.0.2.7');
  health.version = {};
  const after = updates.of(of);
  expect(after.at(-1)?.entry).toMatchObject({ membersUp: '1/2', answers: ['192.0.2.8'] });
  expect(after.slice(0, -1).every((each, index) => each === before[index])).toBe(true);
});

test('checked is the name that members share, not those that they have, and only while it resolves', () => {
  const { translation, states, outcomes, updates } = make();
  const of = (some: readonly NameState[]) => outcomes.of({ translation, states: some, reverse: new Map() });
  const claims = updates.claims(of(states));
  expect(claims).toMatchObject([
    {
      resource: 'nameclaim/a/storage',
      published: [{ type: 'A', values: ['192.0.2.8', '192.0.2.7'], answer: { check: { port: 445 } } }],
    },
  ]);
  expect(updates.claims(of(states))).toBe(claims);
  const pending = states.map((each) =>
    each.name === 'storage.corp.internal' ? state(each.resource, each.name, 'Pending') : each,
  );
  expect(updates.claims(of(pending))[0]?.published).toEqual([]);
});

test('entries of kinds that are no source any more go, once', () => {
  const { translation, states, outcomes, updates } = make();
  expect(updates.removals()).toEqual([]);
  updates.of(outcomes.of({ translation, states, reverse: new Map() }));
  const removals = updates.removals();
  expect(removals.map(({ name, entry }) => [name, entry])).toEqual([
    ['disk', undefined],
    ['nas', undefined],
    ['storage', undefined],
  ]);
  expect(updates.removals()).toBe(removals);
});

test('the first entry of another InternalDNS is a reason to look again, and its renewal is none', () => {
  const { translation, states, outcomes, seen, updates } = make();
  const found = outcomes.of({ translation, states, reverse: new Map() });
  const all = updates.of(found);
  const see = (observedAt: string) =>
    seen.see('machine/a/nas', { metadata: { name: 'nas' }, status: { instances: [{ name: 'lab', observedAt }] } });
  see('2026-01-31T00:00:00Z');
  const after = updates.of(found);
  expect([after === all, after]).toEqual([false, all]);
  see('2026-01-31T06:00:00Z');
  expect(updates.of(found)).toBe(after);
});
