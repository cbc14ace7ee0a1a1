import { type Html, html } from './html.ts';

/** `5,000` */
export const formatNumber = (value: number) => value.toLocaleString('en');

export const pluralize = (value: number, noun: string) => `${formatNumber(value)} ${noun}${value === 1 ? '' : 's'}`;

/** @param ms since 1970; shown in UTC, in whole seconds */
export function formatTime(ms: number): Html {
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 19)}</time>`;
}

/** `1.8 s`, `45 s`, `12 min` */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 119_500) return `${Math.round(ms / 1000)} s`;
  return `${formatNumber(Math.round(ms / 60_000))} min`;
}

/** By the nearest-rank method. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}
