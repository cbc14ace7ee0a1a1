/** What is written into the status of objects, with an API server over real HTTP and a fake clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentClient } from '../../../functions/agent/kubernetes/agent-client.ts';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { SeenEntries } from '../../../functions/agent/machines/seen-entries.ts';
import { type MachineEntry, machineEntry } from '../../../functions/agent/machines/status-entry.ts';
import { StatusQueue, type StatusUpdate } from '../../../functions/agent/machines/status-queue.ts';
import { StatusWriter } from '../../../functions/agent/machines/status-writer.ts';
import { crds, schemaOf } from '../../kinds.ts';
import { ApiServer, type StoredObject } from '../kubernetes/api-server.ts';
import { find, machine, translationOf } from './objects.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const collection = '/apis/dns.internal/v1alpha1/machines';
const pathOf = (name: string) => `/apis/dns.internal/v1alpha1/namespaces/a/machines/${name}/status`;

type Wanted = Record<string, MachineEntry | undefined>;

/** A cluster with Machines, of which an agent has seen some state. */
class Cluster {
  readonly server = new ApiServer();
  readonly log: string[] = [];
  now = Date.parse('2026-01-31T12:00:00Z');
  /** As the agent saw them last, by name. */
  seen = new Map<string, StoredObject>();
  readonly #entries: SeenEntries[] = [];
  #client: Client | undefined;

  async start(): Promise<void> {
    this.server.storesPatches = true;
    this.#client = new Client(await this.server.start());
  }

  get client(): Client {
    if (!this.#client) throw new Error('the server has not started');
    return this.#client;
  }

  add(...names: string[]): void {
    for (const name of names) this.server.put(collection, { metadata: { name, namespace: 'a' } });
  }

  async see(): Promise<void> {
    const { items } = await this.client.list<StoredObject>(collection, { query: { limit: 10_000 } });
    this.seen = new Map((items ?? []).map((each) => [each.metadata.name, each]));
    for (const entries of this.#entries) {
      for (const [name, object] of this.seen) entries.see(`machine/a/${name}`, object);
    }
  }

  get agent(): AgentClient {
    const [pod, none] = ['idns-corp-0', { declared: '', status: '', claim: '' }];
    return new AgentClient({ client: this.client, namespace: 'dns', pod, ...none });
  }

  /** As the agent of an InternalDNS does. */
  async apply(name: string, instance: string, wanted: MachineEntry | undefined): Promise<void> {
    await this.agent.applyStatusEntry({ kind: 'Machine', namespace: 'a', name }, instance, wanted);
  }

  writer(instance = 'corp', seen = new SeenEntries(() => instance)): StatusWriter {
    this.#entries.push(seen);
    return new StatusWriter({
      cluster: this.agent,
      instance: () => instance,
      seen,
      failureLog: {
        record: (action, failure, details = {}) => {
          const where = Object.values(details).map((each) => ` in ${each}`);
          const line = `cannot ${action}${where}: ${failure}`;
          if (failure !== undefined && !this.log.includes(line)) this.log.push(line);
        },
      },
      now: () => this.now,
    });
  }

  updates(wanted: Wanted, instance = 'corp'): StatusUpdate[] {
    return [...this.seen.keys()].map((name) => ({
      ...{ kind: 'Machine' as const, namespace: 'a', name },
      entry: wanted[name],
      current: this.entriesOf(name).find((each) => each.name === instance),
    }));
  }

  /** In the order of the list. */
  entriesOf(name: string): MachineEntry[] {
    const { instances = [] } = (this.seen.get(name)?.status ?? {}) as { instances?: MachineEntry[] };
    return instances;
  }

  fqdns(name: string): string[] {
    return this.entriesOf(name).map((entry) => `${entry.name} ${entry.fqdn}`);
  }

  /** Looks and writes twice a second for some time, as the agent does. */
  async pass(milliseconds: number, writer: StatusWriter, wanted: () => Wanted, instance = 'corp'): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end; this.now += 500) {
      await this.see();
      writer.update(this.updates(wanted(), instance));
      await writer.drain();
    }
    await this.see();
  }

  /** Passes once. */
  turn(writer: StatusWriter, wanted: Wanted, instance = 'corp'): Promise<void> {
    return this.pass(500, writer, () => wanted, instance);
  }

  /** The names of the objects written to, in order. */
  get written(): string[] {
    return this.server.writes.map((line) => /machines\/([^/]+)\/status/.exec(line)?.[1] ?? line);
  }

  /** Such as `nas - lab`, where the entry of `lab` was removed. */
  get changes(): string[] {
    return this.server.writes.map((line) => {
      const [, name, manager] = /machines\/([^/]+)\/status\?fieldManager=internal-dns-(\w+)/.exec(line) ?? [];
      return `${name} ${line.includes('"instances":[]') ? '-' : '+'} ${manager}`;
    });
  }

  /** Forgets what was written so far. */
  clear(): void {
    this.server.writes.length = 0;
  }
}

