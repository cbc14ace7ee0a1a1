import type { Report } from '../../contract/report.ts';
import { listenerSets, resourceName } from '../../contract/source-kinds.ts';
import { routes, sourceKind } from './kind.ts';
import type { SpecSource } from './source.ts';

/** What the cluster has to serve for a source beyond Kubernetes' own kinds: `plural.version.group`. */
export function neededFor({ kind, resources = [] }: SpecSource, { extraArgs }: { extraArgs: string[] }): string[] {
  const sets =
    routes.includes(kind) && extraArgs.includes('--gateway-listener-sets') ? [resourceName(listenerSets)] : [];
  // The core group, which has no name, is always served.
  const chosen = resources.filter((resource) => resource.split('.').length > 2);
  return [...(sourceKind(kind).resources ?? []), ...sets, ...chosen];
}

/** Kinds of which nothing is heard, because the cluster does not serve what ExternalDNS watches. */
export type Missing = NonNullable<Report['discovery']['missing']>[number];

/** What any of the agents finds missing. */
export function missingIn(reports: (Report | undefined)[]): Missing[] {
  const all = reports.flatMap((report) => report?.discovery.missing ?? []);
  return all.filter(
    (one, index) => all.findIndex(({ kind, resource }) => kind === one.kind && resource === one.resource) === index,
  );
}

/** The sources that ExternalDNS can watch: it ends when one of them is not served. */
export function servedOf(sources: SpecSource[], missing: Missing[]): SpecSource[] {
  return sources.flatMap((source) => {
    const lacking = missing.filter(({ kind }) => kind === source.kind).map(({ resource }) => resource);
    if (lacking.length === 0) return [source];
    const resources = source.resources?.filter((resource) => !lacking.includes(resource)) ?? [];
    return resources.length > 0 ? [{ ...source, resources }] : [];
  });
}
