import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Agent, messageOf } from './agent.ts';
import { Cluster } from './cluster.ts';
import { Database } from './database.ts';
import { http } from './http.ts';
import { Mailbox } from './mailbox.ts';
import { listenAddress, type Options, parseOptions } from './options.ts';
import { PowerDNS } from './powerdns.ts';
import { webhook } from './webhook.ts';

/** How often the zones are compared with what is declared; sooner after a failure. Milliseconds. */
const reconcileEvery = 5_000;
const retryAfter = 500;
/** How often the report is looked at; it is written only when it says something new. */
const reportEvery = 500;

async function main(options: Options): Promise<void> {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const powerdns = new PowerDNS({ api: options['powerdns-api'], keyFile: options['powerdns-key'] });
  const agent = new Agent({ database: new Database(powerdns), answers: soaCheck(options.dns), log });
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  // It listens before anything else: ExternalDNS gives up on a webhook that is not there.
  await listen(webhook(agent, log), options.webhook);
  await listen(http(agent, powerdns, metrics), options.http);
  process.once('SIGTERM', () => process.exit(0));
  process.once('SIGINT', () => process.exit(0));

  let wake = () => {};
  const declare = (text: string): void => {
    try {
      if (agent.declare(text)) wake();
    } catch (error) {
      log.error({ failure: messageOf(error) }, 'cannot read the declaration');
    }
  };
  const cluster = options.cluster && clusterOf(options.cluster);
  declare(await readFile(options.declaration, 'utf8'));
  if (cluster) {
    cluster.watchDeclaration(declare, (error) => log.warn({ failure: messageOf(error) }, 'lost the declaration'));
  } else {
    watchFile(options.declaration, { interval: 500 }, () => void readFile(options.declaration, 'utf8').then(declare));
  }

  const mailbox = new Mailbox({
    write: async (text) => (cluster ? cluster.writeReport(text) : log.info({ report: JSON.parse(text) }, 'report')),
  });
  void every(reportEvery, async () => {
    const report = agent.report();
    if (report) {
      await mailbox.offer(report).catch((error) => log.warn({ failure: messageOf(error) }, 'cannot write the report'));
    }
  });
  if (cluster) void every(reconcileEvery, claimKeeper(cluster, agent));

  for (let failures = 0; ; ) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    if (failure && failures === 0) log.warn({ failure }, 'cannot reconcile the zones');
    failures = failure ? failures + 1 : 0;
    const isSettled = !failure && agent.report()?.zones.every((z) => z.state !== 'Pending');
    const pause = isSettled ? reconcileEvery : Math.min(reconcileEvery, retryAfter * 2 ** Math.min(failures, 4));
    await Promise.race([sleep(pause * (0.75 + Math.random() / 2)), woken]);
  }
}

async function every(ms: number, work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work();
    await sleep(ms);
  }
}

/** Grows the claim once for each size that is declared; a refusal is for the report. */
function claimKeeper(cluster: Cluster, agent: Agent): () => Promise<void> {
  let grownTo: string | undefined;
  return async () => {
    const size = agent.declaration?.storage.size;
    if (size === undefined || size === grownTo) return;
    try {
      await cluster.growClaim(size);
      grownTo = size;
      agent.storage = undefined;
    } catch (error) {
      agent.storage = `cannot grow the claim to ${size}: ${messageOf(error)}`.slice(0, 500);
    }
  };
}

const clusterOf = (o: NonNullable<Options['cluster']>) =>
  new Cluster({
    namespace: o.namespace,
    pod: o.pod,
    declared: o['declared-config-map'],
    status: o['status-config-map'],
    claim: o.claim,
  });

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

// Not awaited at the top level: the bundle is CommonJS.
Promise.try(() => main(parseOptions(process.argv.slice(2)))).catch((error) => {
  process.stderr.write(`cannot run the agent: ${messageOf(error)}\n`);
  process.exit(1);
});
