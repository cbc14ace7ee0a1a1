/** Rounds of random changes with a real PowerDNS and the agent's process, one of which is killed or lied to meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { canaryZone } from '../../functions/agent/self-test/canary-record.ts';
import type { Behaviour } from '../agent/powerdns/faulty-proxy.ts';
import { printTable, quantile, seconds } from '../bench/table.ts';
import { patience } from '../patience.ts';
import { Instance, type Wanted, zone } from './instance.ts';
import type { Share } from './share.ts';

const troubles = ['agent killed', 'PowerDNS killed', 'both killed', 'faults', 'volume full'] as const;
type Trouble = (typeof troubles)[number];

interface Round {
  objects: { host: string; wanted: Wanted | undefined }[];
  declared: { label: string; address: string | undefined }[];
  byHand: { name: string; address: string | undefined }[];
  hasChild: boolean;
  trouble: Trouble;
  /** A kill comes so long after so many writes. */
  after: { writes: number; ms: number };
  /** Of one request after the other, over and over. */
  behaviours: Behaviour[];
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const address = (network: string) => fc.integer({ min: 1, max: 250 }).map((octet) => `${network}.${octet}`);
const label = fc.nat(119).map((index) => `h${index}`);
const target = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('A'), value: address('192.0.2') }) },
  fc.record({ type: fc.constant('AAAA'), value: fc.nat(9).map((last) => `2001:db8::${last + 1}`) }),
  fc.record({ type: fc.constant('CNAME'), value: fc.nat(9).map((index) => `t${index}.example.com`) }),
);
const wanted: fc.Arbitrary<Wanted> = fc
  .tuple(target, fc.record({ ttl: fc.constantFrom(60, 120, 300), namespace: fc.constantFrom('a', 'b', 'c') }))
  .map(([what, how]) => ({ ...what, ...how }));
const host = fc.tuple(label, fc.constantFrom(zone, zone, `sub.${zone}`)).map(([first, parent]) => `${first}.${parent}`);
const behaviour = fc.oneof(
  { weight: 66, arbitrary: fc.constant<Behaviour>('pass') },
  {
    weight: 34,
    arbitrary: fc.constantFrom<Behaviour>(
      'fail',
      'unauthorized',
      'not found',
      'refuse',
      'garbage',
      'empty',
      'drop',
      'drop the answer',
      'cut',
      'late',
    ),
  },
  { weight: 1, arbitrary: fc.constant<Behaviour>('hang') },
);

const round: fc.Arbitrary<Round> = fc.noBias(
  fc.record({
    objects: fc.array(fc.record({ host, wanted: maybe(wanted) }), { minLength: 30, maxLength: 30 }),
    declared: fc.array(fc.record({ label, address: maybe(address('203.0.113')) }), { maxLength: 3 }),
    byHand: fc.array(
      fc.record({
        name: fc.nat(9).map((index) => `hand${index}.${zone}.`),
        address: maybe(address('198.51.100')),
      }),
      { maxLength: 2 },
    ),
    hasChild: fc.boolean(),
    trouble: fc.constantFrom(...troubles),
    after: fc.record({ writes: fc.integer({ min: 1, max: 3 }), ms: fc.nat(5) }),
    behaviours: fc.array(behaviour, { minLength: 100, maxLength: 100 }),
  }),
);

/** What came of the rounds with one trouble. */
interface Figures {
  rounds: number;
  /** Writes that a kill or a full volume hit, and requests that were not simply passed on. */
  hits: number;
  settled: number[];
}

/** Throws when a record was lost, or one is there that nobody wants. */
export async function soakKills({ milliseconds, seed }: Share): Promise<void> {
  const figures = new Map(
    troubles.map((trouble): [Trouble, Figures] => [trouble, { rounds: 0, hits: 0, settled: [] }]),
  );
  const instance = await Instance.start();
  try {
    await settle(instance);
    const end = performance.now() + milliseconds;
    for (let index = 0; performance.now() < end; index++) {
      const [drawn] = fc.sample(round, { seed: seed + index, numRuns: 1 }) as [Round];
      if (drawn.trouble === 'volume full' && !instance.isBounded) continue;
      await go(instance, drawn, figures.get(drawn.trouble) as Figures).catch((error) => {
        const told = `round ${index} of FC_SEED=${seed}: ${error.message}\n${JSON.stringify(drawn)}`;
        throw new Error(`${told}\nlast words of the agent:\n${instance.lastWords}`);
      });
    }
  } finally {
    print(instance, figures);
    await instance.stop();
  }
}

