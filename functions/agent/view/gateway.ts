import { annotationsOf, givenTargets, isForeign, type Reading } from './annotation.ts';
import { hostsOf, type List, type Metadata, targetsOf } from './metadata.ts';

export interface GatewayObject {
  metadata: Metadata;
  spec?: { listeners?: List<{ name: string; hostname?: string; port?: number }> };
  status?: { addresses?: List<{ value?: string }> };
}

/** What routes get from a Gateway. */
export interface Gateway {
  targets: readonly string[];
  listeners: readonly Listener[];
}

export interface Listener {
  section: string;
  port?: number;
  /** Absolute; empty when it takes every host. */
  host: string;
}

/** Undefined for one that is left to another controller. */
export function gatewayOf(
  { metadata, spec, status }: GatewayObject,
  reading: Pick<Reading, 'annotationPrefix'>,
): Gateway | undefined {
  const annotations = annotationsOf(metadata, reading);
  if (isForeign(annotations)) return undefined;
  const given = givenTargets(annotations);
  const addresses = (status?.addresses ?? []).map(({ value = '' }) => value);
  return {
    targets: targetsOf(given.length > 0 ? given : addresses),
    listeners: (spec?.listeners ?? []).map(({ name, hostname = '', port }) => {
      return { section: name, host: hostsOf([hostname])[0] ?? '', ...(port !== undefined && { port }) };
    }),
  };
}
