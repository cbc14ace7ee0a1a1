/** The fields used of Grafana's panels: https://grafana.com/docs/grafana/latest/panels-visualizations/ */
export interface Panel {
  id: number;
  type: 'stat' | 'timeseries';
  title: string;
  description: string;
  datasource: typeof datasource;
  gridPos: GridPos;
  targets: Target[];
  fieldConfig: { defaults: { unit: string; [field: string]: unknown }; overrides: never[] };
  options: object;
}

/** In the grid's 24 columns, and rows of 30 pixels. */
export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Target {
  refId: string;
  datasource: typeof datasource;
  expr: string;
  legendFormat: string;
  /** The scrape interval: $__rate_interval is at least four times as long. */
  interval: string;
}

/** The data source that the dashboard's variable selects. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/** The part of a panel that is its own. */
export interface PanelSpec {
  title: string;
  description: string;
  /** A unit of Grafana: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit: 's' | 'reqps' | 'percentunit' | 'bytes' | 'short' | 'none';
  /** PromQL by legend. Grafana replaces `{{label}}` in the legend with the value of that label. */
  queries: Record<string, string>;
}

type Unplaced = Omit<Panel, 'id' | 'gridPos' | 'targets'> & { targets: Omit<Target, 'interval'>[] };

const targetsOf = (queries: PanelSpec['queries']): Unplaced['targets'] =>
  Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr,
    legendFormat,
  }));

const common = ({ title, description, queries }: PanelSpec) => ({
  title,
  description,
  datasource,
  targets: targetsOf(queries),
});

export const timeSeries = (spec: PanelSpec): Unplaced => ({
  ...common(spec),
  type: 'timeseries',
  fieldConfig: {
    defaults: {
      unit: spec.unit,
      min: 0,
      color: { mode: 'palette-classic' },
      custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, showPoints: 'never', spanNulls: false },
    },
    overrides: [],
  },
  options: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
});

type Color = 'green' | 'orange' | 'red' | 'blue';

/** Each colour with the least value that it applies to, in ascending order. */
type Thresholds = readonly [[null, Color], ...[number, Color][]];

/** A single value. `texts` replace values. */
export const stat = (spec: PanelSpec, thresholds: Thresholds, texts: Record<string, string> = {}): Unplaced => ({
  ...common(spec),
  type: 'stat',
  fieldConfig: {
    defaults: {
      unit: spec.unit,
      color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps: thresholds.map(([value, color]) => ({ value, color })) },
      mappings: Object.entries(texts).map(([value, text]) => ({ type: 'value', options: { [value]: { text } } })),
    },
    overrides: [],
  },
  options: {
    colorMode: 'value',
    graphMode: 'none',
    textMode: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  },
});

const columns = 24;

/** Stacks the rows, and gives the panels of a row equal widths. */
export function layOut(rows: readonly { height: number; panels: readonly Unplaced[] }[], interval: string): Panel[] {
  let y = 0;
  let id = 0;
  return rows.flatMap(({ height, panels }) => {
    const w = columns / panels.length;
    const row = panels.map((panel, index) => {
      id += 1;
      const targets = panel.targets.map((target) => ({ ...target, interval }));
      return { id, ...panel, targets, gridPos: { x: index * w, y, w, h: height } };
    });
    y += height;
    return row;
  });
}
