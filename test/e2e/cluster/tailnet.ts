/** The tailnet of the run, as its administrator and a laptop in it see it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from './kubectl.ts';
import type { Client } from './names.ts';

/**
 * TAILNET_EXEC runs a command on a laptop in the tailnet, TAILNET_API is the URL of its admin API for the laptop's tailnet and
 * the cluster, TAILNET_CLIENT an OAuth client with the scope `dns` there, as ID:SECRET.
 */
const { TAILNET_EXEC: exec, TAILNET_API: api = '', TAILNET_CLIENT: client = '' } = process.env;
export const reason = exec && api && client ? '' : ' (skipped: it needs TAILNET_EXEC, TAILNET_API and TAILNET_CLIENT)';

const [id = '', secret = ''] = client.split(':');
export const oauthClient = { id, secret };
export const apiURL = api;

const run = promisify(execFile);

const onLaptop = async (command: string) => (await run('bash', ['-c', `${exec} bash -c "$0"`, command])).stdout.trim();

/** What a program on the laptop finds by the system's own resolver; empty if there is no such name. */
export const laptopFinds = (name: string): Promise<string> =>
  onLaptop(`getent ahostsv4 ${name} | awk '{print $1}' | sort -u | paste -sd ' '`);

/** What the laptop gets when it asks a server itself. */
export const laptopAsks = (server: string, name: string): Promise<string> =>
  onLaptop(`dig +short +timeout=2 +tries=1 @${server} ${name}`);

/** Waits for that, and returns the seconds it took. */
export const becomesOnLaptop: Client['becomes'] = (name, expected) =>
  until(`the laptop finds ${expected || 'nothing'} for ${name}`, async () => {
    const found = await laptopFinds(name);
    return found === expected || found;
  });

type Entries = Record<string, string[]>;

async function ask(method: 'GET' | 'PATCH', change?: Record<string, string[] | null>): Promise<Entries> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret });
  const issued = await fetch(`${api}/api/v2/oauth/token`, { method: 'POST', body: form });
  const { access_token: token } = (await issued.json()) as { access_token: string };
  const response = await fetch(`${api}/api/v2/tailnet/-/dns/split-dns`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(change && { body: JSON.stringify(change) }),
  });
  if (!response.ok) throw new Error(`the admin API answers ${response.status}`);
  return (await response.json()) as Entries;
}

export const splitDNS = (): Promise<Entries> => ask('GET');

/** Changes entries as another administrator does; null removes one. */
export const changeSplitDNS = (change: Record<string, string[] | null>): Promise<Entries> => ask('PATCH', change);
