import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConfigMap, Secret, Service } from '../../../functions/agent/kubernetes/object.ts';
import { ConfigMapMemory, memoryKey } from '../../../functions/agent/tailnet/memory.ts';
import { SplitDNS } from '../../../functions/agent/tailnet/split-dns.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { Report } from '../../../functions/contract/report.ts';
import { polling } from '../../timeouts.ts';
import { AdminAPI, secretOf } from './admin-api.ts';

let api: AdminAPI;
let apiURL: string;

beforeEach(async () => {
  api = new AdminAPI();
  apiURL = await api.start();
});

afterEach(() => api.stop());

/** The objects of an instance in the cluster. */
class Cluster {
  secret: Secret | undefined = secretOf('dns-client', 'dns-secret');
  data: Record<string, string> = {};
  memoryReads = 0;
  memoryWrites = 0;
  #addresses: string[] = ['100.64.0.1'];
  readonly #watchers = new Set<(service: Service) => void>();

  async readSecret(): Promise<Secret | undefined> {
    return this.secret;
  }

  async readConfigMap(name: string): Promise<ConfigMap> {
    this.memoryReads += 1;
    return { metadata: { name }, data: this.data };
  }

  async mergeConfigMap(_: string, body: object): Promise<boolean> {
    this.data = { ...this.data, ...(body as { data: Record<string, string> }).data };
    this.memoryWrites += 1;
    return true;
  }

