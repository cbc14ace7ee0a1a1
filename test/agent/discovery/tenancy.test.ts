import { describe, expect, test } from 'vitest';
import { rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource-label.ts';
import { NamePatterns } from '../../../functions/agent/discovery/tenancy.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { declare, discoveredRRset, endpoint, zone } from '../make.ts';

type Discovery = NonNullable<NonNullable<Parameters<typeof declare>[0]>['discovery']>;

/** Namespaces a and also-a have team a, b has team b, both has both, and nobody has none. */
const teams: Record<string, Record<string, string>> = {
  a: { team: 'a' },
  'also-a': { team: 'a' },
  b: { team: 'b' },
  both: { team: 'a', second: 'b' },
  nobody: {},
};
const lister: SourceLister = { ...noSources, namespaceLabels: (namespace) => teams[namespace] };
const tenant = (key: string, team: string, ...names: string[]) => ({
  namespaceSelector: { matchLabels: { [key]: team } },
  names,
});

const desired = (resource: string, name: string, address = '192.0.2.1') =>
  rrsetOf(endpoint(resource, name ? `${name}.corp.internal` : 'corp.internal', 'A', address), 'corp');
const current = (resource: string, name: string, address = '192.0.2.1') =>
  discoveredRRset(resource, `${name}.corp.internal.`, 'A', address);

/** `name object`, and `name object: message`. */
function verdict(discovery: Partial<Discovery>, desiredRecords: RRset[], present: RRset[] = [], seen = lister) {
  const declaration = declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, ...discovery } });
  const verdicts = [desiredRecords, desiredRecords.toReversed()].map((order) => {
    const { accepted, refused } = evaluate(order, [zone('corp.internal', present, declaration)], declaration, {
      lister: seen,
    });
    const of = ({ name, mark }: RRset) => `${name.replace(/\.?corp\.internal\.$/, '')} ${mark?.content}`;
    return {
      accepted: accepted.map((rrset) => `${of(rrset)} ${rrset.records.join()}`).sort(),
      refused: refused.map(({ rrset, message }) => `${of(rrset)}: ${message}`),
    };
  });
  expect(verdicts[0]).toEqual(verdicts[1]);
  return verdicts[0]!;
}

describe('a pattern', () => {
  test.each([
    ['www.corp.internal', 'www.corp.internal', true],
    ['www.corp.internal', 'x.www.corp.internal', false],
    ['www.corp.internal', '*.www.corp.internal', false],
    ['corp.internal', 'corp.internal', true],
    ['*.a.corp.internal', 'x.a.corp.internal', true],
    ['*.a.corp.internal', 'x.y.z.a.corp.internal', true],
    ['*.a.corp.internal', '*.a.corp.internal', true],
    ['*.a.corp.internal', '*.x.a.corp.internal', true],
    ['*.a.corp.internal', 'a.corp.internal', false],
    ['*.a.corp.internal', 'xa.corp.internal', false],
    ['*.a.corp.internal', '*.corp.internal', false],
    ['[*].a.corp.internal', '*.a.corp.internal', true],
    ['[*].a.corp.internal', 'x.a.corp.internal', false],
    ['[*].a.corp.internal', '*.x.a.corp.internal', false],
    ['[*].a.corp.internal', 'a.corp.internal', false],
  ])('%s and the name %s: %s', (pattern, name, isMatch) => {
    expect(new NamePatterns([[pattern, 'it']]).match(`${name}.`)).toEqual(isMatch ? ['it'] : []);
  });

  test('does not shadow another pattern', () => {
    const all = ['x.a.internal', '*.a.internal', '*.a.internal', '*.internal'] as const;
    expect(new NamePatterns(all.map((pattern, i) => [pattern, i])).match('x.a.internal.')).toEqual([0, 1, 2, 3]);
  });
});

