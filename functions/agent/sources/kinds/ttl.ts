import { excerpt } from '../../../dns/rdata/field.ts';
import type { SourceObject } from '../source-object.ts';

/** Of Go's durations, longest first where one begins another. Seconds. */
const units: Readonly<Record<string, number>> = {
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ns: 1e-9,
  h: 3600,
  m: 60,
  s: 1,
};
const part = `(\\d+(?:\\.\\d*)?|\\.\\d+)(${Object.keys(units).join('|')})`;
const duration = new RegExp(`^\\+?(?:${part})+$`);

/**
 * What an annotation says of the time to live, `300` or `5m`, in seconds; undefined for what ExternalDNS takes for none.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/annotations/processors.go (TTLFromAnnotations)
 */
export function ttlIn(text: string | undefined): number | undefined {
  const ttl = Math.trunc(text === undefined ? 0 : /^\+?\d+$/.test(text) ? Number(text) : durationIn(text));
  return ttl >= 1 && ttl < 2 ** 31 ? ttl : undefined;
}

/** What an annotation says of it, or the text that ExternalDNS does not understand. */
export type StatedTTL = Pick<SourceObject, 'ttl' | 'unreadTTL'>;

export function statedTTL(text: string | undefined): StatedTTL {
  if (text === undefined) return {};
  const ttl = ttlIn(text);
  return ttl === undefined ? { unreadTTL: excerpt(text) } : { ttl };
}

function durationIn(text: string): number {
  if (!duration.test(text)) return 0;
  return [...text.matchAll(new RegExp(part, 'g'))].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0),
    0,
  );
}
