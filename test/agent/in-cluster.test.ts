/** The parts of an agent that need a cluster, wired together; nothing of it runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kubernetesOf } from '../../functions/agent/in-cluster.ts';
import { FailureLog } from '../../functions/agent/lib/failure-log.ts';
import { requiredInCluster } from '../../functions/agent/options.ts';
import { Database } from '../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';

const dir = mkdtempSync(join(tmpdir(), 'in-cluster-'));
beforeAll(() => {
  const file = join(dir, 'kubeconfig');
  const named = { name: 'lab', context: { cluster: 'lab', user: '' }, cluster: { server: 'https://192.0.2.1' } };
  writeFileSync(file, JSON.stringify({ 'current-context': 'lab', contexts: [named], clusters: [named] }));
  vi.stubEnv('KUBECONFIG', file);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

function partsOf(pod: string) {
  const log = pino({ enabled: false });
  const powerdns = new PowerDNS({ api: 'http://192.0.2.1', keyFile: '' });
  const names = Object.fromEntries(requiredInCluster.map((name) => [name, name]));
  const nothing = () => {};
  return kubernetesOf({
    names: { ...(names as Record<(typeof requiredInCluster)[number], string>), pod },
    powerdns,
    database: new Database(powerdns),
    ...{ observe: nothing, onMirrored: nothing, onSourceChange: nothing, sourceObjectOf: () => undefined },
    ...{ instance: () => 'corp', resolver: () => undefined, replicas: () => 3, dnsPort: 53 },
    ...{ failureLog: new FailureLog(log), log },
  });
}

test('of several replicas the first one alone writes statuses, and removes what others have abandoned', async () => {
  const pods = ['idns-corp-0', 'idns-corp-1', 'idns-corp-2', 'idns-corp-10'];
  const parts = await Promise.all(pods.map(partsOf));
  expect(parts.map(({ statuses }) => statuses !== undefined)).toEqual([true, false, false, false]);
});
