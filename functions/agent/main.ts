import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Agent } from './agent.ts';
import { Canary } from './canary/canary.ts';
import { ResolutionState } from './canary/resolution.ts';
import { selfTest } from './canary/self-test.ts';
import { Cluster, inCluster } from './cluster.ts';
import { Complaints } from './complaints.ts';
import { Database } from './database.ts';
import { messageOf } from './failure.ts';
import { http } from './http.ts';
import { Mailbox } from './mailbox.ts';
import { Metrics } from './metrics.ts';
import { Events } from './names/events.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { PowerDNS } from './powerdns.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import { referenceOf } from './view/reference.ts';
import { View } from './view/view.ts';
import { webhook } from './webhook.ts';
import { type ConfigMapData, type WatchConfigMap, ZoneFileSet } from './zone-files.ts';

/** How often the zones are compared with what is declared; sooner after a failure. Milliseconds. */
const reconcileEvery = 4_000;
const retryAfter = { least: 500, most: 2_000 };
/** How often the report is looked at; it is written only when it says something new. */
const reportEvery = 500;
/** How often names are looked at that nobody has asked for, and people are told what is new. */
const tellEvery = 500;
/** How long the cluster has to tell the declaration before the file does. */
const clusterFirst = 3_000;

async function main(options: Options): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGINT', () => process.exit(0));
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const complaints = new Complaints(log);
  const powerdns = new PowerDNS({ api: options['powerdns-api'], keyFile: options['powerdns-key'] });
  const config = options.cluster && inCluster();
  const cluster = options.cluster && clusterOf(options.cluster, config);
  const onMissing = (missing: Agent['missing']): void => {
    agent.missing = missing;
  };
  const onServed = (served: string[]): void => {
    agent.served = served;
  };
  /** Why the API server cannot be asked. */
  let reach: string | undefined;
  const onReach = (failure?: string): void => {
    reach = failure;
  };
  const view = config && new View({ config, complaints, onMissing, onServed, onReach });
  const agent: Agent = new Agent({
    ...(view && { claims: view.claims }),
    onPropagation: (milliseconds) => metrics.observePropagation(milliseconds / 1000),
    database: new Database(powerdns),
    answers: soaCheck(options.dns),
    lua: async () => (await powerdns.setting('enable-lua-records')) !== 'no',
    signer: signerOf(powerdns, cluster, options, log),
    log,
  });
  const events =
    cluster &&
    view &&
    new Events({ ...announcements(agent, view, options), create: (e) => cluster.createEvent(e), complaints });
  const registry = new Registry();
  const metrics: Metrics = new Metrics(registry, {
    names: () => agent.names.list ?? [],
    zones: () => agent.report()?.zones ?? [],
    serials: () => powerdns.zones(),
    resolution: () => agent.resolution?.state,
    discoveryAge: () => agent.discoveryAge && agent.discoveryAge / 1000,
    held: () => agent.held,
    events: () => events?.counts ?? {},
    untold: () => events?.waiting ?? 0,
  });
  // By default prom-client wakes every 10 ms to measure the event loop: most of an idle agent's CPU.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  // It listens before anything else: ExternalDNS gives up on a webhook that is not there.
  await listen(webhook({ agent, complaints }), options.webhook);
  await listen(http({ agent, overview: () => agent.overview(), powerdns, metrics: registry }), options.http);

  let wake = () => {};
  const woken = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const zoneFiles = new ZoneFileSet(watcherOf(cluster, options['zone-files'], complaints), (files) => {
    agent.takeFiles(files);
    wake();
  });
  const declare = (text: string): void => {
    const failure = failureOf(() => {
      if (!agent.declare(text)) return;
      zoneFiles.follow(agent.declaration?.zones.flatMap(({ recordsFrom = [] }) => recordsFrom) ?? []);
      view?.follow(agent.declaration?.discovery, agent.declaration?.optional);
      wake();
    });
    complaints.note('read the declaration', failure);
  };
  if (cluster) {
    const declared = woken();
    cluster.watchDeclaration(declare, (failure) => complaints.note('watch the declaration', failure));
    // The file is the declaration as it was at the pod's start: for a start while Kubernetes is away.
    await Promise.race([declared, sleep(clusterFirst)]);
    if (!agent.declaration)
      await readFile(options.declaration, 'utf8').then(declare, (error) => log.warn(messageOf(error)));
  } else {
    const read = () => readFile(options.declaration, 'utf8').then(declare);
    await read();
    watchFile(options.declaration, { interval: 500 }, () => {
      read().catch((error) => complaints.note('read the declaration', messageOf(error)));
    });
  }

  const canary = new Canary({
    powerdns,
    dns: { host: '127.0.0.1', ...listenAddress(options.dns) },
    service: () => (agent.declaration?.service ?? []).map((host) => ({ host, port: 53 })),
    onAnswer: metrics.observeCanary,
    onFailure: metrics.countCanaryFailure,
  });
  const resolution = new ResolutionState({ place: options.cluster });
  const circumstances = () => ({
    discovery: agent.discoveryState,
    reach,
    replicas: agent.declaration?.replicas ?? 1,
  });
  void selfTest({ canary, resolution, circumstances, complaints });

  const mailbox = new Mailbox({
    write: async (text) => (cluster ? cluster.writeReport(text) : log.info({ report: JSON.parse(text) }, 'report')),
    // A log needs no renewal.
    ...(!cluster && { renewMs: Number.POSITIVE_INFINITY }),
  });
  void every(reportEvery, async () => {
    agent.resolution = resolution.resolution(circumstances());
    const report = agent.report();
    if (!report) return;
    const offer = mailbox.offer(report, agent.declaration?.replicas);
    complaints.note('write the report', await offer.then(() => undefined, messageOf));
  });
  void every(tellEvery, async () => {
    agent.explain();
    const { list } = agent.names;
    if (list) events?.announce(list);
    await events?.drain();
  });
  if (cluster) void every(reconcileEvery, claimKeeper(cluster, agent, complaints));

  for (let failures = 0; ; ) {
    const declared = woken();
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    complaints.note('reconcile the zones', failure);
    failures = failure ? failures + 1 : 0;
    const isSettled = !failure && agent.report()?.zones.every((z) => z.state !== 'Pending');
    const pause = isSettled ? reconcileEvery : Math.min(retryAfter.most, retryAfter.least * 2 ** failures);
    await Promise.race([sleep(pause * (0.75 + Math.random() / 2)), declared]);
  }
}

function failureOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function every(ms: number, work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work();
    await sleep(ms);
  }
}

/** Grows the claim once for each size that is declared; a refusal is for the report. */
function claimKeeper(cluster: Cluster, agent: Agent, complaints: Complaints): () => Promise<void> {
  let grownTo: string | undefined;
  return async () => {
    const size = agent.declaration?.storage.size;
    if (size === undefined || size === grownTo) return;
    try {
      const refusal = await cluster.growClaim(size);
      if (refusal === undefined) grownTo = size;
      agent.storage = refusal && `cannot grow the claim to ${size}: ${refusal}`.slice(0, 500);
      complaints.note('ask for the claim', undefined);
    } catch (error) {
      complaints.note('ask for the claim', messageOf(error));
    }
  };
}

/** What there is to be said on objects, and of whom. */
const announcements = (agent: Agent, { claims }: View, { cluster }: Options) => ({
  claimOf: (resource: string) => claims.known(resource),
  referenceOf,
  instance: () => agent.declaration?.name ?? '',
  reporter: cluster?.pod ?? '',
});

const clusterOf = (o: NonNullable<Options['cluster']>, config: KubeConfig | undefined) =>
  new Cluster({
    ...(config && { config }),
    namespace: o.namespace,
    pod: o.pod,
    declared: o['declared-config-map'],
    status: o['status-config-map'],
    claim: o.claim,
  });

/** Keys are kept in the cluster; without one there is nothing to keep them in, and no zone is signed. */
function signerOf(
  powerdns: PowerDNS,
  cluster: Cluster | undefined,
  { cluster: names }: Options,
  log: Logger,
): Signer | undefined {
  if (!cluster || !names) return undefined;
  const secret = names['keys-secret'];
  return new Signer({ powerdns, keys: new SecretKeys(cluster, secret), secret: `Secret ${secret}`, log });
}

/** Where zone files come from: ConfigMaps or, without a cluster, files that are read once. */
function watcherOf(cluster: Cluster | undefined, folder: string | undefined, complaints: Complaints): WatchConfigMap {
  if (cluster) {
    return (name, take) =>
      cluster.watchConfigMap(name, take, (failure) =>
        complaints.note('watch a zone file', failure, { configMap: name }),
      );
  }
  return (name, take) => {
    take(folder === undefined ? undefined : configMapIn(join(folder, name)));
    return () => {};
  };
}

function configMapIn(folder: string): ConfigMapData | undefined {
  if (!existsSync(folder)) return undefined;
  return { data: Object.fromEntries(readdirSync(folder).map((key) => [key, readFileSync(join(folder, key), 'utf8')])) };
}

/** Whether a zone answers over DNS, as a client would find it. */
function soaCheck(server: string): (zone: string) => Promise<boolean> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([server]);
  return (zone) =>
    resolver.resolveSoa(zone).then(
      () => true,
      () => false,
    );
}

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
