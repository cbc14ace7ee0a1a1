/** No evaluation publishes an endless CNAME chain. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Endpoint, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import { applyPolicy, type Policy } from '../../../functions/agent/discovery/policy.ts';
import type { RRset, Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { chainFrom, isEndless } from '../../../functions/dns/zone/cname-chain.ts';
import { Lookup } from '../../../functions/dns/zone/lookup.ts';
import { cpuTimeOf } from '../../cpu.ts';
import { loop } from '../external-dns.ts';
import { declare, discoveredRRset, endpoint, foreign, makeAgent, record, zone, zones, zoneWith } from '../make.ts';
import { FakeSourceLister } from '../names/fake-source-lister.ts';

const at = (host: string) => `${host}.corp.internal`;
const cname = (resource: string, host: string, target: string) => endpoint(resource, at(host), 'CNAME', target);
const currentCNAME = (resource: string, host: string, target: string) =>
  discoveredRRset(resource, `${at(host)}.`, 'CNAME', `${target}.`);
const cure = 'it would never resolve, so give the object another target';

function verdict(endpoints: Endpoint[], current: RRset[] = [], more: object = {}, lister = new FakeSourceLister()) {
  const declaration = declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, ...more } });
  const desiredRecords = endpoints.map((endpoint) => rrsetOf(endpoint, 'corp'));
  const { accepted, refused, looping } = evaluate(desiredRecords, [zone('corp.internal', current)], declaration, {
    lister,
  });
  return {
    accepted: accepted.map(({ name, type, records }) => `${name} ${type} ${records}`).sort(),
    refused: refused.map(({ rrset, verdict, message }) => `${rrset.mark?.content} ${verdict}: ${message}`),
    closed: looping.map(({ name }) => name),
  };
}

describe('the CNAME that closes a loop is rejected', () => {
  test('if the other one is current', () => {
    expect(
      verdict(
        [cname('ingress/a/x', 'a', at('b')), cname('ingress/b/y', 'b', at('a'))],
        [currentCNAME('ingress/b/y', 'b', at('a'))],
      ),
    ).toEqual({
      accepted: ['b.corp.internal. CNAME a.corp.internal.'],
      refused: [
        `ingress/a/x Refused: cannot publish: CNAME loop a.corp.internal -> b.corp.internal -> a.corp.internal: ${cure}`,
      ],
      closed: [],
    });
  });

  test('if neither is current, that of the younger object', () => {
    const lister = new FakeSourceLister();
    lister.set('ingress/a/x', { hosts: [at('a')], created: '2026-02-01T00:00:00Z' });
    lister.set('ingress/b/y', { hosts: [at('b')], created: '2026-01-01T00:00:00Z' });
    const { accepted, refused } = verdict(
      [cname('ingress/a/x', 'a', at('b')), cname('ingress/b/y', 'b', at('a'))],
      [],
      {},
      lister,
    );
    expect(accepted).toEqual(['b.corp.internal. CNAME a.corp.internal.']);
    expect(refused.map((text) => text.split(' ')[0])).toEqual(['ingress/a/x']);
  });

  test.each<[string, Endpoint, RRset[]]>([
    [
      'with a wildcard that is declared',
      cname('ingress/a/x', 'a', at('b')),
      [foreign('*.corp.internal.', 'CNAME', 'a.corp.internal.')],
    ],
    ['by its own wildcard', cname('ingress/a/x', '*.apps', at('in.apps')), []],
    [
      'with an ALIAS',
      cname('ingress/a/x', 'a', 'corp.internal'),
      [foreign('corp.internal.', 'ALIAS', 'a.corp.internal.')],
    ],
    [
      'with a DNAME',
      cname('ingress/a/x', 'w.new', at('w.old')),
      [foreign('old.corp.internal.', 'DNAME', 'new.corp.internal.')],
    ],
    [
      'and who leads to one of others',
      cname('ingress/a/x', 'a', at('c')),
      [
        foreign('c.corp.internal.', 'CNAME', 'd.corp.internal.'),
        foreign('d.corp.internal.', 'CNAME', 'c.corp.internal.'),
      ],
    ],
  ])('%s', (_, desired, current) => {
    const { accepted, refused } = verdict([desired], current);
    expect(accepted).toEqual([]);
    expect(refused).toEqual([
      expect.stringMatching(/^ingress\/a\/x Refused: cannot publish: CNAME loop .* -> .*another target$/),
    ]);
  });

  test('and a current one is deleted when a declared record has closed the loop, under every policy', () => {
    const current = [
      foreign('c.corp.internal.', 'ALIAS', 'd.corp.internal.'),
      currentCNAME('ingress/a/x', 'd', at('c')),
    ];
    for (const policy of ['Sync', 'UpsertOnly', 'CreateOnly']) {
      expect(verdict([cname('ingress/a/x', 'd', at('c'))], current, { policy })).toMatchObject({
        accepted: [],
        closed: ['d.corp.internal.'],
      });
    }
  });

  test.each([1, 1000])('with one that only the policy keeps, under a quota of %d names', (maxNamesPerNamespace) => {
    const current = ['b', 'y', 'z'].map((host) => currentCNAME('ingress/c/z', host, at('a')));
    const limit = { policy: 'UpsertOnly', maxNamesPerNamespace };
    expect(verdict([cname('ingress/a/x', 'a', at('z'))], current, limit)).toMatchObject({ accepted: [], closed: [] });
  });

  test('with one that only the policy keeps while what its object wants is filtered', () => {
    const desiredRecords = [
      { ...rrsetOf(cname('ingress/b/y', 'b', at('a')), 'corp'), isFiltered: true, fault: 'filtered' },
      rrsetOf(cname('ingress/a/x', 'a', at('b')), 'corp'),
    ];
    const zones = [zone('corp.internal', [currentCNAME('ingress/b/y', 'b', at('a'))])];
    const declaration = declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, policy: 'UpsertOnly' } });
    expect(evaluate(desiredRecords, zones, declaration)).toMatchObject({ accepted: [], looping: [] });
  });

  test('and what its object had before stays', () => {
    const before = discoveredRRset('ingress/a/x', 'a.corp.internal.', 'A', '192.0.2.1');
    const { accepted } = verdict(
      [cname('ingress/a/x', 'a', at('b'))],
      [before, foreign('b.corp.internal.', 'CNAME', 'a.corp.internal.')],
    );
    expect(accepted).toEqual(['a.corp.internal. A 192.0.2.1']);
  });

  test('and another object gets the name only if its namespace may have one more', () => {
    const endpoints = [
      cname('ingress/a/x', 'a', at('b')),
      cname('ingress/b/y', 'a', 'lb.example.com'),
      cname('ingress/b/z', 'z', 'lb.example.com'),
    ];
    const current = [foreign('b.corp.internal.', 'CNAME', 'a.corp.internal.')];
    const names = (limit: number) => verdict(endpoints, current, { maxNamesPerNamespace: limit }).accepted;
    expect(names(2)).toEqual(['a.corp.internal. CNAME lb.example.com.', 'z.corp.internal. CNAME lb.example.com.']);
    expect(names(1)).toEqual(['z.corp.internal. CNAME lb.example.com.']);
  });

  test('and another object gets the name', () => {
    const { accepted } = verdict(
      [cname('ingress/a/x', 'a', at('b')), endpoint('ingress/b/y', at('a'), 'A', '192.0.2.1')],
      [currentCNAME('ingress/a/x', 'a', at('b')), foreign('b.corp.internal.', 'CNAME', 'a.corp.internal.')],
    );
    expect(accepted).toEqual(['a.corp.internal. A 192.0.2.1']);
  });
});

test('a CNAME chain through wildcards and other desired records is published', () => {
  expect(
    verdict([
      cname('ingress/a/x', '*.apps', at('in.apps')),
      cname('ingress/a/y', 'in.apps', 'lb.example.com'),
      cname('ingress/a/z', 'www', at('any.apps')),
    ]),
  ).toMatchObject({ refused: [], accepted: { length: 3 } });
});

test('no published chain is endless, and repeated evaluations settle', () => {
  const host = fc.constantFrom('a', 'b', 'c', '*', 'x.c', '*.c', 'y.x.c', '*.x.c');
  const target = fc.constantFrom('a', 'b', 'c', 'x.c', 'y.x.c', 'z.x.c', 'q');
  const resource = fc.constantFrom('ingress/a/x', 'ingress/b/y', 'ingress/c/z');
  const desired = fc.tuple(resource, host, fc.oneof({ weight: 4, arbitrary: target }, fc.constant('192.0.2.1')));
  const current = fc.uniqueArray(fc.tuple(fc.boolean(), resource, host, target), {
    selector: (s) => s[2],
    maxLength: 4,
  });
  const policy = fc.constantFrom<Policy>('Sync', 'UpsertOnly', 'CreateOnly');
  const limit = fc.constantFrom(1000, 2);
  fc.assert(
    fc.property(fc.array(desired, { maxLength: 8 }), current, policy, limit, (endpoints, current, policy, limit) => {
      const present = zone(
        'corp.internal',
        current.map(([isForeign, of, from, to]) =>
          isForeign ? foreign(`${at(from)}.`, 'CNAME', `${at(to)}.`) : currentCNAME(of, from, at(to)),
        ),
      );
      const discovery = { ownerID: 'corp', intervalSeconds: 2, policy, maxNamesPerNamespace: limit };
      const declaration = declare({ discovery });
      const desiredRecords = endpoints.map(([of, from, to]) =>
        rrsetOf(to === '192.0.2.1' ? endpoint(of, at(from), 'A', to) : cname(of, from, at(to)), 'corp'),
      );
      const evaluated = (zones: Zone[]) => evaluate(desiredRecords, zones, declaration);
      const first = evaluated([present]);
      const foreigners = present.rrsets.filter(({ mark }) => !mark?.account.startsWith('external-dns'));
      const desiredNames = new Set(desiredRecords.map(({ name }) => name));
      // The delete guard may hold what nobody desires.
      const isKept = ({ name }: RRset) => policy !== 'Sync' || !desiredNames.has(name);
      const own = present.rrsets.filter((r) => !foreigners.includes(r) && !first.looping.includes(r) && isKept(r));
      const { answer } = applyPolicy(policy === 'Sync' ? 'UpsertOnly' : policy, own, first.accepted);
      const after = [...foreigners, ...answer];
      const lookup = new Lookup([{ name: 'corp.internal.', records: after }]);
      for (const { name, type, mark } of after) {
        // Records that no object requests any more are deleted anyway.
        if (type !== 'CNAME' || !mark?.account.startsWith('external-dns') || !desiredNames.has(name)) continue;
        expect([name, isEndless(chainFrom(lookup, name))]).toEqual([name, false]);
      }
      if (policy !== 'Sync' || limit < 1000) return;
      const summaryOf = ({ accepted }: typeof first) =>
        accepted.map(({ name, type, records }) => `${name} ${type} ${records}`).sort();
      const next = ({ accepted }: typeof first) =>
        evaluated([{ ...present, rrsets: [...foreigners, ...own, ...accepted] }]);
      // A rejection may free another name, so the result is stable after two more evaluations.
      const settled = next(next(first));
      expect(summaryOf(next(settled))).toEqual(summaryOf(settled));
    }),
    { numRuns: 1000 },
  );
});

test('an evaluation takes time in proportion to its names, with loops or without', async () => {
  const declaration = declare();
  const work = (count: number, target: (i: number) => string) => {
    const desiredRecords = Array.from({ length: count }, (_, i) =>
      rrsetOf(cname(`ingress/a/x${i}`, `h${i}`, target(i)), 'corp'),
    );
    return cpuTimeOf(() => evaluate(desiredRecords, [zone()], declaration));
  };
  const ended = await work(10_000, () => 'lb.example.com');
  const pairs = await work(10_000, (i) => at(`h${i ^ 1}`));
  const ring = await work(10_000, (i) => at(`h${(i + 1) % 10_000}`));
  // It would be thousands of times as much if each name were compared with every other one.
  expect(pairs / ended).toBeLessThan(50);
  expect(ring / ended).toBeLessThan(50);
});

describe('the objects of a namespace cannot cause any number of rounds', () => {
  /** Counts how often the names of a zone are read, as a measure of the rounds. */
  function rounds(endpoints: Endpoint[], current: RRset[] = []) {
    let count = 0;
    const present = zone('corp.internal', current);
    const counted: Zone = Object.defineProperty({ ...present }, 'rrsets', {
      get: () => {
        count++;
        return present.rrsets;
      },
    });
    const desiredRecords = endpoints.map((endpoint) => rrsetOf(endpoint, 'corp'));
    const { accepted, refused } = evaluate(desiredRecords, [counted], declare());
    return { count, names: new Set(accepted.map(({ name }) => name)), refused };
  }

  const candidates = (count: number) =>
    Array.from({ length: count }, (_, i) => [
      cname(`ingress/evil/z${i}`, 'host', at(`y${i}`)),
      cname(`ingress/evil/a${i}`, `y${i}`, at('host')),
    ]).flat();

  /** Each rejected candidate lets the next wildcard answer a name that leads back. */
  const cascade = (count: number) => [
    cname('ingress/evil/z', 'n.s0', at('first')),
    cname('ingress/evil/a', 'first', at('n.s0')),
    ...Array.from({ length: count }, (_, i) => [
      cname(`ingress/evil/z${i}`, `n.s${i + 1}`, at(`t.n.s${i}`)),
      cname(`ingress/evil/a${i}`, `*.s${i}`, at(`n.s${i + 1}`)),
    ]).flat(),
  ];

  const others = [
    cname('ingress/shop/a', 'shop', 'lb.example.com'),
    cname('ingress/shop/b', '*.shops', at('in.shops')),
    endpoint('ingress/shop/c', at('in.shops'), 'A', '192.0.2.1'),
  ];
  const ofOthers = ['*.shops.corp.internal.', 'in.shops.corp.internal.', 'shop.corp.internal.'];

  test.each([
    ['many objects that want one host', candidates],
    ['wildcards that lead to each other', cascade],
  ])('%s', (_, endpoints) => {
    const [few, many] = [rounds([...endpoints(60), ...others]), rounds([...endpoints(240), ...others])];
    expect(many.count).toBe(few.count);
    expect(many.count).toBeLessThan(80);
    expect([...many.names].filter((name) => name.includes('shop')).sort()).toEqual(ofOthers);
    expect(many.refused.every(({ rrset }) => rrset.mark?.content.startsWith('ingress/evil/'))).toBe(true);
  });
});

