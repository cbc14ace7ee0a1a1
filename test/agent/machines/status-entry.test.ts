import { describe, expect, test } from 'vitest';
import { claimEntry, machineEntry } from '../../../functions/agent/machines/status-entry.ts';
import { machineStatus } from '../../../functions/contract/kinds/machine.ts';
import { nameClaimStatus } from '../../../functions/contract/kinds/name-claim.ts';
import type { NameState } from '../../../functions/contract/verdict.ts';
import { claim, find, machine, translationOf } from './objects.ts';

const instance = 'corp';
const now = '2026-01-31T12:00:00Z';
const later = '2026-01-31T12:00:10Z';
const state = (verdict: NameState['verdict'], message: string, name = 'nas.corp.internal'): NameState => ({
  ...{ name, resource: 'machine/a/nas', verdict, message, answers: [] },
});
const resolved = state('Resolved', 'resolves to 192.0.2.7');
const nas = find(
  translationOf({
    machines: [machine('nas', '192.0.2.7')],
    claims: [claim('c', { name: 'mail.corp.internal', selector: {} })],
  }),
  'machine/a/nas',
);

describe('the entry of a Machine', () => {
  const entry = machineEntry(nas, {
    ...{ instance, now, states: [resolved] },
    reverse: [{ address: '192.0.2.7', name: '7.2.0.192.in-addr.arpa', message: 'no zone' }],
  });

  test('has its names, records, PTR records and claims, and is what the schema has', () => {
    expect(entry).toEqual({
      name: 'corp',
      observedAt: now,
      fqdn: 'nas.corp.internal',
      records: [{ name: 'nas.corp.internal', type: 'A', values: ['192.0.2.7'] }],
      reverse: [{ address: '192.0.2.7', name: '7.2.0.192.in-addr.arpa', message: 'no zone' }],
      claims: ['a/c'],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Resolved',
          message: 'nas.corp.internal resolves to 192.0.2.7',
          observedGeneration: 1,
          lastTransitionTime: now,
        },
      ],
    });
    expect(machineStatus.parse({ instances: [entry] })).toEqual({ instances: [entry] });
  });

  test('is the same object while nothing changes, so that nothing is written', () => {
    const outcome = { instance, now: later, states: [resolved] };
    const reverse = [{ address: '192.0.2.7', name: '7.2.0.192.in-addr.arpa', message: 'no zone' }];
    expect(machineEntry(nas, { ...outcome, reverse }, entry)).toBe(entry);
    // As an API server returns it.
    const sorted = Object.fromEntries(Object.entries(entry).sort()) as typeof entry;
    expect(machineEntry(nas, { ...outcome, reverse }, sorted)).toBe(sorted);
    expect(machineEntry(nas, outcome, entry)).not.toBe(entry);
  });

  test('keeps the time of its condition while that stays', () => {
    const changed = machineEntry(
      nas,
      { instance, now: later, states: [state('Resolved', 'resolves to 192.0.2.8')] },
      entry,
    );
    expect(changed.observedAt).toBe(later);
    expect(changed.conditions?.[0]?.lastTransitionTime).toBe(now);
    const lost = machineEntry(nas, { instance, now: later, states: [state('Duplicate', 'taken')] }, changed);
    expect(lost.conditions?.[0]).toMatchObject({ status: 'False', reason: 'Duplicate', lastTransitionTime: later });
  });

  test('has the worst of its names, with its sentence', () => {
    const states = [resolved, state('OutsideZones', 'in no zone'), state('Refused', 'reserved', 'www.corp.internal')];
    expect(machineEntry(nas, { instance, now, states }).conditions?.[0]).toMatchObject({
      status: 'False',
      reason: 'Refused',
      message: 'www.corp.internal: reserved',
    });
  });

  test('has a refusal, whose text can be of any length and hold anything', () => {
    const refused = { ...nas, finding: { notes: [], refusal: `\u001b[31m${'x'.repeat(2000)}` } };
    const { conditions } = machineEntry(refused, { instance, now, states: [] });
    expect(conditions?.[0]).toMatchObject({ status: 'False', reason: 'Refused' });
    expect(conditions?.[0]?.message).toHaveLength(1024);
    expect(conditions?.[0]?.message).not.toContain('\u001b');
    const waiting = { ...nas, finding: { notes: [], refusal: 'not known yet', isTemporary: true } };
    expect(machineEntry(waiting, { instance, now, states: [] }).conditions?.[0]?.status).toBe('Unknown');
  });
});

describe('the entry of a claim', () => {
  const two = find(
    translationOf({
      machines: [machine('m1', '192.0.2.1 2001:db8::1'), machine('m2', '192.0.2.2', { age: 1 })],
      claims: [claim('c', { name: 'mail.corp.internal', selector: {}, check: { port: 25 } })],
    }),
    'nameclaim/a/c',
  );

  test('has its members with their health, and what is answered', () => {
    const down = new Map([['192.0.2.2', now]]);
    const healthOf = (address: string) => ({ isUp: !down.has(address), ...(down.has(address) && { since: now }) });
    const entry = claimEntry(two, {
      instance,
      now,
      states: [resolved],
      healthOf,
      answers: ['2001:db8::1', '192.0.2.1'],
    });
    expect(entry).toMatchObject({
      members: [
        { machine: 'a/m1', addresses: ['192.0.2.1', '2001:db8::1'], state: 'Up' },
        { machine: 'a/m2', addresses: ['192.0.2.2'], state: 'Down', since: now },
      ],
      membersUp: '1/2',
      answers: ['192.0.2.1', '2001:db8::1'],
    });
    expect(nameClaimStatus.parse({ instances: [entry] })).toEqual({ instances: [entry] });
  });

  test('does not call a member down while one of its addresses is not known', () => {
    const healthOf = (address: string) => (address === '192.0.2.1' ? { isUp: false } : undefined);
    const { members, membersUp } = claimEntry(two, { instance, now, states: [], healthOf });
    expect(members?.map((member) => member.state)).toEqual(['Unknown', undefined]);
    expect(membersUp).toBe('2/2');
  });
});
