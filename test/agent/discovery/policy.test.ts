import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointOf, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { applyPolicy, type Policy } from '../../../functions/agent/discovery/policy.ts';
import { answerOf, areMutuallyExclusive, haveSameAnswer, type RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { discoveredRRset } from '../make.ts';

const web = (type: string, ...records: string[]) =>
  discoveredRRset('ingress/a/web', 'w.corp.internal.', type, ...records);
const other = (type: string, ...records: string[]) =>
  discoveredRRset('ingress/b/web', 'w.corp.internal.', type, ...records);
const a1 = web('A', '192.0.2.1');
const a2 = web('A', '192.0.2.2');
const aaaa = web('AAAA', '2001:db8::1');
const cname = web('CNAME', 'lb.example.');
const second = discoveredRRset('ingress/a/two', 'two.corp.internal.', 'A', '192.0.2.9');

describe('a policy answers', () => {
  const cases: [string, RRset[], RRset[], Record<Exclude<Policy, 'Preview'>, RRset[]>][] = [
    ['a new name', [], [a1], { Sync: [a1], UpsertOnly: [a1], CreateOnly: [a1] }],
    ['an unchanged record', [a1], [a1], { Sync: [a1], UpsertOnly: [a1], CreateOnly: [a1] }],
    ['another address', [a1], [a2], { Sync: [a2], UpsertOnly: [a2], CreateOnly: [a1] }],
    [
      'a record that is no longer desired',
      [a1, second],
      [second],
      { Sync: [second], UpsertOnly: [second, a1], CreateOnly: [a1, second] },
    ],
    ['a switch to CNAME', [a1, aaaa], [cname], { Sync: [cname], UpsertOnly: [cname], CreateOnly: [a1, aaaa] }],
    ['a switch from CNAME', [cname], [a1, aaaa], { Sync: [a1, aaaa], UpsertOnly: [a1, aaaa], CreateOnly: [cname] }],
    [
      'an object’s second address family',
      [a1],
      [a1, aaaa],
      { Sync: [a1, aaaa], UpsertOnly: [a1, aaaa], CreateOnly: [a1, aaaa] },
    ],
    [
      'an object that lost its second address family',
      [a1, aaaa],
      [a1],
      { Sync: [a1], UpsertOnly: [a1, aaaa], CreateOnly: [a1, aaaa] },
    ],
    [
      'another object’s address of another family',
      [a1],
      [other('AAAA', '::1')],
      { Sync: [other('AAAA', '::1')], UpsertOnly: [other('AAAA', '::1')], CreateOnly: [a1] },
    ],
  ];
  test.each(cases)('%s', (_, current, accepted, answers) => {
    for (const policy of ['Sync', 'UpsertOnly', 'CreateOnly'] as const) {
      expect(applyPolicy(policy, current, accepted)).toEqual({ answer: answers[policy] });
    }
    expect(applyPolicy('Preview', current, accepted).answer).toBe(current);
  });
});

describe('a preview', () => {
  test('lists what Sync would do, sorted and without final dots', () => {
    const removed = discoveredRRset('ingress/a/old', 'old.corp.internal.', 'A', '192.0.2.8');
    const fresh = discoveredRRset('ingress/a/new', 'new.corp.internal.', 'AAAA', '2001:db8::2', '2001:db8::1');
    const current = [removed, a1, second];
    const changed = { ...second, records: ['192.0.2.10'] };
    const preview = [
      { action: 'Create', name: 'new.corp.internal', type: 'AAAA', values: ['2001:db8::1', '2001:db8::2'] },
      { action: 'Delete', name: 'old.corp.internal', type: 'A', values: ['192.0.2.8'] },
      { action: 'Update', name: 'two.corp.internal', type: 'A', values: ['192.0.2.10'] },
      { action: 'Delete', name: 'w.corp.internal', type: 'A', values: ['192.0.2.1'] },
      { action: 'Create', name: 'w.corp.internal', type: 'CNAME', values: ['lb.example'] },
    ];
    expect(applyPolicy('Preview', current, [fresh, changed, cname]).preview).toEqual(preview);
    expect(applyPolicy('Preview', current.toReversed(), [cname, changed, fresh]).preview).toEqual(preview);
  });

  test('is empty when no answer would change, also for another object', () => {
    expect(applyPolicy('Preview', [a1], [other('A', '192.0.2.1')]).preview).toEqual([]);
  });

  test('is no longer than the report allows', () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      discoveredRRset(
        'o/a/b',
        `h${10 + i}.corp.internal.`,
        'A',
        ...Array.from({ length: 12 }, (_, j) => `192.0.2.${j}`),
      ),
    );
    const long = discoveredRRset('o/a/b', 'a.corp.internal.', 'TXT', `"${'x'.repeat(300)}"`);
    const { preview = [] } = applyPolicy('Preview', [], [...many, long]);
    expect(preview).toHaveLength(20);
    expect(preview[0]?.values[0]).toHaveLength(255);
    expect(preview[1]).toMatchObject({ name: 'h10.corp.internal', values: { length: 8 } });
  });
});