  watchService(_: string, onChange: (service: Service) => void): () => void {
    this.#watchers.add(onChange);
    // As a watch does: never while it is being opened.
    queueMicrotask(() => onChange(this.#service));
    return () => this.#watchers.delete(onChange);
  }

  setAddresses(...addresses: string[]): void {
    this.#addresses = addresses;
    for (const onChange of this.#watchers) onChange(this.#service);
  }

  get #service(): Service {
    const ingress = [{ hostname: 'dns.example.ts.net' }, ...this.#addresses.map((ip) => ({ ip }))];
    return { metadata: { name: 'idns-corp-tailnet' }, status: { loadBalancer: { ingress } } };
  }

  get written(): object {
    return JSON.parse(this.data[memoryKey] ?? '{"zones": {}}').zones;
  }
}

const declare = (zones: string[], changes: Partial<NonNullable<Declaration['splitDNS']>> | null = {}) => ({
  zones: zones.map((name) => ({ name, nameServers: [] })),
  ...(changes && {
    splitDNS: { service: 'idns-corp-tailnet', addresses: [], secret: 'tailnet-dns', tailnet: '-', apiURL, ...changes },
  }),
});

const quick = {
  settled: 30_000,
  conflict: 1,
  least: 1,
  awaited: 5,
  retry: { leastMs: 5, mostMs: 10 },
  deletion: 50,
  removal: 2_000,
};

/** Runs an agent's part of it. */
function start(cluster: Cluster, { isWriter = true, pauses = {} } = {}) {
  const states: (string | undefined)[] = [];
  const log: string[] = [];
  let last: Report['splitDNS'];
  const splitDNS = new SplitDNS({
    cluster,
    memory: new ConfigMapMemory(cluster, 'idns-corp-tailnet'),
    isWriter,
    onState: (state) => {
      last = state;
      states.push(state && [state.state, state.message].filter(Boolean).join(': ').replaceAll(apiURL, 'API'));
    },
    failureLog: { record: (action, failure) => void (failure && log.push(`cannot ${action}: ${failure}`)) },
    pauses: { ...quick, ...pauses },
  });
  const stop = new AbortController();
  const ended = splitDNS.run(stop.signal);
  return {
    splitDNS,
    states,
    log,
    state: () => last,
    sigterm: () => {
      stop.abort();
      return ended;
    },
  };
}

const entriesBecome = (expected: object) => vi.waitFor(() => expect(api.splitDNS).toEqual(expected), polling);
const stateBecomes = ({ states }: ReturnType<typeof start>, expected: string | RegExp) =>
  vi.waitFor(() => expect(states.at(-1)).toMatch(expected), polling);

test('an agent writes an entry for each zone, follows the address, and removes those of zones that go', async () => {
  const cluster = new Cluster();
  api.splitDNS = { 'others.example': ['192.0.2.1'] };
  const agent = start(cluster);
  const others = { 'others.example': ['192.0.2.1'] };
  agent.splitDNS.setDeclaration(declare(['a.internal', 'b.internal']));
  await entriesBecome({ ...others, 'a.internal': ['100.64.0.1'], 'b.internal': ['100.64.0.1'] });
  cluster.setAddresses('100.64.0.2', 'fd7a:0::2');
  await entriesBecome({
    ...others,
    'a.internal': ['100.64.0.2', 'fd7a::2'],
    'b.internal': ['100.64.0.2', 'fd7a::2'],
  });
  agent.splitDNS.setDeclaration(declare(['b.internal']));
  await entriesBecome({ ...others, 'b.internal': ['100.64.0.2', 'fd7a::2'] });
  const expected = { 'b.internal': ['100.64.0.2', 'fd7a::2'] };
  await vi.waitFor(() => expect(cluster.written).toEqual(expected), polling);
  await vi.waitFor(() => expect(agent.state()).toEqual({ state: 'Synced' }), polling);
  await agent.sigterm();
});

test('nothing is written while everything is as it should be', async () => {
  const cluster = new Cluster();
  const agent = start(cluster, { pauses: { settled: 1 } });
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await vi.waitFor(() => expect(api.requests.length).toBeGreaterThan(6), polling);
  expect(api.changes).toHaveLength(1);
  // What is about to be written, and nothing when it is.
  expect(cluster.memoryWrites).toBe(1);
  expect(api.tokensIssued).toBe(1);
  await agent.sigterm();
});

test('an entry of others stays, is told, and is replaced once they have removed it', async () => {
  api.splitDNS = { 'a.internal': ['192.0.2.1'] };
  const agent = start(new Cluster());
  agent.splitDNS.setDeclaration(declare(['a.internal', 'b.internal']));
  await entriesBecome({ 'a.internal': ['192.0.2.1'], 'b.internal': ['100.64.0.1'] });
  await stateBecomes(
    agent,
    /^Conflict: the split DNS of the tailnet has entries that were not written here, for a\.internal \(192\.0\.2\.1\): /,
  );
  api.splitDNS = {};
  await stateBecomes(agent, 'Synced');
  expect(api.splitDNS).toEqual({ 'a.internal': ['100.64.0.1'], 'b.internal': ['100.64.0.1'] });
  await agent.sigterm();
});

test('a conflict quotes addresses only', async () => {
  api.splitDNS = { 'a.internal': ['dns-secret', '192.0.2.1'], 'b.internal': ['dns-secret'] };
  const agent = start(new Cluster());
  agent.splitDNS.setDeclaration(declare(['a.internal', 'b.internal']));
  await stateBecomes(agent, /for a\.internal \(192\.0\.2\.1\), b\.internal \(no address\): /);
  expect(`${agent.states} ${agent.log}`).not.toContain('dns-secret');
  await agent.sigterm();
});

test('what does not exist yet is told, and heals by itself', async () => {
  const cluster = new Cluster();
  cluster.secret = undefined;
  cluster.setAddresses();
  const agent = start(cluster);
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(
    agent,
    'Pending: Secret tailnet-dns does not exist: create it with the keys client_id and client_secret',
  );
  cluster.secret = { metadata: { name: 'tailnet-dns' }, data: { client_id: 'eA==' } };
  await stateBecomes(agent, 'Pending: Secret tailnet-dns has no client_secret: add it');
  cluster.secret = secretOf('dns-client', 'dns-secret');
  await stateBecomes(agent, 'Pending: Service idns-corp-tailnet has no address in the tailnet yet');
  expect(api.changes).toEqual([]);
  cluster.setAddresses('100.64.0.1');
  await stateBecomes(agent, 'Synced');
  await agent.sigterm();
});

test('a refused client is told, and another one is used as soon as it is there', async () => {
  const cluster = new Cluster();
  cluster.secret = secretOf('other-client', 'other-secret');
  const agent = start(cluster);
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, /^Failed: API answers 403: the OAuth client lacks the scope dns: /);
  cluster.secret = secretOf('dns-client', 'dns-secret');
  await stateBecomes(agent, 'Synced');
  await agent.sigterm();
});

test('an API that wants to be left alone is, whatever changes', async () => {
  const cluster = new Cluster();
  api.faults.api.push({ status: 429, headers: { 'Retry-After': '600' } });
  const agent = start(cluster);
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, /^Failed: API answers 429: /);
  const issued = api.tokensIssued;
  cluster.setAddresses('100.64.0.2');
  agent.splitDNS.setDeclaration(declare(['b.internal']));
  await new Promise((resolve) => setImmediate(resolve));
  expect([api.requests, api.tokensIssued]).toEqual([[], issued]);
  await agent.sigterm();
});

test('a server that forgets what is written is told', async () => {
  api.onChange = async () => {
    api.splitDNS = {};
  };
  const agent = start(new Cluster());
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, /^Failed: API does not keep the entries as they are written: /);
  await agent.sigterm();
});

