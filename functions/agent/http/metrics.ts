import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type Resolution, resolutionStates, type ZoneReport } from '../../contract/report.ts';
import { sourceResources } from '../../contract/source-kinds.ts';
import type { Verdict } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import type { QueryTarget } from '../self-test/canary.ts';
import { type Transport, transports } from '../self-test/dns-query.ts';

/** Read at each scrape. A hostname is never a label: there may be thousands. */
export interface MetricSources {
  names(): Readonly<Record<Verdict, number>>;
  zones(): Iterable<Pick<ZoneReport, 'name' | 'state'>>;
  /** From PowerDNS, of these zones and others. A rejection omits the serials. */
  serials(): Promise<Iterable<{ name: string; serial: number }>>;
  /** Undefined before the first self-test. */
  resolution(): Resolution['state'] | undefined;
  /** Seconds since ExternalDNS last finished a loop, the maximum if there are several; undefined before the first loop. */
  discoveryAge(): number | undefined;
  /** Consecutive failed loops. */
  failedLoops(): number;
  /** The number of names that the delete guard holds, regardless of their verdict. */
  heldNames(): number;
  /** The number of Kubernetes Events so far, by result. */
  events(): Readonly<Record<string, number>>;
  /** The number of hosts with a change that no Event was published for yet. */
  unpublishedEvents(): number;
  /** The writes to the status of Machines, NameClaims and Zones so far, by result, and the number that wait. */
  statuses(): { counts: Readonly<Record<string, number>>; waiting: number };
  /** The number of targets that are host names, and of those that the resolver fails for. */
  hostNames(): { followed: number; failing: number };
  /** What ExternalDNS did not ask for although it was published, and the kinds that are left to it since. */
  anticipation(): { counts: ReadonlyMap<string, number>; suspended: ReadonlySet<string> };
  /** The number of other replicas that do not answer, and how often one was taken out of its Services. */
  peers(): { silent: number; removed: number };
  /** How often a pod of the resolver was evicted. */
  evictions(): number;
  /**
   * When the certificates of the resolver expire, in seconds since 1970, by the field of the spec that has them. Undefined
   * for one that a pod does not show.
   */
  certificates(): ReadonlyMap<string, number | undefined>;
  /** Whether the resolver answers for names elsewhere. Undefined if that is unknown, or not its task. */
  isForwarding(): boolean | undefined;
}

/** The kinds of which the agent reads objects. */
const kindsRead = Object.keys(sourceResources);

const targets = ['pod', 'service'] as const satisfies QueryTarget[];
const zoneStates = ['Serving', 'Pending', 'Failed', 'Retained'] as const satisfies ZoneReport['state'][];

/** The agent's own metrics. For names and units see https://prometheus.io/docs/practices/naming/ */
export class Metrics {
  readonly #propagation: Histogram;
  readonly #canary: Histogram<'transport' | 'way'>;
  readonly #canaryFailures: Counter<'transport' | 'way'>;

  constructor(registry: Registry, sources: MetricSources) {
    const registers = [registry];
    this.#propagation = new Histogram({
      name: 'internal_dns_propagation_seconds',
      help: 'Time from the change of an object until its name was answered.',
      buckets: [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 120, 300, 600],
      registers,
    });
    this.#canary = new Histogram({
      name: 'internal_dns_canary_seconds',
      help: 'Duration of the queries of the self-test, to PowerDNS in the pod and through the Service.',
      labelNames: ['transport', 'way'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
    this.#canaryFailures = new Counter({
      name: 'internal_dns_canary_failures_total',
      help: 'Self-test queries that failed or got a wrong answer.',
      labelNames: ['transport', 'way'],
      registers,
    });
    for (const way of targets) {
      for (const transport of transports) {
        this.#canary.zero({ transport, way });
        this.#canaryFailures.inc({ transport, way }, 0);
      }
    }
    registerGauges(registers, sources);
  }

  // Bound, to be passed as callbacks.

  readonly observePropagation = (seconds: number): void => this.#propagation.observe(seconds);

  readonly observeCanary = (transport: Transport, seconds: number, target: QueryTarget): void =>
    this.#canary.observe({ transport, way: target }, seconds);

  readonly countCanaryFailure = (transport: Transport, way: QueryTarget): void =>
    this.#canaryFailures.inc({ transport, way });
}

