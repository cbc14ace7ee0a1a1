import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DesiredRecord } from '../../../functions/agent/discovery/desired-records.ts';
import { rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { currentRRsets, type EvaluateOptions, evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import type { Evaluation } from '../../../functions/agent/discovery/evaluation.ts';
import { namespaceOf, sharingGroup } from '../../../functions/agent/discovery/resource-label.ts';
import { answerOf, discoveredMark, haveSameAnswer, type RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { acrossNamespaces, type Declaration } from '../../../functions/contract/declaration.ts';
import { declare, discoveredRRset, endpoint, zone } from '../make.ts';

type SharedHosts = NonNullable<Declaration['discovery']>['sharedHosts'];
const modes: SharedHosts[] = ['FirstWins', 'SameNamespace', 'Merge', 'Refuse'];

const declaring = (sharedHosts: SharedHosts, more: object = {}) =>
  declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, sharedHosts, ...more } });

/** `A 1 2` is 192.0.2.1 and 192.0.2.2, `AAAA 1` is 2001:db8::1, `CNAME 1` is lb1.example.com. */
function contents(answer: string): [type: string, targets: string[]] {
  const [type = '', ...numbers] = answer.split(' ');
  const prefix = type === 'A' ? '192.0.2.' : type === 'AAAA' ? '2001:db8::' : 'lb';
  return [type, numbers.map((n) => `${prefix}${n}${type === 'CNAME' ? '.example.com' : ''}`)];
}

/** `a/x A 1`: the RRset of www.corp.internal that the Ingress a/x wants. */
function desired(text: string, recordTTL?: number): RRset {
  const [object, ...answer] = text.split(' ');
  const [type, targets] = contents(answer.join(' '));
  const resource = object?.includes('/') ? `ingress/${object}` : `${object}`;
  return rrsetOf(
    { ...endpoint(resource, 'www.corp.internal', type, ...targets), ...(recordTTL && { recordTTL }) },
    'corp',
  );
}

const textOf = ({ type, records, mark }: RRset) =>
  `${mark?.content.replace('ingress/', '')} ${type} ${records.map((r) => r.replace(/^192.0.2.|^2001:db8::|^lb|\.example\.com\.$/g, '')).join(' ')}`;

/** A lister of these resources, created in this order; it has synced unless `sees` is false. */
const seen = (resources: string[] = [], sees = true): SourceLister => ({
  ...noSources,
  hasSynced: () => sees,
  get: (resource) => {
    const age = resources.indexOf(resource.replace('ingress/', ''));
    const created = `2026-01-0${age + 1}T00:00:00Z`;
    return age < 0 ? undefined : { resource, namespace: namespaceOf(resource), created, hosts: [] };
  },
});

const summaryOf = ({ accepted, refused }: Evaluation) => ({
  accepted: accepted.map(textOf).sort(),
  refused: refused.map(({ rrset, message }) => `${textOf(rrset)}: ${message}`).sort(),
});

/** Evaluates the records, and expects the same in reverse order and once everything accepted is current. */
function verdict(
  sharedHosts: SharedHosts,
  desiredRecords: RRset[],
  current: RRset[] = [],
  knowledge: EvaluateOptions = {},
) {
  const declaration = declaring(sharedHosts);
  const evaluateWith = (order: RRset[], current: RRset[]) =>
    evaluate(order, [zone('corp.internal', current, declaration)], declaration, { lister: seen(), ...knowledge });
  const first = evaluateWith(desiredRecords, current);
  expect(summaryOf(evaluateWith(desiredRecords.toReversed(), current))).toEqual(summaryOf(first));
  const others = current.filter((r) => knowledge.owns?.(r) === false);
  expect(summaryOf(evaluateWith(desiredRecords, [...others, ...first.accepted]))).toEqual(summaryOf(first));
  return summaryOf(first);
}

const has = (object: string) => `already used by ingress/${object}`;
const conflictsWith = (object: string) =>
  `ingress/${object} wants another answer: neither is published (discovery.sharedHosts: Refuse)`;

