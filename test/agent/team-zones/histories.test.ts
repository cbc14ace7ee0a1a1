/** Whatever the order in which Zones, tenants and the spec change, what is served in the end is the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OwnObject } from '../../../functions/agent/sources/own-object.ts';
import type { DeclaredZone } from '../../../functions/contract/declaration.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { OwnSourceLister } from '../machines/agent-with-machines.ts';
import { tenant, zoneObject } from '../machines/objects.ts';
import { declare, makeAgent, record, zoneWith } from '../make.ts';
import { MemoryZones } from '../zones/memory-zones.ts';

type Step =
  | { step: 'put'; object: OwnObject }
  | { step: 'remove'; resources: string[] }
  | { step: 'spec'; zones: DeclaredZone[] }
  | { step: 'tenants'; tenants: ReturnType<typeof tenant>[] }
  | { step: 'labels'; namespace: string; team: string }
  | { step: 'Zones'; as: 'Unknown' | 'Unserved' | 'Listed' }
  | { step: 'restart' }
  | { step: 'tick'; seconds: number };

const names = [
  'a.internal',
  'x.a.internal',
  'a.corp.internal',
  'b.internal',
  '2.0.192.in-addr.arpa',
  'c.internal',
  'd.internal',
];
const namespaces = ['a', 'b'];
const objects = namespaces.flatMap((namespace) => [0, 1, 2, 3].map((id) => ({ namespace, id })));
const resourceOf = ({ namespace, id }: (typeof objects)[number]) => `zone/${namespace}/z${id}`;

const records = fc.subarray([
  record('www', 'A', '192.0.2.1'),
  record('x', 'A', '192.0.2.2'),
  record('alias', 'CNAME', 'alias.b.internal.'),
  record('wrong', 'A', 'nonsense'),
  { ...record('checked', 'A', '192.0.2.1', '192.0.2.2'), check: { port: 80 } },
]);

const zones = fc
  .record({ at: fc.constantFrom(...objects), name: fc.constantFrom(...names), records, ttl: fc.constantFrom(30, 60) })
  .map(({ at: { namespace, id }, name, records, ttl }): OwnObject => {
    const object = zoneObject(name, { records, defaultTTL: ttl }, { namespace, age: id });
    return { ...object, name: `z${id}`, resource: resourceOf({ namespace, id }) };
  });

const tenantsOf = (...patterns: string[][]) =>
  namespaces.map((team, index) => tenant(team, {}, ['*.internal'], patterns[index] ?? []));
const everything = ['*.internal', '*.in-addr.arpa'];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: zones.map((object): Step => ({ step: 'put', object })) },
    {
      weight: 2,
      arbitrary: fc
        .subarray(objects, { minLength: 1 })
        .map((some): Step => ({ step: 'remove', resources: some.map(resourceOf) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom<DeclaredRecord[]>(
          [],
          [record('x.a', 'A', '192.0.2.3')],
          [record('alias', 'CNAME', 'alias.a.internal.')],
        )
        .chain((inCorp) => fc.subarray(names).map((more): Step => ({ step: 'spec', zones: specOf(inCorp, more) }))),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          tenantsOf(everything, everything),
          tenantsOf(everything, []),
          tenantsOf(['a.internal'], everything),
        )
        .map((tenants): Step => ({ step: 'tenants', tenants })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ namespace: fc.constantFrom(...namespaces), team: fc.constantFrom(...namespaces) })
        .map((labels): Step => ({ step: 'labels', ...labels })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('Unknown', 'Unserved', 'Listed')
        .map((as): Step => ({ step: 'Zones', as: as as 'Listed' })),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ step: 'restart' }) },
    { weight: 6, arbitrary: fc.constantFrom(1, 4, 100, 700).map((seconds): Step => ({ step: 'tick', seconds })) },
  ),
  { maxLength: 40 },
);

const specOf = (inCorp: DeclaredZone['records'] = [], more: string[] = []) => [
  zoneWith('corp.internal', inCorp),
  // The function would refuse others.
  ...more
    .filter((name) => name !== 'a.corp.internal')
    .slice(0, 2)
    .map((name) => zoneWith(name, [])),
];

class World {
  readonly lister = new OwnSourceLister();
  readonly clock = { now: 1_000 };
  database = new MemoryZones();
  #setup = this.#start();
  #spec = specOf();
  #tenants = tenantsOf(everything, everything);

  constructor() {
    this.lister.setZones('Listed');
    for (const team of namespaces) this.lister.setNamespaceLabels(team, { team });
    this.#declare();
  }

  async take(step: Step): Promise<void> {
    if (step.step === 'put') this.lister.put(step.object);
    if (step.step === 'remove') this.lister.remove(...step.resources);
    if (step.step === 'Zones') this.lister.setZones(step.as);
    if (step.step === 'labels') this.lister.setNamespaceLabels(step.namespace, { team: step.team });
    if (step.step === 'spec') this.#spec = step.zones;
    if (step.step === 'tenants') this.#tenants = step.tenants;
    if (step.step === 'restart') this.#setup = this.#start();
    if (step.step === 'tick') await this.tick(step.seconds);
    this.#declare();
  }

  async tick(seconds: number): Promise<void> {
    this.clock.now += seconds * 1_000;
    await this.#setup.agent.reconcile();
    // What teams do is no business of those who read the report.
    const states = this.#setup.agent.report()?.zones ?? [];
    expect(states.map(({ name, state }) => `${name} ${state}`)).toEqual(
      this.#spec.map(({ name }) => `${name} Serving`),
    );
  }

  /** What a new server would serve. */
  fresh(): World {
    this.database = new MemoryZones();
    this.#setup = this.#start();
    this.#declare();
    return this;
  }

  served(): string[] {
    return this.database.rrsets
      .map(({ zone, name, type, ttl, records }) => [zone, name, type, ttl, ...records].join(' '))
      .sort();
  }

  outcomes(): string[] {
    return (this.#setup.agent.zoneOutcomes ?? [])
      .map(({ object, state, message = '' }) => `${object.resource} ${state} ${message}`)
      .sort();
  }

  get writes(): number {
    return this.database.writes;
  }

  #start() {
    return makeAgent(this.database, { lister: this.lister, now: () => this.clock.now });
  }

  #declare(): void {
    this.#setup.declare(
      declare({
        name: 'corp',
        zones: this.#spec,
        discovery: {
          sources: [{ kind: 'Zone', resources: ['zones.v1alpha1.dns.internal'] }],
          tenants: this.#tenants,
          deleteGuard: { percent: 20, holdSeconds: 600 },
        },
      }),
    );
  }
}

test('after any history it is what a new agent serves, and then nothing is written', {
  tags: ['history'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const world = new World();
      for (const step of history) await world.take(step);
      await world.take({ step: 'Zones', as: 'Listed' });
      // Until nothing is held any more.
      for (const seconds of [4, 4, 700, 4, 4]) await world.tick(seconds);
      const [served, outcomes, writes] = [world.served(), world.outcomes(), world.writes];
      await world.tick(4);
      expect(world.writes).toBe(writes);
      const fresh = world.fresh();
      for (let i = 0; i < 3; i++) await fresh.tick(4);
      expect({ served, outcomes }).toEqual({ served: fresh.served(), outcomes: fresh.outcomes() });
    }),
  );
});
