/**
 * The self-test against a real PowerDNS, and the state it reports for each kind of failure.
 *
 * @module-tag PowerDNS
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FailureLog } from '../../../functions/agent/lib/failure-log.ts';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { isManaged } from '../../../functions/agent/powerdns/rrset.ts';
import { Canary, type CanaryOptions } from '../../../functions/agent/self-test/canary.ts';
import { slotMs, writeCanary } from '../../../functions/agent/self-test/canary-record.ts';
import type { ServerAddress } from '../../../functions/agent/self-test/dns-query.ts';
import { ResolutionState } from '../../../functions/agent/self-test/resolution.ts';
import { selfTest } from '../../../functions/agent/self-test/self-test.ts';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { declare, makeAgent } from '../make.ts';
import { Relay } from './relay.ts';

const dir = mkdtempSync(join(tmpdir(), 'canary-'));
const podRef = { namespace: 'internal-dns', pod: 'idns-corp-0' };
const around = { discovery: 'Synced', replicas: 1 } as const;
/** For servers that do not answer: a query takes three of these. */
const shortTimeout = { timeoutMs: 300 };
const noAnswer = `no answer within ${shortTimeout.timeoutMs} ms`;

async function start(name: string) {
  mkdirSync(join(dir, name));
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, name) });
  const keyFile = join(dir, name, 'include/api.conf');
  return { server, powerdns: new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }) };
}

let server: RunningPowerDNS;
let powerdns: PowerDNS;
/** A second replica. */
let other: Awaited<ReturnType<typeof start>>;
let relay: Relay;
let clock = 0;
const relays: Relay[] = [];

beforeAll(async () => {
  ({ server, powerdns } = await start('pod'));
  other = await start('other');
});
afterAll(async () => {
  await server?.stop();
  await other?.server.stop();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  clock = Date.UTC(2026, 10, 3, 10);
  relay = await relayTo(server);
});
afterEach(() => {
  vi.useRealTimers();
  for (const each of relays.splice(0)) each.close();
});

async function relayTo({ dnsPort }: RunningPowerDNS, host?: string): Promise<Relay> {
  const relay = new Relay(dnsPort);
  relays.push(relay);
  await relay.listen(host);
  return relay;
}

const pod = (): ServerAddress => ({ host: '127.0.0.1', port: server.dnsPort });
const canaryWith = (options: Partial<CanaryOptions> = {}) =>
  new Canary({
    powerdns,
    dns: pod(),
    service: () => [relay.server],
    timeoutMs: waitTimeoutMs,
    now: () => clock,
    ...options,
  });

/** The state after some tests, five seconds apart, that follow a successful one. */
async function stateAfter(tests: number, canary = canaryWith(), replicas = 1) {
  const resolution = new ResolutionState({ pod: podRef, now: () => clock });
  const healthy = [{ address: relay.server.host, transport: 'UDP' as const }];
  resolution.record({ pod: healthy, service: healthy }, { replicas });
  clock += 30_000;
  for (let i = 0; i < tests; i++) {
    resolution.record(await canary.test(), { replicas });
    clock += 5_000;
  }
  return resolution.resolution({ ...around, replicas });
}

const canaryIn = async ({ query }: RunningPowerDNS) => {
  const { answers } = await query('canary.internal-dns.invalid', 'TXT');
  return answers.map((answer) => `${answer.ttl} ${(answer as { data: Buffer[] }).data}`);
};