describe('of two objects', () => {
  type Case = [
    situation: string,
    desiredRecords: string[],
    current: string[],
    Record<SharedHosts, [string[], string[]?]>,
  ];
  const cases: Case[] = [
    [
      'of two namespaces that want different answers, none of which stands',
      ['a/x A 1', 'b/y A 2'],
      [],
      {
        FirstWins: [['a/x A 1'], [`b/y A 2: ${has('a/x')}`]],
        SameNamespace: [['a/x A 1'], [`b/y A 2: ${has('a/x')}`]],
        Merge: [['a/x A 1 2']],
        Refuse: [[], [`a/x A 1: ${conflictsWith('b/y')}`, `b/y A 2: ${conflictsWith('a/x')}`]],
      },
    ],
    [
      'of two namespaces that want different answers, the second of which stands',
      ['a/x A 1', 'b/y A 2'],
      ['b/y A 2'],
      {
        FirstWins: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        SameNamespace: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        Merge: [['b/y A 1 2']],
        Refuse: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
      },
    ],
    [
      'of two namespaces that want different answers, and the one that stands wants another than before',
      ['a/x A 1', 'b/y A 2'],
      ['b/y A 1'],
      {
        FirstWins: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        SameNamespace: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        Merge: [['b/y A 1 2']],
        Refuse: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
      },
    ],
    [
      'of two namespaces that want the same, none of which stands',
      ['a/x A 1 2', 'b/y A 2 1'],
      [],
      {
        FirstWins: [['a/x A 1 2']],
        SameNamespace: [['a/x A 1 2']],
        Merge: [['a/x A 1 2']],
        Refuse: [['a/x A 1 2']],
      },
    ],
    [
      'of two namespaces that want the same, the second of which stands',
      ['a/x A 1', 'b/y A 1'],
      ['b/y A 1'],
      { FirstWins: [['b/y A 1']], SameNamespace: [['b/y A 1']], Merge: [['b/y A 1']], Refuse: [['b/y A 1']] },
    ],
    [
      'of two namespaces that want the same, which stands for an object that is gone',
      ['a/x A 1', 'b/y A 1'],
      ['c/z A 1'],
      { FirstWins: [['a/x A 1']], SameNamespace: [['a/x A 1']], Merge: [['a/x A 1']], Refuse: [['a/x A 1']] },
    ],
    [
      'of two namespaces, one of which asks for what an object answered that is gone',
      ['a/x A 1', 'b/y A 2'],
      ['c/z A 2'],
      {
        FirstWins: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        SameNamespace: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        Merge: [['a/x A 1 2']],
        Refuse: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
      },
    ],
    [
      'of one namespace that want different answers, none of which stands',
      ['a/w A 2', 'a/x A 1'],
      [],
      {
        FirstWins: [['a/w A 2'], [`a/x A 1: ${has('a/w')}`]],
        SameNamespace: [['a/w A 1 2']],
        Merge: [['a/w A 1 2']],
        Refuse: [['a/w A 1 2']],
      },
    ],
    [
      'of one namespace that want different answers, the second of which stands',
      ['a/w A 2', 'a/x A 1'],
      ['a/x A 1'],
      {
        FirstWins: [['a/x A 1'], [`a/w A 2: ${has('a/x')}`]],
        SameNamespace: [['a/x A 1 2']],
        Merge: [['a/x A 1 2']],
        Refuse: [['a/x A 1 2']],
      },
    ],
    [
      'of one namespace that want the same',
      ['a/w A 1', 'a/x A 1'],
      [],
      { FirstWins: [['a/w A 1']], SameNamespace: [['a/w A 1']], Merge: [['a/w A 1']], Refuse: [['a/w A 1']] },
    ],
    [
      'of one namespace with one family each',
      ['a/w A 1', 'a/x AAAA 1'],
      [],
      {
        FirstWins: [['a/w A 1'], [`a/x AAAA 1: ${has('a/w')}`]],
        SameNamespace: [['a/w A 1', 'a/x AAAA 1']],
        Merge: [['a/w A 1', 'a/x AAAA 1']],
        Refuse: [['a/w A 1', 'a/x AAAA 1']],
      },
    ],
    [
      'of two namespaces with one family each',
      ['a/x A 1', 'b/y AAAA 1'],
      [],
      {
        FirstWins: [['a/x A 1'], [`b/y AAAA 1: ${has('a/x')}`]],
        SameNamespace: [['a/x A 1'], [`b/y AAAA 1: ${has('a/x')}`]],
        Merge: [['a/x A 1', 'b/y AAAA 1']],
        Refuse: [[], [`a/x A 1: ${conflictsWith('b/y')}`, `b/y AAAA 1: ${conflictsWith('a/x')}`]],
      },
    ],
    [
      'of one namespace with two CNAMEs',
      ['a/w CNAME 2', 'a/x CNAME 1'],
      [],
      {
        FirstWins: [['a/w CNAME 2'], [`a/x CNAME 1: ${has('a/w')}`]],
        SameNamespace: [['a/w CNAME 2'], [`a/x CNAME 1: ${has('a/w')}`]],
        Merge: [['a/w CNAME 2'], [`a/x CNAME 1: ${has('a/w')}`]],
        Refuse: [['a/w CNAME 2'], [`a/x CNAME 1: ${has('a/w')}`]],
      },
    ],
    [
      'of one namespace with two CNAMEs, the second of which stands',
      ['a/w CNAME 2', 'a/x CNAME 1'],
      ['a/x CNAME 1'],
      {
        FirstWins: [['a/x CNAME 1'], [`a/w CNAME 2: ${has('a/x')}`]],
        SameNamespace: [['a/x CNAME 1'], [`a/w CNAME 2: ${has('a/x')}`]],
        Merge: [['a/x CNAME 1'], [`a/w CNAME 2: ${has('a/x')}`]],
        Refuse: [['a/x CNAME 1'], [`a/w CNAME 2: ${has('a/x')}`]],
      },
    ],
    [
      'with a CNAME and an address',
      ['a/w CNAME 1', 'a/x A 1'],
      [],
      {
        FirstWins: [['a/x A 1'], [`a/w CNAME 1: ${has('a/x')}`]],
        SameNamespace: [['a/x A 1'], [`a/w CNAME 1: ${has('a/x')}`]],
        Merge: [['a/x A 1'], [`a/w CNAME 1: ${has('a/x')}`]],
        Refuse: [['a/x A 1'], [`a/w CNAME 1: ${has('a/x')}`]],
      },
    ],
    [
      'with a CNAME that stands and an address',
      ['a/w CNAME 1', 'a/x A 1'],
      ['a/w CNAME 1'],
      {
        FirstWins: [['a/w CNAME 1'], [`a/x A 1: ${has('a/w')}`]],
        SameNamespace: [['a/w CNAME 1'], [`a/x A 1: ${has('a/w')}`]],
        Merge: [['a/w CNAME 1'], [`a/x A 1: ${has('a/w')}`]],
        Refuse: [['a/w CNAME 1'], [`a/x A 1: ${has('a/w')}`]],
      },
    ],
    [
      'of two namespaces, where another object of the second one stood',
      ['a/x A 1', 'b/y A 2'],
      ['b/z A 3'],
      {
        FirstWins: [['a/x A 1'], [`b/y A 2: ${has('a/x')}`]],
        SameNamespace: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
        Merge: [['a/x A 1 2']],
        Refuse: [['b/y A 2'], [`a/x A 1: ${has('b/y')}`]],
      },
    ],
    [
      'without a namespace',
      ['node/n1 A 1', 'node/n2 A 2'],
      [],
      {
        FirstWins: [['node/n1 A 1'], ['node/n2 A 2: already used by node/n1']],
        SameNamespace: [['node/n1 A 1 2']],
        Merge: [['node/n1 A 1 2']],
        Refuse: [['node/n1 A 1 2']],
      },
    ],
    [
      'without a namespace, of which one is not said',
      ['node/n1 A 1', 'unknown A 2'],
      [],
      {
        FirstWins: [['node/n1 A 1'], ['unknown A 2: already used by node/n1']],
        SameNamespace: [['node/n1 A 1'], ['unknown A 2: already used by node/n1']],
        Merge: [['node/n1 A 1 2']],
        Refuse: [
          [],
          ['node/n1 A 1: unknown wants', 'unknown A 2: node/n1 wants'].map(
            (who) => `${who} another answer: neither is published (discovery.sharedHosts: Refuse)`,
          ),
        ],
      },
    ],
    [
      'of which one has no namespace and one has that of its kind',
      ['node/n1 A 1', 'node/x A 2'],
      ['node/n1 A 1'],
      {
        FirstWins: [['node/n1 A 1'], ['node/x A 2: already used by node/n1']],
        SameNamespace: [['node/n1 A 1'], ['node/x A 2: already used by node/n1']],
        Merge: [['node/n1 A 1 2']],
        Refuse: [['node/n1 A 1'], ['node/x A 2: already used by node/n1']],
      },
    ],
  ];

  const tables = cases.flatMap(([situation, desiredRecords, current, outcomes]) =>
    modes.map((mode) => ({ situation, mode, desiredRecords, current, outcome: outcomes[mode] })),
  );
  test.each(tables)(
    '$situation: $mode',
    ({ situation, mode, desiredRecords, current, outcome: [accepted, refused = []] }) => {
      const isNode = (text: string) => situation.includes('without') || text.startsWith('node/n');
      const ask = (text: string) => {
        const rrset = desired(text);
        const resource = text.split(' ')[0] as string;
        return text.startsWith('node/') && isNode(text) ? { ...rrset, mark: discoveredMark('corp', resource) } : rrset;
      };
      expect(verdict(mode, desiredRecords.map(ask), current.map(ask))).toEqual({ accepted, refused });
    },
  );
});

