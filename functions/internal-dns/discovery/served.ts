import type { Report } from '../../contract/report.ts';
import { listenerSets, resourceName } from '../../contract/source-kinds.ts';
import { hasListenerSets } from './extra-args.ts';
import { routes, sourceKind } from './kind.ts';
import type { SpecSource } from './source.ts';

/**
 * The resources that the cluster must serve for a source, except those built into Kubernetes: `plural.version.group`.
 */
export function neededFor({ kind, resources = [] }: SpecSource, { extraArgs }: { extraArgs: string[] }): string[] {
  const sets = routes.includes(kind) && hasListenerSets(extraArgs) ? [resourceName(listenerSets)] : [];
  // The core group, which has no name, is always served.
  const chosen = resources.filter((resource) => resource.split('.').length > 2);
  return [...(sourceKind(kind).resources ?? []), ...sets, ...chosen];
}

/** A kind that cannot be discovered, because the cluster does not serve a resource that ExternalDNS watches. */
export type Missing = NonNullable<Report['discovery']['missing']>[number];

/** The missing resources that any agent reports. */
export function missingIn(reports: (Report | undefined)[]): Missing[] {
  const all = reports.flatMap((report) => report?.discovery.missing ?? []);
  return all.filter(
    (one, index) => all.findIndex(({ kind, resource }) => kind === one.kind && resource === one.resource) === index,
  );
}

/** The sources that ExternalDNS watches, with its name for each. */
export const watchedByExternalDNS = (sources: readonly SpecSource[]): (SpecSource & { flag: string })[] =>
  sources.flatMap((source) => {
    const { flag } = sourceKind(source.kind);
    return flag === undefined ? [] : [{ ...source, flag }];
  });

/** The sources that can be watched: ExternalDNS exits if one of its own is not served. */
export function servedOf(sources: SpecSource[], missing: Missing[]): SpecSource[] {
  return sources.flatMap((source) => {
    const unserved = missing.filter(({ kind }) => kind === source.kind).map(({ resource }) => resource);
    if (unserved.length === 0) return [source];
    const resources = source.resources?.filter((resource) => !unserved.includes(resource)) ?? [];
    return resources.length > 0 ? [{ ...source, resources }] : [];
  });
}
