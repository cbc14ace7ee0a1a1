/** The agent as a process, with an API server and an admin API of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';
import { ApiServer } from '../kubernetes/api-server.ts';
import { declare, zones } from '../make.ts';
import { inCluster, run } from '../run.ts';
import { AdminAPI, secretOf } from './admin-api.ts';

const dir = mkdtempSync(join(tmpdir(), 'tailnet-'));
const [kubernetes, api] = [new ApiServer(), new AdminAPI()];
const named = (name: string) => ({ metadata: { name, namespace: 'dns' } });
let cluster: ReturnType<typeof inCluster>;
const ingress = [{ hostname: 'dns.example.ts.net' }, { ip: '100.64.0.1' }];

beforeAll(async () => {
  cluster = inCluster(dir, await kubernetes.start(), { namespace: 'dns', pod: 'idns-corp-0' });
  const splitDNS = {
    service: 'idns-corp',
    addresses: [],
    secret: 'tailnet-dns',
    tailnet: '-',
    apiURL: await api.start(),
  };
  const declaration = declare({ zones: zones('corp.internal'), discovery: undefined, splitDNS });
  kubernetes.put('/api/v1/configmaps', { ...named('d'), data: { 'declaration.json': JSON.stringify(declaration) } });
  kubernetes.put('/api/v1/configmaps', named('t'));
  kubernetes.put('/api/v1/services', { ...named('idns-corp'), status: { loadBalancer: { ingress } } });
  kubernetes.put('/api/v1/secrets', { ...secretOf('dns-client', 'dns-secret'), ...named('tailnet-dns') });
});

afterAll(() => {
  kubernetes.stop();
  api.stop();
  rmSync(dir, { recursive: true });
});

/** Without PowerDNS, which the split DNS does not need. */
const start = async () =>
  run(
    {
      ...{
        declaration: join(dir, 'none'),
        'powerdns-api': `http://127.0.0.1:${await freePort()}`,
        'powerdns-key': '/',
      },
      ...cluster.flags,
      dns: `127.0.0.1:${await freePort()}`,
    },
    cluster.env,
  );

test('an agent that is restarted leaves the entries, and one whose declaration is deleted removes them', {
  timeout: 2 * waitTimeoutMs,
}, async () => {
  const entries = { 'corp.internal': ['100.64.0.1'] };
  const first = await start();
  await vi.waitFor(() => expect(api.splitDNS, first.output()).toEqual(entries), polling);
  expect(await first.kill('SIGTERM')).toBe(0);
  expect(api.splitDNS).toEqual(entries);

  const second = await start();
  const reads = api.requests.length;
  await vi.waitFor(() => expect(api.requests.length, second.output()).toBeGreaterThan(reads), polling);
  kubernetes.remove('/api/v1/configmaps', 'dns/d');
  expect(await second.kill('SIGTERM')).toBe(0);
  expect(api.splitDNS, second.output()).toEqual({});
  expect(first.output() + second.output()).not.toMatch(/dns-secret|tskey-api/);
});