let cluster: Cluster;
beforeEach(async () => {
  cluster = new Cluster();
  await cluster.start();
});
afterEach(() => cluster.server.stop());

const entry = (fqdn: string, name = 'corp', observedAt = '2026-01-31T12:00:00.000Z'): MachineEntry => ({
  ...{ name, observedAt, fqdn, records: [{ name: fqdn, type: 'A', values: ['192.0.2.7'] }] },
});

describe('entries', () => {
  test('are applied to the status by the field manager of the InternalDNS, and nothing else is', async () => {
    cluster.add('nas');
    await cluster.turn(cluster.writer(), { nas: entry('nas.corp.internal') });
    const body = {
      apiVersion: 'dns.internal/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'nas', namespace: 'a' },
      status: { instances: [entry('nas.corp.internal')] },
    };
    expect(cluster.server.writes).toEqual([
      `PATCH ${pathOf('nas')}?fieldManager=internal-dns-corp&force=true application/apply-patch+yaml ${JSON.stringify(body)}`,
    ]);
  });

  test('of several InternalDNSes are beside each other, and each changes and removes its own', async () => {
    cluster.add('nas');
    const [corp, lab] = [cluster.writer('corp'), cluster.writer('lab')];
    await cluster.turn(corp, { nas: entry('nas.corp.internal') });
    await cluster.turn(lab, { nas: entry('nas.lab.internal', 'lab') }, 'lab');
    expect(cluster.fqdns('nas')).toEqual(['corp nas.corp.internal', 'lab nas.lab.internal']);
    await cluster.turn(corp, { nas: entry('files.corp.internal') });
    expect(cluster.fqdns('nas')).toEqual(['corp files.corp.internal', 'lab nas.lab.internal']);
    await cluster.turn(corp, {});
    expect(cluster.fqdns('nas')).toEqual(['lab nas.lab.internal']);
    await cluster.turn(lab, {}, 'lab');
    expect(cluster.entriesOf('nas')).toEqual([]);
    expect(cluster.written).toHaveLength(5);
    await cluster.pass(minute, corp, () => ({}));
    expect(cluster.written).toHaveLength(5);
  });

  test('are written once, whatever the order of their fields and however often they are computed', async () => {
    cluster.add('nas');
    const nas = find(translationOf({ machines: [machine('nas', '192.0.2.7')] }), 'machine/a/nas');
    const states = [{ verdict: 'Resolved' as const, name: 'n', resource: 'r', message: 'm', answers: [] }];
    const wanted = () => {
      const outcome = { instance: 'corp', now: new Date(cluster.now).toISOString(), states };
      return { nas: machineEntry(nas, outcome, cluster.entriesOf('nas')[0]) };
    };
    await cluster.pass(minute, cluster.writer(), wanted);
    expect(cluster.written).toEqual(['nas']);
    expect(Object.keys(cluster.entriesOf('nas')[0] ?? {})[0]).toBe('claims');
    // After a restart the agent finds what it wrote.
    await cluster.pass(minute, cluster.writer(), wanted);
    expect(cluster.written).toEqual(['nas']);
  });

  test('are not written again while the agent has not seen its own write, unless they change', async () => {
    cluster.add('nas');
    await cluster.see();
    const writer = cluster.writer();
    const say = async (wanted: MachineEntry | undefined) => {
      writer.update(cluster.updates({ nas: wanted }));
      await writer.drain();
    };
    await say(entry('one.corp.internal'));
    await say(entry('one.corp.internal'));
    expect(cluster.written).toHaveLength(1);
    await say(entry('two.corp.internal'));
    await say(entry('one.corp.internal'));
    expect(cluster.written).toHaveLength(3);
    // As before the first one, which is what the agent still sees.
    await say(undefined);
    expect(cluster.written).toHaveLength(4);
    await cluster.see();
    expect(cluster.entriesOf('nas')).toEqual([]);
  });

  test.each(crds)('are items of a map by name in $metadata.name, so that each manager owns its own', (crd) => {
    const instances = schemaOf(crd).properties?.status?.properties?.instances;
    expect(instances).toMatchObject({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
  });

  test('that another has changed are written again', async () => {
    cluster.add('nas');
    const writer = cluster.writer();
    await cluster.turn(writer, { nas: entry('nas.corp.internal') });
    cluster.server.put(collection, { ...cluster.seen.get('nas')!, status: { instances: [entry('evil')] } });
    await cluster.turn(writer, { nas: entry('nas.corp.internal') });
    expect(cluster.fqdns('nas')).toEqual(['corp nas.corp.internal']);
  });

  test('are not written before the InternalDNS is known', async () => {
    cluster.add('nas');
    await cluster.pass(5 * second, cluster.writer(''), () => ({ nas: entry('nas.corp.internal') }));
    expect(cluster.written).toEqual([]);
  });
});

describe('limits', () => {
  const names = Array.from({ length: 300 }, (_, index) => `m${index}`);

  test('objects that all change all the time cost a bounded number of writes, which each of them gets a share of', async () => {
    cluster.add(...names);
    const writer = cluster.writer();
    const wanted = (at: number) =>
      Object.fromEntries(names.map((name) => [name, entry(`${name}-${at}.corp.internal`)]));
    const start = cluster.now;
    await cluster.pass(minute, writer, () => wanted(cluster.now));
    const { length } = cluster.written;
    expect(length).toBeLessThanOrEqual(100 + (20 * minute) / second);
    expect(length).toBeGreaterThan((20 * minute) / second);
    const counts = names.map((name) => cluster.written.filter((each) => each === name).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(writer.pending).toBeLessThanOrEqual(names.length);
    const latest = wanted(start);
    await cluster.pass(minute, writer, () => latest);
    for (const name of names) expect(cluster.fqdns(name)).toEqual([`corp ${latest[name]?.fqdn}`]);
    expect(writer.pending).toBe(0);
  });

  test('one object that changes all the time costs less, and has what is latest', async () => {
    cluster.add('nas');
    const writer = cluster.writer();
    await cluster.pass(minute, writer, () => ({ nas: entry(`nas-${cluster.now}.corp.internal`) }));
    expect(cluster.written.length).toBeLessThanOrEqual(5 + minute / (10 * second));
    const last = entry(`nas-${cluster.now}.corp.internal`);
    await cluster.pass(20 * second, writer, () => ({ nas: last }));
    expect(cluster.fqdns('nas')).toEqual([`corp ${last.fqdn}`]);
  });

  test('an object whose change is older is written first, although it changes again', () => {
    const queue = new StatusQueue({ isOld: () => false, abandonedIn: () => [] });
    const wants = (wanted: Wanted) => {
      const updates = Object.entries(wanted).map(([name, each]): StatusUpdate => {
        return { kind: 'Machine', namespace: 'a', name, entry: each, current: undefined };
      });
      queue.update(updates, cluster.now);
    };
    wants({ c: entry('c') });
    wants({ b: entry('b'), c: entry('c') });
    wants({ a: entry('a'), b: entry('b'), c: entry('latest') });
    expect([...queue.due()].map(({ update }) => update)).toMatchObject(
      ['latest', 'b', 'a'].map((fqdn) => ({ entry: entry(fqdn) })),
    );
  });

  test('a change that is taken back before it was written is not written', () => {
    const queue = new StatusQueue({ isOld: () => false, abandonedIn: () => [] });
    const object = { kind: 'Machine' as const, namespace: 'a', name: 'nas', current: entry('nas') };
    queue.update([{ ...object, entry: entry('other') }], cluster.now);
    queue.update([{ ...object, entry: entry('nas') }], cluster.now);
    expect([...queue.due()]).toEqual([]);
  });

  test('objects that are gone are forgotten', async () => {
    cluster.add(...names);
    await cluster.see();
    const writer = cluster.writer();
    writer.update(cluster.updates(Object.fromEntries(names.map((name) => [name, entry(name)]))));
    expect(writer.pending).toBe(names.length);
    writer.update([]);
    expect(writer.pending).toBe(0);
  });

  test('nothing is compared for the same updates', async () => {
    cluster.add('nas');
    await cluster.see();
    const writer = cluster.writer();
    let looks = 0;
    const updates = {
      *[Symbol.iterator]() {
        looks += 1;
        yield* cluster.updates({ nas: undefined });
      },
    };
    for (let turn = 0; turn < 10; turn++) writer.update(updates);
    expect(looks).toBe(1);
  });
});

describe('the time of an entry', () => {
  test('is renewed after hours, one object a second, and after all changes', async () => {
    const names = ['a', 'b', 'c', 'd'];
    cluster.add(...names);
    const writer = cluster.writer();
    const wanted = Object.fromEntries(names.map((name) => [name, entry(name)]));
    await cluster.turn(writer, wanted);
    cluster.now += 5.9 * hour;
    await cluster.pass(minute, writer, () => wanted);
    expect(cluster.written).toHaveLength(4);
    cluster.now += 0.1 * hour;
    const changed = { ...wanted, d: entry('changed') };
    await cluster.turn(writer, changed);
    expect(cluster.written.slice(4)).toEqual(['d', 'a']);
    await cluster.pass(10 * second, writer, () => changed);
    expect(cluster.written.slice(4, 8)).toEqual(['d', 'a', 'b', 'c']);
    const [renewed] = cluster.entriesOf('a');
    expect(Date.parse(renewed?.observedAt ?? '')).toBeGreaterThan(cluster.now - minute);
    expect(renewed).toEqual({ ...entry('a'), observedAt: renewed?.observedAt });
  });

  test('is renewed if it is in the future, or missing', async () => {
    const { observedAt: _, ...timeless } = entry('b');
    for (const [name, status] of Object.entries({ a: entry('a', 'corp', '2030-01-01T00:00:00Z'), b: timeless })) {
      cluster.server.put(collection, { metadata: { name, namespace: 'a' }, status: { instances: [status] } });
    }
    await cluster.pass(3 * second, cluster.writer(), () => ({ a: entry('a'), b: entry('b') }));
    expect(cluster.written).toEqual(['a', 'b']);
  });
});

describe('an entry that another InternalDNS has abandoned', () => {
  const old = (name: string, instance = 'lab') =>
    entry(`${name}.${instance}.internal`, instance, '2026-01-29T12:00:00Z');

  test.each<[string | undefined, string[]]>([
    ['2026-01-31T11:00:00Z', ['corp', 'lab']],
    ['2026-01-30T12:00:00Z', ['corp', 'lab']],
    ['2026-01-30T11:59:59Z', ['corp']],
    ['2016-01-01T00:00:00Z', ['corp']],
    ['2030-01-01T00:00:00Z', ['corp', 'lab']],
    ['long ago', ['corp', 'lab']],
    [undefined, ['corp', 'lab']],
  ])('is one that is older than a day: %s', async (observedAt, left) => {
    cluster.add('nas');
    const { observedAt: _, ...lab } = old('nas');
    await cluster.apply('nas', 'lab', { ...lab, ...(observedAt !== undefined && { observedAt }) });
    await cluster.turn(cluster.writer(), { nas: entry('nas') });
    expect(
      cluster
        .entriesOf('nas')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(left);
  });

  test('is removed as its InternalDNS would, however many an object has, and nothing else is', async () => {
    cluster.add('nas');
    for (const gone of ['lab', 'home']) await cluster.apply('nas', gone, old('nas', gone));
    for (const here of ['corp', 'site']) await cluster.apply('nas', here, entry(`nas.${here}.internal`, here));
    cluster.clear();
    const writer = cluster.writer();
    await cluster.pass(minute, writer, () => ({ nas: entry('nas.corp.internal') }));
    const object = { apiVersion: 'dns.internal/v1alpha1', kind: 'Machine', metadata: { name: 'nas', namespace: 'a' } };
    expect(cluster.server.writes).toEqual(
      ['lab', 'home'].map(
        (gone) =>
          `PATCH ${pathOf('nas')}?fieldManager=internal-dns-${gone}&force=true application/apply-patch+yaml ${JSON.stringify({ ...object, status: { instances: [] } })}`,
      ),
    );
    expect(cluster.entriesOf('nas')).toMatchObject([{ name: 'corp' }, { name: 'site' }]);
    expect([writer.counts, writer.pending, cluster.log]).toEqual([{ applied: 0, removed: 2, failed: 0 }, 0, []]);
  });

  test('is removed after all changes and renewals, one a second', async () => {
    const names = ['a', 'b', 'c'];
    cluster.add(...names);
    for (const name of names) {
      await cluster.apply(name, 'lab', old(name));
      await cluster.apply(name, 'corp', entry(name, 'corp', name === 'b' ? '2026-01-31T05:00:00Z' : undefined));
    }
    cluster.clear();
    const wanted = { a: entry('changed'), b: entry('b'), c: entry('c') };
    const writer = cluster.writer();
    await cluster.turn(writer, wanted);
    expect([cluster.changes, writer.pending]).toEqual([['a + corp', 'b + corp'], 3]);
    await cluster.pass(2 * second, writer, () => wanted);
    expect(cluster.changes.slice(2)).toEqual(['a - lab', 'b - lab']);
    await cluster.pass(minute, writer, () => wanted);
    expect(cluster.changes.slice(4)).toEqual(['c - lab']);
  });

  test('is found within a minute, although nothing happens', async () => {
    cluster.add('nas');
    await cluster.apply('nas', 'corp', entry('nas'));
    await cluster.apply('nas', 'lab', { ...old('nas'), observedAt: '2026-01-30T12:05:00Z' });
    cluster.clear();
    const writer = cluster.writer();
    await cluster.see();
    const updates = cluster.updates({ nas: entry('nas') });
    const passUntil = async (end: string) => {
      for (; cluster.now <= Date.parse(end); cluster.now += 500) {
        writer.update(updates);
        await writer.drain();
      }
    };
    await passUntil('2026-01-31T12:05:00Z');
    expect(cluster.changes).toEqual([]);
    await passUntil('2026-01-31T12:06:00Z');
    expect(cluster.changes).toEqual(['nas - lab']);
  });

  test('is removed once a day, whatever comes of it', async () => {
    // The one is not owned by the field manager, and the other always comes again.
    const status = { instances: [old('tape')] };
    cluster.server.put(collection, { metadata: { name: 'tape', namespace: 'a' }, status });
    cluster.add('nas');
    const writer = cluster.writer();
    for (let hours = 0; hours <= 25; hours++, cluster.now += hour) {
      await cluster.apply('nas', 'lab', old('nas'));
      await cluster.pass(3 * second, writer, () => ({ nas: entry('nas'), tape: entry('tape') }));
    }
    const removals = cluster.changes.filter((each) => each.includes(' - '));
    expect(removals.sort()).toEqual(['nas - lab', 'nas - lab', 'tape - lab', 'tape - lab']);
  });

  test('stays if its InternalDNS comes back before its turn', async () => {
    cluster.add('nas');
    await cluster.apply('nas', 'lab', old('nas'));
    await cluster.apply('nas', 'corp', entry('nas'));
    const writer = cluster.writer();
    await cluster.see();
    writer.update(cluster.updates({ nas: entry('nas') }));
    expect(writer.pending).toBe(1);
    await cluster.apply('nas', 'lab', entry('back.lab.internal', 'lab'));
    await cluster.see();
    cluster.clear();
    await writer.drain();
    await cluster.pass(minute, writer, () => ({ nas: entry('nas') }));
    expect([cluster.changes, writer.pending]).toEqual([[], 0]);
  });

  test('is written again by an InternalDNS that comes back at the same moment, and stays', async () => {
    cluster.add('nas');
    await cluster.apply('nas', 'corp', entry('nas'));
    await cluster.apply('nas', 'lab', old('nas'));
    cluster.clear();
    const [corp, lab] = [cluster.writer('corp'), cluster.writer('lab')];
    await cluster.see();
    const seenOf = (name: string) => cluster.entriesOf('nas').find((each) => each.name === name);
    const wanted = () => ({
      corp: { nas: entry('nas') },
      lab: { nas: seenOf('lab') ?? entry('nas.lab.internal', 'lab') },
    });
    // Both act on the same state: the one renews what the other removes.
    corp.update(cluster.updates(wanted().corp));
    lab.update(cluster.updates(wanted().lab, 'lab'));
    await lab.drain();
    await corp.drain();
    for (let turn = 0; turn < 60; turn++) {
      await cluster.pass(500, lab, () => wanted().lab, 'lab');
      await cluster.pass(500, corp, () => wanted().corp);
    }
    expect(cluster.changes).toEqual(['nas + lab', 'nas - lab', 'nas + lab']);
    expect(cluster.fqdns('nas')).toEqual(['corp nas', 'lab nas.lab.internal']);
  });

  test('is left to others by who does not know its name, or has no entry there', async () => {
    cluster.add('nas');
    await cluster.apply('nas', 'lab', old('nas'));
    cluster.clear();
    for (const [writer, wanted] of [
      [cluster.writer(''), { nas: entry('nas') }],
      [cluster.writer(), {}],
    ] as const)
      await cluster.pass(minute, writer, () => wanted);
    expect(cluster.changes).toEqual([]);
  });

  test('is never the own one, although it was seen before the name was known', async () => {
    cluster.add('nas');
    await cluster.apply('nas', 'corp', old('nas', 'corp'));
    cluster.clear();
    const writer = cluster.writer('corp', new SeenEntries(() => ''));
    await cluster.see();
    const updates = cluster.updates({ nas: old('nas', 'corp') });
    for (const end = cluster.now + 5 * second; cluster.now < end; cluster.now += 500) {
      writer.update(updates);
      await writer.drain();
    }
    expect(cluster.changes).toEqual(['nas + corp']);
  });
});

describe('what the API server answers instead', () => {
  const nas = { nas: entry('nas.corp.internal') };
  const fail = (code: number, message: string, name = 'nas') => {
    cluster.server.failures.set(pathOf(name), { code, message });
  };
  const rbac =
    'machines.dns.internal "nas" is forbidden: User "system:serviceaccount:dns:idns-corp" cannot patch resource "machines/status" in API group "dns.internal" in the namespace "a"';

  test('404: the object is gone, which is no failure', async () => {
    cluster.add('nas');
    fail(404, 'machines.dns.internal "nas" not found');
    const writer = cluster.writer();
    await cluster.pass(30 * second, writer, () => nas);
    expect(cluster.written).toEqual(['nas']);
    expect([writer.pending, cluster.log]).toEqual([0, []]);
  });

  test('409: again at the next turn', async () => {
    cluster.add('nas');
    fail(409, 'the object has been modified');
    const writer = cluster.writer();
    await cluster.turn(writer, nas);
    cluster.server.failures.clear();
    await cluster.turn(writer, nas);
    expect(cluster.fqdns('nas')).toEqual(['corp nas.corp.internal']);
    expect(cluster.log).toEqual([]);
  });

  test('403 to the account: the kind waits for a minute, and the log says what to do', async () => {
    cluster.add('nas', 'tape');
    fail(403, rbac);
    fail(403, rbac, 'tape');
    const writer = cluster.writer();
    const both = { ...nas, tape: entry('tape') };
    await cluster.pass(minute, writer, () => both);
    expect(cluster.written).toEqual(['nas']);
    expect(cluster.log).toEqual([
      'cannot write the status of Machines: its account may not patch machines/status: apply configuration/sources.yaml of this version, whose ClusterRole internal-dns:source:machine allows it',
    ]);
    cluster.server.failures.clear();
    await cluster.pass(10 * second, writer, () => both);
    expect(cluster.fqdns('tape')).toEqual(['corp tape']);
  });

  test('403 from a policy: the namespace waits, and others go on', async () => {
    cluster.add('nas');
    fail(403, 'admission webhook "no" denied the request');
    const writer = cluster.writer();
    const elsewhere: StatusUpdate = {
      ...{ kind: 'Machine', namespace: 'b', name: 'tape' },
      entry: entry('tape'),
      current: undefined,
    };
    await cluster.see();
    for (const end = cluster.now + minute; cluster.now < end; cluster.now += 500) {
      writer.update([...cluster.updates(nas), elsewhere]);
      await writer.drain();
    }
    expect(cluster.written.slice(0, 2)).toEqual(['nas', 'tape']);
    expect(cluster.written.filter((name) => name === 'nas')).toHaveLength(1);
    expect(cluster.log).toEqual([
      'cannot write the status of Machines in a: admission webhook "no" denied the request: let the admission policies for a accept it',
    ]);
  });

  test.each([
    [422, 'Machine.dns.internal "nas" is invalid: status.instances: Too many: 17: must have at most 16 items'],
    [
      500,
      'failed to create typed patch object (a/nas; dns.internal/v1alpha1, Kind=Machine): .status.instances[name="corp"].x: field not declared in schema',
    ],
  ])('%i: what is refused is not written again until it changes: %s', async (code, message) => {
    cluster.add('nas');
    fail(code, message);
    const writer = cluster.writer();
    await cluster.pass(minute, writer, () => nas);
    expect(cluster.written).toEqual(['nas']);
    expect(cluster.log).toEqual([
      `cannot write the status of Machines: ${message}: apply configuration/machine.yaml of this version`,
    ]);
    cluster.server.failures.clear();
    await cluster.turn(writer, { nas: entry('other.corp.internal') });
    expect(cluster.fqdns('nas')).toEqual(['corp other.corp.internal']);
  });

  test('503: later and later, others first', async () => {
    cluster.add('nas', 'tape');
    fail(503, 'starting');
    const writer = cluster.writer();
    const both = { ...nas, tape: entry('tape') };
    await cluster.pass(3 * second, writer, () => both);
    expect(cluster.written.slice(0, 2)).toEqual(['nas', 'tape']);
    await cluster.pass(minute, writer, () => both);
    expect(cluster.written.length).toBeLessThan(12);
    expect(cluster.log).toEqual(['cannot write the status of Machines: starting']);
    cluster.server.failures.clear();
    await cluster.pass(minute, writer, () => both);
    expect(cluster.fqdns('nas')).toEqual(['corp nas.corp.internal']);
  });
});

describe('a kind that the InternalDNS does not read any more', () => {
  test('loses its entries, although they are named once', async () => {
    const names = Array.from({ length: 150 }, (_, index) => `m${index}`);
    cluster.add(...names);
    const writer = cluster.writer();
    const wanted = Object.fromEntries(names.map((name) => [name, entry(name)]));
    await cluster.pass(10 * second, writer, () => wanted);
    writer.update(cluster.updates({}));
    for (const end = cluster.now + 20 * second; cluster.now < end; cluster.now += 500) {
      writer.update([]);
      await writer.drain();
    }
    await cluster.see();
    expect(names.flatMap((name) => cluster.entriesOf(name))).toEqual([]);
    expect([writer.pending, writer.counts]).toEqual([0, { applied: 150, removed: 150, failed: 0 }]);
  });

  test('keeps them when the account has lost the right first', async () => {
    cluster.add('nas', 'tape');
    const writer = cluster.writer();
    await cluster.turn(writer, { nas: entry('nas'), tape: entry('tape') });
    const message = 'User "u" cannot patch resource "machines/status" in API group "dns.internal"';
    cluster.server.failures.set('/apis/dns.internal', { code: 403, message });
    writer.update(cluster.updates({}));
    await writer.drain();
    expect(writer.pending).toBe(0);
    expect(cluster.written).toHaveLength(3);
  });
});
