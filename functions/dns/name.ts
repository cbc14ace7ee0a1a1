/** A name as it is used everywhere but in input and output: fully qualified, in lower case, with the trailing dot. */
export const absolute = (name: string) => `${name.replace(/\.$/, '').toLowerCase()}.`;

/** A name as people write it. The root stays a dot. */
export const withoutDot = (name: string) => (name === '.' ? name : name.replace(/\.$/, ''));

/** Reports whether a name is `zone` or a subdomain of it. */
export const isWithin = (name: string, zone: string) => name === zone || name.endsWith(`.${zone}`);

/** The parent domain; empty for the root. */
export const parentOf = (name: string) => name.slice(name.indexOf('.') + 1);

/** The zone that answers for a name: the one with the longest matching name. */
export function zoneOf<Z>(name: string, zones: ReadonlyMap<string, Z>): Z | undefined {
  for (let suffix = name; suffix !== ''; suffix = parentOf(suffix)) {
    if (zones.has(suffix)) return zones.get(suffix);
  }
  return undefined;
}