describe('the object with precedence', () => {
  const older = (...names: string[]) => ({ lister: seen(names) });

  test('is the older object, even with a CNAME', () => {
    const both = [desired('a/x A 1'), desired('b/y CNAME 2')];
    expect(verdict('SameNamespace', both, [], older('b/y', 'a/x')).accepted).toEqual(['b/y CNAME 2']);
    expect(verdict('SameNamespace', both, [], older('a/x', 'b/y')).accepted).toEqual(['a/x A 1']);
    expect(verdict('SameNamespace', both, [], older('b/y')).accepted).toEqual(['b/y CNAME 2']);
  });

  test('determines the TTL and the mark', () => {
    const all = [desired('a/w A 1', 30), desired('a/x A 2', 300), desired('a/y A 3', 20)];
    for (const order of [all, all.toReversed()]) {
      const declaration = declaring('SameNamespace');
      const { accepted } = evaluate(order, [zone()], declaration, older('a/x', 'a/w', 'a/y'));
      expect(accepted).toEqual([{ ...desired('a/x A 1 2 3'), ttl: 300 }]);
    }
  });

  test('keeps its name when another object copies its answer and it changes', () => {
    expect(verdict('SameNamespace', [desired('a/x A 1'), desired('b/y A 2')], [desired('b/y A 1')]).accepted).toEqual([
      'b/y A 2',
    ]);
  });

  test('keeps its name while it wants an invalid record', () => {
    expect(verdict('FirstWins', [desired('b/y CNAME'), desired('a/x A 1')], [desired('b/y A 2')])).toEqual({
      accepted: ['b/y A 2'],
      refused: [`a/x A 1: ${has('b/y')}`, 'b/y CNAME : no target'],
    });
  });

  test('does not keep its name from its own namespace while it wants an invalid record', () => {
    expect(verdict('SameNamespace', [desired('a/x CNAME'), desired('a/w A 1')], [desired('a/x A 2')]).accepted).toEqual(
      ['a/w A 1'],
    );
  });

  test('keeps the name for both address families even if only one is valid', () => {
    const current = [desired('b/y A 2'), desired('b/y AAAA 2')];
    expect(
      verdict('FirstWins', [desired('b/y A 3'), desired('b/y AAAA'), desired('a/x AAAA 1')], current).accepted,
    ).toEqual(['b/y A 3', 'b/y AAAA 2']);
  });
});

