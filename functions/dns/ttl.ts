import { excerpt } from './rdata/field.ts';

/** Seconds: RFC 2181 section 8. */
export const maxTTL = 2147483647;

export const isTTL = (seconds: number) => Number.isInteger(seconds) && seconds >= 0 && seconds <= maxTTL;

const unitSeconds: Record<string, number> = { w: 604800, d: 86400, h: 3600, m: 60, s: 1 };

/** Parses a TTL of a zone file, in seconds or BIND's units: `3600`, `1h30m`. Throws if it is invalid. */
export function parseTTL(text: string, what = 'TTL'): number {
  const seconds = secondsOf(text);
  if (seconds <= maxTTL) return seconds;
  throw new Error(`not a ${what} in seconds (0 to ${maxTTL}) or like 1h30m: ${excerpt(text)}`);
}

/** NaN for any other text. */
function secondsOf(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,10}[wdhms]){1,5}$/i.test(text)) return Number.NaN;
  const parts = text.toLowerCase().match(/\d+[wdhms]/gy) ?? [];
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * (unitSeconds[part.at(-1) ?? ''] ?? 0), 0);
}
