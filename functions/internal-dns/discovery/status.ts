import * as z from 'zod';
import type { Condition } from '../../cdk8s-function-xp/composition.ts';
import { letGoCommand } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { no, yes } from '../condition.ts';
import type { Spec } from '../spec.ts';
import { type Kind, sourceKind } from './kind.ts';
import { type Missing, missingIn, servedOf } from './served.ts';

export const discoveryStatus = z.object({
  heldSince: z.string().optional().describe('Time since which the delete guard holds names, in RFC 3339.'),
  preview: z
    .array(
      z.object({
        action: z.string().describe('One of Create, Update or Delete.'),
        name: z.string().describe('Name of the record.'),
        type: z.string().describe('Type of the record.'),
        values: z.array(z.string()).describe('Values of the record.'),
      }),
    )
    .optional()
    .describe('Changes that the policy Sync would make, if the policy is Preview. Not all of them if there are many.'),
});

type Discovery = Report['discovery'];
type Reports = (Report | undefined)[];

const discoveriesIn = (reports: Reports): Discovery[] => reports.flatMap((report) => report?.discovery ?? []);

/** The status of discovery beyond its condition. Undefined if empty. */
export function discoveryStatusOf({ discovery }: Spec, reports: Reports): z.output<typeof discoveryStatus> | undefined {
  const all = discoveriesIn(reports);
  const held = heldIn(all);
  const preview = discovery.policy === 'Preview' ? all.find((each) => each.preview)?.preview : undefined;
  return held || preview ? { ...(held && { heldSince: held.since }), ...(preview && { preview }) } : undefined;
}

/** The names that any replica holds, since the earliest time. */
function heldIn(all: Discovery[]): Discovery['held'] {
  const held = all.flatMap((each) => each.held ?? []);
  const [since] = held.map((each) => each.since).sort();
  return since ? { since, names: [...new Set(held.flatMap(({ names }) => names))].sort() } : undefined;
}

/**
 * The condition DiscoveryReady. Uses reports on earlier declarations, too: ExternalDNS keeps running while zones
 * change.
 */
export function discoveryReady({ discovery }: Spec, composite: string, reports: Reports): Condition {
  const type = 'DiscoveryReady';
  const { sources, policy } = discovery;
  if (sources.length === 0) return yes(type, 'Off', 'discovery.sources is empty: no object gets a record');
  const missing = missingIn(reports).filter(({ kind }) => sources.some((source) => source.kind === kind));
  if (servedOf(sources, missing).length === 0) return no(type, 'SourcesMissing', missingMessage(missing));
  const states = reports.map((report) => report?.discovery.state);
  const log = `see the log of ${discovery.namespaces.length > 1 ? 'each container external-dns*' : 'the container external-dns'}`;
  if (states.includes('Stalled')) return no(type, 'Stalled', `ExternalDNS has stopped sending requests; ${log}`);
  if (states.includes('Failing')) return no(type, 'Failing', failingMessage(discoveriesIn(reports)));
  if (states.some((state) => state !== 'Synced')) {
    return no(type, 'Waiting', `ExternalDNS has not finished its first loop; if this lasts, ${log}`);
  }
  const all = discoveriesIn(reports);
  const held = heldIn(all);
  const notes = [
    ...(policy === 'Preview'
      ? [['Preview', 'no record is changed: see status.discovery.preview for what Sync would change'] as const]
      : []),
    ...(held ? [['DeletesHeld', heldMessage(held, composite)] as const] : []),
    ...(missing.length > 0 ? [['SourcesMissing', missingMessage(missing)] as const] : []),
  ];
  const [first] = notes;
  return first ? yes(type, first[0], notes.map(([, message]) => message).join('; ')) : yes(type, 'Synced');
}

function failingMessage(all: Discovery[]): string {
  const failures = new Set(all.flatMap(({ failure }) => failure ?? []));
  return `the agent cannot answer ExternalDNS (${[...failures].sort().join('; ')}), so names stay as they were: see the log of the container agent`;
}

const maxNames = 5;

function heldMessage({ since, names }: NonNullable<Discovery['held']>, composite: string): string {
  const others = names.length > maxNames ? ' and others' : '';
  return `the delete guard holds ${names.slice(0, maxNames).join(', ')}${others} since ${since}, because many names disappeared at once; to release them now: ${letGoCommand(composite)}`;
}

/** Lists the missing resources of each kind and how to install them. */
function missingMessage(missing: Missing[]): string {
  const kinds = Map.groupBy(missing, ({ kind }) => kind);
  const each = [...kinds].map(([kind, ofKind]) => {
    const resources = ofKind.map(({ resource }) => resource).sort();
    return `the cluster does not serve ${resources.join(' and ')}, which ${kind} needs: ${sourceKind(kind as Kind).install ?? 'see docs/discovery.md'}`;
  });
  return each.sort().join('; ');
}