test('each rejection names an object that wants another answer', () => {
  expect(verdict('Refuse', [desired('a/x A 1'), desired('b/y A 1'), desired('c/z A 2')])).toEqual({
    accepted: [],
    refused: [
      `a/x A 1: ${conflictsWith('c/z')}`,
      `b/y A 1: ${conflictsWith('c/z')}`,
      `c/z A 2: ${conflictsWith('a/x')}`,
    ],
  });
});

describe('a current record whose object does not want the name', () => {
  test('keeps its mark where objects are not visible, because ExternalDNS names any of them', () => {
    const lister = seen([], false);
    expect(verdict('SameNamespace', [desired('a/x A 1')], [desired('b/y A 1')], { lister }).accepted).toEqual([
      'b/y A 1',
    ]);
    expect(verdict('SameNamespace', [desired('a/x A 1')], [desired('b/y A 1')]).accepted).toEqual(['a/x A 1']);
  });

  test('is marked for another object if its own may not have the name', () => {
    const reserved = declaring('SameNamespace', {
      tenants: [{ namespaceSelector: { matchLabels: { team: 'a' } }, names: ['www.corp.internal'] }],
    });
    const lister = { ...noSources, namespaceLabels: (team: string) => ({ team }) };
    const { accepted } = evaluate(
      [desired('b/y A 1'), desired('a/x A 1')],
      [zone('corp.internal', [desired('b/y A 1')])],
      reserved,
      {
        lister,
      },
    );
    expect(accepted.map(textOf)).toEqual(['a/x A 1']);
  });
});

