/** Random histories of objects, with an ExternalDNS whose loops lag behind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { plan } from '../external-dns.ts';
import { endpoint } from '../make.ts';
import type { FakeObject } from '../names/fake-source-lister.ts';
import { agentThatAnticipates } from './agent-that-anticipates.ts';

const names = ['a', 'b', 'c', 'd'];
const resources = ['ingress/x/1', 'ingress/x/2', 'ingress/x/3', 'service/x/1', 'service/x/2'];

const object: fc.Arbitrary<FakeObject> = fc.record({
  hosts: fc.subarray(names, { minLength: 1 }).map((some) => some.map((name) => `${name}.corp.internal`)),
  targets: fc.subarray(['192.0.2.1', '192.0.2.2', '192.0.2.3']),
  isInexact: fc.constantFrom(false, false, false, true),
});

type Step =
  | { step: 'change'; resource: string; object: FakeObject | undefined }
  | { step: 'anticipate' }
  | { step: 'restart of ExternalDNS' }
  /** The next request of ExternalDNS, and how far its informers lag: 0 not at all, 1 as far as they can. */
  | { step: 'request'; lag: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant('change' as const),
      resource: fc.constantFrom(...resources),
      object: fc.option(object, { nil: undefined, freq: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ step: 'anticipate' }) },
  {
    weight: 6,
    arbitrary: fc.record({ step: fc.constant('request' as const), lag: fc.constantFrom(0, 0, 0.5, 1, 1) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ step: 'restart of ExternalDNS' }) },
);

/** ExternalDNS in the middle of a loop, between requests. */
interface Loop {
  current?: Endpoint[];
  answer?: Endpoint[];
  startedAt: number;
  previousStart: number;
}

async function started(discovery: object = {}) {
  const setup = await agentThatAnticipates({ deleteGuard: { percent: 100 }, ...discovery });
  const { agent, clock, objects, webhook } = setup;
  const state = new Map<string, FakeObject>();
  /** What ExternalDNS would ask for at each moment. */
  const snapshots = [{ at: 0, endpoints: [] as Endpoint[] }];
  const loop: Loop = { startedAt: 0, previousStart: 0 };
  await setup.loop([]);
  clock.now += 1;

  const change = (resource: string, next: FakeObject | undefined) => {
    if (next) state.set(resource, next);
    else state.delete(resource);
    setup.set(resource, next);
    snapshots.push({ at: clock.now, endpoints: objects.endpoints() });
  };
  /** Its informers are at most as old as the loop before, and ten seconds. */
  const seen = (lag: number): Endpoint[] => {
    const oldest = Math.max(loop.previousStart, loop.startedAt - 10_000);
    const first = snapshots.findLastIndex(({ at }) => at <= oldest);
    const index = snapshots.length - 1 - Math.round(lag * (snapshots.length - 1 - first));
    return snapshots[index]?.endpoints ?? [];
  };
  const request = async (lag: number) => {
    if (!loop.current) {
      loop.previousStart = loop.startedAt;
      loop.startedAt = clock.now;
      loop.current = await webhook.records();
    } else if (!loop.answer) {
      loop.answer = await webhook.adjustEndpoints(seen(lag));
    } else {
      const changes = plan(loop.current, loop.answer, 'sync');
      if (changes) await webhook.applyChanges(changes);
      abort();
      return changes;
    }
    return undefined;
  };
  const abort = () => {
    delete loop.current;
    delete loop.answer;
  };
  const wanted = (name: string) =>
    [
      ...new Set(
        [...state.values()]
          .filter(({ hosts }) => hosts?.includes(`${name}.corp.internal`))
          .flatMap((each) => each.targets ?? []),
      ),
    ]
      .sort()
      .join(' ');
  const published = (name: string) =>
    setup
      .published()
      .filter((line) => line.startsWith(`${name} A `))
      .map((line) => line.split(' ').slice(2, -1).join(' '))
      .join();
  const isExact = (name: string) =>
    ![...state.values()].some(({ hosts, isInexact }) => isInexact && hosts?.includes(`${name}.corp.internal`));
  return { ...setup, abort, agent, change, clock, isExact, loop, published, request, wanted };
}

test('nothing flaps while ExternalDNS lags behind, and it has the last word', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(3_000)), { maxLength: 60 }), async (steps) => {
      const world = await started();
      const { agent, change, clock, isExact, published, request, wanted } = world;
      let isBehind = false;
      for (const [each, ms] of steps) {
        clock.now += ms + 1;
        if (each.step === 'change') change(each.resource, each.object);
        else if (each.step === 'anticipate') expect(await agent.anticipate()).toBe(true);
        else if (each.step === 'request') await request(each.lag);
        else world.abort();
        isBehind = each.step === 'change' || (isBehind && each.step !== 'anticipate');
        if (isBehind) continue;
        for (const name of names) if (isExact(name)) expect([name, published(name)]).toEqual([name, wanted(name)]);
      }
      world.abort();
      await agent.anticipate();
      for (let i = 0; i < 9; i++) {
        clock.now += 3_000;
        await request(0);
      }
      for (const name of names) expect([name, published(name)]).toEqual([name, wanted(name)]);
      for (let i = 0; i < 9; i++) expect(await request(0)).toBeUndefined();
      expect([...agent.anticipation.counts]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('an ExternalDNS that reads objects in another way has its way after two loops', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 6 }), async (versions) => {
      const { agent, clock, loop, published, set } = await agentThatAnticipates({ deleteGuard: { percent: 100 } });
      await loop([]);
      for (const [i, version] of versions.entries()) {
        const target = `192.0.2.${100 + i}`;
        const asked = (version.hosts ?? []).map((dnsName) => endpoint('ingress/x/1', dnsName, 'A', target));
        set('ingress/x/1', { ...version, isInexact: false });
        clock.now += 1;
        await agent.anticipate();
        for (let again = 0; again < 2; again++) {
          clock.now += 10_000;
          await loop(asked);
        }
        expect(published()).toEqual(
          asked.map(({ dnsName }) => `${dnsName.split('.')[0]} A ${target} ingress/x/1`).sort(),
        );
      }
      const { counts, suspended } = agent.anticipation;
      expect(suspended.has('Ingress')).toBe((counts.get('Ingress') ?? 0) >= 3);
    }),
    { numRuns: 50 },
  );
});
