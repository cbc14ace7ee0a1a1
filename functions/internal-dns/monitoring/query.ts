import { instanceLabel } from './pod-monitor.ts';

// PromQL of the dashboard. What begins with a dollar sign Grafana fills in.

export const of = (metric: string, matchers = '') => `${metric}{${instanceLabel}="$${instanceLabel}"${matchers}}`;
export const rate = (metric: string, matchers = '') => `rate(${of(metric, matchers)}[$__rate_interval])`;
export const sumOfRates = (metric: string) => `sum(${rate(metric)})`;
export const share = (part: string, rest: string) =>
  `${sumOfRates(part)} / (${sumOfRates(part)} + ${sumOfRates(rest)})`;
export const quantile = (share: number, metric: string, by = '', matchers = '') =>
  `histogram_quantile(${share}, sum by (le${by}) (${rate(`${metric}_bucket`, matchers)}))`;