describe('another ExternalDNS', () => {
  const unowned = (text: string): RRset => ({
    ...desired(text),
    mark: discoveredMark('other', `ingress/${text.split(' ')[0]}`),
  });
  const owns = ({ mark }: RRset) => mark?.account === 'external-dns/corp';

  test.each(modes)('keeps the name, for both address families: %s', (mode) => {
    expect(verdict(mode, [desired('a/x A 1'), desired('a/x AAAA 1')], [unowned('b/y A 2')], { owns })).toEqual({
      accepted: [],
      refused: [`a/x A 1: ${has('b/y')}`, `a/x AAAA 1: ${has('b/y')}`],
    });
  });

  test('does not conflict with the same answer, and keeps its record', () => {
    expect(verdict('SameNamespace', [desired('a/x A 1')], [unowned('b/y A 1')], { owns })).toEqual({
      accepted: [],
      refused: [],
    });
  });

  test('does not change what this one keeps', () => {
    expect(verdict('SameNamespace', [desired('b/y CNAME')], [unowned('b/y A 2')], { owns }).accepted).toEqual([]);
  });
});

test('a merged RRset that PowerDNS refused is not sent again: the current one stays, and every part is rejected', () => {
  const message = 'Record www.corp.internal./A: no';
  const refusal = `change the object, as PowerDNS refuses this: ${message}`;
  const current = [desired('a/x A 1')];
  const refused = desired('a/x A 1 2');
  const rejections = new Map([[answerOf(refused), { rrset: refused, beside: current, message }]]);
  expect(verdict('SameNamespace', [desired('a/x A 1'), desired('a/w A 2')], current, { rejections })).toEqual({
    accepted: ['a/x A 1'],
    refused: [`a/w A 2: ${refusal}`, `a/x A 1 2: ${refusal}`],
  });
});

