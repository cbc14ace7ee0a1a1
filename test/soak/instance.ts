/** PowerDNS, the agent's process and their connection, each of which can fail, and the expected content of the zones. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { Database } from '../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import {
  answerOf,
  deletion,
  discoveredMark,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../functions/agent/zones/desired-zone.ts';
import { canaryZone } from '../../functions/contract/canary-zone.ts';
import { reverseName } from '../../functions/dns/zone/reverse.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { loop } from '../agent/external-dns.ts';
import { declare, endpoint, foreign, record, zones, zoneWith } from '../agent/make.ts';
import { FaultyProxy } from '../agent/powerdns/faulty-proxy.ts';
import { type Running, run, writeDeclaration } from '../agent/run.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';

export const zone = 'corp.internal';
const child = `sub.${zone}`;
const reverse = '2.0.192.in-addr.arpa';

/** What an object in the cluster requests for one host. */
export interface DesiredHost {
  type: string;
  value: string;
  ttl: number;
  namespace: string;
}

/** The expected content: objects by host, declared records by label, records made by hand by absolute name. */
export interface Content {
  objects: Map<string, DesiredHost>;
  declared: Map<string, string>;
  byHand: Map<string, string>;
  hasChild: boolean;
}

export class Instance {
  readonly content: Content = { objects: new Map(), declared: new Map(), byHand: new Map(), hasChild: false };
  readonly passage: FaultyProxy;
  readonly server: RunningPowerDNS;
  readonly #volume: Volume;
  readonly #powerdns: PowerDNS;
  #agent: Running | undefined;

  private constructor(volume: Volume, server: RunningPowerDNS) {
    this.#volume = volume;
    this.server = server;
    this.passage = new FaultyProxy(server.apiUrl);
    this.#powerdns = new PowerDNS({ api: server.apiUrl, keyFile: volume.keyFile });
  }

