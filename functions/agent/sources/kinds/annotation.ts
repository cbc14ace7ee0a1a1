import type { DeclaredDiscovery } from '../../../contract/declaration.ts';
import {
  annotationPrefix as defaultPrefix,
  legacyAnnotationPrefix as legacyPrefix,
} from '../../../contract/source-kinds.ts';
import type { Metadata } from './metadata.ts';

/** What the declaration says of objects of every kind. */
export type SourceFilters = Pick<
  DeclaredDiscovery,
  'annotationPrefix' | 'annotationSelector' | 'hostnames' | 'selector'
>;

/** The value of an annotation by its name behind the prefix, such as `hostname`. */
export type Annotations = (name: string) => string | undefined;

export function annotationsOf(
  { annotations = {} }: Metadata,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
) {
  return (name: string) => {
    if (annotationPrefix !== undefined) return valueAt(annotations, annotationPrefix + name);
    return valueAt(annotations, defaultPrefix + name) ?? valueAt(annotations, legacyPrefix + name);
  };
}

/**
 * A list in an annotation, with blanks wherever its author put them. Go trims U+0085, too: a host that ExternalDNS reads
 * and that is not seen here would be merged into somebody else's answer.
 */
export const listIn = (text: string | undefined) =>
  text === undefined
    ? []
    : text
        .replaceAll(/[ \u0085]/g, '')
        .trim()
        .split(',');

/** As Go's strings.ToLower, which makes one letter of a dotted capital I. */
export const lowerCase = (text: string | undefined) => text?.replaceAll('\u0130', 'i').toLowerCase();

/** What replaces the targets that an object has by itself; an empty annotation replaces nothing. */
export const givenTargets = (annotations: Annotations) => listIn(annotations('target') || undefined);

/** The annotation that leaves an object to another controller than ExternalDNS, if one does. */
export function foreignAnnotation(
  { annotations = {} }: Metadata,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
): string | undefined {
  const prefixes = annotationPrefix === undefined ? [defaultPrefix, legacyPrefix] : [annotationPrefix];
  const key = prefixes.map((each) => `${each}controller`).find((each) => valueAt(annotations, each) !== undefined);
  return key !== undefined && valueAt(annotations, key) !== 'dns-controller' ? key : undefined;
}

/** Annotations as a selector sees them: to it, too, the old prefix looks like the new one. */
export function ofUsualPrefix(
  { annotations = {} }: Metadata,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
): Record<string, string> {
  if (annotationPrefix !== undefined) return annotations;
  const legacy = Object.entries(annotations).filter(([key]) => key.startsWith(legacyPrefix));
  const renamed = legacy.map(([key, value]) => [defaultPrefix + key.slice(legacyPrefix.length), value]);
  return { ...Object.fromEntries(renamed), ...annotations };
}

/** A key such as `constructor` is one that every object inherits. */
export const valueAt = (annotations: Record<string, string>, key: string) =>
  Object.hasOwn(annotations, key) ? annotations[key] : undefined;