describe('a delegation', () => {
  const declaration = declare({
    discovery: { ownerID: 'corp', intervalSeconds: 2, recordTypes: ['A', 'NS'] },
    zones: [{ name: 'corp.internal', nameServers: [] }],
  });
  const delegates = rrsetOf(endpoint('crd/b/dev', 'dev.corp.internal', 'NS', 'ns.example.com'), 'corp');
  const evaluateWith = (desiredRecords: RRset[], current: RRset[]) => {
    const { accepted, refused } = evaluate(desiredRecords, [zone('corp.internal', current)], declaration, {
      lister: seen(),
    });
    return { accepted, refused: refused.map(({ message }) => message) };
  };

  test('is published, and ExternalDNS finds it', () => {
    expect(evaluateWith([delegates], [])).toEqual({ accepted: [delegates], refused: [] });
    expect(evaluateWith([delegates], [delegates])).toEqual({ accepted: [delegates], refused: [] });
  });

  test.each([
    [
      'a name of another namespace',
      discoveredRRset('ingress/a/x', 'x.dev.corp.internal.', 'A', '192.0.2.1'),
      ', which is used by ingress/a/x',
    ],
    [
      'a declared name',
      {
        ...discoveredRRset('', 'x.dev.corp.internal.', 'A', '192.0.2.1'),
        mark: { account: 'internal-dns', content: '' },
      },
      ', which the InternalDNS declares',
    ],
    [
      'a name of a person',
      { ...discoveredRRset('', 'x.dev.corp.internal.', 'A', '192.0.2.1'), mark: { account: '', content: '' } },
      ', an unmanaged record',
    ],
  ])('does not hide %s', (_, current, who) => {
    expect(evaluateWith([delegates], [current])).toEqual({
      accepted: [],
      refused: [`a delegation would hide x.dev.corp.internal${who}: delegate another name`],
    });
  });

  test('may hide a name of its own namespace', () => {
    const own = discoveredRRset('ingress/b/x', 'x.dev.corp.internal.', 'A', '192.0.2.1');
    expect(evaluateWith([delegates], [own])).toEqual({ accepted: [delegates], refused: [] });
  });

  test('is deleted when a name below it is declared', () => {
    const declared = {
      ...discoveredRRset('', 'x.dev.corp.internal.', 'A', '192.0.2.1'),
      mark: { account: 'internal-dns', content: '' },
    };
    expect(evaluateWith([delegates], [delegates, declared]).accepted).toEqual([]);
  });

  test('rejects an address at its name, and hides a current one', () => {
    const address = rrsetOf(endpoint('crd/b/dev', 'dev.corp.internal', 'A', '192.0.2.1'), 'corp');
    expect(evaluateWith([delegates, address], [delegates, address])).toEqual({
      accepted: [delegates],
      refused: ['dev.corp.internal is delegated: its own servers answer for it'],
    });
    expect(currentRRsets([zone('corp.internal', [delegates, address])], declaration)).toEqual([delegates]);
  });

  test('is rejected while its object has an address at the name', () => {
    const address = rrsetOf(endpoint('crd/b/dev', 'dev.corp.internal', 'A', '192.0.2.1'), 'corp');
    expect(evaluateWith([delegates, address], [])).toEqual({
      accepted: [address],
      refused: ['already used by its own A record: A and NS cannot coexist'],
    });
  });
});

describe('a filtered record', () => {
  const filtered = (text: string): DesiredRecord => ({
    ...desired(text),
    records: [],
    isFiltered: true,
    fault: 'not in the networks',
  });

  test('is deleted, and does not keep its name', () => {
    expect(verdict('FirstWins', [filtered('b/y A 2')], [desired('b/y A 2')])).toEqual({
      accepted: [],
      refused: ['b/y A : not in the networks: change that field, or the address of the object'],
    });
    expect(verdict('FirstWins', [filtered('b/y A 2'), desired('a/x A 1')], [desired('b/y A 2')]).accepted).toEqual([
      'a/x A 1',
    ]);
  });

  test('keeps no record that its object no longer wants', () => {
    const current = [desired('b/y A 2'), desired('b/y AAAA 2')];
    expect(verdict('FirstWins', [filtered('b/y AAAA 2')], current).accepted).toEqual([]);
  });

  test('is deleted even if its object wants an invalid record, too', () => {
    const current = [desired('b/y A 2'), desired('b/y AAAA 2')];
    expect(verdict('FirstWins', [filtered('b/y AAAA 2'), desired('b/y A')], current).accepted).toEqual(['b/y A 2']);
  });
});

// Few of everything, so that conflicts are frequent.
const resources = ['ingress/a/x', 'ingress/a/y', 'service/b/x', 'ingress/c/x', 'node/n', 'node/m', 'unknown'];
const names = ['www.corp.internal', 'a.corp.internal', '*.corp.internal', 'vpn.corp.internal', '_no.corp.internal'];
const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT'];

