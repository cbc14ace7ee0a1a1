import { type Html, html } from './html.ts';

/** `5,000` */
export const count = (value: number) => value.toLocaleString('en');

export const plural = (value: number, noun: string) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** @param ms milliseconds since 1970; people read it in UTC, to the second */
export function timeOf(ms: number): Html {
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 19)}</time>`;
}

/** @param ms milliseconds: `1.8 s`, `45 s`, `12 min` */
export function durationOf(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 119_500) return `${Math.round(ms / 1000)} s`;
  return `${count(Math.round(ms / 60_000))} min`;
}

/** The least of the values that as many per cent are not above (nearest rank). */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}