test('of two objects that lead to each other one loses its name until its target changes', async () => {
  const objects = new FakeSourceLister();
  const setup = makeAgent(undefined, { lister: objects });
  setup.declare(
    declare({
      discovery: { ownerID: 'corp', intervalSeconds: 2 },
      zones: [...zones('corp.internal'), zoneWith('lab.internal', [record('x', 'A', '192.0.2.1')])],
    }),
  );
  await setup.agent.reconcile();
  const webhook = {
    records: () => setup.agent.records(),
    adjustEndpoints: (endpoints: Endpoint[]) => setup.agent.adjustEndpoints(endpoints),
    applyChanges: (changes: object) => setup.agent.applyChanges(changes),
  };
  const round = async () => {
    await loop(webhook, objects.endpoints());
    setup.clock.now += 2_000;
  };
  objects.set('ingress/a/x', { hosts: [at('a')], targets: [at('b')] });
  await round();
  objects.set('ingress/b/y', { hosts: [at('b')], targets: [at('a')], created: '2026-02-01T00:00:00Z' });
  await round();
  const { writes } = setup.database;
  for (let i = 0; i < 5; i++) await round();
  expect(setup.database.writes).toBe(writes);
  expect(setup.problems()?.map(({ resource, verdict }) => `${resource} ${verdict}`)).toContain('ingress/b/y Refused');
  objects.set('ingress/b/y', { hosts: [at('b')], targets: ['x.lab.internal'], created: '2026-02-01T00:00:00Z' });
  await round();
  await round();
  expect(setup.problems()).toEqual([]);
});
