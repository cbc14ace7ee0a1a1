/**
 * The process of the agent while the API of PowerDNS fails.
 *
 * @module-tag PowerDNS
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling } from '../../timeouts.ts';
import { declare } from '../make.ts';
import { type Running, run } from '../run.ts';
import { FaultyProxy } from './faulty-proxy.ts';

const dir = mkdtempSync(join(tmpdir(), 'outage-'));
const file = join(dir, 'declaration.json');
const running = new Set<Running>();
const proxies = new Set<FaultyProxy>();
let server: RunningPowerDNS;

beforeAll(async () => {
  writeFileSync(file, JSON.stringify(declare({ discovery: undefined })));
  mkdirSync(join(dir, 'pdns'));
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, 'pdns') });
});
afterAll(async () => {
  for (const agent of running) await agent.kill();
  for (const proxy of proxies) proxy.close();
  await server?.stop();
  rmSync(dir, { recursive: true });
});

const words: Record<'fail' | 'hang', RegExp> = {
  fail: /^PowerDNS cannot be used \(PowerDNS answered 500\): see the log of the container powerdns$/,
  hang: /^PowerDNS cannot be used \(The operation was aborted due to timeout\): see the log of the container powerdns$/,
};

// Both declare the same zone, so that they do not conflict.
test.concurrent.each(['fail', 'hang'] as const)(
  'when every request is to %s, the report says so after ten seconds, few more are sent, and all is well afterwards',
  async (behaviour) => {
    const proxy = new FaultyProxy(server.apiUrl);
    proxies.add(proxy);
    const agent = await run({
      declaration: file,
      'powerdns-api': await proxy.listen(),
      'powerdns-key': join(dir, 'pdns/include/api.conf'),
      dns: `127.0.0.1:${server.dnsPort}`,
    });
    running.add(agent);
    const zone = () => agent.reports().at(-1)?.zones[0];
    await vi.waitFor(() => expect(zone()?.state).toBe('Serving'), polling);

    proxy.behaviour = behaviour;
    const [since, before, linesBefore] = [performance.now(), proxy.requests.length, agent.output().length];
    await vi.waitFor(() => expect(zone()?.state).toBe('Failed'), polling);
    const seconds = (performance.now() - since) / 1000;
    const sent = proxy.requests.length - before;
    console.log(`every request is to ${behaviour}: Failed after ${seconds.toFixed(1)} s and ${sent} requests`);
    expect(zone()?.message).toMatch(words[behaviour]);
    // One request each time, after pauses of at least 0.75 and 1.5 seconds: without them there would be hundreds.
    expect(sent).toBeLessThan(2 + seconds / 0.75);
    expect(
      agent
        .output()
        .slice(linesBefore)
        .match(/"cannot reconcile the zones"/g),
    ).toHaveLength(1);
    // Existing records are answered meanwhile.
    expect((await server.query('ns1.corp.internal')).rcode).toBe('NOERROR');

    proxy.behaviour = 'pass';
    await vi.waitFor(() => expect(zone()?.state).toBe('Serving'), polling);
  },
);
