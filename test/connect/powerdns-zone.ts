import type { RunningPowerDNS } from '../powerdns/server.ts';

/** Creates a zone with a record at each absolute name. Returns its DS records' RDATA if it signs it. */
export async function createZone(
  { apiUrl, apiKey }: RunningPowerDNS,
  name: string,
  records: Readonly<Record<string, readonly [type: string, content: string]>>,
  { isSigned = false } = {},
): Promise<string[]> {
  const api = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${apiUrl}/api/v1/servers/localhost/zones${path}`, {
      method,
      headers: { 'X-API-Key': apiKey },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const rrsets = Object.entries(records).map(([owner, [type, content]]) => ({
    name: owner,
    type,
    ttl: 60,
    records: [{ content }],
  }));
  const nameservers = [`ns1.${name}`.replace(/\.\.$/, '.')];
  const { id } = (await api('POST', '', { name, kind: 'Native', nameservers, rrsets, dnssec: isSigned })) as {
    id: string;
  };
  if (!isSigned) return [];
  const [key] = (await api('GET', `/${id}/cryptokeys`)) as { ds: string[] }[];
  // SHA-256, which every resolver knows.
  return key?.ds.filter((ds) => ds.split(' ')[2] === '2') ?? [];
}
