/**
 * What passes the checks of claims: a real PowerDNS checks real listeners on this machine.
 *
 * @module-tag PowerDNS
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, type ExpectStatic, type TestContext, test, vi } from 'vitest';
import type { PublishedAnswer } from '../../../functions/agent/machines/health.ts';
import { type CheckedClaim, HealthWatch } from '../../../functions/agent/machines/health-watch.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { createCanaryZone } from '../../../functions/agent/self-test/canary-record.ts';
import { query } from '../../../functions/agent/self-test/dns-query.ts';
import { luaContent, passingContent } from '../../../functions/agent/zones/lua.ts';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import type { Answer } from '../../../functions/dns/answer.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';

const resource = 'nameclaim/mail/smtp';
const [first, second, other] = ['127.0.31.1', '127.0.31.2', '127.0.31.3'];
const addresses = [first, second];
const everySecond = { interval: '1s', timeout: '1s' };

/** A PowerDNS with listeners to check, and the agent's watch of what passes. */
class World {
  readonly server: RunningPowerDNS;
  readonly powerdns: PowerDNS;
  readonly log: string[] = [];
  questions = 0;
  /** By address. */
  readonly connections = new Map<string, number>();
  readonly #listeners = new Map<string, Server>();
  #watch: HealthWatch;

  private constructor(server: RunningPowerDNS, dir: string) {
    this.server = server;
    const keyFile = join(dir, 'include/api.conf');
    this.powerdns = new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs });
    this.#watch = this.#newWatch();
  }

  static async start({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), 'checks-'));
    const config = powerdnsFilesFor({ dynamic: true, dname: false })['pdns.conf'];
    const server = await startPowerDNS({ config, dir });
    const world = new World(server, dir);
    onTestFinished(async () => {
      for (const address of world.#listeners.keys()) await world.close(address);
      await server.stop();
      rmSync(dir, { recursive: true });
    });
    return world;
  }

  /** Listens at an address. Returns the port. */
  async listen(address: string, port = 0): Promise<number> {
    const listener = createServer((socket) => {
      this.connections.set(address, (this.connections.get(address) ?? 0) + 1);
      socket.on('error', () => {}).end();
    });
    listener.listen(port, address);
    await once(listener, 'listening');
    this.#listeners.set(address, listener);
    return (listener.address() as AddressInfo).port;
  }

  async close(address: string): Promise<void> {
    const listener = this.#listeners.get(address);
    this.#listeners.delete(address);
    if (listener) await once(listener.close(), 'close');
  }

  restartAgent(): void {
    this.#watch = this.#newWatch();
  }

  update(claims: readonly CheckedClaim[]): void {
    this.#watch.update(claims);
  }

  async poll(): Promise<void> {
    await this.#watch.poll();
  }

  /** Such as `up down`, `?` if that is not known. */
  get states(): string {
    return addresses.map((address) => this.stateOf(address)).join(' ');
  }

  stateOf(address: string): string {
    const health = this.#watch.healthOf(resource, address);
    if (!health) return '?';
    return health.isUp ? 'up' : 'down';
  }

  get answers(): string[] {
    return this.#watch.answersOf(resource);
  }

  /** Polls until the addresses have these states. Returns all states on the way. */
  async become(expect: ExpectStatic, states: string): Promise<Set<string>> {
    const seen = new Set<string>();
    const look = async () => {
      await this.poll();
      seen.add(this.states);
      return this.states;
    };
    await expect.poll(look, { ...polling, interval: 200 }).toBe(states);
    return seen;
  }

  async views() {
    const { rrsets } = await this.powerdns.zone({ id: canaryZone, name: canaryZone });
    return rrsets.filter(({ type }) => type === 'LUA');
  }

  #newWatch(): HealthWatch {
    return new HealthWatch({
      ...{ powerdns: this.powerdns, zone: canaryZone, contentOf: passingContent },
      createZone: () => createCanaryZone(this.powerdns),
      ask: async (name, type, transport) => {
        this.questions += 1;
        const address = { host: '127.0.0.1', port: this.server.dnsPort };
        const answers = await query({ server: address, name: name.slice(0, -1), type, transport, timeoutMs: 1_000 });
        return answers.flatMap((each) => (each.type === type ? [String(each.data)] : []));
      },
      failureLog: {
        record: (action, failure) => void (failure !== undefined && this.log.push(`${action}: ${failure}`)),
      },
    });
  }
}

const claimWith = (answer: Answer, values = addresses): CheckedClaim => ({
  resource,
  published: [{ type: 'A', values, answer }],
  current: undefined,
});

