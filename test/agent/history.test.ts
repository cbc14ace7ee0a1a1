/** Random histories of declarations, endpoints and zones: the agent between ExternalDNS and a DNS server. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import {
  areAnsweredTogether,
  areConflicting,
  ownershipOf,
  type RRset,
  type Zone,
} from '../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../functions/agent/zones/desired-zone.ts';
import type { ZoneFileState, ZoneFiles } from '../../functions/agent/zones/zone-file.ts';
import type { Declaration, ZoneFileRef } from '../../functions/contract/declaration.ts';
import { isWithin } from '../../functions/dns/name.ts';
import type { DeclaredRecord } from '../../functions/dns/record.ts';
import { reverseName } from '../../functions/dns/zone/reverse.ts';
import { loop, type Policy } from './external-dns.ts';
import { changesFor, declare, fileMark, fileRef, makeAgent } from './make.ts';
import { MemoryZones } from './zones/memory-zones.ts';

// Few names, so that conflicts are frequent.
const ownershipTXT = { prefix: 'extdns-%{record_type}.', wildcardReplacement: '_wildcard' };
const reverseNames = ['2.0.192.in-addr.arpa', '64/26.2.0.192.in-addr.arpa'];
const zoneNames = ['corp.internal', 'dev.corp.internal', 'other.internal', ...reverseNames];
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
  'd.corp.internal',
  'x.d.corp.internal',
  '1.2.0.192.in-addr.arpa',
  'www.example.com',
  'sp$ecial.corp.internal',
  '_x.corp.internal',
  '',
];
const addresses = { A: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], AAAA: ['2001:db8::1', '2001:DB8:0::2', 'fe80::1%x'] };

const desired: fc.Arbitrary<Endpoint> = fc
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

// Of every kind, and many that conflict: only the invalid ones are left out.
const record: fc.Arbitrary<DeclaredRecord> = fc
  .record({
    name: fc.constantFrom('@', 'a', 'b', 'ns1', '*', 'd', 'ns.d', 'x.d', 'dev', 'a.dev', '1', '65', '64/26'),
    said: fc.constantFrom<Pick<DeclaredRecord, 'type' | 'values'>>(
      { type: 'A', values: ['192.0.2.1', '192.0.2.65'] },
      { type: 'A', values: ['192.0.2.2'] },
      { type: 'AAAA', values: ['2001:db8::1'] },
      { type: 'CNAME', values: ['lb.example.com.'] },
      { type: 'ALIAS', values: ['lb.example.com.'] },
      { type: 'DNAME', values: ['new.example.'] },
      { type: 'NS', values: ['ns.d'] },
      { type: 'PTR', values: ['host.example.'] },
      { type: 'TXT', values: ['x'] },
      { type: 'MX', values: ['10 a'] },
    ),
    how: fc.constantFrom<Partial<DeclaredRecord>>({}, {}, { ptr: true }, { check: { port: 25 } }, { ttl: 5 }),
  })
  .map(({ name, said, how }) => {
    const isAddress = said.type === 'A' || said.type === 'AAAA';
    return { name, ...said, ...((isAddress || how.ttl) && how) };
  });

const declaration: fc.Arbitrary<Declaration> = fc
  .record({
    zones: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom(...zoneNames),
          nameServers: fc.constantFrom<string[]>(
            [],
            [],
            ['ns.example.com'],
            ['a.corp.internal'],
            ['b.dev.corp.internal'],
          ),
          records: fc.array(record, { maxLength: 5 }),
          recordsFrom: fc.constant<ZoneFileRef[]>([fileRef]),
          defaultTTL: fc.constant(300),
        },
        { requiredKeys: ['name', 'nameServers'] },
      ),
      { selector: ({ name }) => name, minLength: 1 },
    ),
    addresses: fc.subarray(['192.0.2.53', '2001:db8::53']),
    discovery: fc.constantFrom({}, { reverse: true }, { ownershipTXT }, undefined),
  })
  .map(({ discovery, ...more }) =>
    declare({ ...more, discovery: discovery && { ownerID: 'corp', intervalSeconds: 2, ...discovery } }),
  );

/** A zone file that is valid in every zone, or in none; undefined while it has not been read. */
const file = fc.oneof(
  fc
    .subarray([
      'fa A 192.0.2.66',
      'fb 5 CNAME fa',
      'fd NS ns.fd',
      'ns.fd A 192.0.2.9',
      '65 PTR fa',
      'ns1 A 192.0.2.7',
      'a TXT x',
      '96/30 NS ns.example.',
    ])
    .map((lines): ZoneFileState => ({ text: lines.join('\n') })),
  fc.constantFrom<(ZoneFileState | undefined)[]>({ text: 'fa A 192.0.2.256' }, { failure: 'there is none' }, undefined),
);

