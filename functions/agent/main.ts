import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { canaryZone } from '../contract/canary-zone.ts';
import type { Declaration } from '../contract/declaration.ts';
import { Agent, type Observations } from './agent.ts';
import { AnticipationLoop } from './anticipation-loop.ts';
import { hasOwnKinds, hasZones } from './discovery/scope.ts';
import { Metrics } from './http/metrics.ts';
import { CurrentReach } from './http/reach.ts';
import { probeServer, statusServer } from './http/status-server.ts';
import { webhook } from './http/webhook.ts';
import { kubernetesOf } from './in-cluster.ts';
import type { AgentClient } from './kubernetes/agent-client.ts';
import { watchDeclaration } from './kubernetes/declaration-source.ts';
import { ReportWriter } from './kubernetes/report-writer.ts';
import { timeOf } from './lib/clock.ts';
import { limitDutyCycle } from './lib/duty-cycle.ts';
import { messageOf } from './lib/error-message.ts';
import { FailureLog } from './lib/failure-log.ts';
import { availableMemory, mostCharactersIn, mostRecordsIn } from './lib/memory.ts';
import { every, inStep, type Runnable, Runnables } from './lib/runnable.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { Database } from './powerdns/database.ts';
import { PowerDNS } from './powerdns/powerdns.ts';
import { ReconcileLoop } from './reconcile-loop.ts';
import { HostNames } from './resolver/host-names.ts';
import { OutOfZoneResolver } from './resolver/out-of-zone-resolver.ts';
import { Canary } from './self-test/canary.ts';
import { transports } from './self-test/dns-query.ts';
import { ResolutionState } from './self-test/resolution.ts';
import { selfTest } from './self-test/self-test.ts';
import { soaCheck } from './zones/soa-check.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import { configMapsInFolder, watchConfigMaps, ZoneFileSet } from './zones/zone-files.ts';

/** Pauses between two runs. Milliseconds. */
const pauses = {
  /** What mostly finds nothing to do: sooner where other pods may fall silent. */
  looks: { alone: 1_000, watching: 500 },
  dnsdist: 5_000,
  /** The claim is grown once for each size that is declared. */
  volumeClaim: 4_000,
};

/** How long work under way may take after SIGTERM. kubelet gives the whole pod 30 seconds. Milliseconds. */
const graceMs = 10_000;

/** The share of one core that explaining names may take. */
const explainShare = 0.05;