describe.concurrent('what passes the checks of a claim', () => {
  test('is what PowerDNS finds, whatever it answers', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const port = await world.listen(first);
    world.update([claimWith({ check: { port, ...everySecond }, answer: 'Random' })]);
    expect(await world.become(expect, 'up down')).not.toContain('down down');
    expect(world.answers).toEqual([first]);
    await world.listen(second, port);
    await world.become(expect, 'up up');
    await world.close(first);
    await world.become(expect, 'down up');
    await world.close(second);
    await world.become(expect, 'down down');
    expect(world.answers).toEqual(addresses);
    expect(world.log).toEqual([]);
  });

  test('costs no check more', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const check = { port: await world.listen(first), ...everySecond };
    await world.listen(other, check.port);
    await world.powerdns.create('corp.internal.', []);
    const names = { smtp: addresses, alone: [other] };
    for (const [name, checked] of Object.entries(names)) {
      const record = { ttl: 5, records: [luaContent('A', checked, { check })] };
      const rrset = { name: `${name}.corp.internal.`, type: 'LUA', ...record };
      await world.powerdns.patch({ id: 'corp.internal.' }, [{ action: 'replace', rrset }]);
    }
    world.update([claimWith({ check })]);
    await world.become(expect, 'up down');
    const ask = () => Promise.all(Object.keys(names).map((name) => world.server.query(`${name}.corp.internal`, 'A')));
    await ask();
    await vi.waitFor(() => expect(world.connections.get(other)).toBeGreaterThan(0), polling);
    world.connections.clear();
    for (const start = performance.now(); performance.now() - start < 6_000; await delay(250)) {
      await ask();
      await world.poll();
    }
    // Two checks would be twice as many as those of an address that no claim has.
    const { [first]: checks = 0, [other]: checksAlone = 0 } = Object.fromEntries(world.connections);
    expect(checks).toBeLessThanOrEqual(1.4 * checksAlone + 1);
  });

  test('does not change when PowerDNS starts anew, or loses its database', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const port = await world.listen(first);
    await world.listen(second, port);
    world.update([claimWith({ check: { port, ...everySecond } })]);
    await world.become(expect, 'up up');
    const seen = new Set<string>();
    const pollFor = async (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; await delay(200)) {
        await world.poll();
        seen.add(world.states);
      }
    };
    await Promise.all([world.server.restart(), pollFor(4_000)]);
    await world.powerdns.remove({ id: canaryZone, name: canaryZone, account: '', rrsets: [] });
    await pollFor(6_000);
    expect([...seen]).toEqual(['up up']);
    expect(await world.views()).toHaveLength(1);
    await world.close(second);
    await world.become(expect, 'up down');
  });

  test('stays known when a member comes, and views without a use go', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const check = { port: await world.listen(first), ...everySecond };
    world.update([claimWith({ check }, [first])]);
    await world.become(expect, 'up ?');
    world.update([claimWith({ check })]);
    expect(world.states).toBe('up ?');
    await world.poll();
    expect(await world.views()).toHaveLength(1);
    world.restartAgent();
    world.update([]);
    await world.poll();
    expect(await world.views()).toEqual([]);
  });

  test('is asked for every two seconds, and not without a check', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const claims = [claimWith({ check: { port: await world.listen(first), ...everySecond } })];
    const start = performance.now();
    while (performance.now() - start < 4_000) {
      world.update(claims);
      await world.poll();
      await delay(200);
    }
    expect(world.questions).toBeLessThanOrEqual(1 + (performance.now() - start) / 2_000);
    world.questions = 0;
    world.update([claimWith({ answer: 'Random' })]);
    await world.poll();
    expect([world.questions, world.states, world.answers]).toEqual([0, '? ?', addresses]);
    expect(await world.views()).toEqual([]);
  });

  test('fits into an answer, of many addresses and of both families', async ({ expect, onTestFinished }) => {
    const world = await World.start({ onTestFinished });
    const many = Array.from({ length: 64 }, (_, index) => `127.0.32.${index + 1}`);
    const check = { port: await world.listen('127.0.32.64'), ...everySecond };
    const six: PublishedAnswer = { type: 'AAAA', values: ['2001:db8::7'], answer: { check } };
    const claim = claimWith({ check }, many);
    world.update([{ ...claim, published: [...claim.published, six] }]);
    const look = async () => {
      await world.poll();
      return [...world.answers, world.stateOf('2001:db8::7')];
    };
    await expect.poll(look, polling).toEqual(['127.0.32.64', '2001:db8::7', 'down']);
  });
});
