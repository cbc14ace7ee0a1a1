/** What a scenario measures, for people to read: nothing of it is asserted. */
export const figures: string[] = [];

export function figure(what: string, value: number | string, unit = 's'): void {
  figures.push(`${what}: ${typeof value === 'number' ? value.toFixed(2) : value} ${unit}`.trimEnd());
}
