/** Orders texts by code unit, independent of the locale. */
export const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
