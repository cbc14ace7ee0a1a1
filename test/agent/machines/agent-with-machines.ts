/** An agent that reads Machines and claims, and if there are other kinds an ExternalDNS. */
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { hostsOf } from '../../../functions/agent/sources/kinds/conversion.ts';
import type {
  Inventory,
  Machine,
  Malformed,
  NameClaim,
  OwnObject,
  ZoneObject,
} from '../../../functions/agent/sources/own-object.ts';
import type { DeclaredDiscovery, DeclaredZone } from '../../../functions/contract/declaration.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, makeAgent, zones } from '../make.ts';
import { type FakeObject, FakeSourceLister, www } from '../names/fake-source-lister.ts';
import { MemoryZones } from '../zones/memory-zones.ts';

export const ownSources: DeclaredDiscovery['sources'] = [
  { kind: 'Machine', resources: ['machines.v1alpha1.dns.internal'] },
  { kind: 'NameClaim', resources: ['nameclaims.v1alpha1.dns.internal'] },
];

export const reverseZone = '2.0.192.in-addr.arpa';

/** Lists source objects, Machines and claims that a test puts there. */
export class OwnSourceLister extends FakeSourceLister {
  readonly #own = new Map<string, OwnObject>();
  #inventory: Inventory | undefined;
  #isDefined = true;
  #zones: 'Off' | 'Unknown' | 'Unserved' | 'Listed' = 'Off';
  #labelsOf: Inventory['labelsOf'] = () => undefined;
  awaited: string | undefined;
  #serviceRanges: Inventory['serviceRanges'] = [];

  put(...objects: OwnObject[]): void {
    for (const object of objects) this.#own.set(object.resource, object);
    this.#inventory = undefined;
  }

  remove(...resources: string[]): void {
    for (const resource of resources) this.#own.delete(resource);
    this.#inventory = undefined;
  }

  /** Whether the cluster has the definition of Machines: without it there are none. */
  setMachinesDefined(isDefined: boolean): void {
    this.#isDefined = isDefined;
    this.setSynced('machine', isDefined);
    this.#inventory = undefined;
  }

  /** Whether the agent can read the Zones. */
  setZones(zones: 'Off' | 'Unknown' | 'Unserved' | 'Listed'): void {
    this.#zones = zones;
    this.#inventory = undefined;
  }

  /** From which Services have their addresses; undefined while the agent cannot read that. */
  setServiceRanges(...ranges: (string | undefined)[]): void {
    this.#serviceRanges = ranges.includes(undefined) ? undefined : ranges.filter((range) => range !== undefined);
    this.#inventory = undefined;
  }

  override setNamespaceLabels(namespace: string, labels: Record<string, string>): void {
    super.setNamespaceLabels(namespace, labels);
    this.#labelsOf = (name) => this.namespaceLabels(name);
    this.#inventory = undefined;
  }

  get inventory(): Inventory {
    const ofKind = <T>(kind: string) =>
      [...this.#own.values()].filter(({ resource }) => resource.startsWith(`${kind}/`)) as T[];
    this.#inventory ??= {
      machines: this.#isDefined ? ofKind<Machine | Malformed>('machine') : undefined,
      claims: ofKind<NameClaim | Malformed>('nameclaim'),
      zones: this.#zones === 'Listed' ? ofKind<ZoneObject | Malformed>('zone') : this.#zones,
      labelsOf: this.#labelsOf,
      serviceRanges: this.#serviceRanges,
      awaited: this.awaited,
    };
    return this.#inventory;
  }
}

export interface AgentWithMachinesOptions {
  discovery?: DiscoveryChanges;
  zones?: DeclaredZone[];
  database?: MemoryZones;
  lister?: OwnSourceLister;
  /** Whether PowerDNS runs LUA records. */
  lua?: () => Promise<boolean>;
}

export type AgentWithMachines = Awaited<ReturnType<typeof agentWithMachines>>;

