import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Agent } from './agent.ts';
import { Metrics } from './http/metrics.ts';
import { http, probes } from './http/status-server.ts';
import { webhook } from './http/webhook.ts';
import { kubernetesOf } from './in-cluster.ts';
import type { Cluster } from './kubernetes/cluster.ts';
import { followDeclaration } from './kubernetes/declaration-source.ts';
import { ReportWriter } from './kubernetes/report-writer.ts';
import { timeOf } from './lib/clock.ts';
import { limitDutyCycle } from './lib/duty-cycle.ts';
import { messageOf } from './lib/error-message.ts';
import { FailureLog } from './lib/failure-log.ts';
import { availableMemory, mostCharactersIn, mostRecordsIn } from './lib/memory.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { Database } from './powerdns/database.ts';
import { PowerDNS } from './powerdns/powerdns.ts';
import { ReconcileLoop } from './reconcile-loop.ts';
import { OutOfZoneResolver } from './resolver/out-of-zone-resolver.ts';
import { Canary } from './self-test/canary.ts';
import { canaryZone } from './self-test/canary-record.ts';
import { ResolutionState } from './self-test/resolution.ts';
import { selfTest } from './self-test/self-test.ts';
import type { Observations } from './surroundings.ts';
import { soaCheck } from './zones/soa-check.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import { configMapsInFolder, watchConfigMaps, ZoneFileSet } from './zones/zone-files.ts';

/** How often something is looked at. Milliseconds. */
const pace = {
  /** What there is to say of names and of the whole chain. */
  look: 500,
  /** The report, which is written only when it says something new. */
  report: 500,
  /** What people are not told yet on objects. */
  events: 500,
  /** What names outside the zones lead to. */
  outside: 500,
  /** The claim, once for each size that is declared. */
  claim: 4_000,
};

async function main(options: Options): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGINT', () => process.exit(0));
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const failureLog = new FailureLog(log);
  const surroundings: Observations = {};
  const powerdns = new PowerDNS({ api: options['powerdns-api'], keyFile: options['powerdns-key'] });
  const instance = (): string => agent.declaration?.name ?? '';
  const { cluster: names, 'memory-limit': memory = availableMemory() } = options;
  const mostCharacters = mostCharactersIn(memory);
  const database = new Database(powerdns, { hidden: canaryZone });
  const onMirrored = () => reconciliations.wake();
  const around = { powerdns, database, surroundings, instance, onMirrored, failureLog, log };
  const kubernetes = names && (await kubernetesOf({ names, ...around }));
  const { cluster, sources, claim, signer, mirror, events } = kubernetes ?? {};
  const outside = new OutOfZoneResolver();
  const agent: Agent = new Agent({
    outside,
    timeOf,
    ...(sources && { lister: sources.cache }),
    signer,
    mirror,
    surroundings,
    onPropagation: (milliseconds) => metrics.observePropagation(milliseconds / 1000),
    database,
    mostRecords: mostRecordsIn(memory),
    answers: soaCheck(options.dns),
    lua: async () => (await powerdns.setting('enable-lua-records')) !== 'no',
    log,
  });
  const registry = new Registry();
  const metrics: Metrics = new Metrics(registry, {
    names: () => agent.names.counts(),
    zones: () => agent.report()?.zones ?? [],
    serials: () => powerdns.zones(),
    resolution: () => surroundings.resolution?.state,
    discoveryAge: () => agent.discoveryAge && agent.discoveryAge / 1000,
    failedLoops: () => agent.failedLoops,
    heldNames: () => agent.heldNames,
    events: () => events?.counts ?? {},
    untold: () => events?.waiting ?? 0,
  });
  // By default prom-client wakes every 10 ms to measure the event loop: most of an idle agent's CPU.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  // It listens before anything else: ExternalDNS gives up on a webhook that is not there.
  await listen(webhook({ agent, failureLog, bodyLimit: mostCharacters }), options.webhook);
  if (options.probes) await listen(probes({ agent }), options.probes);
  await listen(http({ agent, overview: () => agent.overview(), powerdns, metrics: registry }), options.http);

  const reconciliations: ReconcileLoop = new ReconcileLoop({ agent, failureLog });
  const configMaps = cluster ? watchConfigMaps(cluster, failureLog) : configMapsInFolder(options['zone-files']);
  const onFiles = (files: ZoneFiles) => {
    agent.takeFiles(files);
    reconciliations.wake();
  };
  const zoneFiles = new ZoneFileSet(configMaps, onFiles, mostCharacters);
  const take = (text: string): void => {
    if (!agent.declare(text)) return;
    zoneFiles.watch(agent.declaration?.zones.flatMap(({ recordsFrom = [] }) => recordsFrom) ?? []);
    sources?.follow(agent.declaration?.discovery, agent.declaration?.optional);
    reconciliations.wake();
  };
  await followDeclaration({ cluster, file: options.declaration, take, failureLog, log });

  const canary = new Canary({
    powerdns,
    dns: { host: '127.0.0.1', ...listenAddress(options.dns) },
    service: () => (agent.declaration?.service ?? []).map((host) => ({ host, port: 53 })),
    onAnswer: metrics.observeCanary,
    onFailure: metrics.countCanaryFailure,
  });
  const resolution = new ResolutionState({ place: names });
  const circumstances = () => ({
    discovery: agent.discovery.state,
    failure: agent.discovery.failure,
    reach: surroundings.reach,
    replicas: agent.declaration?.replicas ?? 1,
  });
  void selfTest({ canary, resolution, circumstances, failureLog });

  const mailbox = mailboxOf(cluster, log);
  const explain = limitDutyCycle(() => agent.explain(), 0.05);
  const look = () => {
    explain();
    surroundings.resolution = resolution.resolution(circumstances());
  };
  // Apart from what asks Kubernetes, which may let it wait.
  void every(pace.look, async () => look());
  void every(pace.report, async () => {
    look();
    const report = agent.report();
    if (!report) return;
    const offer = mailbox.offer(report, agent.declaration?.replicas);
    failureLog.record('write the report', await offer.then(() => undefined, messageOf));
  });
  void every(pace.events, async () => {
    const { list } = agent.names;
    if (list) events?.announce(list);
    await events?.drain();
  });
  void every(pace.outside, async () => void outside.look());
  if (claim) void every(pace.claim, () => claim.grow(agent.declaration?.storage.size));
  await reconciliations.run();
}

async function every(ms: number, work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work();
    await sleep(ms);
  }
}

const mailboxOf = (cluster: Cluster | undefined, log: Logger) =>
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

function die(error: unknown): never {
  process.stderr.write(`cannot run the agent: ${messageOf(error)}\n`);
  process.exit(1);
}

process.once('unhandledRejection', die);
// Not awaited at the top level: the bundle is CommonJS.
Promise.try(() => main(parseOptions(process.argv.slice(2)))).catch(die);
