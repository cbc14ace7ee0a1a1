import { expect, test } from 'vitest';
import { reverseOf } from '../../../functions/agent/machines/reverse.ts';
import { machine, translationOf, zones } from './objects.ts';

const nobody = () => undefined;
const of = (...machines: ReturnType<typeof machine>[]) => translationOf({ machines }).machines;

test('each address has a PTR record with the name of its Machine', () => {
  const { sources, findings } = reverseOf(of(machine('nas', '192.0.2.7 192.0.2.8')), { zones, holderOf: nobody });
  expect(sources).toEqual([
    { address: '192.0.2.7', name: 'nas.corp.internal.' },
    { address: '192.0.2.8', name: 'nas.corp.internal.' },
  ]);
  expect(findings.get('machine/a/nas')).toEqual([
    { address: '192.0.2.7', name: '7.2.0.192.in-addr.arpa' },
    { address: '192.0.2.8', name: '8.2.0.192.in-addr.arpa' },
  ]);
});

test('an address without a reverse zone is told which one to declare', () => {
  const { sources, findings } = reverseOf(of(machine('nas', '198.51.100.7')), { zones, holderOf: nobody });
  expect(sources).toEqual([]);
  expect(findings.get('machine/a/nas')).toEqual([
    {
      address: '198.51.100.7',
      name: '7.100.51.198.in-addr.arpa',
      message: 'no zone for its PTR record: declare 100.51.198.in-addr.arpa, or one above it',
    },
  ]);
});

test('of two Machines with an address the older one keeps the PTR record, and the other is told', () => {
  const young = machine('a', '192.0.2.7', { age: 1 });
  const { sources, findings } = reverseOf(of(young, machine('old', '192.0.2.7')), { zones, holderOf: nobody });
  expect(sources).toEqual([{ address: '192.0.2.7', name: 'old.corp.internal.' }]);
  expect(findings.get('machine/a/a')?.[0]?.message).toBe(
    'machine/a/old has this address and is older: its name is in the PTR record',
  );
});

test.each([
  ['2025-12-31T00:00:00Z', []],
  ['2026-01-02T00:00:00Z', [{ address: '192.0.2.7', name: 'nas.corp.internal.' }]],
])('an Ingress of %s with the same address counts by its age, too', (created, expected) => {
  const holderOf = () => ({ resource: 'ingress/shop/web', created });
  expect(reverseOf(of(machine('nas', '192.0.2.7')), { zones, holderOf }).sources).toEqual(expected);
});

test('a Machine with reverse: Off has none', () => {
  const { sources, findings } = reverseOf(of(machine('nas', '192.0.2.7', { spec: { reverse: 'Off' } })), {
    zones,
    holderOf: nobody,
  });
  expect([sources, findings.size]).toEqual([[], 0]);
});
