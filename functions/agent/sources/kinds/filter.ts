import type { DeclaredSource } from '../../../contract/declaration.ts';
import { foreignAnnotation, ofUsualPrefix, type SourceFilters } from './annotation.ts';
import type { Metadata } from './metadata.ts';
import { unmetIn } from './unmet-selector.ts';

/** Why an object is left out whatever its kind, in words; undefined when it is not. */
export function filterReason(metadata: Metadata, filters: SourceFilters): string | undefined {
  const foreign = foreignAnnotation(metadata, filters);
  if (foreign !== undefined) return `the annotation ${foreign} gives it to another controller: ${taking}`;
  return unselected(metadata, filters);
}

/** The same where ExternalDNS does not ask whose controller it is. */
export function unselected(metadata: Metadata, filters: SourceFilters): string | undefined {
  const { selector = {}, annotationSelector = {} } = filters;
  const label = unmetIn(selector, metadata.labels ?? {});
  if (label !== undefined)
    return `discovery.selector (${label}) leaves it out: give it labels that match, or change that field`;
  const annotation = unmetIn(annotationSelector, ofUsualPrefix(metadata, filters));
  if (annotation === undefined) return undefined;
  return `discovery.annotationSelector (${annotation}) leaves it out: give it annotations that match, or change that field`;
}

/** Why hosts that only annotations name are left out. */
export const annotationsIgnored =
  'discovery.hostnames is Spec, so that names in annotations do not count: write the host into the spec, or change that field';

/** What to do with an annotation that gives something to another controller. */
export const taking = 'remove it, or set it to dns-controller';

/** A field of one source, as it stands in the spec. */
export const fieldOf = ({ kind }: Pick<DeclaredSource, 'kind'>, field: keyof DeclaredSource) =>
  `discovery.sources[${kind}].${field}`;