export async function agentWithMachines({
  discovery = {},
  zones: declaredZones = zones('corp.internal', reverseZone),
  database = new MemoryZones(),
  lister = new OwnSourceLister(),
  lua = async () => true,
}: AgentWithMachinesOptions = {}) {
  const clock = { now: 1_000 };
  const create = () => makeAgent(database, { lister, lua, now: () => clock.now });
  let setup = create();
  let declared = discovery;
  const redeclare = (changes: DiscoveryChanges = {}, inZones = declaredZones) => {
    declared = { ...declared, ...changes };
    setup.declare(
      declare({
        name: 'corp',
        zones: inZones,
        discovery: { ownerID: 'corp', intervalSeconds: 10, sources: ownSources, ...declared },
      }),
    );
  };
  redeclare();
  await setup.agent.reconcile();
  const webhookOf = (namespace?: string): Webhook => ({
    records: () => setup.agent.records(namespace),
    adjustEndpoints: (endpoints) => setup.agent.adjustEndpoints(endpoints, namespace),
    applyChanges: (changes) => setup.agent.applyChanges(changes, namespace),
  });
  const hosts = new Map<string, string[]>();
  return {
    get agent() {
      return setup.agent;
    },
    get log() {
      return setup.log;
    },
    clock,
    database,
    lister,
    redeclare,
    /** Publishes what has changed. */
    publish: () => setup.agent.anticipate(),
    /** What happens every four seconds. */
    async tick(count = 1) {
      for (let i = 0; i < count; i++) {
        clock.now += 4_000;
        await setup.agent.reconcile();
        await setup.agent.anticipate();
        setup.agent.explain();
      }
    },
    /** One loop of ExternalDNS. Returns the changes that it sent. */
    async loop(endpoints?: Endpoint[], namespace?: string) {
      clock.now += 2_000;
      const changes = await loop(webhookOf(namespace), endpoints ?? lister.endpoints(namespace));
      setup.agent.explain();
      return changes;
    },
    setObject(resource: string, object: FakeObject | undefined) {
      lister.set(resource, object && { changedAt: clock.now, ...object });
      const own = object ? hostsOf(object.hosts ?? [www]) : [];
      setup.agent.sourceChanged({ resource, hosts: new Set([...(hosts.get(resource) ?? []), ...own]) });
      hosts.set(resource, own);
    },
    /** Replaces the agent by a new process. */
    async restart() {
      setup = create();
      redeclare();
      await setup.agent.reconcile();
    },
    verdicts(): string[] {
      setup.agent.explain();
      return (setup.agent.names.list ?? []).map(
        ({ name, resource, verdict, message }) => `${resource} ${name} ${verdict}: ${message}`,
      );
    },
    /** `Verdict: message` of one object's host. */
    verdictOf(resource: string, name: string): string {
      setup.agent.explain();
      return (setup.agent.names.list ?? [])
        .filter((state) => state.resource === resource && state.name === name)
        .map(({ verdict, message }) => `${verdict}: ${message}`)
        .join();
    },
    published: () => publishedIn(database),
    held: () => setup.agent.heldNames,
  };
}

/** Everything but the zones' own records, as `nas A 192.0.2.7 machine/a/nas`. Of a computed answer only the addresses. */
export const publishedIn = (database: MemoryZones): string[] =>
  database.rrsets
    .filter(({ mark, type }) => mark?.account.startsWith('external-dns/') || type === 'PTR')
    .map(({ name, type, records, mark }) => {
      const texts = records.map((content) => (type === 'LUA' ? luaText(content) : content));
      const owner = type === 'PTR' ? '' : ` ${mark?.content}`;
      return `${name.replace(/\.(corp\.internal|2\.0\.192\.in-addr\.arpa)\.$/, '')} ${type} ${texts.join(' ')}${owner}`;
    })
    .sort();

const luaText = (content: string) =>
  [content.split(' ')[0], ...(content.match(/(?<=')[0-9a-f]*[.:][0-9a-f.:]*(?=')/g) ?? [])].join(' ');