test.each([
  ['ingress/shop/web', 'shop'],
  ['HTTPProxy/shop/web', 'shop'],
  ['crd/shop/web', 'shop'],
  ['node/worker-1', ''],
  ['clusterthing//one', ''],
  ['unknown', ''],
  ['', ''],
])('the namespace of %s is %s', (resource, namespace) => {
  expect(namespaceOf(resource)).toBe(namespace);
});

describe('a reserved name', () => {
  const reservedNames = ['vpn.corp.internal', '*.infra.corp.internal', '[*].corp.internal', 'corp.internal'];
  const message = 'reserved (discovery.reservedNames): use another host';

  test.each(['vpn', 'x.infra', '*.infra', '*', ''])('no object gets %s', (name) => {
    expect(verdict({ reservedNames }, [desired('ingress/a/x', name), desired('node/n', name)])).toEqual({
      accepted: [],
      refused: [`${name} ingress/a/x: ${message}`, `${name} node/n: ${message}`],
    });
  });

  test.each(['x.vpn', 'infra', 'www', '*.www'])('%s is not reserved', (name) => {
    expect(verdict({ reservedNames }, [desired('ingress/a/x', name)]).refused).toEqual([]);
  });

  test('the apex and wildcards are not reserved by default', () => {
    expect(verdict({}, [desired('ingress/a/x', ''), desired('ingress/a/x', '*')]).refused).toEqual([]);
  });

  test('that is current stays until no object wants it', () => {
    const present = [current('ingress/a/x', 'vpn')];
    expect(verdict({ reservedNames }, [desired('ingress/a/x', 'vpn', '192.0.2.9')], present)).toEqual({
      accepted: ['vpn ingress/a/x 192.0.2.1'],
      refused: [`vpn ingress/a/x: ${message}`],
    });
    expect(verdict({ reservedNames }, [], present).accepted).toEqual([]);
  });
});

