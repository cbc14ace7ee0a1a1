import { readFileSync } from 'node:fs';

/** Returns a client for the API of PowerDNS, with the key from its configuration. */
export const apiAt =
  (url: string, keyFile: string) =>
  async (method: string, path: string, body?: object): Promise<unknown> => {
    const key = readFileSync(keyFile, 'utf8').trim().replace('api-key=', '');
    const response = await fetch(`${url}/api/v1/servers/localhost${path}`, {
      method,
      headers: { 'X-API-Key': key },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
