/** Draws a dashboard as an HTML page with an SVG: its panels, layout, titles and units. Pure. */
import type { Dashboard } from '../../functions/internal-dns/monitoring/dashboard.ts';
import type { GridPos, Panel } from '../../functions/internal-dns/monitoring/panel.ts';
import type { Sample } from './prometheus.ts';
import { inUnit } from './unit.ts';

export interface Line {
  legend: string;
  samples: Sample[];
}

/** Pixels of a grid cell. As in Grafana the height is fixed; there the width follows the window. */
const cell = { width: 50, height: 30 };
const gap = 8;
const colors = ['#2f7ed8', '#e0752d', '#3f9142', '#b8476b', '#7d54b2', '#0f8b8d', '#a67c00', '#6b7280'];
const named: Record<string, string> = { green: '#2c8a3a', orange: '#d9730d', red: '#c4162a', blue: '#1f60c4' };

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** `lines` are by the id of the panel. */
export function pageOf(dashboard: Dashboard, lines: ReadonlyMap<number, Line[]>): { html: string; height: number } {
  const top = 44;
  const height = top + Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h)) * cell.height + gap;
  const panels = dashboard.panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const draw = panel.type === 'stat' ? stat : timeSeries;
    return `<g transform="translate(${x * cell.width + gap / 2} ${y * cell.height + top})">${frame(panel)}${draw(panel, lines.get(panel.id) ?? [], sizeOf({ x, y, w, h }))}</g>`;
  });
  const width = 24 * cell.width + gap;
  const title = `<text x="12" y="28" font-size="18" font-weight="600">${escaped(dashboard.title)}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="Liberation Sans, Arial, sans-serif" fill="#24292e">
<rect width="100%" height="100%" fill="#f4f5f5"/>${title}${panels.join('\n')}</svg>`;
  return { html: `<!doctype html><style>body{margin:0}</style>${svg}`, height };
}

const sizeOf = ({ w, h }: GridPos) => ({ width: w * cell.width - gap, height: h * cell.height - gap });
type Size = ReturnType<typeof sizeOf>;

function frame({ title, gridPos }: Panel): string {
  const { width, height } = sizeOf(gridPos);
  return `<rect width="${width}" height="${height}" rx="3" fill="#fff" stroke="#d8d9da"/><text x="10" y="20" font-size="13" font-weight="600">${escaped(title)}</text>`;
}

interface Thresholds {
  steps: { value: number | null; color: string }[];
}
type Mappings = { options: Record<string, { text: string }> }[];

function stat({ fieldConfig: { defaults } }: Panel, lines: Line[], { width, height }: Size): string {
  const value = Number(lines[0]?.samples.at(-1)?.[1]);
  const { steps } = defaults.thresholds as Thresholds;
  const color = steps.findLast((step) => step.value === null || value >= step.value)?.color ?? 'blue';
  const text = (defaults.mappings as Mappings).map(({ options }) => options[`${value}`]?.text).find(Boolean);
  const shown = text ?? (Number.isFinite(value) ? inUnit(value, defaults.unit) : 'No data');
  return `<text x="${width / 2}" y="${height / 2 + 22}" text-anchor="middle" font-size="34" font-weight="600" fill="${named[color]}">${escaped(shown)}</text>`;
}

function timeSeries({ fieldConfig: { defaults } }: Panel, lines: Line[], size: Size): string {
  const plot = { left: 62, top: 32, width: size.width - 76, height: size.height - 32 - 46 };
  const points = lines.map(({ samples }) =>
    samples.map(([time, value]) => [time, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
  );
  const all = points.flat();
  if (all.length === 0) {
    return `<text x="${size.width / 2}" y="${size.height / 2}" text-anchor="middle" font-size="13" fill="#6b7280">No data</text>`;
  }
  const times = all.map(([time]) => time);
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const peak = Math.max(...all.map(([, value]) => value));
  const step = niceStep(peak, defaults.unit === 'bytes' ? 2 ** 20 : 1);
  const max = Math.max(1, Math.ceil(peak / step)) * step;
  const x = (time: number) => plot.left + ((time - start) / (end - start || 1)) * plot.width;
  const y = (value: number) => plot.top + plot.height - (value / max) * plot.height;
  const rows = Array.from({ length: Math.round(max / step) + 1 }, (_, index) => index * step);
  const grid = rows.map(
    (value) =>
      `<path d="M${plot.left} ${y(value)}h${plot.width}" stroke="#e9eaeb"/><text x="${plot.left - 6}" y="${y(value) + 4}" text-anchor="end">${inUnit(value, defaults.unit)}</text>`,
  );
  const clock = [0, 1, 2, 3].map((third) => {
    const time = start + ((end - start) * third) / 3;
    const anchor = ['start', 'middle', 'middle', 'end'][third];
    return `<text x="${x(time)}" y="${plot.top + plot.height + 15}" text-anchor="${anchor}">${new Date(time * 1000).toISOString().slice(11, 19)}</text>`;
  });
  const curves = points.map((line, index) => curve(line, colors[index % colors.length] as string, x, y));
  const axes = `<g font-size="11" fill="#6b7280">${grid.join('')}${clock.join('')}</g>`;
  return axes + curves.join('') + legend(lines, size.height - 12);
}

/** A round multiple of `unit` that makes about four grid lines. */
function niceStep(max: number, unit: number): number {
  const raw = (max || unit) / unit / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  return unit * power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

type Scale = (value: number) => number;

function curve(points: (readonly [number, number])[], color: string, x: Scale, y: Scale): string {
  const [first] = points;
  if (!first) return '';
  const line = points.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
  const last = points.at(-1) ?? first;
  const area = `M${line}L${x(last[0])} ${y(0)}L${x(first[0])} ${y(0)}Z`;
  return `<path d="${area}" fill="${color}" opacity="0.1"/><path d="M${line}" fill="none" stroke="${color}" stroke-width="1.4"/>`;
}

function legend(lines: Line[], y: number): string {
  let x = 12;
  const entries = lines.map(({ legend }, index) => {
    const entry = `<rect x="${x}" y="${y - 5}" width="12" height="3" fill="${colors[index % colors.length]}"/><text x="${x + 16}" y="${y}">${escaped(legend)}</text>`;
    x += 32 + legend.length * 6.2;
    return entry;
  });
  return `<g font-size="11">${entries.join('')}</g>`;
}
