/** Random histories of what is declared, wanted and there: the agent between ExternalDNS and a DNS server. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Declaration } from '../../functions/agent/declaration.ts';
import type { Endpoint } from '../../functions/agent/endpoint.ts';
import { ownershipOf, type RRset, type Zone } from '../../functions/agent/zone.ts';
import { loop, type Policy } from './external-dns.ts';
import { changesFor, declare, makeAgent } from './make.ts';
import { MemoryZones } from './zones.ts';

// Few names, so that they meet.
const zoneNames = ['corp.internal', 'dev.corp.internal', 'other.internal'];
const hosts = [
  'corp.internal',
  'a.corp.internal',
  'ns1.corp.internal',
  '*.corp.internal',
  'dev.corp.internal',
  'A.dev.corp.internal',
  'b.dev.corp.internal.',
  'ns1.dev.corp.internal',
  'a.other.internal',
  'www.example.com',
  'sp$ecial.corp.internal',
  '_x.corp.internal',
  '',
];
const addresses = { A: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], AAAA: ['2001:db8::1', '2001:DB8:0::2', 'fe80::1%x'] };

const wish: fc.Arbitrary<Endpoint> = fc
  .record({
    dnsName: fc.constantFrom(...hosts),
    recordType: fc.constantFrom('A', 'A', 'AAAA', 'CNAME', 'TXT'),
    recordTTL: fc.constantFrom(undefined, 0, 15),
    labels: fc.record({ resource: fc.constantFrom('ingress/a/x', 'ingress/b/x', 'service/a/y') }),
    picks: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 2 }),
  })
  .map(({ picks, ...endpoint }) => {
    const of = endpoint.recordType === 'A' ? addresses.A : addresses.AAAA;
    const isCNAME = endpoint.recordType === 'CNAME';
    const names = ['lb.example.com', 'LB2.example.com.', 'refused.example.com'];
    return { ...endpoint, targets: isCNAME ? [names[picks[0]!]!] : picks.map((i) => of[i]!) };
  });

const declaration: fc.Arbitrary<Declaration> = fc
  .record({
    zones: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...zoneNames),
        nameServers: fc.constantFrom<string[]>(
          [],
          [],
          ['ns.example.com'],
          ['a.corp.internal'],
          ['b.dev.corp.internal'],
        ),
      }),
      { selector: ({ name }) => name, minLength: 1 },
    ),
    addresses: fc.subarray(['192.0.2.53', '2001:db8::53']),
  })
  .map(declare);

/** What a person does past the agent: an RRset of their own, or somebody's hand in ours. */
const hand = fc.record({
  zone: fc.constantFrom(...zoneNames),
  host: fc.constantFrom('', 'a.', 'ns1.', 'b.dev.', 'hand.'),
  rrset: fc.constantFrom<Pick<RRset, 'type' | 'records'> | undefined>(
    { type: 'A', records: ['192.0.2.99'] },
    { type: 'TXT', records: ['"by hand"'] },
    undefined,
  ),
});

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ wanted: fc.array(wish, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ declaration }) },
  { weight: 1, arbitrary: fc.record({ hand }) },
  { weight: 1, arbitrary: fc.record({ wiped: fc.constant(true) }) },
);

interface History {
  database: MemoryZones;
  agent: ReturnType<typeof makeAgent>['agent'];
  wanted: Endpoint[];
  declared: Declaration;
}

function start(first: Declaration, zones?: Zone[]): History & { declare: (declaration: Declaration) => void } {
  const database = new MemoryZones(zones);
  database.refuses = ({ records }) => records.includes('refused.example.com.');
  const made = makeAgent(database);
  made.declare(first);
  return { agent: made.agent, database, wanted: [], declared: first, declare: made.declare };
}

function byHand(database: MemoryZones, { zone, host, rrset }: typeof hand extends fc.Arbitrary<infer T> ? T : never) {
  if (!database.names.includes(`${zone}.`)) return;
  database.edit(`${zone}.`, (there) => {
    const name = `${host}${there.name}`;
    const isFree = (r: RRset) => r.name !== name || (r.type !== 'CNAME' && r.type !== rrset?.type);
    if (!rrset) there.rrsets = there.rrsets.filter((r) => r.name !== name || ownershipOf(r) === 'foreign');
    else if (there.rrsets.every(isFree)) there.rrsets.push({ name, ttl: 60, ...rrset });
  });
}

