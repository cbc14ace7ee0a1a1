import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointOf, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { answerUnder, type Policy } from '../../../functions/agent/discovery/policy.ts';
import { answerOf, areMutuallyExclusive, haveSameAnswer, type RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { found } from '../make.ts';

const web = (type: string, ...records: string[]) => found('ingress/a/web', 'w.corp.internal.', type, ...records);
const other = (type: string, ...records: string[]) => found('ingress/b/web', 'w.corp.internal.', type, ...records);
const a1 = web('A', '192.0.2.1');
const a2 = web('A', '192.0.2.2');
const aaaa = web('AAAA', '2001:db8::1');
const cname = web('CNAME', 'lb.example.');
const second = found('ingress/a/two', 'two.corp.internal.', 'A', '192.0.2.9');

describe('the answer under a policy', () => {
  const cases: [string, RRset[], RRset[], Record<Exclude<Policy, 'Preview'>, RRset[]>][] = [
    ['to a new name', [], [a1], { Sync: [a1], UpsertOnly: [a1], CreateOnly: [a1] }],
    ['to what stands', [a1], [a1], { Sync: [a1], UpsertOnly: [a1], CreateOnly: [a1] }],
    ['to another address', [a1], [a2], { Sync: [a2], UpsertOnly: [a2], CreateOnly: [a1] }],
    ['to nothing', [a1, second], [second], { Sync: [second], UpsertOnly: [second, a1], CreateOnly: [a1, second] }],
    ['to a switch to CNAME', [a1, aaaa], [cname], { Sync: [cname], UpsertOnly: [cname], CreateOnly: [a1, aaaa] }],
    ['to a switch from CNAME', [cname], [a1, aaaa], { Sync: [a1, aaaa], UpsertOnly: [a1, aaaa], CreateOnly: [cname] }],
    [
      'to an object’s second family',
      [a1],
      [a1, aaaa],
      { Sync: [a1, aaaa], UpsertOnly: [a1, aaaa], CreateOnly: [a1, aaaa] },
    ],
    [
      'to an object without its second family',
      [a1, aaaa],
      [a1],
      { Sync: [a1], UpsertOnly: [a1, aaaa], CreateOnly: [a1, aaaa] },
    ],
    [
      'to another object’s address of another family',
      [a1],
      [other('AAAA', '::1')],
      { Sync: [other('AAAA', '::1')], UpsertOnly: [other('AAAA', '::1')], CreateOnly: [a1] },
    ],
  ];
  test.each(cases)('%s', (_, current, accepted, answers) => {
    for (const policy of ['Sync', 'UpsertOnly', 'CreateOnly'] as const) {
      expect(answerUnder(policy, current, accepted)).toEqual({ answer: answers[policy] });
    }
    expect(answerUnder('Preview', current, accepted).answer).toBe(current);
  });
});

describe('a preview', () => {
  test('says what Sync would do, in an order of its own, without final dots', () => {
    const gone = found('ingress/a/old', 'old.corp.internal.', 'A', '192.0.2.8');
    const fresh = found('ingress/a/new', 'new.corp.internal.', 'AAAA', '2001:db8::2', '2001:db8::1');
    const current = [gone, a1, second];
    const changed = { ...second, records: ['192.0.2.10'] };
    const preview = [
      { action: 'Create', name: 'new.corp.internal', type: 'AAAA', values: ['2001:db8::1', '2001:db8::2'] },
      { action: 'Delete', name: 'old.corp.internal', type: 'A', values: ['192.0.2.8'] },
      { action: 'Update', name: 'two.corp.internal', type: 'A', values: ['192.0.2.10'] },
      { action: 'Delete', name: 'w.corp.internal', type: 'A', values: ['192.0.2.1'] },
      { action: 'Create', name: 'w.corp.internal', type: 'CNAME', values: ['lb.example'] },
    ];
    expect(answerUnder('Preview', current, [fresh, changed, cname]).preview).toEqual(preview);
    expect(answerUnder('Preview', current.toReversed(), [cname, changed, fresh]).preview).toEqual(preview);
  });

  test('is empty when nothing would change, whoever the object is', () => {
    expect(answerUnder('Preview', [a1], [other('A', '192.0.2.1')]).preview).toEqual([]);
  });

  test('is no longer than a report takes', () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      found('o/a/b', `h${10 + i}.corp.internal.`, 'A', ...Array.from({ length: 12 }, (_, j) => `192.0.2.${j}`)),
    );
    const long = found('o/a/b', 'a.corp.internal.', 'TXT', `"${'x'.repeat(300)}"`);
    const { preview = [] } = answerUnder('Preview', [], [...many, long]);
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
  .map(({ name, resource, content: [type, content] }) => found(resource, `${name}.corp.internal.`, type, content));

/** As they can stand side by side, and as a verdict comes. */
const coherent = (rrsets: RRset[]) =>
  rrsets.filter((each, i) => !rrsets.slice(0, i).some((before) => areMutuallyExclusive(before, each)));
/** Whether a DNS server could not have both. */
const isOneAnswer = (a: RRset, b: RRset) =>
  a.name === b.name && (a.type === b.type || [a, b].some(({ type }) => type === 'CNAME'));
const rrsets = fc.array(rrset, { maxLength: 8 }).map(coherent);
const key = ({ name, type }: RRset) => `${name} ${type}`;

/** ExternalDNS and the records that it changes, for a verdict that stays the same. */
function external(policy: Policy, current: RRset[], accepted: RRset[]) {
  let there = current;
  const webhook: Webhook = {
    records: async () => there.map(endpointOf),
    adjustEndpoints: async () => answerUnder(policy, there, accepted).answer.map(endpointOf),
    applyChanges: async ({ create = [], updateNew = [], delete: deleted = [] }) => {
      const written = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, 'corp'));
      const gone = new Set([...deleted.map((endpoint) => rrsetOf(endpoint, 'corp')), ...written].map(key));
      there = [...there.filter((each) => !gone.has(key(each))), ...written];
    },
  };
  return { webhook, there: () => there };
}

test.each<Policy>(['Sync', 'UpsertOnly', 'CreateOnly', 'Preview'])(
  'under %s ExternalDNS comes to rest after one loop, with nothing lost that the policy keeps',
  async (policy) => {
    await fc.assert(
      fc.asyncProperty(rrsets, rrsets, async (current, accepted) => {
        const { webhook, there } = external(policy, current, accepted);
        await loop(webhook, []);
        expect(await loop(webhook, [])).toBeUndefined();
        const has = (all: RRset[]) => (each: RRset) => all.some((one) => haveSameAnswer(one, each));
        const after = there();
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
