/** Of texts, for sorting them the same everywhere. */
export const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
