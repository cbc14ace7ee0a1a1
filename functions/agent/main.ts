import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { AnticipationLoop } from './anticipation-loop.ts';
import { probeServer, statusServer } from './http/status-server.ts';
import { webhook } from './http/webhook.ts';
import { createInstance, type Instance, type Shared } from './instance.ts';
import { watchDeclaration } from './kubernetes/declaration-source.ts';
import { messageOf } from './lib/error-message.ts';
import { FailureLog } from './lib/failure-log.ts';
import { InStep, type Runnable, Runnables } from './lib/runnable.ts';
import { healthInputsOf, looksOf } from './looks.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { watchStarts } from './powerdns/starts.ts';
import { ReconcileLoop } from './reconcile-loop.ts';
import { Canary } from './self-test/canary.ts';
import { transports } from './self-test/dns-query.ts';
import { selfTest } from './self-test/self-test.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import { configMapsInFolder, watchConfigMaps, ZoneFileSet } from './zones/zone-files.ts';

/** How long work under way may take after SIGTERM. kubelet gives the whole pod 30 seconds. Milliseconds. */
const graceMs = 10_000;

async function main(options: Options): Promise<void> {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const failureLog = new FailureLog(log);
  const looks = new InStep();
  const anticipationLoop = new AnticipationLoop({ failureLog, onEnd: () => looks.wake() });
  const reconcileLoop = new ReconcileLoop({
    failureLog,
    onEnd: (failure) => (failure === undefined ? anticipationLoop : looks).wake(),
  });
  const shared = { log, failureLog, reconcileLoop, anticipationLoop, looks };
  const instance = await createInstance(options, shared);
  const servers = createServers(instance, shared);
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

const createServers = (
  { agent, reach, powerdns, registry, mostCharacters }: Instance,
  { failureLog, looks, reconcileLoop }: Shared,
) => {
  const overview = () => {
    const known = agent.overview();
    return { ...known, reach: reach.get(agent.declaration, known.zones) };
  };
  // Looks follow a reconcile.
  const onAnswered = () => reconcileLoop.join() || looks.wake();
  return {
    webhook: webhook({ agent, failureLog, bodyLimit: mostCharacters, onAnswered }),
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
  watchStarts({ keyFile: options['powerdns-key'], onStart: () => reconcileLoop.wake(), failureLog });
  await watchDeclaration({ client: cluster, file: options.declaration, apply, onExistence, failureLog, log });
}

/** What goes on until the process stops. Each is on its own, so that none waits for another one's requests. */
function runnablesOf(instance: Instance, options: Options, shared: Shared): Runnable[] {
  const { failureLog, reconcileLoop, anticipationLoop, looks } = shared;
  const { agent, powerdns, kubernetes, resolution, metrics } = instance;
  const canary = new Canary({
    powerdns,
    dns: { host: '127.0.0.1', ...listenAddress(options.dns) },
    service: () => (agent.declaration?.service ?? []).map((host) => ({ host, port: 53 })),
    serviceTransports: () => agent.declaration?.protocols ?? transports,
    onAnswer: metrics.observeCanary,
    onFailure: metrics.countCanaryFailure,
  });
  const inputs = () => healthInputsOf(instance);
  const onTested = () => looks.wake();
  return [
    { name: 'reconcile', run: (signal) => reconcileLoop.run(agent, signal) },
    { name: 'anticipation', run: (signal) => anticipationLoop.run(agent, signal) },
    { name: 'self-test', run: (signal) => selfTest({ canary, resolution, inputs, onTested, failureLog, signal }) },
    ...looksOf(instance, shared),
    ...(kubernetes ? [{ name: 'split DNS', run: (signal: AbortSignal) => kubernetes.splitDNS.run(signal) }] : []),
  ];
}

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
