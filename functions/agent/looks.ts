import type { Logger } from 'pino';
import type { Declaration } from '../contract/declaration.ts';
import { hasOwnKinds, hasZones } from './discovery/scope.ts';
import type { Instance, Shared } from './instance.ts';
import type { AgentClient } from './kubernetes/agent-client.ts';
import { ReportWriter } from './kubernetes/report-writer.ts';
import { DutyCycle } from './lib/duty-cycle.ts';
import { messageOf } from './lib/error-message.ts';
import { atMostEvery, type Pace, type Runnable } from './lib/runnable.ts';
import type { HealthInputs } from './self-test/resolution.ts';

/** Between two looks for something to do, while things happen. Milliseconds. */
const leastMs = 250;
const paces = {
  /** Other pods may fall silent. */
  watching: { leastMs, mostMs: 500 },
  /** Something is to be done as soon as its time has come. */
  waiting: { leastMs, mostMs: 1_000 },
  /** Whatever happens is told, but not that time passes without it. */
  idle: { leastMs, mostMs: 5_000 },
} satisfies Record<string, Pace>;

/** Between two runs of what is rarer than looks. Milliseconds. */
const pauses = {
  dnsdist: 5_000,
  /** The claim is grown once for each size that is declared. */
  volumeClaim: 4_000,
};

/** The share of one core that explaining names may take. */
const explainShare = 0.05;

/** Looks for what follows from the rest: verdicts, the report, Events, statuses. Mostly there is nothing to do. */
export function looksOf(instance: Instance, { log, failureLog, reconcileLoop, looks }: Shared): Runnable[] {
  const { agent, kubernetes, outOfZoneNames, hostNames, observations, resolution } = instance;
  const reportWriter = reportWriterOf(kubernetes?.cluster, log);
  const explaining = new DutyCycle(() => agent.explain(), explainShare);
  const explain = () => {
    explaining.run();
    observations.resolution = resolution.resolution(healthInputsOf(instance));
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
  const works = {
    explain,
    report: writeReport,
    events: publishEvents,
    'out-of-zone names': () => outOfZoneNames.resolveDue(),
    'host names': () => hostNames.resolveDue(),
    statuses: writeStatuses,
    'zones of teams': () => {
      if (agent.newZones === 'Due') reconcileLoop.wake();
    },
    checks: () => kubernetes?.statuses?.check(),
    peers: () => kubernetes?.peers.poll(),
    eviction: () => kubernetes?.eviction.poll(),
    dnsdist: atMostEvery(pauses.dnsdist, () => kubernetes?.dnsdist.poll()),
    'volume claim': atMostEvery(pauses.volumeClaim, () =>
      kubernetes?.volumeClaim.expand(agent.declaration?.storage?.size),
    ),
  };
  const isWaiting = () =>
    explaining.isOwed ||
    reportWriter.isWaiting ||
    agent.names.areSettling ||
    agent.newZones !== 'None' ||
    (kubernetes?.events.pending ?? 0) > 0 ||
    (kubernetes?.statuses?.isWaiting ?? false) ||
    outOfZoneNames.size > 0 ||
    hostNames.size > 0;
  const pace = () => {
    if (watchesPods(agent.declaration)) return paces.watching;
    return isWaiting() ? paces.waiting : paces.idle;
  };
  return looks.runnables(works, pace);
}

/** What the state of the whole chain depends on besides the self-test. */
export const healthInputsOf = ({ agent, observations }: Pick<Instance, 'agent' | 'observations'>): HealthInputs => ({
  discovery: agent.discovery.state,
  failure: agent.discovery.failure,
  apiFailure: observations.reach,
  replicas: agent.declaration?.replicas ?? 1,
  hasResolver: agent.declaration?.resolver !== undefined,
});

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