describe('tenants', () => {
  const unnamed =
    'the object is unknown, and so is its tenant (discovery.tenants): set the host on a Service or an Ingress';
  const tenants = [
    tenant('team', 'a', '*.a.corp.internal', 'alpha.corp.internal'),
    tenant('team', 'b', '*.b.corp.internal'),
    tenant('second', 'b', '*.b.corp.internal'),
  ];
  const onlyA = (namespace: string) =>
    `namespace ${namespace} may have only *.a.corp.internal, alpha.corp.internal (discovery.tenants): use one of these`;
  const notOf = (pattern: string, who: string, remedy = 'use another host, or label the namespace') =>
    `${pattern} belongs to a tenant that does not include ${who} (discovery.tenants): ${remedy}`;

  test.each([
    ['ingress/a/x', 'www.a'],
    ['service/also-a/x', 'www.a'],
    ['ingress/a/x', '*.a'],
    ['ingress/a/x', 'alpha'],
    ['ingress/b/x', 'deep.down.b'],
    ['ingress/both/x', 'www.a'],
    ['ingress/both/x', 'www.b'],
    ['ingress/nobody/x', 'www'],
    ['ingress/nobody/x', ''],
    ['node/n', 'www'],
    ['thing//x', 'www'],
  ])('%s may have %s', (resource, name) => {
    expect(verdict({ tenants }, [desired(resource, name)])).toEqual({
      accepted: [`${name} ${resource} 192.0.2.1`],
      refused: [],
    });
  });

  test.each([
    ['ingress/a/x', 'www', onlyA('a')],
    ['ingress/a/x', 'www.b', onlyA('a')],
    ['service/also-a/x', 'a', onlyA('also-a')],
    [
      'ingress/both/x',
      'www',
      'namespace both may have only *.a.corp.internal, alpha.corp.internal, *.b.corp.internal (discovery.tenants): use one of these',
    ],
    ['ingress/nobody/x', 'www.a', notOf('*.a.corp.internal', 'namespace nobody')],
    ['ingress/nobody/x', 'alpha', notOf('alpha.corp.internal', 'namespace nobody')],
    ['ingress/nobody/x', '*.b', notOf('*.b.corp.internal', 'namespace nobody')],
    ['node/n', 'www.a', notOf('*.a.corp.internal', 'node/n', 'use another host')],
    ['unknown', 'www', unnamed],
  ])('%s may not have %s', (resource, name, message) => {
    expect(verdict({ tenants }, [desired(resource, name)])).toEqual({
      accepted: [],
      refused: [`${name} ${resource}: ${message}`],
    });
  });

  test('an object that may not have a name does not keep it from one that may, even if its record is current', () => {
    const [foreign, own] = [desired('ingress/b/old', 'www.a', '192.0.2.2'), desired('ingress/a/x', 'www.a')];
    const expected = {
      accepted: ['www.a ingress/a/x 192.0.2.1'],
      refused: [
        'www.a ingress/b/old: namespace b may have only *.b.corp.internal (discovery.tenants): use one of these',
      ],
    };
    expect(verdict({ tenants }, [foreign, own])).toEqual(expected);
    expect(verdict({ tenants }, [foreign, own], [current('ingress/b/old', 'www.a', '192.0.2.2')])).toEqual(expected);
  });

  test('a current record stays while its object may not have the name and no other wants it', () => {
    const present = [current('ingress/b/old', 'www.a')];
    expect(verdict({ tenants }, [desired('ingress/b/old', 'www.a', '192.0.2.9')], present)).toEqual({
      accepted: ['www.a ingress/b/old 192.0.2.1'],
      refused: [
        'www.a ingress/b/old: namespace b may have only *.b.corp.internal (discovery.tenants): use one of these',
      ],
    });
  });

  test('a tenant without names gets none', () => {
    const none = [tenant('team', 'a')];
    expect(verdict({ tenants: none }, [desired('ingress/a/x', 'www')]).refused).toEqual([
      'www ingress/a/x: namespace a may have no names (discovery.tenants): add some to its tenant',
    ]);
  });

  test('a long list of names is shortened', () => {
    const many = [tenant('team', 'a', ...['u', 'v', 'w', 'x', 'y', 'z'].map((l) => `${l}.corp.internal`))];
    expect(verdict({ tenants: many }, [desired('ingress/a/x', 'www')]).refused).toEqual([
      'www ingress/a/x: namespace a may have only u.corp.internal, v.corp.internal, w.corp.internal and 3 more (discovery.tenants): use one of these',
    ]);
  });

  describe('while the labels of a namespace are not known', () => {
    const message = 'the labels of namespace new are not known yet';

    test('its new names are pending, and those of other namespaces are published', () => {
      expect(
        verdict({ tenants }, [
          desired('ingress/new/x', 'www'),
          desired('ingress/a/x', 'www.a'),
          desired('node/n', 'n'),
        ]),
      ).toEqual({
        accepted: ['n node/n 192.0.2.1', 'www.a ingress/a/x 192.0.2.1'],
        refused: [`www ingress/new/x: ${message}`],
      });
    });

    test('a current record stays without a message, also as part of a merged RRset', () => {
      const present = [{ ...current('ingress/new/x', 'www'), records: ['192.0.2.1', '192.0.2.2'] }];
      const desiredRecords = [desired('ingress/new/x', 'www'), desired('ingress/new/y', 'www', '192.0.2.2')];
      expect(verdict({ tenants }, desiredRecords, present)).toEqual({
        accepted: ['www ingress/new/x 192.0.2.1,192.0.2.2'],
        refused: [],
      });
    });

    test('a change is pending, and no other object gets the name meanwhile', () => {
      const desiredRecords = [
        desired('ingress/new/x', 'www', '192.0.2.9'),
        desired('ingress/nobody/y', 'www', '192.0.2.2'),
      ];
      expect(verdict({ tenants }, desiredRecords, [current('ingress/new/x', 'www')])).toEqual({
        accepted: ['www ingress/new/x 192.0.2.1'],
        refused: ['www ingress/nobody/y: already used by ingress/new/x', `www ingress/new/x: ${message}`],
      });
    });

    test('an object does not get a name by wanting the current answer of another', () => {
      const seen = { ...lister, hasSynced: () => true };
      const present = [current('ingress/b/y', 'www')];
      expect(verdict({ tenants }, [desired('ingress/new/x', 'www')], present, seen).accepted).toEqual([]);
    });

    test('labels are not read without tenants', () => {
      expect(verdict({ reservedNames: ['vpn.corp.internal'] }, [desired('ingress/new/x', 'www')]).refused).toEqual([]);
    });
  });
});

