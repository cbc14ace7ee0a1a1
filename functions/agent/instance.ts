import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { canaryZone } from '../contract/canary-zone.ts';
import { Agent, type Observations } from './agent.ts';
import type { AnticipationLoop } from './anticipation-loop.ts';
import { Metrics } from './http/metrics.ts';
import { CurrentReach } from './http/reach.ts';
import { kubernetesOf } from './in-cluster.ts';
import { timeOf } from './lib/clock.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { availableMemory, mostCharactersIn, mostRecordsIn } from './lib/memory.ts';
import type { InStep } from './lib/runnable.ts';
import { listenAddress, type Options } from './options.ts';
import { Database } from './powerdns/database.ts';
import { PowerDNS } from './powerdns/powerdns.ts';
import type { ReconcileLoop } from './reconcile-loop.ts';
import { HostNames } from './resolver/host-names.ts';
import { OutOfZoneResolver } from './resolver/out-of-zone-resolver.ts';
import { ResolutionState } from './self-test/resolution.ts';
import { soaCheck } from './zones/soa-check.ts';

/** What all parts of the process share. */
export interface Shared {
  log: Logger;
  failureLog: FailureLog;
  reconcileLoop: ReconcileLoop;
  anticipationLoop: AnticipationLoop;
  /** Wakes those who look for something to do. */
  looks: InStep;
}

export type Instance = Awaited<ReturnType<typeof createInstance>>;

/** Everything that lives as long as the process, wired together; nothing of it runs yet. */
export async function createInstance(
  options: Options,
  { log, failureLog, reconcileLoop, anticipationLoop, looks }: Shared,
) {
  const { cluster: names, 'memory-limit': memory = availableMemory() } = options;
  const { 'host-ips': hostIPs } = options;
  const observations: Observations = hostIPs.length > 0 ? { hostIPs } : {};
  const observe = (found: Observations) => {
    Object.assign(observations, found);
    looks.wake();
  };
  const powerdns = new PowerDNS({ api: options['powerdns-api'], keyFile: options['powerdns-key'] });
  const database = new Database(powerdns, { hidden: canaryZone });
  const kubernetes =
    names &&
    (await kubernetesOf({
      names,
      powerdns,
      database,
      observe,
      instance: () => agent.declaration?.name ?? '',
      resolver: () => agent.declaration?.resolver,
      replicas: () => agent.declaration?.replicas ?? 1,
      dnsPort: listenAddress(options.dns).port,
      onMirrored: () => reconcileLoop.wake(),
      onSourceChange: (change) => {
        if (change) agent.sourceChanged(change);
        anticipationLoop.wake();
      },
      sourceObjectOf: (resource) => agent.sourceObjectOf(resource),
      failureLog,
      log,
    }));
  const outOfZoneNames = new OutOfZoneResolver();
  const hostNames = new HostNames({ onChange: () => anticipationLoop.wake() });
  const agent: Agent = new Agent({
    database,
    ...(kubernetes && {
      lister: kubernetes.sources.cache,
      signer: kubernetes.signer,
      mirror: kubernetes.mirror,
      dsOf: kubernetes.dsOf,
    }),
    outOfZoneNames,
    hostNames,
    observations,
    mostRecords: mostRecordsIn(memory),
    answers: soaCheck(options.dns),
    lua: async () => (await powerdns.setting('enable-lua-records')) !== 'no',
    onPropagation: (milliseconds) => metrics.observePropagation(milliseconds / 1000),
    timeOf,
    log,
  });
  const registry = new Registry();
  const metrics: Metrics = new Metrics(registry, {
    names: () => agent.names.counts(),
    zones: () => agent.report()?.zones ?? [],
    serials: () => powerdns.zones(),
    resolution: () => observations.resolution?.state,
    discoveryAge: () => agent.discoveryAge && agent.discoveryAge / 1000,
    failedLoops: () => agent.failedLoops,
    heldNames: () => agent.heldNames,
    events: () => kubernetes?.events.counts ?? {},
    unpublishedEvents: () => kubernetes?.events.pending ?? 0,
    statuses: () => kubernetes?.statuses?.counts ?? { counts: {}, waiting: 0 },
    hostNames: () => hostNames.counts,
    anticipation: () => agent.anticipation,
    peers: () => kubernetes?.peers.counts ?? { silent: 0, removed: 0 },
    certificates: () => kubernetes?.dnsdist.expiries ?? new Map(),
    evictions: () => kubernetes?.eviction.count ?? 0,
    isForwarding: () => kubernetes?.dnsdist.isForwarding,
  });
  // By default prom-client wakes every 10 ms to measure the event loop: most of an idle agent's CPU.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  const mostCharacters = mostCharactersIn(memory);
  const reach = new CurrentReach();
  return {
    agent,
    reach,
    powerdns,
    kubernetes,
    outOfZoneNames,
    hostNames,
    observations,
    resolution: new ResolutionState({ pod: options.cluster }),
    registry,
    metrics,
    mostCharacters,
  };
}