test('an agent that died between a change and the memory of it knows its entry', async () => {
  const cluster = new Cluster();
  cluster.data = { [memoryKey]: JSON.stringify({ apiURL, tailnet: '-', zones: { 'a.internal': ['100.64.0.1'] } }) };
  api.splitDNS = { 'a.internal': ['100.64.0.1'] };
  const { promise: changed, resolve } = Promise.withResolvers<void>();
  api.onChange = () => {
    resolve();
    return new Promise(() => {});
  };
  const first = start(cluster);
  first.splitDNS.setDeclaration(declare(['a.internal'], { addresses: ['100.64.0.2'] }));
  await changed;
  await first.sigterm();
  api.onChange = async () => {};
  const second = start(cluster);
  second.splitDNS.setDeclaration(declare(['a.internal'], { addresses: ['100.64.0.3'] }));
  await entriesBecome({ 'a.internal': ['100.64.0.3'] });
  await second.sigterm();
});

test('a restart removes nothing, and nor does a declaration that is deleted without one', async () => {
  const cluster = new Cluster();
  const agent = start(cluster);
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, 'Synced');
  agent.splitDNS.setDeclared(false);
  agent.splitDNS.setDeclared(true);
  await agent.sigterm();
  expect(api.splitDNS).toEqual({ 'a.internal': ['100.64.0.1'] });
});

test.each([
  ['before', true],
  ['after', false],
])('the entries go with the InternalDNS, whose declaration is seen to go %s SIGTERM', async (_, isBefore) => {
  const cluster = new Cluster();
  api.splitDNS = { 'others.example': ['192.0.2.1'] };
  const agent = start(cluster, { pauses: { deletion: 5_000 } });
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, 'Synced');
  // The Secret and the Role may be gone, and the token too old.
  const forbidden = () => Promise.reject(new Error('forbidden'));
  cluster.readSecret = forbidden;
  cluster.readConfigMap = forbidden;
  cluster.mergeConfigMap = forbidden;
  api.revokeTokens();
  api.faults.api.push({ status: 503 });
  if (isBefore) agent.splitDNS.setDeclared(false);
  const ended = agent.sigterm();
  if (!isBefore) agent.splitDNS.setDeclared(false);
  await ended;
  expect(api.splitDNS).toEqual({ 'others.example': ['192.0.2.1'] });
});

test('another replica writes nothing, but removes everything at the end', async () => {
  const cluster = new Cluster();
  const writer = start(cluster);
  writer.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(writer, 'Synced');
  await writer.sigterm();
  const reads = cluster.memoryReads;
  const other = start(cluster, { isWriter: false, pauses: { settled: 1 } });
  other.splitDNS.setDeclaration(declare(['a.internal', 'b.internal']));
  await vi.waitFor(() => expect(cluster.memoryReads).toBeGreaterThan(reads + 1), polling);
  expect(api.splitDNS).toEqual({ 'a.internal': ['100.64.0.1'] });
  expect(new Set(other.states)).toEqual(new Set([undefined]));
  other.splitDNS.setDeclared(false);
  await other.sigterm();
  expect(api.splitDNS).toEqual({});
});

test('another tailnet gets the entries, and the former one loses them', async () => {
  const [cluster, former] = [new Cluster(), api];
  const agent = start(cluster);
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await stateBecomes(agent, 'Synced');
  api = new AdminAPI();
  apiURL = await api.start();
  // In another tailnet the same entry would be somebody else's.
  agent.splitDNS.setDeclaration(declare(['a.internal']));
  await entriesBecome({ 'a.internal': ['100.64.0.1'] });
  await vi.waitFor(() => expect(former.splitDNS).toEqual({}), polling);
  agent.splitDNS.setDeclaration(declare(['a.internal'], null));
  await entriesBecome({});
  await vi.waitFor(() => expect(agent.state()).toBeUndefined(), polling);
  await agent.sigterm();
  former.stop();
});