function registerGauges(registers: Registry[], sources: MetricSources): void {
  new Gauge({
    name: 'internal_dns_names',
    help: 'Hostnames requested by objects, by verdict. Those pending for only a few loops are not counted.',
    labelNames: ['verdict'],
    registers,
    collect() {
      for (const [verdict, count] of Object.entries(sources.names())) this.set({ verdict }, count);
    },
  });
  new Gauge({
    name: 'internal_dns_zone_state',
    help: '1 for the current state of the zone, 0 for all others.',
    labelNames: ['zone', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { name, state } of sources.zones()) {
        for (const each of zoneStates) this.set({ zone: name, state: each }, Number(each === state));
      }
    },
  });
  new Gauge({
    name: 'internal_dns_zone_serial',
    help: 'SOA serial of the zone.',
    labelNames: ['zone'],
    registers,
    async collect() {
      const serials = await sources.serials().catch(() => []);
      const ours = new Set(Array.from(sources.zones(), ({ name }) => name));
      this.reset();
      for (const { name, serial } of serials) {
        const zone = withoutDot(name);
        if (ours.has(zone)) this.set({ zone }, serial);
      }
    },
  });
  new Gauge({
    name: 'internal_dns_resolution',
    help: '1 for the current result of the end-to-end self-test, 0 for all others. All are 0 before the first test.',
    labelNames: ['state'],
    registers,
    collect() {
      const current = sources.resolution();
      for (const state of resolutionStates) this.set({ state }, Number(state === current));
    },
  });
  new Gauge({
    name: 'internal_dns_discovery_age_seconds',
    help: 'Time since ExternalDNS last finished a loop, the maximum of several.',
    registers,
    collect() {
      const age = sources.discoveryAge();
      if (age === undefined) this.remove();
      else this.set(age);
    },
  });
  new Gauge({
    name: 'internal_dns_discovery_failed_loops',
    help: 'Consecutive loops of ExternalDNS that got no answer, or whose changes were not applied, the maximum of several.',
    registers,
    collect() {
      this.set(sources.failedLoops());
    },
  });
  new Gauge({
    name: 'internal_dns_delete_guard_held_names',
    help: 'Names that the delete guard keeps because their objects lost their address, or too many vanished at once.',
    registers,
    collect() {
      this.set(sources.heldNames());
    },
  });
  new Gauge({
    name: 'internal_dns_host_name_targets',
    help: 'Targets outside the zones whose addresses are followed, by whether the resolver answered for them.',
    labelNames: ['state'],
    registers,
    collect() {
      const { followed, failing } = sources.hostNames();
      this.set({ state: 'Answered' }, followed - failing);
      this.set({ state: 'Failing' }, failing);
    },
  });
  new Counter({
    name: 'internal_dns_anticipation_differences_total',
    help: 'How often ExternalDNS asked for something else than the agent had published before it asked.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      const { counts } = sources.anticipation();
      for (const kind of kindsRead) this.inc({ kind }, counts.get(kind) ?? 0);
    },
  });
  new Gauge({
    name: 'internal_dns_anticipation_suspended',
    help: 'Whether changes of objects of the kind are left to ExternalDNS because of such differences.',
    labelNames: ['kind'],
    registers,
    collect() {
      const { suspended } = sources.anticipation();
      for (const kind of kindsRead) this.set({ kind }, Number(suspended.has(kind)));
    },
  });
  new Gauge({
    name: 'internal_dns_silent_replicas',
    help: 'Other replicas that do not answer.',
    registers,
    collect() {
      this.set(sources.peers().silent);
    },
  });
  new Counter({
    name: 'internal_dns_replicas_taken_out_total',
    help: 'How often this replica has taken another one, which did not answer, out of its Services.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.peers().removed);
    },
  });
  new Counter({
    name: 'internal_dns_resolver_evictions_total',
    help: 'How often this replica has evicted a pod of the resolver that did not answer.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.evictions());
    },
  });
  new Gauge({
    name: 'internal_dns_resolver_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that the pods of the resolver show expires, the earliest of several.',
    labelNames: ['certificate'],
    registers,
    collect() {
      this.reset();
      for (const [certificate, expiry] of sources.certificates())
        if (expiry !== undefined) this.set({ certificate }, expiry);
    },
  });
  new Gauge({
    name: 'internal_dns_resolver_certificate_shown',
    help: 'Whether the pods of the resolver show a certificate: 1 if every pod does.',
    labelNames: ['certificate'],
    registers,
    collect() {
      this.reset();
      for (const [certificate, expiry] of sources.certificates())
        this.set({ certificate }, Number(expiry !== undefined));
    },
  });
  new Gauge({
    name: 'internal_dns_resolver_forwarding',
    help: 'Whether the resolver answers the question that forwarding is tested with: 1 if every pod does.',
    registers,
    collect() {
      const isForwarding = sources.isForwarding();
      if (isForwarding === undefined) this.remove();
      else this.set(Number(isForwarding));
    },
  });
  new Gauge({
    name: 'internal_dns_events_waiting',
    help: 'Hosts with a change that no Kubernetes Event was published for yet.',
    registers,
    collect() {
      this.set(sources.unpublishedEvents());
    },
  });
  new Counter({
    name: 'internal_dns_events_total',
    help: 'Kubernetes Events on objects, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(sources.events())) this.inc({ result }, count);
    },
  });
  new Gauge({
    name: 'internal_dns_statuses_waiting',
    help: 'Writes to the status of Machines, NameClaims and Zones that wait.',
    registers,
    collect() {
      this.set(sources.statuses().waiting);
    },
  });
  new Counter({
    name: 'internal_dns_statuses_total',
    help: 'Writes to the status of Machines, NameClaims and Zones, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(sources.statuses().counts)) this.inc({ result }, count);
    },
  });
}