/** An edit by hand: an unmanaged RRset, or a change to one of ours. */
const hand = fc.record({
  zone: fc.constantFrom(...zoneNames),
  host: fc.constantFrom('', 'a.', 'ns1.', 'b.dev.', 'hand.', '1.', '65.'),
  rrset: fc.constantFrom<Pick<RRset, 'type' | 'records'> | undefined>(
    { type: 'A', records: ['192.0.2.99'] },
    { type: 'TXT', records: ['"by hand"'] },
    { type: 'PTR', records: ['hand.example.'] },
    undefined,
  ),
});

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ endpoints: fc.array(desired, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ declaration, lua: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ hand }) },
  { weight: 1, arbitrary: fc.record({ wiped: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ file }) },
  // The restart of PowerDNS that the declaration takes.
  { weight: 1, arbitrary: fc.record({ lua: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ restarted: fc.constant(true) }) },
);

interface History {
  database: MemoryZones;
  agent: ReturnType<typeof makeAgent>['agent'];
  endpoints: Endpoint[];
  declared: Declaration;
  files: ZoneFiles;
  lua: boolean;
}

interface Started extends History {
  /** Returns whether it is another one. */
  declare: (declaration: Declaration) => boolean;
  /** Replaces the agent by a new process. */
  restart: () => void;
}

function start(first: Declaration, zones?: Zone[]): Started {
  const database = new MemoryZones(zones);
  database.refuses = ({ records }) => records.includes('refused.example.com.');
  const make = () => makeAgent(database, { lua: async () => history.lua });
  let setup = make();
  const more = { endpoints: [], declared: first, files: new Map(), lua: true };
  const history: Started = {
    agent: setup.agent,
    database,
    ...more,
    declare: (declaration) => setup.declare(declaration),
    restart: () => {
      setup = make();
      history.agent = setup.agent;
      setup.declare(history.declared);
    },
  };
  setup.declare(first);
  return history;
}

function byHand(database: MemoryZones, { zone, host, rrset }: typeof hand extends fc.Arbitrary<infer T> ? T : never) {
  if (!database.names.includes(`${zone}.`)) return;
  database.edit(`${zone}.`, (current) => {
    const name = `${host}${current.name}`;
    const isFree = (r: RRset) => r.name !== name || (r.type !== 'CNAME' && r.type !== rrset?.type);
    if (!rrset) current.rrsets = current.rrsets.filter((r) => r.name !== name || ownershipOf(r) === 'foreign');
    else if (current.rrsets.every(isFree)) current.rrsets.push({ name, ttl: 60, ...rrset });
  });
}

const foreignIn = (database: MemoryZones) => database.rrsets.filter((r) => ownershipOf(r) === 'foreign');

const keyOf = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

/** Expects a state that is valid in DNS, whatever is desired. */
async function expectSound({ database, declared, files }: History) {
  const zones = await database.zones();
  for (const rrsets of zones.flatMap((zone) =>
    Map.groupBy(zone.rrsets, (r) => r.name)
      .values()
      .toArray(),
  )) {
    const types = rrsets.map((r) => r.type);
    if (types.includes('CNAME')) expect(types).toEqual(['CNAME']);
  }
  for (const [name, { pending }] of desiredZones(declared, files)) {
    if (pending === undefined) expect(database.names).toContain(name);
  }
}

