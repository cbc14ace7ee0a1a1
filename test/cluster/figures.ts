/** Figures that the run prints at its end; they are measured, not asserted. */
const figures: string[] = [];

export function figure(what: string, value: number | string, unit = 's'): void {
  figures.push(`${what}: ${typeof value === 'number' ? value.toFixed(2) : value} ${unit}`.trimEnd());
}

export function printFigures(): void {
  console.log(figures.join('\n'));
}