describe('the quota of a namespace', () => {
  const limited = { maxNamesPerNamespace: 2 };
  const beyond = (name: string, resource: string, limit = 2) =>
    `${name} ${resource}: namespace ${namespaceOf(resource)} has its limit of ${limit} names (discovery.maxNamesPerNamespace): remove some, or raise it`;
  const of = (resource: string, ...names: string[]) => names.map((name) => desired(resource, name));

  test('admits the names that sort first, of all its objects together', () => {
    const desiredRecords = [
      ...of('ingress/a/x', 'd', 'b'),
      ...of('service/a/y', 'c', 'a'),
      ...of('ingress/b/x', 'e', 'f'),
    ];
    expect(verdict(limited, desiredRecords)).toEqual({
      accepted: ['a service/a/y', 'b ingress/a/x', 'e ingress/b/x', 'f ingress/b/x'].map((o) => `${o} 192.0.2.1`),
      refused: [beyond('c', 'service/a/y'), beyond('d', 'ingress/a/x')],
    });
  });

  test('admits current names first', () => {
    expect(verdict(limited, of('ingress/a/x', 'a', 'b', 'z'), [current('ingress/a/x', 'z')])).toEqual({
      accepted: ['a ingress/a/x 192.0.2.1', 'z ingress/a/x 192.0.2.1'],
      refused: [beyond('b', 'ingress/a/x')],
    });
  });

  test.each(['ingress/a/x', 'ingress/c/x'])(
    'admits a current name first, also while its mark is still that of %s',
    (mark) => {
      const discovery = { maxNamesPerNamespace: 1, sharedHosts: 'Merge' } as const;
      expect(
        verdict(discovery, of('ingress/a/x', 'a', 'z'), [current(mark, 'z')], { ...lister, hasSynced: () => true }),
      ).toEqual({
        accepted: ['z ingress/a/x 192.0.2.1'],
        refused: [expect.stringMatching(/^a ingress\/a\/x/)],
      });
    },
  );

  test('counts a name once, whatever its types', () => {
    const both = rrsetOf(endpoint('ingress/a/x', 'a.corp.internal', 'AAAA', '::1'), 'corp');
    expect(verdict(limited, [...of('ingress/a/x', 'a', 'b'), both]).refused).toEqual([]);
  });

  test('does not count rejected names and those of others', () => {
    const desiredRecords = [...of('ingress/a/x', '_a', 'a', 'b', 'c'), desired('ingress/b/y', 'a', '192.0.2.2')];
    expect(verdict(limited, desiredRecords, [current('ingress/b/y', 'a', '192.0.2.2')]).accepted).toEqual([
      'a ingress/b/y 192.0.2.2',
      'b ingress/a/x 192.0.2.1',
      'c ingress/a/x 192.0.2.1',
    ]);
  });

  test('leaves current records as they are when the limit is lowered', () => {
    const present = ['a', 'b', 'c'].map((name) => current('ingress/a/x', name));
    const desiredRecords = ['a', 'b', 'c', 'd'].map((name) => desired('ingress/a/x', name, '192.0.2.9'));
    expect(verdict(limited, desiredRecords, present)).toEqual({
      accepted: ['a ingress/a/x 192.0.2.9', 'b ingress/a/x 192.0.2.9', 'c ingress/a/x 192.0.2.1'],
      refused: [beyond('c', 'ingress/a/x'), beyond('d', 'ingress/a/x')],
    });
  });

  test.each(['UpsertOnly', 'CreateOnly', 'Sync', 'Preview'] as const)(
    'with those that nobody wants and that the policy %s leaves',
    (policy) => {
      const present = [...['a', 'b'].map((name) => current('ingress/a/x', name)), current('ingress/b/y', 'c')];
      const isLeft = policy === 'UpsertOnly' || policy === 'CreateOnly';
      expect(verdict({ ...limited, policy }, [...of('ingress/a/x', 'd'), ...of('ingress/b/y', 'e')], present)).toEqual({
        accepted: [...(isLeft ? [] : ['d ingress/a/x 192.0.2.1']), 'e ingress/b/y 192.0.2.1'],
        refused: isLeft ? [beyond('d', 'ingress/a/x')] : [],
      });
    },
  );

  test.each(['UpsertOnly', 'CreateOnly', 'Sync'] as const)(
    'counts the current records that the policy %s leaves while what their objects want is filtered',
    (policy) => {
      const existing = ['a', 'b'].map((name) => current('ingress/a/x', name));
      const filtered = of('ingress/a/x', 'a', 'b').map((rrset) => ({ ...rrset, isFiltered: true, fault: 'filtered' }));
      const { accepted } = verdict({ ...limited, policy }, [...filtered, ...of('ingress/a/x', 'd')], existing);
      expect(accepted).toEqual(policy === 'Sync' ? ['d ingress/a/x 192.0.2.1'] : []);
    },
  );

  test('leaves a name over the limit to another namespace, whose own quota then counts it', () => {
    const desiredRecords = [
      ...of('ingress/a/x', 'a', 'b', 'c', 'd', 'e'),
      ...['c', 'd', 'e', 'f'].map((name) => desired('ingress/b/y', name, '192.0.2.2')),
    ];
    expect(verdict(limited, desiredRecords)).toEqual({
      accepted: [
        'a ingress/a/x 192.0.2.1',
        'b ingress/a/x 192.0.2.1',
        'c ingress/b/y 192.0.2.2',
        'd ingress/b/y 192.0.2.2',
      ],
      refused: [
        beyond('c', 'ingress/a/x'),
        beyond('d', 'ingress/a/x'),
        beyond('e', 'ingress/a/x'),
        beyond('e', 'ingress/b/y'),
        beyond('f', 'ingress/b/y'),
      ],
    });
  });

  test('counts a part of a merged RRset, but as current only if the RRset is marked for the namespace', () => {
    const node = { resource: 'node/n', namespace: '', created: '2026-01-01T00:00:00Z', hosts: [] };
    const seen: SourceLister = {
      ...lister,
      hasSynced: () => true,
      get: (resource) => (resource === 'node/n' ? node : undefined),
    };
    const merging = { maxNamesPerNamespace: 1, sharedHosts: 'Merge' as const };
    const desiredRecords = [
      desired('ingress/a/x', 'a'),
      desired('ingress/a/x', 'vpn'),
      desired('node/n', 'vpn', '192.0.2.2'),
    ];
    const expected = {
      accepted: ['a ingress/a/x 192.0.2.1', 'vpn node/n 192.0.2.2'],
      refused: [beyond('vpn', 'ingress/a/x', 1)],
    };
    const present = [current('ingress/a/x', 'a'), current('node/n', 'vpn', '192.0.2.2')];
    expect(verdict(merging, desiredRecords, [], seen)).toEqual(expected);
    expect(verdict(merging, desiredRecords, present, seen)).toEqual(expected);
    expect(verdict(merging, desiredRecords, [current('ingress/a/gone', 'vpn')], seen)).toEqual(expected);
  });

  test('does not apply to objects without a namespace', () => {
    expect(verdict(limited, of('node/n', 'a', 'b', 'c')).refused).toEqual([]);
  });
});