describe('while everything works', () => {
  test('the canary is answered by the pod and through the Service, over UDP and TCP', async () => {
    const calls: string[] = [];
    const canary = canaryWith({
      onAnswer: (transport, seconds, way) => calls.push(`${way} ${transport} ${seconds > 0 && seconds < 60}`),
      onFailure: (...failure) => calls.push(`failure ${failure}`),
    });
    const expected = (['UDP', 'TCP'] as const).map((transport) => ({ address: '127.0.0.1', transport }));
    expect(await canary.test()).toEqual({ pod: expected, service: expected });
    expect(calls.sort()).toEqual(['pod TCP true', 'pod UDP true', 'service TCP true', 'service UDP true']);
    expect(await stateAfter(2, canary)).toEqual({ state: 'Serving', since: '2026-11-03T10:00:40Z' });
  });

  test('each new slot is answered at once, with TTL 0, even if the last one was just queried', async () => {
    const canary = canaryWith();
    for (let i = 0; i < 20; i++) {
      clock += slotMs;
      expect(await canary.test()).not.toHaveProperty('writeError');
      expect(await canaryIn(server)).toEqual([`0 ${clock / slotMs}`]);
    }
    expect(await stateAfter(2, canary)).toMatchObject({ state: 'Serving' });
  });

  test('a Service with IPv4 and IPv6 addresses is queried at each', { tags: 'IPv6' }, async () => {
    const six = await relayTo(server, '::1');
    const canary = canaryWith({ service: () => [relay.server, six.server] });
    const { service } = await canary.test();
    expect(service.map(({ address, transport, failure }) => [address, transport, failure])).toEqual([
      ['127.0.0.1', 'UDP', undefined],
      ['127.0.0.1', 'TCP', undefined],
      ['::1', 'UDP', undefined],
      ['::1', 'TCP', undefined],
    ]);
    six.udp = 'blocked';
    const soonSilent = canaryWith({ service: () => [relay.server, six.server], ...shortTimeout });
    expect(await stateAfter(2, soonSilent)).toMatchObject({
      state: 'Unreachable',
      message: expect.stringContaining(`its Service does not at ::1 over UDP (${noAnswer}): see`),
    });
  });

  test('a Service is queried over its own protocols only', async () => {
    const { pod, service } = await canaryWith({ serviceTransports: () => ['TCP'] }).test();
    expect(service).toEqual([{ address: '127.0.0.1', transport: 'TCP' }]);
    expect(pod).toHaveLength(2);
  });

  test('only the pod is queried until the Service has an address', async () => {
    const canary = canaryWith({ service: () => [] });
    expect(await canary.test()).toMatchObject({ pod: [{}, {}], service: [] });
    expect(relay.datagrams).toBe(0);
    expect(await stateAfter(2, canary)).toMatchObject({ state: 'Serving' });
  });

  test.each([1, 2])('%i lost packets are no failure', async (lost) => {
    // The timeout expires when the packet is lost, not before.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    relay.toLose = lost;
    relay.onLoss = () => vi.advanceTimersByTime(waitTimeoutMs);
    const { pod } = await canaryWith({ dns: relay.server, service: () => [] }).test();
    expect(pod.filter(({ failure }) => failure)).toEqual([]);
    expect(relay.datagrams).toBe(lost + 1);
  });
});

