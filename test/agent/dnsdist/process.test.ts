/**
 * The agent as a process, with an API server of its own and a real dnsdist.
 *
 * @module-tag PowerDNS
 * @module-tag dnsdist
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import type { Report } from '../../../functions/contract/report.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { createZone } from '../../connect/powerdns-zone.ts';
import { freePort, startPowerDNS } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';
import { ApiServer } from '../kubernetes/api-server.ts';
import { declare, zones } from '../make.ts';
import { inCluster, run } from '../run.ts';
import { startResolver } from './resolver.ts';

const dir = mkdtempSync(join(tmpdir(), 'dnsdist-process-'));
const kubernetes = new ApiServer();
const stopped: (() => unknown)[] = [() => kubernetes.stop(), () => rmSync(dir, { recursive: true })];
afterAll(async () => {
  for (const stop of stopped.reverse()) await stop();
});

const named = (name: string) => ({ metadata: { name, namespace: 'dns' } });

test('it reports the upstreams of the pods in the Endpoints, and their nodes', {
  timeout: 2 * waitTimeoutMs,
}, async () => {
  mkdirSync(join(dir, 'pdns'));
  const powerdns = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, 'pdns') });
  stopped.push(() => powerdns.stop());
  await createZone(powerdns, canaryZone, {});
  // One of them answers nothing.
  const ports = { '198.18.0.53': powerdns.dnsPort, '192.0.2.53': powerdns.dnsPort, '192.0.2.54': await freePort() };
  const fields = { forward: { upstreams: [{ address: '192.0.2.53' }, { address: '192.0.2.54' }] } };
  const { dnsdist, declared } = await startResolver({ fields, ports });
  stopped.push(dnsdist.stop);

  const place = { namespace: 'dns', pod: 'idns-corp-0' };
  const { flags, env } = inCluster(dir, await kubernetes.start(), place);
  const resolver = { ...declared, reportsNodes: true as const };
  const declaration = declare({ zones: zones('corp.internal'), discovery: undefined, resolver });
  kubernetes.put('/api/v1/configmaps', { ...named('d'), data: { 'declaration.json': JSON.stringify(declaration) } });
  const pod = 'idns-corp-resolver-5d8f7c9b6d-x2x4z';
  const addresses = [{ ip: '127.0.0.1', targetRef: { name: pod } }];
  kubernetes.put('/api/v1/endpoints', { ...named('idns-corp-resolver'), subsets: [{ addresses }] });
  kubernetes.put('/api/v1/pods', { ...named(pod), status: { hostIPs: [{ ip: '192.0.2.12' }] } });

  const agent = await run(
    {
      ...{ declaration: join(dir, 'none'), 'powerdns-api': powerdns.apiUrl, 'powerdns-key': '/' },
      ...flags,
      dns: `127.0.0.1:${powerdns.dnsPort}`,
    },
    env,
  );
  stopped.push(() => agent.kill());
  const reported = (): Report['resolver'] => {
    const last = kubernetes.writes.filter((write) => write.includes('/configmaps/s?')).at(-1);
    const body = last && JSON.parse(last.slice(last.indexOf('{')));
    return body && JSON.parse(body.data['idns-corp-0']).resolver;
  };
  await vi.waitFor(
    () =>
      expect(reported(), agent.output()).toEqual({
        upstreams: [
          { address: '192.0.2.53:53', state: 'Up' },
          { address: '192.0.2.54:53', state: 'Down' },
        ],
        hostIPs: ['192.0.2.12'],
        // PowerDNS has no zone of that name.
        unforwarded: 'REFUSED',
      }),
    polling,
  );
  const ofEndpoints = kubernetes.requests.filter((url) => url.includes('/endpoints'));
  expect(ofEndpoints).not.toEqual([]);
  expect(ofEndpoints.filter((url) => !url.includes('fieldSelector=metadata.name%3Didns-corp-resolver'))).toEqual([]);
  const metrics = await (await fetch(`http://${agent.http}/metrics`)).text();
  expect(metrics).toContain('internal_dns_resolver_forwarding 0');
});
