/** Metadata for test objects, and source objects as one line of text. */

import type { SourceFilters } from '../../../../functions/agent/sources/kinds/annotation.ts';
import type { SourceObject } from '../../../../functions/agent/sources/source-object.ts';

export const both: SourceFilters = { hostnames: 'SpecAndAnnotations' };

export const metadata = (annotations: Record<string, string> = {}) => ({
  namespace: 'shop',
  name: 'web',
  uid: '5e9c2c54-0f6d-4f0e-8a8f-5b3b1b0f3a11',
  creationTimestamp: '2026-11-21T08:00:00Z',
  annotations,
});

/** Annotations by their names without the prefix. */
export const annotated = (values: Record<string, string>) =>
  metadata(Object.fromEntries(Object.entries(values).map(([k, v]) => [`external-dns.kubernetes.io/${k}`, v])));

/** Hosts and targets in one line, `a. b. > 192.0.2.1`, and after it `| c. left out: why`. */
export function lineOf(sourceObjects: readonly SourceObject[]): string {
  return sourceObjects.map(partOf).join(' | ') || 'no claim';
}

const partOf = ({ hosts, targets, filteredBy }: SourceObject) =>
  `${hosts.join(' ')}${filteredBy === undefined ? ` > ${targets ? targets.join(' ') || 'none' : 'unknown'}` : ` left out: ${filteredBy}`}`;
