/**
 * A name as a key of a ConfigMap or Secret, or as a part of one. Keys may have letters, digits, `-`, `_` and `.` only: any
 * other byte becomes `X` and its code, as in `0X2F26.2.0.192.in-addr.arpa` (RFC 2317). Names are lower case, so none has an
 * `X` of its own, and keys are unique.
 */
export const dataKey = (name: string): string =>
  [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[-._a-z0-9]/.test(character) ? character : `X${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