const foreignIn = (database: MemoryZones) => database.rrsets.filter((r) => ownershipOf(r) === 'foreign');

/** The state that a DNS server may be in, whatever is wanted. */
async function expectSound({ database, declared }: History) {
  const zones = await database.zones();
  for (const rrsets of zones.flatMap((zone) =>
    Map.groupBy(zone.rrsets, (r) => r.name)
      .values()
      .toArray(),
  )) {
    const types = rrsets.map((r) => r.type);
    if (types.includes('CNAME')) expect(types).toEqual(['CNAME']);
  }
  for (const { name } of declared.zones) expect(database.names).toContain(`${name}.`);
}

test('the agent converges in one step, is quiet afterwards, and touches only what is its own', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(declaration, fc.array(event, { minLength: 1, maxLength: 8 }), async (first, events) => {
      const history = start(first);
      const { agent, database } = history;
      for (const happened of events) {
        if ('wanted' in happened) history.wanted = happened.wanted;
        if ('declaration' in happened) {
          history.declared = happened.declaration;
          history.declare(happened.declaration);
        }
        if ('hand' in happened) byHand(database, happened.hand);
        if ('wiped' in happened) database.wipe();

        const theirs = structuredClone(foreignIn(database));
        await agent.reconcile();
        const { create, patch, remove } = changesFor(history.declared, await database.zones());
        // A person may hold a name that the declaration needs: that is reported, and tried again.
        const blocked = agent.report()!.zones.some(({ state }) => state === 'Failed');
        if (!blocked) expect({ create, patch, remove }).toEqual({ create: [], patch: [], remove: [] });

        // What PowerDNS refuses the agent knows by the next loop, in which a rival may come, and be refused in its turn.
        for (let before = -1; database.rejections > before; ) {
          before = database.rejections;
          await loop(agent, history.wanted);
        }
        const result = structuredClone(database.rrsets);
        const { writes } = database;
        await expectSound(history);
        for (let i = 0; i < 5; i++) {
          if (!blocked) await agent.reconcile();
          expect(await loop(agent, history.wanted.toReversed())).toBeUndefined();
        }
        expect(database.writes).toBe(writes);
        expect(database.rrsets).toEqual(result);

        // Unless a declaration takes their place: SOA, NS and addresses of the servers.
        const keyOf = ({ zone, name, type }: { zone: string } & RRset) => `${zone} ${name} ${type}`;
        const declared = new Set(database.rrsets.filter((r) => ownershipOf(r) === 'declared').map(keyOf));
        expect(foreignIn(database)).toEqual(theirs.filter((r) => !declared.has(keyOf(r))));
      }
    }),
    { numRuns: 300 },
  );
});

test('the result does not depend on the order of the wishes', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      declaration,
      fc.array(wish, { maxLength: 6 }),
      fc
        .array(wish, { maxLength: 12 })
        .chain((wishes) => fc.tuple(fc.constant(wishes), fc.shuffledSubarray(wishes, { minLength: wishes.length }))),
      async (first, before, [wishes, shuffled]) => {
        const results = [];
        for (const order of [wishes, shuffled]) {
          const { agent, database } = start(first);
          await agent.reconcile();
          await loop(agent, before);
          await loop(agent, order);
          await loop(agent, order);
          const sorted = database.rrsets.toSorted((a, b) => (`${a.name} ${a.type}` < `${b.name} ${b.type}` ? -1 : 1));
          results.push({ rrsets: sorted, report: agent.report() });
        }
        expect(results[1]).toEqual(results[0]);
      },
    ),
    { numRuns: 300 },
  );
});

test('no policy makes the agent restless', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Policy>('upsert-only', 'create-only'),
      fc.array(fc.array(wish, { maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      async (policy, rounds) => {
        const history = start(declare());
        await history.agent.reconcile();
        for (const wanted of rounds) {
          for (let i = 0; i < 3; i++) await loop(history.agent, wanted, policy);
          for (let i = 0; i < 5; i++) expect(await loop(history.agent, wanted, policy)).toBeUndefined();
          await expectSound(history);
        }
      },
    ),
    { numRuns: 100 },
  );
});
