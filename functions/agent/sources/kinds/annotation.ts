import type { DeclaredDiscovery } from '../../../contract/declaration.ts';
import {
  annotationPrefix as defaultPrefix,
  legacyAnnotationPrefix as legacyPrefix,
} from '../../../contract/source-kinds.ts';
import { parseDuration } from '../../../dns/duration.ts';
import { excerpt } from '../../../dns/rdata/field.ts';
import type { ObjectMeta } from '../../kubernetes/object.ts';
import type { SourceObject } from '../source-object.ts';

/** Filters of the declaration that apply to objects of every kind. */
export type SourceFilters = Pick<
  DeclaredDiscovery,
  'annotationPrefix' | 'annotationSelector' | 'hostnames' | 'selector'
>;

/** Returns the value of an annotation by its name without the prefix, such as `hostname`. */
export type Annotations = (name: string) => string | undefined;

export function annotationsOf(
  { annotations = {} }: ObjectMeta,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
): Annotations {
  return (name) => {
    if (annotationPrefix !== undefined) return valueAt(annotations, annotationPrefix + name);
    return valueAt(annotations, defaultPrefix + name) ?? valueAt(annotations, legacyPrefix + name);
  };
}

/**
 * Splits a comma-separated annotation, ignoring blanks. Go also trims U+0085: a host that ExternalDNS reads and the agent
 * does not would be merged into another object's record.
 */
export const listIn = (text: string | undefined) =>
  text === undefined
    ? []
    : text
        .replaceAll(/[ \u0085]/g, '')
        .trim()
        .split(',');

/** Like Go's strings.ToLower, which maps a dotted capital I to one letter. */
export const lowerCase = (text: string | undefined) => text?.replaceAll('\u0130', 'i').toLowerCase();

/** Returns the targets that replace those of the object, without their last dots; an empty annotation replaces nothing. */
export const annotatedTargets = (annotations: Annotations) =>
  listIn(annotations('target') || undefined).map((target) => target.replace(/\.$/, ''));

/** Returns the annotation that assigns an object to another controller than ExternalDNS, if one does. */
export function foreignAnnotation(
  { annotations = {} }: ObjectMeta,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
): string | undefined {
  const prefixes = annotationPrefix === undefined ? [defaultPrefix, legacyPrefix] : [annotationPrefix];
  const key = prefixes.map((each) => `${each}controller`).find((each) => valueAt(annotations, each) !== undefined);
  return key !== undefined && valueAt(annotations, key) !== 'dns-controller' ? key : undefined;
}

/** Returns annotations as an annotation selector matches them: those of the legacy prefix also count under the new one. */
export function selectableAnnotations(
  { annotations = {} }: ObjectMeta,
  { annotationPrefix }: Pick<SourceFilters, 'annotationPrefix'>,
): Record<string, string> {
  if (annotationPrefix !== undefined) return annotations;
  const legacy = Object.entries(annotations).filter(([key]) => key.startsWith(legacyPrefix));
  const renamed = legacy.map(([key, value]) => [defaultPrefix + key.slice(legacyPrefix.length), value]);
  return { ...Object.fromEntries(renamed), ...annotations };
}

/** Ignores inherited members: an annotation may be called `constructor`. */
export const valueAt = (annotations: Record<string, string>, key: string) =>
  Object.hasOwn(annotations, key) ? annotations[key] : undefined;

/** The TTL of an annotation, or its text if ExternalDNS cannot parse it. */
export type AnnotatedTTL = Pick<SourceObject, 'ttl' | 'invalidTTL'>;

export function annotatedTTL(annotations: Annotations): AnnotatedTTL {
  const text = annotations('ttl');
  if (text === undefined) return {};
  const ttl = parseTTL(text);
  return ttl === undefined ? { invalidTTL: excerpt(text) } : { ttl };
}

/**
 * Returns the seconds of a TTL such as `300` or `5m`; undefined for what ExternalDNS ignores.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/annotations/processors.go (TTLFromAnnotations)
 */
export function parseTTL(text: string): number | undefined {
  const ttl = Math.trunc(/^\+?\d+$/.test(text) ? Number(text) : parseDuration(text, 'go', 's'));
  return ttl >= 1 && ttl < 2 ** 31 ? ttl : undefined;
}
