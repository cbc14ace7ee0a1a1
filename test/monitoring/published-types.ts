/** The types that the Prometheus operator and Grafana publish, as the types of JSON literals. */
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Options as StatOptions } from '@grafana/grafana-foundation-sdk/stat';
import type { FieldConfig, Options as TimeSeriesOptions } from '@grafana/grafana-foundation-sdk/timeseries';

export type { IPodMonitor as PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
export type { IPrometheusRule as PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';

/** Replaces string enums by their values: a literal such as "list" is not assignable to an enum. */
type JSONOf<T> = T extends string ? `${T}` : T extends object ? { [Key in keyof T]: JSONOf<T[Key]> } : T;

type DeepPartial<T> = T extends string ? T : { [Key in keyof T]?: DeepPartial<T[Key]> };

/** Grafana's type of a panel leaves what belongs to plugins open: `options`, `custom` and the queries. */
interface PanelOf<Type, Options, Custom> extends Omit<dashboard.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  type: Type;
  /** Grafana fills in its defaults for absent options. */
  options: DeepPartial<Options>;
  fieldConfig: {
    defaults: Omit<dashboard.FieldConfig, 'custom'> & { custom?: Custom };
    overrides: dashboard.FieldConfigSource['overrides'];
  };
  targets: Omit<Dataquery, '_implementsDataqueryVariant'>[];
}

interface Variable extends Omit<dashboard.VariableModel, 'current'> {
  /** Empty without a selection: https://github.com/grafana/grafana/blob/v12.0.0/packages/grafana-data/src/types/templateVars.ts */
  current?: dashboard.VariableOption | Record<string, never>;
}

export type Dashboard = JSONOf<
  Omit<dashboard.Dashboard, 'panels' | 'templating'> & {
    panels: (PanelOf<'stat', StatOptions, never> | PanelOf<'timeseries', TimeSeriesOptions, FieldConfig>)[];
    templating: { list: Variable[] };
  }
>;
