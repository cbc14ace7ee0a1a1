import type { DeclaredSource } from '../../../contract/declaration.ts';
import { type LabelSelector, matchesSelector } from '../../../contract/label-selector.ts';
import type { Labels, ObjectMeta } from '../../kubernetes/object.ts';
import { shortList } from '../../lib/short-list.ts';
import { foreignAnnotation, type SourceFilters, selectableAnnotations } from './annotation.ts';

/** Returns why a filter that applies to every kind drops an object; undefined if none does. */
export function filterReason(metadata: ObjectMeta, filters: SourceFilters): string | undefined {
  const foreign = foreignAnnotation(metadata, filters);
  if (foreign !== undefined) return `the annotation ${foreign} assigns it to another controller: ${controllerCure}`;
  return selectorReason(metadata, filters);
}

/** The same for kinds of which ExternalDNS ignores the controller annotation. */
export function selectorReason(metadata: ObjectMeta, filters: SourceFilters): string | undefined {
  const { selector = {}, annotationSelector = {} } = filters;
  const label = unmetRequirement(selector, metadata.labels ?? {});
  if (label !== undefined)
    return `discovery.selector (${label}) does not match: add matching labels, or change that field`;
  const annotation = unmetRequirement(annotationSelector, selectableAnnotations(metadata, filters));
  if (annotation === undefined) return undefined;
  return `discovery.annotationSelector (${annotation}) does not match: add matching annotations, or change that field`;
}

/** Why hosts that are only in annotations are dropped. */
export const annotationsIgnored =
  'discovery.hostnames is Spec, so names in annotations are ignored: write the host into the spec, or change that field';

/** What to do about an annotation that assigns an object to another controller. */
export const controllerCure = 'remove it, or set it to dns-controller';

/** Path of a source's field in the spec. */
export const fieldOf = ({ kind }: Pick<DeclaredSource, 'kind'>, field: keyof DeclaredSource) =>
  `discovery.sources[${kind}].${field}`;

/** Returns the first requirement that labels, or annotations, do not meet, for a message; undefined if they meet all. */
export function unmetRequirement(selector: LabelSelector, labels: Labels): string | undefined {
  if (matchesSelector(selector, labels)) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const label = Object.entries(matchLabels).find(
    ([key, value]) => !matchesSelector({ matchLabels: { [key]: value } }, labels),
  );
  if (label) return shortList([label.join('=')]);
  const expression = matchExpressions.find((one) => !matchesSelector({ matchExpressions: [one] }, labels));
  return expression && shortList([printed(expression)]);
}

/** In the syntax of kubectl's `-l` and ExternalDNS's flags. */
function printed({ key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number]): string {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
}
