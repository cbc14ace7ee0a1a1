import { expect, test } from 'vitest';
import { rrsetOf } from '../../functions/agent/discovery/endpoint.ts';
import { evaluate } from '../../functions/agent/discovery/evaluate.ts';
import { resolveHostNames } from '../../functions/agent/discovery/host-name-targets.ts';
import type { RRset } from '../../functions/agent/powerdns/rrset.ts';
import { cpuTimeOf } from '../cpu.ts';
import { loop } from './external-dns.ts';
import { changesFor, declare, discoveredRRset, endpoint, foreign, makeAgent, zone } from './make.ts';

/** Discovery without a quota and without a delete guard. */
const unlimited = () =>
  declare({
    discovery: {
      ownerID: 'corp',
      intervalSeconds: 2,
      maxNamesPerNamespace: 100_000,
      deleteGuard: { percent: 100 },
    },
  });
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const target = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
const desiredRecords = (count: number) =>
  range(count).map((i) => endpoint(`ingress/a/${i}`, `h${i}.corp.internal`, 'A', target(i)));
const current = (count: number): RRset[] =>
  range(count).map((i) => discoveredRRset(`ingress/a/${i}`, `h${i}.corp.internal.`, 'A', target(i)));

const cases: [string, (count: number) => () => unknown][] = [
  [
    'a quiet verdict',
    (count) => {
      const present = [zone('corp.internal', current(count))];
      const desired = desiredRecords(count).map((desired) => rrsetOf(desired, 'corp'));
      return () => evaluate(desired, present, unlimited());
    },
  ],
  [
    'a verdict that refuses everything',
    (count) => {
      const present = [
        zone(
          'corp.internal',
          range(count).map((i) => foreign(`h${i}.corp.internal.`, 'A', target(i))),
        ),
      ];
      const desired = desiredRecords(count).map((desired) => rrsetOf(desired, 'corp'));
      return () => evaluate(desired, present, unlimited());
    },
  ],
  [
    'a verdict on delegations and challenges beside hosts',
    (count) => {
      const own = (i: number) =>
        i % 2 === 0
          ? endpoint('crd/a/x', `d${i}.corp.internal`, 'NS', 'ns.example.com')
          : endpoint('crd/a/x', `_acme-challenge.h${i}.corp.internal`, 'TXT', '"x"');
      const desired = [...desiredRecords(count / 2), ...range(count / 2).map(own)].map((desired) =>
        rrsetOf(desired, 'corp'),
      );
      const { discovery, ...declared } = unlimited();
      const recordTypes = ['A', 'NS', 'TXT'];
      const declaration = { ...declared, ...(discovery && { discovery: { ...discovery, recordTypes } }) };
      return () => expect(evaluate(desired, [zone()], declaration).accepted).toHaveLength(count);
    },
  ],
  [
    'host names as targets',
    (count) => {
      const { discovery } = unlimited();
      const desired = range(count).map((i) =>
        rrsetOf(endpoint('ingress/a/x', `h${i}.corp.internal`, 'CNAME', `lb${i}.example.com`), 'corp'),
      );
      const context = { declaredZones: new Map([['corp.internal.', true]]), current: current(count) };
      const table = { get: () => undefined, isFull: true };
      return () => {
        const { hostNames } = resolveHostNames(desired, { discovery: discovery ?? expect.fail(), table, ...context });
        expect(hostNames.size).toBe(count);
      };
    },
  ],
  [
    'a reconciliation',
    (count) => {
      const present = [zone('corp.internal', current(count))];
      return () => changesFor(declare(), present);
    },
  ],
  [
    'a first loop, and one in which everything goes',
    (count) => {
      const desired = desiredRecords(count);
      return async () => {
        const { agent, database, declare: take } = makeAgent();
        // The store is not measured.
        let rrsets: RRset[] = [];
        database.zones = async () => [zone('corp.internal', rrsets)];
        database.refreshed = async (present) => present;
        database.apply = async (_, changes) => {
          rrsets = changes.filter((c) => c.action === 'replace').map((c) => c.rrset);
          return [];
        };
        take(unlimited());
        await agent.reconcile();
        await loop(agent, desired);
        expect(rrsets).toHaveLength(count);
        await loop(agent, []);
        expect(rrsets).toEqual([]);
      };
    },
  ],
  [
    'what PowerDNS refuses',
    (count) => {
      const desired = desiredRecords(count);
      return async () => {
        const { agent, database, declare: take } = makeAgent();
        database.zones = async () => [zone()];
        database.refreshed = async (present) => present;
        database.apply = async (_, changes) => changes.map((change) => ({ change, message: 'no' }));
        take(unlimited());
        await agent.reconcile();
        await loop(agent, desired);
        expect(await loop(agent, desired)).toBeUndefined();
      };
    },
  ],
];

test.each(cases)('%s takes time in proportion to its names', async (name, make) => {
  const [few, middle, many] = [await cpuTimeOf(make(1000)), await cpuTimeOf(make(5000)), await cpuTimeOf(make(16_000))];
  const ms = (time: number) => `${time.toFixed(1)} ms`;
  console.log(`${name}: 1,000 names ${ms(few)}, 5,000 names ${ms(middle)}, 16,000 names ${ms(many)}`);
  // Linear work is sixteen times as much; comparing every name with every other one is 256 times.
  expect(many / few).toBeLessThan(80);
});
