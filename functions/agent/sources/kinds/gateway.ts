import { annotationsOf, foreignAnnotation, givenTargets, type SourceFilters } from './annotation.ts';
import { type Listener, type ListenerObject, listenerOf } from './listener.ts';
import { type List, type Metadata, targetsOf } from './metadata.ts';

export interface GatewayObject {
  metadata: Metadata;
  spec?: { listeners?: List<ListenerObject> };
  status?: { addresses?: List<{ value?: string }> };
}

/** What routes get from a Gateway. */
export interface Gateway {
  targets: readonly string[];
  listeners: readonly Listener[];
  /** The annotation that leaves it to another controller, with its routes. */
  foreign?: string;
}

export function gatewayOf(
  { metadata, spec, status }: GatewayObject,
  filters: Pick<SourceFilters, 'annotationPrefix'>,
): Gateway {
  const annotations = annotationsOf(metadata, filters);
  const foreign = foreignAnnotation(metadata, filters);
  if (foreign !== undefined) return { targets: [], listeners: [], foreign };
  const given = givenTargets(annotations);
  const addresses = (status?.addresses ?? []).map(({ value = '' }) => value);
  return {
    targets: targetsOf(given.length > 0 ? given : addresses),
    listeners: (spec?.listeners ?? []).map(listenerOf),
  };
}
