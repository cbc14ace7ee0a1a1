/** SIGTERM stops the agent once pending work is done. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../timeouts.ts';
import { loop } from './external-dns.ts';
import { declare, endpoint } from './make.ts';
import { FaultyProxy } from './powerdns/faulty-proxy.ts';
import { run, writeDeclaration } from './run.ts';

const dir = mkdtempSync(join(tmpdir(), 'stop-'));
let server: RunningPowerDNS;
let proxy: FaultyProxy;

beforeAll(async () => {
  mkdirSync(join(dir, 'pdns'));
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, 'pdns') });
  proxy = new FaultyProxy(server.apiUrl);
  await proxy.listen();
});

afterAll(async () => {
  proxy?.close();
  await server?.stop();
  rmSync(dir, { recursive: true });
});

async function start() {
  writeDeclaration(join(dir, 'declaration.json'), declare());
  const agent = await run({
    declaration: join(dir, 'declaration.json'),
    'powerdns-api': proxy.url,
    'powerdns-key': join(dir, 'pdns/include/api.conf'),
    dns: `127.0.0.1:${server.dnsPort}`,
  });
  await vi.waitFor(() => loop(agent.external, []), polling);
  return agent;
}

test('a change that ExternalDNS sent before SIGTERM is applied and answered', {
  tags: ['PowerDNS'],
  timeout: waitTimeoutMs,
}, async () => {
  const agent = await start();
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  proxy.onPass = (line) => line.startsWith('PATCH') && resolve();
  proxy.behaviour = 'late';
  const applied = loop(agent.external, [endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1')]);
  await passed;
  const stopped = agent.kill('SIGTERM');
  await expect(applied).resolves.toBeDefined();
  expect(await stopped).toBe(0);
  expect((await server.query('www.corp.internal')).rcode).toBe('NOERROR');
  expect(agent.output()).not.toContain('stopped before all work was done');
});

test('SIGTERM does not wait for pauses', { tags: ['PowerDNS'], timeout: waitTimeoutMs }, async () => {
  proxy.behaviour = 'pass';
  const begin = performance.now();
  const agent = await start();
  const started = performance.now();
  expect(await agent.kill('SIGTERM')).toBe(0);
  // A pause is ten times as long as a start.
  expect(performance.now() - started).toBeLessThan(5 * (started - begin));
});
