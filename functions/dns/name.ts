/** Names are absolute, in lower case and with the trailing dot, everywhere behind the edges. */
export const absolute = (name: string) => `${name.replace(/\.$/, '').toLowerCase()}.`;

/** For people, who know the root as a dot. */
export const withoutDot = (name: string) => (name === '.' ? name : name.replace(/\.$/, ''));

/** Whether a name is `zone` or below it. */
export const isWithin = (name: string, zone: string) => name === zone || name.endsWith(`.${zone}`);

/** The name one label above; nothing above the root. */
export const parentOf = (name: string) => name.slice(name.indexOf('.') + 1);

/** The zone that answers for a name, of several by their names: the longest that it is within. */
export function zoneOf<Z>(name: string, zones: ReadonlyMap<string, Z>): Z | undefined {
  for (let suffix = name; suffix !== ''; suffix = parentOf(suffix)) {
    if (zones.has(suffix)) return zones.get(suffix);
  }
  return undefined;
}
