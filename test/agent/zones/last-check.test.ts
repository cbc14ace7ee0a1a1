/**
 * The last check of an instance is removed: PowerDNS restarts without LUA, maybe before the agent has deleted the record.
 *
 * @module-tag PowerDNS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { declare, makeAgent, record, zoneWith } from '../make.ts';

const dir = mkdtempSync(join(tmpdir(), 'last-check-'));
let server: RunningPowerDNS | undefined;

afterEach(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

/** Restarts PowerDNS and the agent with the same volume. */
async function restart(dynamic: boolean) {
  await server?.stop();
  const config = powerdnsFilesFor({ dynamic, dname: false })['pdns.conf'];
  server = await startPowerDNS({ config, dir });
  const powerdns = new PowerDNS({
    api: server.apiUrl,
    keyFile: join(dir, 'include/api.conf'),
    timeoutMs: waitTimeoutMs,
  });
  return makeAgent(new Database(powerdns) as never);
}

test.each([
  ['a record without the check', [record('www', 'A', '192.0.2.1')], '192.0.2.1'],
  ['another type', [record('www', 'CNAME', 'lb.example.')], undefined],
  ['nothing', [], undefined],
])('leaves %s in its place', async (_, records, address) => {
  const checked = { ...record('www', 'A', '192.0.2.9'), check: { port: 80 } };
  const before = await restart(true);
  before.declare(declare({ zones: [zoneWith('corp.internal', [checked])] }));
  await before.agent.reconcile();

  const { agent, declare: take } = await restart(false);
  take(declare({ zones: [zoneWith('corp.internal', records)] }));
  await agent.reconcile();
  expect(agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
  const { answers } = await server!.query('www.corp.internal');
  expect(answers.find(({ type }) => type === 'A')?.data).toBe(address);
});
