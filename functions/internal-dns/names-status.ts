import * as z from 'zod';
import type { Condition } from '../cdk8s-function-xp/composition.ts';
import { isCounted, type Report, type Resolution } from '../contract/report.ts';
import { no, yes } from './condition.ts';
import { type Names, ports } from './names.ts';
import type { Spec } from './spec.ts';

export const namesStatus = z.object({
  total: z.int().describe('Number of hosts requested by objects, in the zones and not filtered out.'),
  resolved: z.int().describe('Number of those hosts that resolve.'),
  problems: z
    .array(
      z.object({
        name: z.string().describe('Name of the host.'),
        resource: z.string().describe('Object that requests the host, such as ingress/shop/web.'),
        verdict: z
          .string()
          .describe(
            'One of Pending, NoAddress, Duplicate, DeclaredElsewhere, ForeignRecord, Held or Refused; or Filtered or OutsideZones, which are not counted.',
          ),
        message: z.string().describe('Why the host does not resolve, and how to fix it.'),
      }),
    )
    .describe(
      'Hosts that do not resolve, the most severe first, at most 20. The agent lists all of them at /names.json.',
    ),
});

export const resolutionStatus = z.object({
  state: z
    .string()
    .describe(
      'One of Serving; NotAnswering: PowerDNS does not answer; Unreachable: PowerDNS answers, but not through its Service; NotUpdating: PowerDNS answers with outdated records; Stalled: ExternalDNS has stopped syncing, or its requests fail; Blind: the agent cannot reach the API server. The worst of all replicas.',
    ),
  since: z.string().describe('Time since which the state holds, in RFC 3339.'),
  message: z.string().optional().describe('What is wrong, and how to fix it.'),
});

type Reports = readonly (Report | undefined)[];
type NamesReport = NonNullable<Report['names']>;
type Problem = NamesReport['problems'][number];

/**
 * The names of the replica that resolves the fewest: all see the same objects, at slightly different times. Undefined
 * until a replica reports them, and if nothing is discovered.
 */
export function namesStatusOf({ discovery }: Spec, reports: Reports): NamesReport | undefined {
  if (discovery.sources.length === 0) return undefined;
  const unresolved = ({ total, resolved }: NamesReport) => total - resolved;
  return reports
    .flatMap((report) => report?.names ?? [])
    .sort((a, b) => unresolved(b) - unresolved(a) || b.total - a.total)[0];
}

const severity: Record<Resolution['state'], number> = {
  Serving: 0,
  Blind: 1,
  Stalled: 2,
  NotUpdating: 3,
  Unreachable: 4,
  NotAnswering: 5,
};

/** The worst state of all replicas, since the first one reported it; Serving since the last one reported it. */
export function resolutionStatusOf(pods: string[], reports: Reports): Resolution | undefined {
  const all = reports.flatMap((report, index) => (report?.resolution ? [withPod(report.resolution, pods, index)] : []));
  const bySeverity = Map.groupBy(all, ({ state }) => severity[state]);
  const worst = bySeverity.get(Math.max(...bySeverity.keys()))?.sort((a, b) => (a.since < b.since ? -1 : 1));
  return worst?.at(worst[0]?.state === 'Serving' ? -1 : 0);
}

/** With several pods, the message names the pod. */
function withPod(resolution: Resolution, pods: string[], index: number): Resolution {
  const { message } = resolution;
  return message && pods.length > 1 ? { ...resolution, message: `${pods[index]}: ${message}` } : resolution;
}

/**
 * Reports whether names are served and kept up to date. An unreachable API server does not count as a failure: published
 * names keep resolving, and the status cannot be read then anyway.
 */
export const isServed = (resolution: Resolution | undefined): boolean =>
  resolution === undefined || severity[resolution.state] <= severity.Blind;

export interface Resolvability {
  spec: Spec;
  names: Names;
  known: NamesReport | undefined;
  resolution: Resolution | undefined;
}

/** The condition Resolvable: whether every host that objects request resolves. */
export function resolvable({ spec, names, known, resolution }: Resolvability): Condition {
  const type = 'Resolvable';
  if (resolution && resolution.state !== 'Serving') {
    return no(type, resolution.state, resolution.message ?? 'see the log of the container agent');
  }
  if (spec.discovery.sources.length === 0) return yes(type, 'Off', 'discovery.sources is empty: no object has a name');
  if (!known) {
    const message =
      'no agent has reported yet which names objects request; if this lasts, see DiscoveryReady and the log of the container agent';
    return { type, status: 'Unknown', reason: 'Waiting', message };
  }
  const { total, resolved, problems } = known;
  const [worst, ...others] = problems.filter(({ verdict }) => isCounted(verdict));
  if (worst) return no(type, worst.verdict, firstOf([worst, ...others]));
  if (resolved < total) return no(type, 'NotResolved', `too many to list here: ${whereAllAre(spec, names)}`);
  const notOurs = firstOf(problems);
  return yes(type, 'Resolved', notOurs && `not for this server: ${notOurs}`);
}

const maxShown = 3;

const firstOf = (problems: Problem[]): string =>
  problems
    .slice(0, maxShown)
    .map(({ name, resource, message }) => `${name} (${resource}): ${message}`)
    .join('; ');

/** Where to find all names if a report has no room for problems. */
const whereAllAre = ({ namespace }: Spec, { status }: Names): string =>
  `kubectl -n ${namespace} port-forward svc/${status} ${ports.agent}, then see http://127.0.0.1:${ports.agent}/names.txt`;
