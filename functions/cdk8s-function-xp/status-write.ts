import type { KubernetesObject } from './composition.ts';
import { isPlainObject } from './json.ts';

/** As which Crossplane applies a composite's status. */
const fieldManager = 'apiextensions.crossplane.io/composite';

/**
 * Whether Crossplane writes the composite before its conditions; then these wait for the next reconcile. It applies the status
 * with the conditions that it has read, and afterwards updates these. What it writes first makes it reconcile again before its
 * cache has the update: it would take the new conditions back, time and again, until its circuit breaker opens.
 * https://github.com/crossplane/crossplane/issues/7062
 */
export const writesStatusFirst = (composite: KubernetesObject, desired: unknown): boolean =>
  isReplaced(composite.status, desired) || !ownsConditions(composite);

/** Whether a part that both have differs: what only one has may be what the schema of an older package never lets in. */
function isReplaced(current: unknown, desired: unknown): boolean {
  if (current === undefined || desired === undefined) return false;
  if (Array.isArray(current) && Array.isArray(desired)) {
    return current.length !== desired.length || current.some((each, index) => isReplaced(each, desired[index]));
  }
  if (isPlainObject(current) && isPlainObject(desired)) {
    return Object.keys(current).some((key) => isReplaced(current[key], desired[key]));
  }
  return current !== desired;
}

/** An update takes fields from those who applied them; applying them again writes nothing but that they own these as well. */
function ownsConditions({ metadata, status }: KubernetesObject): boolean {
  const applied = metadata.managedFields?.find((by) => by.manager === fieldManager && by.subresource === 'status');
  const owned = applied?.fieldsV1?.['f:status']?.['f:conditions'];
  const conditions: Record<string, unknown>[] = status?.conditions ?? [];
  return (
    applied === undefined ||
    conditions.every((condition) => {
      const fields = owned?.[`k:${JSON.stringify({ type: condition.type })}`];
      return Object.keys(condition).every((field) => fields?.[`f:${field}`] !== undefined);
    })
  );
}