const anyRRset = fc
  .record({
    resource: fc.constantFrom(...resources),
    name: fc.constantFrom(...names),
    type: fc.constantFrom('A', 'A', 'A', 'AAAA', 'CNAME', 'TXT'),
    ttl: fc.constantFrom(15, 60, 300),
    picks: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 2 }),
  })
  .map(({ resource, name, type, ttl, picks }) => {
    const targets = type === 'TXT' ? picks.map((n) => `"${n}"`) : contents([type, ...picks].join(' '))[1];
    return rrsetOf({ ...endpoint(resource, name, type, ...targets), recordTTL: ttl }, 'corp');
  });

const world = fc
  .record({
    sharedHosts: fc.constantFrom(...modes),
    desiredRecords: fc.array(anyRRset, { maxLength: 14 }),
    before: fc.array(anyRRset, { maxLength: 10 }),
    sees: fc.boolean(),
    ages: fc.shuffledSubarray(resources.map((r) => r.replace('ingress/', ''))),
    tenants: fc.constantFrom(
      [],
      [{ namespaceSelector: { matchLabels: { team: 'a' } }, names: ['a.corp.internal', 'vpn.corp.internal'] }],
    ),
    known: fc.subarray(['a', 'b', 'c']),
    reservedNames: fc.constantFrom([], ['vpn.corp.internal']),
    maxNamesPerNamespace: fc.constantFrom(1, 2, 1000),
  })
  .map(({ sharedHosts, tenants, reservedNames, maxNamesPerNamespace, sees, ages, known, ...world }) => {
    // Names that affect the hosts of other namespaces: see across-namespaces.test.ts.
    const allowAcrossNamespaces = [...acrossNamespaces];
    const more = { recordTypes, tenants, reservedNames, maxNamesPerNamespace, allowAcrossNamespaces };
    const declaration = declaring(sharedHosts, more);
    const lister: SourceLister = {
      ...seen(ages, sees),
      namespaceLabels: (namespace) => (known.includes(namespace) ? { team: namespace } : undefined),
    };
    const evaluateWith = (desiredRecords: RRset[], current: RRset[]) => {
      const { accepted, refused } = evaluate(
        desiredRecords,
        [zone('corp.internal', current, declaration)],
        declaration,
        {
          lister,
        },
      );
      const keyOf = (rrset: RRset) => `${answerOf(rrset)} ${rrset.mark?.content}`;
      return { accepted: accepted.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)), refused };
    };
    // Current records: what an agent would have published for other desired records before.
    return { ...world, sharedHosts, sees, declaration, evaluateWith, current: evaluateWith(world.before, []).accepted };
  });

const runs = { numRuns: 1000 };