/** Expects the declared records, and none that must not exist. */
async function expectDeclared({ database, declared, files, lua }: History) {
  const zones = new Map((await database.zones()).map((zone) => [zone.name, zone.rrsets]));
  const contents = desiredZones(declared, files);
  const absent = [...contents.keys()].filter((name) => !zones.has(name));
  const isAbsent = (rrset: RRset) => absent.some((zone) => isWithin(rrset.name, zone));
  for (const [name, { rrsets, heldFiles, derived }] of contents) {
    const current = new Map((zones.get(name) ?? []).map((rrset) => [keyOf(rrset), rrset]));
    if (current.size === 0) continue;
    const due = rrsets.filter((r) => !derived.has(r) && !isAbsent(r) && (lua || r.type !== 'LUA'));
    for (const rrset of due) {
      expect(current.get(keyOf(rrset))).toEqual(rrset);
    }
    const endpoints = new Set(rrsets.map(keyOf));
    const waiting = lua ? [] : rrsets.filter(({ type }) => type === 'LUA');
    for (const rrset of current.values()) {
      if (ownershipOf(rrset) !== 'declared' || endpoints.has(keyOf(rrset))) continue;
      if (isAbsent(rrset) || waiting.some((coming) => areConflicting(coming, rrset))) continue;
      expect(['ptr', 'ownership', 'denial', ...heldFiles]).toContain(rrset.mark?.content);
    }
  }
}

/** Expects that every PTR record of ours leads to a name with the address, and that manual ones stay. */
async function expectPointers({ database, declared, files, lua }: History, before: RRset[]) {
  const zones = await database.zones();
  const rrsets = zones.flatMap((zone) => zone.rrsets);
  for (const pointer of rrsets.filter(({ mark }) => mark?.content === 'ptr')) {
    const octet = pointer.name.split('.')[0]!;
    const has = rrsets
      .filter(({ name, type }) => name === pointer.records[0] && ['A', 'AAAA', 'LUA'].includes(type))
      .flatMap(({ records }) => records);
    const isOwnedBy = (text: string) =>
      text.includes(`192.0.2.${octet}`) || (text.includes(':') && pointer.name === reverseName(text));
    // A name may wait for its zone file or for PowerDNS while its PTR record already exists.
    const asks = declared.zones.some(({ records }) =>
      records?.some((r) => r.ptr && (!lua || r.name === '@' || pointer.records[0]?.startsWith(`${r.name}.`))),
    );
    const isExpected = has.some(isOwnedBy) || (asks && !has.length);
    expect({ pointer, isExpected }).toEqual({ pointer, isExpected: true });
    expect(declared.zones.map(({ name }) => `${name}.`).some((name) => pointer.name.endsWith(name))).toBe(true);
  }
  const said = new Set([...desiredZones(declared, files).values()].flatMap((content) => content.rrsets.map(keyOf)));
  for (const theirs of before.filter(({ type }) => type === 'PTR')) {
    const now = rrsets.find((r) => keyOf(r) === keyOf(theirs));
    if (!said.has(keyOf(theirs))) expect(now && ownershipOf(now)).toBe('foreign');
  }
}

/** Expects the current records of a held zone file, unless the composite declares others. */
function expectHeld(before: RRset[], { database, declared, files }: History) {
  const contents = desiredZones(declared, files);
  const isHeld = [...contents.values()].some(({ heldFiles }) => heldFiles.has(fileMark.content));
  const of = declared.zones.filter(({ recordsFrom }) => recordsFrom).map(({ name }) => `${name}.`);
  for (const rrset of isHeld ? before.filter(({ mark }) => mark?.content === fileMark.content) : []) {
    const zone = (rrset as RRset & { zone: string }).zone;
    const content = contents.get(zone);
    if (!of.includes(zone) || !content?.heldFiles.has(fileMark.content)) continue;
    if (content.rrsets.some((other) => !content.derived.has(other) && areConflicting(other, rrset))) continue;
    expect(database.rrsets).toContainEqual(rrset);
  }
}

