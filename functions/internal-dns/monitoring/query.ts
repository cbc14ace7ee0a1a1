import { instanceLabel } from './pod-monitor.ts';

// PromQL of the dashboard. Grafana replaces $internaldns and $__rate_interval.

export const series = (metric: string, matchers = '') => `${metric}{${instanceLabel}="$${instanceLabel}"${matchers}}`;
export const rate = (metric: string, matchers = '') => `rate(${series(metric, matchers)}[$__rate_interval])`;
export const sumOfRates = (metric: string) => `sum(${rate(metric)})`;
export const share = (part: string, rest: string) =>
  `${sumOfRates(part)} / (${sumOfRates(part)} + ${sumOfRates(rest)})`;
export const quantile = (share: number, metric: string, by = '', matchers = '') =>
  `histogram_quantile(${share}, sum by (le${by}) (${rate(`${metric}_bucket`, matchers)}))`;
