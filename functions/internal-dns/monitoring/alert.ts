import { instanceLabel } from './pod-monitor.ts';

/** An alerting rule: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
export interface Alert {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}

/** The part of an alert that is its own. */
export interface AlertSpec extends Pick<Alert, 'alert' | 'expr' | 'for'> {
  severity: 'critical' | 'warning';
  summary: string;
  description: string;
}

/** Selects series of one instance: `metric{internaldns="corp",state=~"Stalled|Blind"}`. */
export const selectorOf =
  (composite: string) =>
  (metric: string, matchers: Record<string, readonly string[]> = {}): string => {
    const more = Object.entries(matchers).map(([label, values]) => `,${label}=~"${values.join('|')}"`);
    return `${metric}{${instanceLabel}="${composite}"${more.join('')}}`;
  };
