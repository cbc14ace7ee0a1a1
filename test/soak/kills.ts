/** Random changes with a real PowerDNS and the agent's process, while one is killed or requests between them fail. */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { canaryZone } from '../../functions/contract/canary-zone.ts';
import type { Behaviour } from '../agent/powerdns/faulty-proxy.ts';
import { printTable, quantile, seconds } from '../bench/table.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import type { Budget } from './budget.ts';
import { type DesiredHost, Instance, zone } from './instance.ts';

const faults = ['agent killed', 'PowerDNS killed', 'both killed', 'faults', 'volume full'] as const;
type Fault = (typeof faults)[number];

interface Round {
  objects: { host: string; desired: DesiredHost | undefined }[];
  declared: { label: string; address: string | undefined }[];
  byHand: { name: string; address: string | undefined }[];
  hasChild: boolean;
  fault: Fault;
  /** A kill follows this long after this many writes. */
  after: { writes: number; ms: number };
  /** Applied to one request after the other, repeatedly. */
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
const desired: fc.Arbitrary<DesiredHost> = fc
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
    objects: fc.array(fc.record({ host, desired: maybe(desired) }), { minLength: 30, maxLength: 30 }),
    declared: fc.array(fc.record({ label, address: maybe(address('203.0.113')) }), { maxLength: 3 }),
    byHand: fc.array(
      fc.record({
        name: fc.nat(9).map((index) => `hand${index}.${zone}.`),
        address: maybe(address('198.51.100')),
      }),
      { maxLength: 2 },
    ),
    hasChild: fc.boolean(),
    fault: fc.constantFrom(...faults),
    after: fc.record({ writes: fc.integer({ min: 1, max: 3 }), ms: fc.nat(5) }),
    behaviours: fc.array(behaviour, { minLength: 100, maxLength: 100 }),
  }),
);

/** The result of the rounds with one fault. */
interface Figures {
  rounds: number;
  /** Writes that a kill or a full volume hit, and requests that were disturbed. */
  hits: number;
  recovered: number[];
}

/** Throws if a record was lost or a stale one is left. */
export async function soakKills({ milliseconds, seed }: Budget): Promise<void> {
  const figures = new Map(faults.map((fault): [Fault, Figures] => [fault, { rounds: 0, hits: 0, recovered: [] }]));
  const instance = await Instance.start();
  try {
    await waitForConsistency(instance);
    const end = performance.now() + milliseconds;
    for (let index = 0; performance.now() < end; index++) {
      const [drawn] = fc.sample(round, { seed: seed + index, numRuns: 1 }) as [Round];
      if (drawn.fault === 'volume full' && !instance.isBounded) continue;
      await runRound(instance, drawn, figures.get(drawn.fault) as Figures).catch((error) => {
        const summary = `round ${index} of FC_SEED=${seed}: ${error.message}\n${JSON.stringify(drawn)}`;
        throw new Error(`${summary}\nlast log lines of the agent:\n${instance.lastLog}`);
      });
    }
  } finally {
    print(instance, figures);
    await instance.stop();
  }
}

function print({ content, isBounded }: Instance, figures: Map<Fault, Figures>): void {
  const { objects, declared, byHand } = content;
  printTable(
    `Kills, faults and full volumes while zones change; at the end ${objects.size} discovered, ${declared.size} declared and ${byHand.size} hand-made records`,
    ['fault', 'rounds', 'writes hit, requests disturbed', 'until consistent, p50 (s)', 'slowest (s)'],
    [...figures].map(([fault, { rounds, hits, recovered }]) => {
      const isSkipped = fault === 'volume full' && !isBounded;
      const times = recovered.length === 0 ? ['', ''] : [quantile(recovered, 0.5), Math.max(...recovered)].map(seconds);
      return [fault, isSkipped ? 'left out: no permission to mount' : rounds, hits, ...times];
    }),
  );
}

async function runRound(instance: Instance, drawn: Round, figures: Figures): Promise<void> {
  for (const { name, address } of drawn.byHand) await instance.edit(name, address);
  const { objects, declared } = instance.content;
  for (const { host, desired } of drawn.objects) put(objects, host, desired);
  for (const { label, address } of drawn.declared) put(declared, label, address);
  instance.content.hasChild = drawn.hasChild;
  instance.declare();

  figures.rounds++;
  figures.hits += await inject(instance, drawn);
  const since = performance.now();
  await waitForConsistency(instance);
  figures.recovered.push((performance.now() - since) / 1000);
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

const inject = (instance: Instance, drawn: Round) => {
  if (drawn.fault === 'faults') return disturb(instance, drawn.behaviours);
  return drawn.fault === 'volume full' ? fill(instance) : kill(instance, drawn);
};

/** Runs loops while requests to PowerDNS are disturbed; returns how many were. */
async function disturb(instance: Instance, behaviours: Behaviour[]): Promise<number> {
  let [requests, disturbed] = [0, 0];
  instance.passage.behaviour = () => {
    const behaviour = behaviours[requests++ % behaviours.length] as Behaviour;
    if (behaviour !== 'pass') disturbed++;
    return behaviour;
  };
  await loops(instance, 8);
  instance.passage.behaviour = 'pass';
  return disturbed;
}

/** Runs loops while PowerDNS's volume is full, then kills PowerDNS; returns the number of attempted writes. */
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

/** Runs loops, and kills and restarts processes meanwhile; returns how many writes that hit. */
async function kill(instance: Instance, { fault, after }: Round): Promise<number> {
  let writes = 0;
  const due = Promise.withResolvers<void>();
  instance.passage.onPass = (line) => {
    if (isWrite(line) && ++writes === after.writes) setTimeout(due.resolve, after.ms);
  };
  const looping = loops(instance, 4);
  await Promise.race([due.promise, looping]);
  const hits = writes >= after.writes ? 1 : 0;
  const [isServer, isAgent] = [fault !== 'agent killed', fault !== 'PowerDNS killed'];
  if (isServer) instance.server.kill('SIGKILL');
  if (isAgent) await instance.killAgent();
  await looping;
  instance.passage.onPass = () => {};
  if (isServer) await instance.server.restart();
  if (isAgent) await instance.startAgent();
  return hits;
}

const isWrite = (line: string) => !line.startsWith('GET') && !line.includes(canaryZone);

/** Runs loops that may fail. */
async function loops(instance: Instance, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await instance.loop().catch(() => {});
    await delay(50);
  }
}

/** Waits until the zones have the expected content and three loops in a row send nothing. */
async function waitForConsistency(instance: Instance): Promise<void> {
  const end = performance.now() + waitTimeoutMs;
  let found: string[] = [];
  for (let quiet = 0; quiet < 3; ) {
    if (performance.now() > end) {
      throw new Error(
        `not consistent after ${waitTimeoutMs / 1000} s: ${found.length} differences:\n${found.slice(0, 20).join('\n')}`,
      );
    }
    const sent = await instance.loop().then(
      (changes) => (changes ? [`ExternalDNS still sends ${JSON.stringify(changes).slice(0, 300)}`] : []),
      (error) => [`a loop failed: ${error.message}`],
    );
    found = [...sent, ...(await instance.differences())];
    quiet = found.length === 0 ? quiet + 1 : 0;
    await delay(100);
  }
}
