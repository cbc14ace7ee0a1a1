/** Arbitrary histories of a cluster, its InternalDNS and its PowerDNS. */
import fc from 'fast-check';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { foreign, record, zones, zoneWith } from '../make.ts';
import type { SeenObject } from './seen-objects.ts';
import type { SightedAgent } from './sighted-agent.ts';

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
  | { step: 'object'; resource: string; object: SeenObject | undefined }
  | { step: 'declared'; records: DeclaredRecord[]; isWithLab: boolean }
  | { step: 'put by a person'; rrset: RRset }
  | { step: 'removed by a person'; name: string }
  | { step: 'outage'; failure: string | undefined }
  | { step: 'restart' }
  | { step: 'loss of what the delete guard knows' }
  | { step: 'sight'; kind: string; isUnsynced: boolean }
  | { step: 'loops'; count: number };

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
const filters = fc.constantFrom<Pick<SeenObject, 'filteredBy' | 'isUnready'>[]>(
  ...Array.from({ length: 8 }, () => ({})),
  { filteredBy: 'discovery.selector leaves it out' },
  { filteredBy: 'no Gateway in its parentRefs has accepted it (status.parents)', isUnready: true },
);

const objects: fc.Arbitrary<SeenObject> = fc
  .record({
    hosts: fc.uniqueArray(hosts, { minLength: 1, maxLength: 2 }),
    targets: fc.uniqueArray(targets, { maxLength: 2 }),
    created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    filter: filters,
  })
  .map(({ filter, ...object }) => ({ ...object, ...filter }));

/** One at each name, since a spec is refused whose records exclude each other. */
const records = fc.tuple(
  fc.constantFrom([], [record('h0', 'A', '192.0.2.9')]),
  fc.constantFrom([], [record('h1', 'CNAME', 'ns.example.com.')], [record('h1', 'TXT', 'v')]),
  fc.constantFrom([], [record('sub', 'NS', 'ns.example.com.')], [record('sub', 'DNAME', 'ns.example.com.')]),
);

const ofPersons = fc.constantFrom(
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
  fc.record({ step: fc.constant('put by a person' as const), rrset: ofPersons }),
  fc.record({ step: fc.constant('removed by a person' as const), name: ofPersons.map(({ name }) => name) }),
  fc.record({ step: fc.constant('outage' as const), failure: fc.constantFrom('connection refused', undefined) }),
  fc.record({ step: fc.constant('restart' as const) }),
  fc.record({ step: fc.constant('loss of what the delete guard knows' as const) }),
  fc.record({
    step: fc.constant('sight' as const),
    kind: fc.constantFrom('ingress', 'httproute'),
    isUnsynced: fc.boolean(),
  }),
  fc.record({ step: fc.constant('loops' as const), count: fc.constantFrom(1, 1, 2, 4) }),
);

export const histories = fc.array(oneStep, { minLength: 3, maxLength: 14 });

export async function take(agent: SightedAgent, discovery: Discovery, step: Step): Promise<void> {
  const { database, objects } = agent;
  switch (step.step) {
    case 'object':
      return objects.set(step.resource, step.object);
    case 'declared': {
      const lab = step.isWithLab ? zones('lab.internal') : [];
      agent.redeclare(discovery, { zones: [zoneWith('corp.internal', step.records), ...lab] });
      return;
    }
    case 'put by a person':
      return putByHand(agent, step.rrset);
    case 'removed by a person':
      return database.edit('corp.internal.', (zone) => {
        zone.rrsets = zone.rrsets.filter(({ name, mark }) => name !== step.name || mark);
      });
    case 'outage':
      database.failure = step.failure;
      return;
    case 'restart':
      return agent.restart();
    case 'loss of what the delete guard knows':
      return database.wipeMetadata();
    case 'sight':
      return objects.see(step.kind, !step.isUnsynced);
    case 'loops':
      return database.failure === undefined ? inAnyOrder(agent, step.count) : agent.lost(step.count);
  }
}

/** Loops, of which every other one asks for everything the other way round. */
export async function inAnyOrder(agent: SightedAgent, count: number): Promise<void> {
  let loops = 0;
  const asks = () => (loops++ % 2 === 0 ? agent.objects.wanted() : agent.objects.wanted().toReversed());
  await agent.loops(count, { asks });
}

function putByHand({ database }: SightedAgent, rrset: RRset): void {
  database.edit('corp.internal.', (zone) => {
    const there = zone.rrsets.filter(({ name }) => name === rrset.name).map(({ type }) => type);
    const isImpossible =
      there.includes('CNAME') || there.includes(rrset.type) || (rrset.type === 'CNAME' && there.length > 0);
    if (!isImpossible) zone.rrsets.push(rrset);
  });
}
