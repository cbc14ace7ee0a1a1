/** Random histories of a cluster, its InternalDNS and its PowerDNS. */
import fc from 'fast-check';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { foreign, record, zones, zoneWith } from '../make.ts';
import type { AgentWithSources } from './agent-with-sources.ts';
import type { FakeObject } from './fake-source-lister.ts';

export interface Discovery {
  sharedHosts: string;
  policy: string;
  targets: { networks?: string[]; default?: string[] };
}

export const discoveries: fc.Arbitrary<Discovery> = fc.record({
  sharedHosts: fc.constantFrom('FirstWins', 'SameNamespace', 'Merge', 'Refuse'),
  policy: fc.constantFrom('Sync', 'Sync', 'Sync', 'UpsertOnly', 'CreateOnly', 'Preview'),
  recordTypes: fc.constant(['A', 'AAAA', 'CNAME']),
  excludedDomains: fc.constantFrom([], ['h1.corp.internal']),
  targets: fc.constantFrom({}, {}, { networks: ['192.0.2.0/24'] }, { default: ['192.0.2.77'] }),
  deleteGuard: fc.constantFrom({ percent: 100 }, {}),
  maxNamesPerNamespace: fc.constantFrom(1000, 1000, 2),
  reverse: fc.boolean(),
});

export type Step =
  | { step: 'object'; resource: string; object: FakeObject | undefined }
  | { step: 'declared'; records: DeclaredRecord[]; isWithLab: boolean }
  | { step: 'record added by hand'; rrset: RRset }
  | { step: 'record removed by hand'; name: string }
  | { step: 'outage'; failure: string | undefined }
  | { step: 'restart' }
  | { step: 'delete guard state lost' }
  | { step: 'kind synced'; kind: string; isUnsynced: boolean }
  | { step: 'syncs'; count: number };

const resources = fc.constantFrom('ingress/a/x', 'ingress/a/y', 'ingress/b/x', 'httproute/b/r', 'service/a/s');
const hosts = fc.constantFrom(
  'h0.corp.internal',
  'h1.corp.internal',
  'sub.corp.internal',
  'www.sub.corp.internal',
  '*.corp.internal',
  'corp.internal',
  'wpad.corp.internal',
  'h.lab.internal',
  'x.example.com',
);
const targets = fc.constantFrom('192.0.2.1', '192.0.2.2', '10.0.0.1', '2001:db8::1', 'lb.example.com');
const filters = fc.constantFrom<Pick<FakeObject, 'filteredBy' | 'isUnready'>[]>(
  ...Array.from({ length: 8 }, () => ({})),
  { filteredBy: 'discovery.selector leaves it out' },
  { filteredBy: 'no Gateway in its parentRefs has accepted it (status.parents)', isUnready: true },
);

const objects: fc.Arbitrary<FakeObject> = fc
  .record({
    hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }),
    targets: fc.uniqueArray(targets, { maxLength: 2 }),
    created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    filter: filters,
  })
  .map(({ filter, ...object }) => ({ ...object, ...filter }));

/** One at each name, since a spec with conflicting records is rejected. */
const records = fc.tuple(
  fc.constantFrom([], [record('h0', 'A', '192.0.2.9')]),
  fc.constantFrom([], [record('h1', 'CNAME', 'ns.example.com.')], [record('h1', 'TXT', 'v')]),
  fc.constantFrom([], [record('sub', 'NS', 'ns.example.com.')], [record('sub', 'DNAME', 'ns.example.com.')]),
);

const foreignRRsets = fc.constantFrom(
  foreign('h0.corp.internal.', 'A', '192.0.2.99'),
  foreign('h0.corp.internal.', 'TXT', '"theirs"'),
  foreign('h1.corp.internal.', 'CNAME', 'ns.example.net.'),
  foreign('sub.corp.internal.', 'A', '192.0.2.99'),
  foreign('sub.corp.internal.', 'NS', 'ns.example.net.'),
);

const oneStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constant('object' as const),
      resource: resources,
      object: fc.option(objects, { nil: undefined, freq: 5 }),
    }),
  },
  fc.record({
    step: fc.constant('declared' as const),
    records: records.map((lists) => lists.flat()),
    isWithLab: fc.boolean(),
  }),
  fc.record({ step: fc.constant('record added by hand' as const), rrset: foreignRRsets }),
  fc.record({ step: fc.constant('record removed by hand' as const), name: foreignRRsets.map(({ name }) => name) }),
  fc.record({ step: fc.constant('outage' as const), failure: fc.constantFrom('connection refused', undefined) }),
  fc.record({ step: fc.constant('restart' as const) }),
  fc.record({ step: fc.constant('delete guard state lost' as const) }),
  fc.record({
    step: fc.constant('kind synced' as const),
    kind: fc.constantFrom('ingress', 'httproute'),
    isUnsynced: fc.boolean(),
  }),
  fc.record({ step: fc.constant('syncs' as const), count: fc.constantFrom(1, 1, 2, 4) }),
);

export const histories = fc.array(oneStep, { minLength: 3, maxLength: 14 });

export async function applyStep(agent: AgentWithSources, discovery: Discovery, step: Step): Promise<void> {
  const { database, objects } = agent;
  switch (step.step) {
    case 'object':
      return objects.set(step.resource, step.object);
    case 'declared': {
      const lab = step.isWithLab ? zones('lab.internal') : [];
      agent.redeclare(discovery, { zones: [zoneWith('corp.internal', step.records), ...lab] });
      return;
    }
    case 'record added by hand':
      return insertForeign(agent, step.rrset);
    case 'record removed by hand':
      return database.edit('corp.internal.', (zone) => {
        zone.rrsets = zone.rrsets.filter(({ name, mark }) => name !== step.name || mark);
      });
    case 'outage':
      database.failure = step.failure;
      return;
    case 'restart':
      return agent.restart();
    case 'delete guard state lost':
      return database.wipeMetadata();
    case 'kind synced':
      return objects.setSynced(step.kind, !step.isUnsynced);
    case 'syncs':
      return database.failure === undefined ? syncInAnyOrder(agent, step.count) : agent.syncDuringOutage(step.count);
  }
}

/** Lets ExternalDNS sync, requesting everything in reverse order every other time. */
export async function syncInAnyOrder(agent: AgentWithSources, count: number): Promise<void> {
  let syncs = 0;
  const endpoints = () => (syncs++ % 2 === 0 ? agent.objects.endpoints() : agent.objects.endpoints().toReversed());
  await agent.sync(count, { endpoints });
}

function insertForeign({ database }: AgentWithSources, rrset: RRset): void {
  database.edit('corp.internal.', (zone) => {
    const types = zone.rrsets.filter(({ name }) => name === rrset.name).map(({ type }) => type);
    const isConflict =
      types.includes('CNAME') || types.includes(rrset.type) || (rrset.type === 'CNAME' && types.length > 0);
    if (!isConflict) zone.rrsets.push(rrset);
  });
}
