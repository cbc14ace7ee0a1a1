/** Where an issue of a schema is, such as `zones[0].name`. */
export const issuePath = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text && '.'}${String(key)}`),
    '',
  );
