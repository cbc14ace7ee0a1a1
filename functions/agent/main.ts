import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Agent, type Observations } from './agent.ts';
import { Metrics } from './http/metrics.ts';
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
import { every, type Runnable, Runnables } from './lib/runnable.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { Database } from './powerdns/database.ts';
import { PowerDNS } from './powerdns/powerdns.ts';
import { ReconcileLoop } from './reconcile-loop.ts';
import { OutOfZoneResolver } from './resolver/out-of-zone-resolver.ts';
import { Canary } from './self-test/canary.ts';
import { canaryZone } from './self-test/canary-record.ts';
import { ResolutionState } from './self-test/resolution.ts';
import { selfTest } from './self-test/self-test.ts';
import { soaCheck } from './zones/soa-check.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import { configMapsInFolder, watchConfigMaps, ZoneFileSet } from './zones/zone-files.ts';

/** Pauses between two runs. Milliseconds. */
const pauses = {
  explain: 500,
  report: 500,
  events: 500,
  outOfZoneNames: 500,
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
  const reconcileLoop = new ReconcileLoop({ failureLog });
  const shared = { log, failureLog, reconcileLoop };
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
}

type Instance = Awaited<ReturnType<typeof createInstance>>;

/** Everything that lives as long as the process, wired together; nothing of it runs yet. */
async function createInstance(options: Options, { log, failureLog, reconcileLoop }: Shared) {
  const { cluster: names, 'memory-limit': memory = availableMemory() } = options;
  const observations: Observations = {};
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
      onMirrored: () => reconcileLoop.wake(),
      failureLog,
      log,
    }));
  const outOfZoneNames = new OutOfZoneResolver();
  const agent: Agent = new Agent({
    database,
    ...(kubernetes && {
      lister: kubernetes.sources.cache,
      signer: kubernetes.signer,
      mirror: kubernetes.mirror,
    }),
    outOfZoneNames,
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
  });
  // By default prom-client wakes every 10 ms to measure the event loop: most of an idle agent's CPU.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  const mostCharacters = mostCharactersIn(memory);
  return { agent, powerdns, kubernetes, outOfZoneNames, observations, registry, metrics, mostCharacters };
}

const createServers = ({ agent, powerdns, registry, mostCharacters }: Instance, failureLog: FailureLog) => ({
  webhook: webhook({ agent, failureLog, bodyLimit: mostCharacters }),
  probes: probeServer({ agent }),
  http: statusServer({ agent, overview: () => agent.overview(), powerdns, metrics: registry }),
});

/** Watches the declaration, and with it the zone files and the sources that it names. */
async function watchInputs({ agent, kubernetes, mostCharacters }: Instance, options: Options, shared: Shared) {
  const { failureLog, reconcileLoop, log } = shared;
  const { cluster, sources } = kubernetes ?? {};
  const configMaps = cluster ? watchConfigMaps(cluster, failureLog) : configMapsInFolder(options['zone-files']);
  const onFiles = (files: ZoneFiles) => {
    agent.setZoneFiles(files);
    reconcileLoop.wake();
  };
  const zoneFiles = new ZoneFileSet(configMaps, onFiles, mostCharacters);
  const apply = (text: string): void => {
    if (!agent.setDeclaration(text)) return;
    zoneFiles.watch(agent.declaration?.zones.flatMap(({ recordsFrom = [] }) => recordsFrom) ?? []);
    sources?.setDiscovery(agent.declaration?.discovery, agent.declaration?.optional);
    reconcileLoop.wake();
  };
  await watchDeclaration({ client: cluster, file: options.declaration, apply, failureLog, log });
}

/** What goes on until the process stops. Each is on its own, so that none waits for another one's requests. */
function runnablesOf(instance: Instance, options: Options, { log, failureLog, reconcileLoop }: Shared): Runnable[] {
  const { agent, powerdns, kubernetes, outOfZoneNames, observations, metrics } = instance;
  const canary = new Canary({
    powerdns,
    dns: { host: '127.0.0.1', ...listenAddress(options.dns) },
    service: () => (agent.declaration?.service ?? []).map((host) => ({ host, port: 53 })),
    onAnswer: metrics.observeCanary,
    onFailure: metrics.countCanaryFailure,
  });
  const resolution = new ResolutionState({ pod: options.cluster });
  const inputs = () => ({
    discovery: agent.discovery.state,
    failure: agent.discovery.failure,
    apiFailure: observations.reach,
    replicas: agent.declaration?.replicas ?? 1,
  });
  const reportWriter = reportWriterOf(kubernetes?.cluster, log);
  const explainNames = limitDutyCycle(() => agent.explain(), explainShare);
  const explain = () => {
    explainNames();
    observations.resolution = resolution.resolution(inputs());
  };
  const writeReport = async () => {
    explain();
    const report = agent.report();
    if (!report) return;
    const written = reportWriter.update(report, agent.declaration?.replicas);
    failureLog.record('write the report', await written.then(() => undefined, messageOf));
  };
  const publishEvents = async () => {
    const { list } = agent.names;
    if (list) kubernetes?.events.update(list);
    await kubernetes?.events.drain();
  };
  return [
    { name: 'reconcile', run: (signal) => reconcileLoop.run(agent, signal) },
    { name: 'self-test', run: (signal) => selfTest({ canary, resolution, inputs, failureLog, signal }) },
    every(pauses.explain, 'explain', explain),
    every(pauses.report, 'report', writeReport),
    every(pauses.events, 'events', publishEvents),
    every(pauses.outOfZoneNames, 'out-of-zone names', () => outOfZoneNames.resolveDue()),
    every(pauses.volumeClaim, 'volume claim', () => kubernetes?.volumeClaim.expand(agent.declaration?.storage.size)),
  ];
}

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
