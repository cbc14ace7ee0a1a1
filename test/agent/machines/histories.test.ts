/** Whatever the order in which Machines, claims and tenants change, what is published in the end is the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OwnObject } from '../../../functions/agent/sources/own-object.ts';
import { type AgentWithMachines, agentWithMachines, ownSources } from './agent-with-machines.ts';
import { claim, machine, tenant } from './objects.ts';

type Tenants = ReturnType<typeof tenant>[];

type Step =
  | { step: 'put'; object: OwnObject }
  | { step: 'remove'; resource: string }
  | { step: 'tenants'; tenants: Tenants }
  | { step: 'labels'; namespace: string; team: string }
  | { step: 'ingress'; targets: string[] }
  | { step: 'Machines defined'; isDefined: boolean }
  | { step: 'restart' }
  | { step: 'publish' }
  | { step: 'loop' };

const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1');
const namespace = fc.constantFrom('a', 'b');
const role = fc.constantFrom('mail', 'web');

/** Their names are their own: whoever has a name first keeps it, so that a new agent could decide otherwise. */
const machines = fc
  .record({
    ...{ id: fc.nat(3), namespace, role, addresses: fc.uniqueArray(address, { maxLength: 2 }) },
    reverse: fc.constantFrom('Publish', 'Publish', 'Off'),
    aliases: fc.boolean(),
  })
  .map(({ id, namespace, role, addresses, reverse, aliases }) =>
    machine(`m${id}`, addresses.join(' '), {
      ...{ namespace, labels: { role }, age: id },
      spec: { hostname: `m${id}-${namespace}`, reverse, ...(aliases && { aliases: [`alias${id}-${namespace}`] }) },
    }),
  );

const claims = fc
  .record({
    ...{ id: fc.nat(1), namespace, role },
    check: fc.constantFrom(
      {},
      { check: { port: 25 } },
      { check: { port: 26 }, answer: 'Random' },
      { answer: 'Sticky' },
    ),
    addresses: fc.uniqueArray(address, { maxLength: 1 }),
    across: fc.boolean(),
    template: fc.boolean(),
  })
  .map(({ id, namespace, role, check, addresses, across, template }) =>
    claim(
      `c${id}`,
      {
        ...{ name: `c${id}-${namespace}.corp.internal`, selector: { matchLabels: { role } }, addresses, ...check },
        ...(across && { namespaceSelector: {} }),
        ...(template && { template: `{{machine.name}}.c${id}-${namespace}.corp.internal` }),
      },
      { namespace, age: id },
    ),
  );

const everything = ['*.corp.internal'];
const unrestricted: Tenants[] = [
  [],
  [tenant('a', {}, everything), tenant('b', {}, everything)],
  [
    tenant('a', { networks: ['192.0.2.0/31'] }, everything),
    tenant('b', { selectableBy: 'SelectableByAll' }, everything),
  ],
];
/** A name that is refused stays as it is, so that a new agent would not publish it. */
const restricted: Tenants = [tenant('a', {}, ['m0-a.corp.internal', 'c0-a.corp.internal'])];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: machines.map((object): Step => ({ step: 'put', object })) },
    { weight: 3, arbitrary: claims.map((object): Step => ({ step: 'put', object })) },
    {
      weight: 3,
      arbitrary: fc.oneof(machines, claims).map(({ resource }): Step => ({ step: 'remove', resource })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...unrestricted, restricted).map((tenants): Step => ({ step: 'tenants', tenants })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(namespace, fc.constantFrom('a', 'b'))
        .map(([namespace, team]): Step => ({ step: 'labels', namespace, team })),
    },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(address, { maxLength: 1 }).map((targets): Step => ({ step: 'ingress', targets })),
    },
    { weight: 1, arbitrary: fc.boolean().map((isDefined): Step => ({ step: 'Machines defined', isDefined })) },
    { weight: 1, arbitrary: fc.constant<Step>({ step: 'restart' }) },
    { weight: 4, arbitrary: fc.constant<Step>({ step: 'publish' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ step: 'loop' }) },
  ),
  { maxLength: 25 },
);

async function apply(setup: AgentWithMachines, step: Step, isAlone: boolean): Promise<void> {
  const { lister } = setup;
  switch (step.step) {
    case 'put':
      return lister.put(step.object);
    case 'remove':
      return lister.remove(step.resource);
    case 'tenants':
      setup.redeclare({ tenants: step.tenants });
      // A new declaration wakes the reconcile loop. A loop of ExternalDNS in between fails, and the next one follows it.
      return setup.agent.reconcile();
    case 'labels':
      return lister.setNamespaceLabels(step.namespace, { team: step.team });
    case 'ingress':
      return isAlone ? undefined : setup.setObject('ingress/a/web', step.targets.length > 0 ? step : undefined);
    case 'Machines defined':
      return lister.setMachinesDefined(step.isDefined);
    case 'restart':
      return setup.restart();
    case 'publish':
      return void (await setup.publish());
    case 'loop':
      return isAlone ? setup.tick() : void (await setup.loop());
  }
}

async function settle(setup: AgentWithMachines, isAlone: boolean): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await setup.tick();
    if (!isAlone) await setup.loop();
  }
}

test.each([
  ['without ExternalDNS', true],
  ['beside an Ingress', false],
])(
  'after any history it is what a new agent publishes, and then nothing is written: %s',
  {
    tags: ['history'],
  },
  async (_, isAlone) => {
    const sources = isAlone ? ownSources : [{ kind: 'Ingress', isAnticipated: true as const }, ...ownSources];
    const discovery = { sources, reverse: !isAlone, deleteGuard: { percent: 100 } };
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const setup = await agentWithMachines({ discovery });
        for (const namespace of ['a', 'b']) setup.lister.setNamespaceLabels(namespace, { team: namespace });
        for (const step of history) await apply(setup, step, isAlone);
        setup.lister.setMachinesDefined(true);
        const last = history.findLast((step) => step.step === 'tenants')?.tenants ?? [];
        const tenants = last === restricted ? [] : last;
        setup.redeclare({ tenants });
        await settle(setup, isAlone);
        const { writes } = setup.database;
        await settle(setup, isAlone);
        expect(setup.database.writes).toBe(writes);

        const fresh = await agentWithMachines({ discovery: { ...discovery, tenants }, lister: setup.lister });
        await settle(fresh, isAlone);
        expect(setup.published()).toEqual(fresh.published());
        expect(setup.verdicts()).toEqual(fresh.verdicts());
        expect(setup.agent.outcomes?.map(({ reverse }) => reverse)).toEqual(
          fresh.agent.outcomes?.map(({ reverse }) => reverse),
        );
      }),
    );
  },
);