  static async start(): Promise<Instance> {
    const volume = new Volume();
    const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: volume.dir });
    const instance = new Instance(volume, server);
    await instance.passage.listen();
    instance.declare();
    await instance.startAgent();
    return instance;
  }

  /** Whether its volume can be filled. */
  get isBounded(): boolean {
    return this.#volume.isBounded;
  }

  fillVolume(): void {
    this.#volume.fill();
  }

  emptyVolume(): void {
    this.#volume.empty();
  }

  /** The last lines of the agent's log. */
  get lastLog(): string {
    return (
      this.#agent
        ?.output()
        .trim()
        .split('\n')
        .slice(-8)
        .map((line) => line.slice(0, 300))
        .join('\n') ?? '(the agent is not running)'
    );
  }

  async startAgent(): Promise<void> {
    this.#agent = await run({
      declaration: this.#volume.declaration,
      'powerdns-api': this.passage.url,
      'powerdns-key': this.#volume.keyFile,
      dns: `127.0.0.1:${this.server.dnsPort}`,
    });
  }

  /** Ends the process with SIGKILL. */
  async killAgent(): Promise<void> {
    await this.#agent?.kill();
    this.#agent = undefined;
  }

  declare(): void {
    writeDeclaration(this.#volume.declaration, this.#declaration);
  }

  get #declaration() {
    const { declared, hasChild } = this.content;
    const records = [...declared].map(([label, address]) => record(label, 'A', address));
    return declare({
      zones: [zoneWith(zone, records), ...(hasChild ? zones(child) : []), ...zones(reverse)],
      // Not in the reverse zone.
      addresses: ['203.0.113.53'],
      // The delete guard must not hold records that are no longer desired.
      discovery: {
        ownerID: 'corp',
        intervalSeconds: 2,
        reverse: true,
        deleteGuard: { percent: 100, holdSeconds: 600 },
        // Nobody has a server for them.
        targets: { hostNames: 'CNAME' },
      },
    });
  }

  /** Edits a record by hand in PowerDNS; without an address removes it. */
  async edit(name: string, address: string | undefined): Promise<void> {
    const rrset = foreign(name, 'A', ...(address === undefined ? [] : [address]));
    await this.#powerdns.patch({ id: `${zone}.` }, [address === undefined ? deletion(rrset) : replacement(rrset)]);
    if (address === undefined) this.content.byHand.delete(name);
    else this.content.byHand.set(name, address);
  }

  /** Runs a loop of ExternalDNS; returns the changes that it sent, if any. */
  async loop(): Promise<object | undefined> {
    if (!this.#agent) throw new Error('the agent is not running');
    return loop(this.#agent.external, endpointsOf(this.content));
  }

  /** The records that are missing, and those that should not exist. */
  async differences(): Promise<string[]> {
    const present = await new Database(this.#powerdns, { hidden: canaryZone }).zones();
    const { missing, extra } = compare(this.#expected(), linesOf(present));
    return [
      ...missing.map((line) => `missing: ${line}`),
      ...extra.map((line) => `stale: ${line}`),
      ...ptrDifferences(this.#addresses(), present),
    ];
  }

  #expected(): string[] {
    const declared = [...desiredZones(this.#declaration)].flatMap(([name, { rrsets }]) =>
      rrsets.map((rrset) => lineOf(name, rrset)),
    );
    const discovered = this.#published().map(([host, { type, value, ttl, namespace }]) =>
      lineOf(this.content.hasChild && host.endsWith(`.${child}`) ? `${child}.` : `${zone}.`, {
        name: `${host}.`,
        type,
        ttl,
        records: [type === 'CNAME' ? `${value}.` : value],
        mark: discoveredMark('corp', resourceOf(host, namespace)),
      }),
    );
    const byHand = [...this.content.byHand].map(([name, address]) => lineOf(`${zone}.`, foreign(name, 'A', address)));
    return [...declared, ...discovered, ...byHand];
  }

  /** Declared records take precedence over discovered ones. */
  #published(): [string, DesiredHost][] {
    const { objects, declared } = this.content;
    const isDeclared = (host: string) => host.endsWith(`.${zone}`) && declared.has(host.slice(0, -zone.length - 1));
    return [...objects].filter(([host]) => !isDeclared(host));
  }

  /** The hosts with an address, by the name of the PTR record. */
  #addresses(): Map<string, string[]> {
    const ptrRecords = new Map<string, string[]>();
    for (const [host, { type, value }] of this.#published()) {
      const name = type === 'A' ? reverseName(value) : undefined;
      if (name) ptrRecords.set(name, [...(ptrRecords.get(name) ?? []), `${host}.`]);
    }
    return ptrRecords;
  }

  async stop(): Promise<void> {
    await this.killAgent();
    this.passage.close();
    await this.server.stop();
    this.#volume.remove();
  }
}

/** A folder, on its own file system if mounting is permitted, so that it can be full. */
class Volume {
  readonly #dir = mkdtempSync(join(tmpdir(), 'soak-kills-'));
  readonly dir = join(this.#dir, 'pdns');
  readonly declaration = join(this.#dir, 'declaration.json');
  readonly keyFile = join(this.dir, 'include/api.conf');
  readonly isBounded: boolean;
  readonly #filler = join(this.dir, 'filler');

  constructor() {
    mkdirSync(this.dir);
    this.isBounded = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', this.dir]).status === 0;
    if (this.isBounded) process.once('exit', this.#unmount);
  }

  // PowerDNS may still be exiting.
  readonly #unmount = () => void execFileSync('umount', ['--lazy', this.dir]);

  fill(): void {
    const block = Buffer.alloc(4096);
    try {
      for (;;) writeFileSync(this.#filler, block, { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  remove(): void {
    if (this.isBounded) {
      process.off('exit', this.#unmount);
      this.#unmount();
    }
    rmSync(this.#dir, { recursive: true });
  }
}

const resourceOf = (host: string, namespace: string) => `ingress/${namespace}/${host.split('.')[0]}`;

const endpointsOf = ({ objects }: Content): Endpoint[] =>
  [...objects].map(([host, { type, value, ttl, namespace }]) => ({
    ...endpoint(resourceOf(host, namespace), host, type, value),
    recordTTL: ttl,
  }));

/** Without the object: ExternalDNS sends no change if only the object differs, so it is written with the next change. */
const lineOf = (zone: string, rrset: RRset) => `${zone} ${answerOf(rrset)} ${rrset.mark?.account ?? 'by hand'}`;

const isOwnPTR = (rrset: RRset) => rrset.type === 'PTR' && ownershipOf(rrset) !== 'foreign';

const linesOf = (present: Zone[]) =>
  present.flatMap(({ name, rrsets }) => rrsets.filter((rrset) => !isOwnPTR(rrset)).map((rrset) => lineOf(name, rrset)));

function compare(expected: string[], present: string[]): { missing: string[]; extra: string[] } {
  const [all, found] = [new Set(expected), new Set(present)];
  return { missing: expected.filter((line) => !found.has(line)), extra: present.filter((line) => !all.has(line)) };
}

/** Every address has one PTR record, to one of the names with this address, which the agent chooses. */
function ptrDifferences(addresses: Map<string, string[]>, present: Zone[]): string[] {
  const ptrRecords = present.flatMap(({ rrsets }) => rrsets.filter(isOwnPTR));
  const names = new Set(ptrRecords.map(({ name }) => name));
  const missing = [...addresses.keys()].filter((name) => !names.has(name)).map((name) => `missing: ${name} PTR`);
  const wrong = ptrRecords.filter(({ name, records }) => !records.every((to) => addresses.get(name)?.includes(to)));
  return [...missing, ...wrong.map(({ name, records }) => `stale: ${name} PTR ${records.join(' ')}`)];
}