describe('for all desired records', () => {
  test('the evaluation does not depend on their order', () => {
    fc.assert(
      fc.property(
        world.chain((world) =>
          fc.tuple(
            fc.constant(world),
            fc.shuffledSubarray(world.desiredRecords, { minLength: world.desiredRecords.length }),
          ),
        ),
        ([{ desiredRecords, current, evaluateWith }, shuffled]) => {
          expect(evaluateWith(shuffled, current.toReversed())).toEqual(evaluateWith(desiredRecords, current));
        },
      ),
      runs,
    );
  });

  test('a second evaluation of what was published changes nothing', () => {
    fc.assert(
      fc.property(world, ({ desiredRecords, current, evaluateWith }) => {
        const verdict = evaluateWith(desiredRecords, current);
        const { accepted } = evaluateWith(desiredRecords, verdict.accepted);
        expect(accepted).toEqual(verdict.accepted);
      }),
      runs,
    );
  });

  test('a second evaluation changes nothing if only a new mark was not written', () => {
    fc.assert(
      fc.property(world, ({ desiredRecords, current, evaluateWith }) => {
        const written = (rrsets: RRset[]) =>
          rrsets.map((rrset) => current.find((old) => answerOf(old) === answerOf(rrset)) ?? rrset);
        const { accepted } = evaluateWith(desiredRecords, current);
        expect(evaluateWith(desiredRecords, written(accepted)).accepted.map(answerOf)).toEqual(accepted.map(answerOf));
      }),
      runs,
    );
  });

  test('no RRsets are accepted that cannot coexist', () => {
    fc.assert(
      fc.property(world, ({ desiredRecords, current, evaluateWith }) => {
        const { accepted } = evaluateWith(desiredRecords, current);
        for (const ofName of Map.groupBy(accepted, ({ name }) => name).values()) {
          const types = ofName.map(({ type }) => type);
          expect(new Set(types).size).toBe(types.length);
          if (types.includes('CNAME')) expect(types).toEqual(['CNAME']);
          for (const { type, records } of ofName) if (type === 'CNAME') expect(records).toHaveLength(1);
        }
      }),
      runs,
    );
  });

  test('a name has records of one sharing group only, unless all are merged', () => {
    fc.assert(
      fc.property(world, ({ sharedHosts, sees, desiredRecords, current, evaluateWith }) => {
        const { accepted } = evaluateWith(desiredRecords, current);
        const partyOf = sharedHosts === 'FirstWins' ? (r: string) => r : sharingGroup;
        for (const rrset of accepted) {
          if (sharedHosts === 'Merge' || current.some((old) => answerOf(old) === answerOf(rrset))) continue;
          const own = desiredRecords
            .filter(({ name, type }) => name === rrset.name && type === rrset.type)
            .filter(({ mark }) => partyOf(mark?.content ?? '') === partyOf(rrset.mark?.content ?? ''))
            .flatMap(({ records }) => records);
          expect(own).toEqual(expect.arrayContaining(rrset.records));
          // The same holds for the other RRsets of the name; where objects are not listed, a mark may be old.
          if (!sees) continue;
          for (const other of accepted.filter(({ name }) => name === rrset.name)) {
            expect(partyOf(other.mark?.content ?? '')).toBe(partyOf(rrset.mark?.content ?? ''));
          }
        }
      }),
      runs,
    );
  });

  test('a desired record for one name does not affect another name', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(...names), ({ desiredRecords, current, evaluateWith, declaration }, name) => {
        fc.pre(declaration.discovery?.maxNamesPerNamespace === 1000);
        const isHere = (rrset: RRset) => rrset.name === `${name}.`;
        const all = evaluateWith(desiredRecords, current);
        const alone = evaluateWith(desiredRecords.filter(isHere), current);
        expect(alone.accepted).toEqual(all.accepted.filter(isHere));
        expect(alone.refused).toEqual(all.refused.filter(({ rrset }) => isHere(rrset)));
      }),
      runs,
    );
  });

  test('no namespace exceeds its quota, and every record is accepted or rejected', () => {
    fc.assert(
      fc.property(world, ({ desiredRecords, current, evaluateWith, declaration, sharedHosts }) => {
        const { accepted, refused } = evaluateWith(desiredRecords, current);
        const most = declaration.discovery?.maxNamesPerNamespace ?? 0;
        // An object that is merged into the RRset of another one is not in its mark.
        fc.pre(sharedHosts !== 'Merge');
        const placesOf = (rrsets: RRset[]) =>
          Map.groupBy(
            new Set(rrsets.map(({ name, mark }) => `${namespaceOf(mark?.content ?? '')} ${name}`)),
            (nameContext) => nameContext.split(' ')[0],
          );
        // Only the mark of the others is to change: see namesOverQuota.
        const isThere = (rrset: RRset) => current.some((each) => haveSameAnswer(each, rrset));
        const before = placesOf([...current, ...accepted.filter(isThere)]);
        for (const [namespace, places] of placesOf(accepted)) {
          if (namespace === '') continue;
          const fresh = places.filter((nameContext) => !before.get(namespace)?.includes(nameContext));
          if (fresh.length > 0) expect(places.length).toBeLessThanOrEqual(most);
        }
        for (const { name, type, records, mark } of desiredRecords) {
          const isAnswered = accepted.some(
            (a) => a.name === name && a.type === type && records.every((content) => a.records.includes(content)),
          );
          const isRefused = refused.some(({ rrset }) => rrset.name === name && rrset.mark?.content === mark?.content);
          expect(isAnswered || isRefused).toBe(true);
        }
      }),
      runs,
    );
  });
});
