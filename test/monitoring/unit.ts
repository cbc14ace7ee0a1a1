import type { PanelSpec } from '../../functions/internal-dns/monitoring/panel.ts';

type Unit = PanelSpec['unit'];

const round = (value: number) => `${Number(value.toPrecision(3))}`;

/** Formats a value in the largest unit that it reaches, or else in the last. */
function scaled(value: number, units: readonly (readonly [size: number, name: string])[]): string {
  const [size, name] = units.find(([size]) => Math.abs(value) >= size) ?? units.at(-1) ?? [1, ''];
  return `${round(value / size)}${name}`;
}

/** Formats a value in one of Grafana's units. */
export function inUnit(value: number, unit: Unit | string): string {
  if (value === 0) return '0';
  if (unit === 's')
    return scaled(value, [
      [60, ' min'],
      [1, ' s'],
      [1e-3, ' ms'],
      [1e-6, ' µs'],
    ]);
  if (unit === 'bytes')
    return scaled(value, [
      [2 ** 30, ' GiB'],
      [2 ** 20, ' MiB'],
      [2 ** 10, ' KiB'],
      [1, ' B'],
    ]);
  if (unit === 'percentunit') return `${round(value * 100)} %`;
  return unit === 'reqps' ? `${round(value)}/s` : round(value);
}