const rrset = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    resource: fc.constantFrom('ingress/a/x', 'ingress/b/x'),
    content: fc.constantFrom<[string, string]>(
      ['A', '192.0.2.1'],
      ['A', '192.0.2.2'],
      ['AAAA', '2001:db8::1'],
      ['CNAME', 'lb.example.'],
      ['TXT', '"x"'],
    ),
  })
  .map(({ name, resource, content: [type, content] }) =>
    discoveredRRset(resource, `${name}.corp.internal.`, type, content),
  );

/** Without RRsets that exclude each other, like an evaluation. */
const coherent = (rrsets: RRset[]) =>
  rrsets.filter((each, i) => !rrsets.slice(0, i).some((before) => areMutuallyExclusive(before, each)));
/** Reports whether a DNS server cannot have both. */
const isOneAnswer = (a: RRset, b: RRset) =>
  a.name === b.name && (a.type === b.type || [a, b].some(({ type }) => type === 'CNAME'));
const rrsets = fc.array(rrset, { maxLength: 8 }).map(coherent);
const key = ({ name, type }: RRset) => `${name} ${type}`;

/** ExternalDNS and the records that it changes, for an evaluation that stays the same. */
function external(policy: Policy, current: RRset[], accepted: RRset[]) {
  let stored = current;
  const webhook: Webhook = {
    records: async () => stored.map(endpointOf),
    adjustEndpoints: async () => applyPolicy(policy, stored, accepted).answer.map(endpointOf),
    applyChanges: async ({ create = [], updateNew = [], delete: deleted = [] }) => {
      const written = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, 'corp'));
      const replaced = new Set([...deleted.map((endpoint) => rrsetOf(endpoint, 'corp')), ...written].map(key));
      stored = [...stored.filter((each) => !replaced.has(key(each))), ...written];
    },
  };
  return { webhook, stored: () => stored };
}

test.each<Policy>(['Sync', 'UpsertOnly', 'CreateOnly', 'Preview'])(
  'under %s ExternalDNS sends nothing after one loop, and nothing is lost that the policy keeps',
  async (policy) => {
    await fc.assert(
      fc.asyncProperty(rrsets, rrsets, async (current, accepted) => {
        const { webhook, stored } = external(policy, current, accepted);
        await loop(webhook, []);
        expect(await loop(webhook, [])).toBeUndefined();
        const has = (all: RRset[]) => (each: RRset) => all.some((one) => haveSameAnswer(one, each));
        const after = stored();
        expect(after.filter((each, i) => after.slice(0, i).some((before) => isOneAnswer(before, each)))).toEqual([]);
        if (policy === 'Preview') expect(after.map(answerOf).sort()).toEqual(current.map(answerOf).sort());
        if (policy === 'Sync') expect(after.map(answerOf).sort()).toEqual(accepted.map(answerOf).sort());
        if (policy === 'CreateOnly') expect(current.every(has(after))).toBe(true);
        if (policy === 'UpsertOnly') {
          expect(accepted.every(has(after))).toBe(true);
          for (const each of current) {
            expect(has(after)(each) || accepted.some((one) => areMutuallyExclusive(one, each))).toBe(true);
          }
        }
      }),
    );
  },
);
