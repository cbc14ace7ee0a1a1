/** `value` with its keys in order at every level: Go sends maps in random order, and the same input must give the same bytes. */
export function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(inOrder(value).map(([key, member]) => [key, sorted(member)])) as T;
}

/**
 * `value` as pure JSON, keys in order, members that are null or undefined left out (server-side apply would send a null).
 * Throws, naming the path below `where`, on anything that JSON cannot carry: protobuf would turn a Date into `{}` without a
 * word, and would fail on a bigint only after the handler has returned.
 */
export function toJson(value: unknown, where: string): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Array.from(value, (element, index) => toJson(element, `${where}[${index}]`));
  if (isPlainObject(value)) {
    const members = inOrder(value).filter(([, member]) => member !== null && member !== undefined);
    return Object.fromEntries(members.map(([key, member]) => [key, toJson(member, `${where}.${key}`)]));
  }
  throw new Error(`cannot write ${where} as JSON: it is ${nameOf(value)}`);
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function inOrder(object: Record<string, unknown>): [string, unknown][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : `a ${typeof value}`;
}