describe('the zone of the canary', () => {
  test('is left alone by an agent, even by one of a version without the canary', async () => {
    await canaryWith().test();
    const { agent, declare: take } = makeAgent(new Database(powerdns, { hidden: canaryZone }) as never);
    take(declare());
    await agent.reconcile();
    expect(agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
    const header = (await powerdns.zones()).find(({ name }) => name === canaryZone);
    expect(header && isManaged(header.account)).toBe(false);

    // A version without the canary.
    const older = makeAgent(new Database(powerdns) as never);
    older.declare(declare());
    await older.agent.reconcile();
    await older.agent.reconcile();
    expect(older.agent.report()?.zones).toContainEqual({
      name: 'canary.internal-dns.invalid',
      state: 'Retained',
      message: 'not declared, and not made by this instance: left alone',
    });
    expect(await canaryIn(server)).toEqual([`0 ${Math.floor(clock / slotMs)}`]);
  });

  test('does not change the serials of other zones', async () => {
    const serials = async () =>
      (await powerdns.zones()).filter(({ name }) => name !== canaryZone).map(({ name, serial }) => `${name} ${serial}`);
    const { agent, declare: take } = makeAgent(new Database(powerdns, { hidden: canaryZone }) as never);
    take(declare());
    await agent.reconcile();
    const before = await serials();
    expect(before).toHaveLength(1);
    clock += slotMs;
    await canaryWith().test();
    expect(await serials()).toEqual(before);
  });

  test('is recreated after the database was lost', async () => {
    await canaryWith().test();
    server.kill('SIGKILL');
    await server.stop();
    server.wipe();
    await server.restart();
    expect(await powerdns.zones()).toEqual([]);
    // Queried before it exists, so that REFUSED is in the cache.
    expect((await server.query('canary.internal-dns.invalid', 'TXT')).rcode).toBe('REFUSED');
    const { writeError, pod, service } = await canaryWith().test();
    expect([writeError, ...pod, ...service].filter((result) => typeof result === 'object' && result.failure)).toEqual(
      [],
    );
    expect(await canaryIn(server)).toEqual([`0 ${Math.floor(clock / slotMs)}`]);
  });
});

describe('two failures are reported with what to do', () => {
  const log = 'see kubectl -n internal-dns logs idns-corp-0 -c powerdns';

  test('a PowerDNS that is stopped', async () => {
    server.kill('SIGSTOP');
    const api = new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'pod/include/api.conf'), ...shortTimeout });
    const canary = canaryWith({ powerdns: api, ...shortTimeout });
    try {
      expect(await stateAfter(1, canary)).toMatchObject({ state: 'Serving' });
      expect(await stateAfter(2, canary)).toEqual({
        state: 'NotAnswering',
        since: expect.any(String),
        message: `PowerDNS does not answer over UDP and TCP (${noAnswer}): ${log}`,
      });
    } finally {
      server.kill('SIGCONT');
    }
    // It processes its backlog first.
    await expect.poll(async () => (await canaryWith().test()).pod.filter(({ failure }) => failure)).toEqual([]);
  });

  test('a PowerDNS that was killed, until it is back', async () => {
    server.kill('SIGKILL');
    await server.stop();
    const resolution = new ResolutionState({ pod: podRef, now: () => clock });
    clock += 10_000;
    // Through the relay, this is a timeout.
    for (let i = 0; i < 2; i++) resolution.record(await canaryWith(shortTimeout).test(), around);
    expect(resolution.resolution(around)).toMatchObject({
      state: 'NotAnswering',
      message: `PowerDNS does not answer over UDP and TCP (connection refused): ${log}`,
    });
    await server.restart();
    resolution.record(await canaryWith().test(), around);
    expect(resolution.resolution(around)).toEqual({ state: 'Serving', since: '2026-11-03T10:00:10Z' });
  });

  test('a PowerDNS that answers with its own failure', async () => {
    relay.udp = 'failing';
    expect(await stateAfter(2, canaryWith({ dns: relay.server, service: () => [] }))).toMatchObject({
      state: 'NotAnswering',
      message: `PowerDNS does not answer over UDP (SERVFAIL): ${log}`,
    });
  });

  test.each(['present', 'absent'])('an API that refuses writes, with the record %s', async (before) => {
    if (before === 'absent') {
      server.kill('SIGKILL');
      await server.stop();
      server.wipe();
      await server.restart();
    } else await canaryWith().test();
    const keyFile = join(dir, 'wrong.conf');
    writeFileSync(keyFile, 'api-key=wrong\n');
    const refused = new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs });
    expect(await stateAfter(2, canaryWith({ powerdns: refused }))).toMatchObject({
      state: 'NotUpdating',
      message: `PowerDNS gives old answers and accepts no changes (Unauthorized): ${log}`,
    });
  });

  test('a PowerDNS that accepts changes without applying them', async () => {
    await canaryWith().test();
    clock += slotMs;
    const forgetful = { create: async () => ({}) as never, patch: async () => {} };
    expect(await stateAfter(2, canaryWith({ powerdns: forgetful }))).toMatchObject({
      state: 'NotUpdating',
      message: `PowerDNS accepts changes, but does not serve them over UDP and TCP (outdated record): ${log}`,
    });
  });

  test.each(['udp', 'tcp'] as const)('a Service that drops everything over %s', async (transport) => {
    relay[transport] = 'blocked';
    const failures: string[] = [];
    const onFailure: CanaryOptions['onFailure'] = (transport, way) => failures.push(`${way} ${transport}`);
    const canary = canaryWith({ onFailure, ...shortTimeout });
    expect(await stateAfter(2, canary)).toMatchObject({
      state: 'Unreachable',
      message: `PowerDNS answers, but its Service does not at 127.0.0.1 over ${transport.toUpperCase()} (${noAnswer}): see kubectl -n internal-dns get endpointslices, then check NetworkPolicies and kube-proxy`,
    });
    expect(failures).toEqual(Array(2).fill(`service ${transport.toUpperCase()}`));
    relay[transport] = 'open';
    expect(await stateAfter(1, canary)).toMatchObject({ state: 'Serving' });
  });

  test('a Service without endpoints', async () => {
    relay.close();
    expect(await stateAfter(2)).toMatchObject({
      state: 'Unreachable',
      message: expect.stringContaining('at 127.0.0.1 over UDP and TCP (connection refused)'),
    });
  });

  test('a Service that leads to another server', async () => {
    for (const { id } of await other.powerdns.zones()) await other.powerdns.remove({ id } as never);
    relay.targets = [other.server.dnsPort];
    expect(await stateAfter(2)).toMatchObject({
      state: 'Unreachable',
      message: expect.stringContaining('at 127.0.0.1 over UDP and TCP (REFUSED)'),
    });
  });

  test.each([
    [0, 'Serving'],
    [3, 'Serving'],
    [4, 'NotUpdating'],
    [-2, 'Serving'],
  ])('a replica behind the Service whose record is %i slots old: %s', async (age, state) => {
    // The tests stay within one slot.
    clock += slotMs - (clock % slotMs);
    const slot = clock / slotMs;
    const at = (now: number) => canaryWith({ now: () => now });
    await writeCanary(other.powerdns, slot - age);
    relay.targets = [server.dnsPort, other.server.dnsPort];
    const resolution = new ResolutionState({ pod: podRef, now: () => clock });
    clock += 10_000;
    for (let i = 0; i < 2; i++) resolution.record(await at(slot * slotMs).test(), { replicas: 2 });
    expect(resolution.resolution({ ...around, replicas: 2 })?.state).toBe(state);
    if (state === 'NotUpdating') {
      expect(resolution.resolution(around)?.message).toMatch(
        /^the Service gives old answers at 127\.0\.0\.1 over (UDP|TCP|UDP and TCP) \(outdated record\): another replica/,
      );
    }
  });
});

test('the loop tests at short intervals after a failure, and logs it once', async () => {
  const log: string[] = [];
  const failureLog = new FailureLog({
    info: (_: object, text: string) => log.push(text),
    warn: (_: object, text: string) => log.push(text),
  } as never);
  const resolution = new ResolutionState({ pod: podRef, now: () => clock });
  const pauses: string[] = [];
  const canary = canaryWith({ dns: relay.server, service: () => [], ...shortTimeout });
  const stop = new AbortController();
  const pause = async (ms: number) => {
    pauses.push(`${ms} ${resolution.resolution(around)?.state}`);
    clock += ms;
    relay.udp = pauses.length > 1 && pauses.length < 5 ? 'blocked' : 'open';
    if (pauses.length === 6) stop.abort();
  };
  const options = {
    canary,
    resolution,
    inputs: () => around,
    failureLog,
    pause,
    signal: stop.signal,
    now: () => clock,
  };
  await selfTest(options);
  expect(pauses).toEqual([
    '30000 Serving',
    '30000 Serving',
    '5000 Serving',
    '5000 NotAnswering',
    '5000 NotAnswering',
    '30000 Serving',
  ]);
  expect(log).toEqual(['cannot resolve the canary record', 'can resolve the canary record again']);
});