function print({ content, isBounded }: Instance, figures: Map<Trouble, Figures>): void {
  const { objects, declared, byHand } = content;
  printTable(
    `Kills and faults while zones change, in the end of ${objects.size} discovered, ${declared.size} declared and ${byHand.size} records made by hand`,
    ['trouble', 'rounds', 'writes hit, requests spoilt', 'until all is right, p50 (s)', 'slowest (s)'],
    [...figures].map(([trouble, { rounds, hits, settled }]) => {
      const isLeftOut = trouble === 'volume full' && !isBounded;
      const times = settled.length === 0 ? ['', ''] : [quantile(settled, 0.5), Math.max(...settled)].map(seconds);
      return [trouble, isLeftOut ? 'left out: cannot mount' : rounds, hits, ...times];
    }),
  );
}

async function go(instance: Instance, drawn: Round, figures: Figures): Promise<void> {
  for (const { name, address } of drawn.byHand) await instance.edit(name, address);
  const { objects, declared } = instance.content;
  for (const { host, wanted } of drawn.objects) put(objects, host, wanted);
  for (const { label, address } of drawn.declared) put(declared, label, address);
  instance.content.hasChild = drawn.hasChild;
  instance.declare();

  figures.rounds++;
  figures.hits += await causeTrouble(instance, drawn);
  const since = performance.now();
  await settle(instance);
  figures.settled.push((performance.now() - since) / 1000);
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

const causeTrouble = (instance: Instance, drawn: Round) => {
  if (drawn.trouble === 'faults') return spoil(instance, drawn.behaviours);
  return drawn.trouble === 'volume full' ? fill(instance) : strike(instance, drawn);
};

/** Loops while PowerDNS answers anything; how many requests were spoilt. */
async function spoil(instance: Instance, behaviours: Behaviour[]): Promise<number> {
  let [requests, spoilt] = [0, 0];
  instance.passage.behaviour = () => {
    const behaviour = behaviours[requests++ % behaviours.length] as Behaviour;
    if (behaviour !== 'pass') spoilt++;
    return behaviour;
  };
  await loops(instance, 8);
  instance.passage.behaviour = 'pass';
  return spoilt;
}

/** Loops while PowerDNS can write nothing, which is killed in the end; how many writes were tried. */
async function fill(instance: Instance): Promise<number> {
  let writes = 0;
  instance.passage.onPass = (line) => isWrite(line) && writes++;
  instance.fillVolume();
  await loops(instance, 4);
  instance.server.kill('SIGKILL');
  instance.emptyVolume();
  await instance.server.restart();
  instance.passage.onPass = () => {};
  return writes;
}

/** Loops, in the middle of which processes are killed and started anew; how many writes that hit. */
async function strike(instance: Instance, { trouble, after }: Round): Promise<number> {
  let writes = 0;
  const due = Promise.withResolvers<void>();
  instance.passage.onPass = (line) => {
    if (isWrite(line) && ++writes === after.writes) setTimeout(due.resolve, after.ms);
  };
  const looping = loops(instance, 4);
  await Promise.race([due.promise, looping]);
  const hits = writes >= after.writes ? 1 : 0;
  const [isServer, isAgent] = [trouble !== 'agent killed', trouble !== 'PowerDNS killed'];
  if (isServer) instance.server.kill('SIGKILL');
  if (isAgent) await instance.killAgent();
  await looping;
  instance.passage.onPass = () => {};
  if (isServer) await instance.server.restart();
  if (isAgent) await instance.startAgent();
  return hits;
}

const isWrite = (line: string) => !line.startsWith('GET') && !line.includes(canaryZone);

/** They may fail. */
async function loops(instance: Instance, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await instance.loop().catch(() => {});
    await delay(50);
  }
}

/** Until there is what should be, and two more loops find nothing to do. */
async function settle(instance: Instance): Promise<void> {
  const end = performance.now() + patience;
  let told: string[] = [];
  for (let quiet = 0; quiet < 3; ) {
    if (performance.now() > end) {
      throw new Error(
        `not right after ${patience / 1000} s: ${told.length} differences:\n${told.slice(0, 20).join('\n')}`,
      );
    }
    const sent = await instance.loop().then(
      (changes) => (changes ? [`ExternalDNS still sends ${JSON.stringify(changes).slice(0, 300)}`] : []),
      (error) => [`a loop failed: ${error.message}`],
    );
    told = [...sent, ...(await instance.differences())];
    quiet = told.length === 0 ? quiet + 1 : 0;
    await delay(100);
  }
}
