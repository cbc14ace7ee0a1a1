/**
 * `kubectl idns` and a real agent process beside a real PowerDNS.
 *
 * @module-tag PowerDNS
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { loop } from '../agent/external-dns.ts';
import { declare, endpoint } from '../agent/make.ts';
import { type Running, run, writeDeclaration } from '../agent/run.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { polling } from '../timeouts.ts';
import { kubectlIdns, readyPod } from './plugin.ts';

const dir = mkdtempSync(join(tmpdir(), 'plugin-agent-'));
let server: RunningPowerDNS;
let agent: Running;

beforeAll(async () => {
  mkdirSync(join(dir, 'pdns'));
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, 'pdns') });
  const declaration = join(dir, 'declaration.json');
  writeDeclaration(declaration, declare());
  agent = await run({
    declaration,
    'powerdns-api': server.apiUrl,
    'powerdns-key': join(dir, 'pdns/include/api.conf'),
    dns: `127.0.0.1:${server.dnsPort}`,
  });
});
afterAll(async () => {
  await agent?.kill();
  await server?.stop();
  rmSync(dir, { recursive: true });
});

test('what ExternalDNS requested resolves, and what nobody did has the hint of the page', async () => {
  const www = endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1');
  const cluster = {
    internalDNSes: [{ metadata: { name: 'corp' } }],
    pods: [readyPod('idns-corp-0')],
    target: agent.http,
  };
  const why = (host: string) => kubectlIdns(['why', host], { cluster });
  await vi.waitFor(() => loop(agent.external, [www]), polling);
  await vi.waitFor(async () => {
    const { code, stdout } = await why('www.corp.internal');
    expect(stdout).toMatch(/^www.corp.internal: Resolved\n/);
    expect(stdout).toContain('  object       ingress/a/web\n  answers      A 192.0.2.1\n');
    expect(code).toBe(0);
  }, polling);
  const none = await why('none.corp.internal');
  expect(none.stdout).toMatch(/^no object requests none.corp.internal, which would be in the zone corp.internal: /);
  expect({ code: none.code, left: none.left }).toEqual({ code: 1, left: [] });
});
