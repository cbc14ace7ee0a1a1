import { instanceLabel } from './pod-monitor.ts';

/** What somebody is told when `expr` has had a value for as long as `for` says. */
export interface Alert {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}

/** What differs between alerts. */
export interface Sketch extends Pick<Alert, 'alert' | 'expr' | 'for'> {
  severity: 'critical' | 'warning';
  summary: string;
  description: string;
}

/** `metric{internaldns="corp",...}`; several values of a label are alternatives. */
export const selectorOf =
  (composite: string) =>
  (metric: string, matchers: Record<string, readonly string[]> = {}): string => {
    const more = Object.entries(matchers).map(([label, values]) => `,${label}=~"${values.join('|')}"`);
    return `${metric}{${instanceLabel}="${composite}"${more.join('')}}`;
  };
