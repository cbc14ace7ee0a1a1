/** When an object was created, RFC 3339 in UTC, so that texts compare like times, and which one it is. */
export interface Aged {
  created: string;
  resource: string;
}

/** Compares for sorting: oldest first, with a stable order within a second. */
export const byAge = (a: Aged, b: Aged): number =>
  a.created < b.created || (a.created === b.created && a.resource < b.resource) ? -1 : 1;
