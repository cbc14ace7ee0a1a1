/** As much of Grafana's panels as is used: https://grafana.com/docs/grafana/latest/panels-visualizations/ */
export interface Panel {
  id: number;
  type: 'stat' | 'timeseries';
  title: string;
  description: string;
  datasource: typeof datasource;
  gridPos: Place;
  targets: Target[];
  fieldConfig: { defaults: { unit: string; [field: string]: unknown }; overrides: never[] };
  options: object;
}

/** Of the grid's 24 columns, and rows of 30 pixels. */
export interface Place {
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
  /** How often there is a value: Grafana looks at rates over at least four of them. */
  interval: string;
}

/** A variable of the dashboard: whoever looks at it chooses. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

export interface Sketch {
  title: string;
  description: string;
  /** Grafana's: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  unit: 's' | 'reqps' | 'percentunit' | 'bytes' | 'short' | 'none';
  /** PromQL by legend, in which `{{label}}` stands for the value of a label. */
  queries: Record<string, string>;
}

type Unplaced = Omit<Panel, 'id' | 'gridPos' | 'targets'> & { targets: Omit<Target, 'interval'>[] };

const targetsOf = (queries: Sketch['queries']): Unplaced['targets'] =>
  Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr,
    legendFormat,
  }));

const common = ({ title, description, queries }: Sketch) => ({
  title,
  description,
  datasource,
  targets: targetsOf(queries),
});

export const timeSeries = (sketch: Sketch): Unplaced => ({
  ...common(sketch),
  type: 'timeseries',
  fieldConfig: {
    defaults: {
      unit: sketch.unit,
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

/** Colours from a value on, the least first. */
type Steps = readonly [[null, Color], ...[number, Color][]];

/** One figure. `texts` stand for values. */
export const figure = (sketch: Sketch, steps: Steps, texts: Record<string, string> = {}): Unplaced => ({
  ...common(sketch),
  type: 'stat',
  fieldConfig: {
    defaults: {
      unit: sketch.unit,
      color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps: steps.map(([value, color]) => ({ value, color })) },
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

/** Places rows one below the other, the panels of each evenly. */
export function placed(rows: readonly { height: number; panels: readonly Unplaced[] }[], interval: string): Panel[] {
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
