/** What a scenario measures. Figures are printed, never asserted. */
export const figures: string[] = [];

export function figure(what: string, value: number | string, unit = 's'): void {
  figures.push(`${what}: ${typeof value === 'number' ? value.toFixed(2) : value} ${unit}`.trimEnd());
}