async function main(options: Options): Promise<void> {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const failureLog = new FailureLog(log);
  const anticipationLoop = new AnticipationLoop({ failureLog });
  const reconcileLoop = new ReconcileLoop({ failureLog, onReconciled: () => anticipationLoop.wake() });
  const shared = { log, failureLog, reconcileLoop, anticipationLoop };
  const instance = await createInstance(options, shared);
  const servers = createServers(instance, failureLog);
  const runnables = new Runnables();
  const stop = async () => {
    // Readers of the page may take their time: they are not waited for.
    const answered = close(servers.webhook);
    const [unfinished] = await Promise.all([runnables.stop(graceMs), Promise.race([answered, sleep(graceMs)])]);
    if (unfinished.length > 0) log.warn({ unfinished }, 'stopped before all work was done');
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  // Before anything else: ExternalDNS exits if its webhook does not listen.
  await listen(servers.webhook, options.webhook);
  if (options.probes) await listen(servers.probes, options.probes);
  await listen(servers.http, options.http);
  await watchInputs(instance, options, shared);
  runnables.start(runnablesOf(instance, options, shared), die);
}

interface Shared {
  log: Logger;
  failureLog: FailureLog;
  reconcileLoop: ReconcileLoop;
  anticipationLoop: AnticipationLoop;
}

type Instance = Awaited<ReturnType<typeof createInstance>>;

/** Everything that lives as long as the process, wired together; nothing of it runs yet. */
async function createInstance(options: Options, { log, failureLog, reconcileLoop, anticipationLoop }: Shared) {
  const { cluster: names, 'memory-limit': memory = availableMemory() } = options;
  const { 'host-ips': hostIPs } = options;
  const observations: Observations = hostIPs.length > 0 ? { hostIPs } : {};
  const powerdns = new PowerDNS({ api: options['powerdns-api'], keyFile: options['powerdns-key'] });
  const database = new Database(powerdns, { hidden: canaryZone });
  const kubernetes =
    names &&
    (await kubernetesOf({
      names,
      powerdns,
      database,
      observations,
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
    registry,
    metrics,
    mostCharacters,
  };
}

const createServers = ({ agent, reach, powerdns, registry, mostCharacters }: Instance, failureLog: FailureLog) => {
  const overview = () => {
    const known = agent.overview();
    return { ...known, reach: reach.get(agent.declaration, known.zones) };
  };
  return {
    webhook: webhook({ agent, failureLog, bodyLimit: mostCharacters }),
    probes: probeServer({ agent }),
    http: statusServer({ agent, overview, powerdns, metrics: registry }),
  };
};

/** Watches the declaration, and with it the zone files and the sources that it names. */
async function watchInputs({ agent, reach, kubernetes, mostCharacters }: Instance, options: Options, shared: Shared) {
  const { failureLog, reconcileLoop, log } = shared;
  const { cluster, sources } = kubernetes ?? {};
  const configMaps = cluster ? watchConfigMaps(cluster, failureLog) : configMapsInFolder(options['zone-files']);
  const onFiles = (files: ZoneFiles) => {
    agent.setZoneFiles(files);
    reconcileLoop.wake();
  };
  const zoneFiles = new ZoneFileSet(configMaps, onFiles, mostCharacters);
  const apply = (text: string, waysIn?: string): void => {
    failureLog.record('read the ways in', reach.setWaysIn(waysIn));
    if (!agent.setDeclaration(text)) return;
    if (agent.declaration) kubernetes?.splitDNS.setDeclaration(agent.declaration);
    zoneFiles.watch(agent.declaration?.zones.flatMap(({ recordsFrom = [] }) => recordsFrom) ?? []);
    sources?.setDiscovery(agent.declaration?.discovery, agent.declaration?.optional);
    reconcileLoop.wake();
  };
  const onExistence = (exists: boolean) => kubernetes?.splitDNS.setDeclared(exists);
  await watchDeclaration({ client: cluster, file: options.declaration, apply, onExistence, failureLog, log });
}

/** What goes on until the process stops. Each is on its own, so that none waits for another one's requests. */
function runnablesOf(instance: Instance, options: Options, shared: Shared): Runnable[] {
  const { log, failureLog, reconcileLoop, anticipationLoop } = shared;
  const { agent, powerdns, kubernetes, outOfZoneNames, hostNames, observations, metrics } = instance;
  const canary = new Canary({
    powerdns,
    dns: { host: '127.0.0.1', ...listenAddress(options.dns) },
    service: () => (agent.declaration?.service ?? []).map((host) => ({ host, port: 53 })),
    serviceTransports: () => agent.declaration?.protocols ?? transports,
    onAnswer: metrics.observeCanary,
    onFailure: metrics.countCanaryFailure,
  });
  const resolution = new ResolutionState({ pod: options.cluster });
  const inputs = () => ({
    discovery: agent.discovery.state,
    failure: agent.discovery.failure,
    apiFailure: observations.reach,
    replicas: agent.declaration?.replicas ?? 1,
    hasResolver: agent.declaration?.resolver !== undefined,
  });
  const reportWriter = reportWriterOf(kubernetes?.cluster, log);
  const explainNames = limitDutyCycle(() => agent.explain(), explainShare);
  const explain = () => {
    explainNames();
    observations.resolution = resolution.resolution(inputs());
  };
  const writeReport = async () => {
    const report = agent.report();
    if (!report) return;
    const written = reportWriter.update(report, agent.declaration?.replicas);
    failureLog.record('write the report', await written.then(() => undefined, messageOf));
  };
  const writeStatuses = async () => {
    const { declaration, outcomes, zoneOutcomes } = agent;
    if (!declaration || !kubernetes?.statuses) return;
    const { statuses, zoneUpdates } = kubernetes;
    const zones = hasZones(declaration.discovery)
      ? zoneOutcomes && zoneUpdates.of(zoneOutcomes)
      : zoneUpdates.removals();
    await (hasOwnKinds(declaration.discovery) ? statuses.write({ outcomes, zones }) : statuses.remove(zones));
  };
  const publishEvents = async () => {
    const { eventStates } = agent;
    if (eventStates) kubernetes?.events.update(eventStates);
    await kubernetes?.events.drain();
  };
  return [
    { name: 'reconcile', run: (signal) => reconcileLoop.run(agent, signal) },
    { name: 'anticipation', run: (signal) => anticipationLoop.run(agent, signal) },
    { name: 'self-test', run: (signal) => selfTest({ canary, resolution, inputs, failureLog, signal }) },
    ...inStep(() => (watchesPods(agent.declaration) ? pauses.looks.watching : pauses.looks.alone), {
      explain,
      report: writeReport,
      events: publishEvents,
      'out-of-zone names': () => outOfZoneNames.resolveDue(),
      'host names': () => hostNames.resolveDue(),
      statuses: writeStatuses,
      'zones of teams': () => {
        if (agent.hasNewZones) reconcileLoop.wake();
      },
      checks: () => kubernetes?.statuses?.check(),
      peers: () => kubernetes?.peers.poll(),
      eviction: () => kubernetes?.eviction.poll(),
    }),
    every(pauses.dnsdist, 'dnsdist', () => kubernetes?.dnsdist.poll()),
    ...(kubernetes ? [{ name: 'split DNS', run: (signal: AbortSignal) => kubernetes.splitDNS.run(signal) }] : []),
    every(pauses.volumeClaim, 'volume claim', () => kubernetes?.volumeClaim.expand(agent.declaration?.storage?.size)),
  ];
}

/** Whether there are other replicas, or pods of a resolver. */
const watchesPods = (declaration: Declaration | undefined): boolean =>
  (declaration?.replicas ?? 1) > 1 || declaration?.resolver !== undefined;

const reportWriterOf = (cluster: AgentClient | undefined, log: Logger) =>
  cluster
    ? new ReportWriter({ write: (text) => cluster.writeReport(text) })
    : new ReportWriter({
        write: async (text) => log.info({ report: JSON.parse(text) }, 'report'),
        // A log needs no renewal.
        renewMs: Number.POSITIVE_INFINITY,
      });

async function listen(server: Server, address: string): Promise<void> {
  server.listen(listenAddress(address));
  await once(server, 'listening').catch((error) => {
    throw new Error(`cannot listen on ${address}: ${messageOf(error)}`);
  });
}

/** Accepts no more connections. Resolves when the requests under way are answered. */
function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  return closed;
}

function die(error: unknown): never {
  process.stderr.write(`cannot run the agent: ${messageOf(error)}\n`);
  process.exit(1);
}

process.once('unhandledRejection', die);
// Not awaited at the top level: the bundle is CommonJS.
Promise.try(() => main(parseOptions(process.argv.slice(2)))).catch(die);
