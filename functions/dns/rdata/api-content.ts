/**
 * A content as PowerDNS's API must be sent it to give it back as it is. Since 5.1 it takes one layer of escapes away
 * before it reads a content, except of types that it has no such reader for:
 * https://github.com/PowerDNS/pdns/pull/17373
 * @param content as `parseContent` or PowerDNS itself writes it
 */
export function apiContent(type: string, content: string): string {
  if (type === 'LUA' || /^TYPE\d/.test(type)) return content;
  return content.replace(/"((?:[^"\\]|\\.)*)"|[\\();]/g, (special, inside?: string) =>
    inside === undefined ? `\\${special}` : `"${inside.replace(/\\(["\\])/g, '\\\\\\$1')}"`,
  );
}
