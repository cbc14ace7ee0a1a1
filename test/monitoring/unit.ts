import type { Sketch } from '../../functions/internal-dns/monitoring/panel.ts';

type Unit = Sketch['unit'];

const round = (value: number) => `${Number(value.toPrecision(3))}`;

/** The largest of the units that a value has at least one of; the last where it has less. */
function scaled(value: number, units: readonly (readonly [size: number, name: string])[]): string {
  const [size, name] = units.find(([size]) => Math.abs(value) >= size) ?? units.at(-1) ?? [1, ''];
  return `${round(value / size)}${name}`;
}

/** A value in a unit of Grafana's, for people. */
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