test('the agent converges in one reconciliation, writes nothing afterwards, and touches only its own records', {
  tags: ['history'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(declaration, fc.array(event, { minLength: 1, maxLength: 8 }), async (first, events) => {
      const history = start(first);
      const { database } = history;
      for (const happened of events) {
        if ('restarted' in happened) history.restart();
        const { agent } = history;
        if ('endpoints' in happened) history.endpoints = happened.endpoints;
        if ('declaration' in happened) {
          history.declared = happened.declaration;
          if (history.declare(happened.declaration)) history.lua = false;
        }
        if ('hand' in happened) byHand(database, happened.hand);
        if ('wiped' in happened) database.wipe();
        if ('lua' in happened) history.lua ||= happened.lua;
        if ('file' in happened) history.files = new Map(happened.file ? [[fileMark.content, happened.file]] : []);
        agent.setZoneFiles(history.files);

        const before = structuredClone(database.rrsets);
        const theirs = before.filter((r) => ownershipOf(r) === 'foreign');
        const { rejections } = database;
        await agent.reconcile();
        const actual = await database.zones();
        const { create, patch, remove } = changesFor(history.declared, actual, history.files, history.lua);
        // An unmanaged record may have a name that the declaration needs: that is reported, and retried.
        const blocked = database.rejections > rejections;
        if (!blocked) {
          expect({ create, patch, remove }).toEqual({ create: [], patch: [], remove: [] });
          await expectDeclared(history);
          expectHeld(before, history);
        }
        await expectPointers(history, theirs);

        // The agent knows a rejection of PowerDNS from the next loop on, in which a rival may be rejected in turn.
        for (let before = -1; database.rejections > before; ) {
          before = database.rejections;
          await loop(agent, history.endpoints);
        }
        // A PTR or TXT record is deleted after the record that it follows, and only then its name is free.
        if (history.declared.discovery?.reverse || history.declared.discovery?.ownershipTXT)
          await loop(agent, history.endpoints);
        const result = structuredClone(database.rrsets);
        const { writes } = database;
        await expectSound(history);
        if (!blocked) await expectPointers(history, theirs);
        for (let i = 0; i < 5; i++) {
          if (!blocked) await agent.reconcile();
          expect(await loop(agent, history.endpoints.toReversed())).toBeUndefined();
        }
        expect(database.writes).toBe(writes);
        expect(database.rrsets).toEqual(result);

        // Unless a declaration replaces them: SOA, NS, addresses of the name servers, and names with declared addresses.
        const declared = database.rrsets.filter((r) => ownershipOf(r) === 'declared');
        const isReplaced = (r: RRset & { zone: string }) =>
          declared.some(
            (d) => d.zone === r.zone && d.name === r.name && (d.type === r.type || areAnsweredTogether(d, r)),
          );
        expect(foreignIn(database)).toEqual(theirs.filter((r) => !isReplaced(r)));
      }
    }),
    // Each runs some ten loops over all zones, and a busy machine has to finish in time; other runs use other seeds.
    { numRuns: 100 },
  );
});

test('the result does not depend on the order of the desired records', { tags: ['history'] }, async () => {
  await fc.assert(
    fc.asyncProperty(
      declaration,
      fc.array(desired, { maxLength: 6 }),
      fc
        .array(desired, { maxLength: 12 })
        .chain((desiredRecords) =>
          fc.tuple(
            fc.constant(desiredRecords),
            fc.shuffledSubarray(desiredRecords, { minLength: desiredRecords.length }),
          ),
        ),
      async (first, before, [desiredRecords, shuffled]) => {
        const results = [];
        for (const order of [desiredRecords, shuffled]) {
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

test('under every policy the agent writes nothing at rest', { tags: ['history'] }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Policy>('upsert-only', 'create-only'),
      fc.array(fc.array(desired, { maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      async (policy, rounds) => {
        const history = start(declare());
        await history.agent.reconcile();
        for (const endpoints of rounds) {
          for (let i = 0; i < 3; i++) await loop(history.agent, endpoints, policy);
          for (let i = 0; i < 5; i++) expect(await loop(history.agent, endpoints, policy)).toBeUndefined();
          await expectSound(history);
        }
      },
    ),
    { numRuns: 100 },
  );
});
