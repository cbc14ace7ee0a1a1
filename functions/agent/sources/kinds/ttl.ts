import { parseDuration } from '../../../dns/duration.ts';
import { excerpt } from '../../../dns/rdata/field.ts';
import type { SourceObject } from '../source-object.ts';

/**
 * What an annotation says of the time to live, `300` or `5m`, in seconds; undefined for what ExternalDNS takes for none.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/annotations/processors.go (TTLFromAnnotations)
 */
export function ttlIn(text: string | undefined): number | undefined {
  const ttl = Math.trunc(secondsIn(text ?? ''));
  return ttl >= 1 && ttl < 2 ** 31 ? ttl : undefined;
}

const secondsIn = (text: string) => (/^\+?\d+$/.test(text) ? Number(text) : parseDuration(text, 'go', 's'));

/** What an annotation says of it, or the text that ExternalDNS does not understand. */
export type StatedTTL = Pick<SourceObject, 'ttl' | 'unreadTTL'>;

export function statedTTL(text: string | undefined): StatedTTL {
  if (text === undefined) return {};
  const ttl = ttlIn(text);
  return ttl === undefined ? { unreadTTL: excerpt(text) } : { ttl };
}
