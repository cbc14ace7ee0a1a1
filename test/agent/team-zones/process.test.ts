/**
 * The agent as a process, beside a real PowerDNS, with the Zones of an API server, and without ExternalDNS.
 *
 * @module-tag PowerDNS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from '../kubernetes/api-server.ts';
import { tenant } from '../machines/objects.ts';
import { declare, record, zones } from '../make.ts';
import { inCluster, putConfigMaps, type Running, run } from '../run.ts';

const dir = mkdtempSync(join(tmpdir(), 'team-zones-'));
const group = '/apis/dns.internal/v1alpha1';
const collection = `${group}/zones`;
const kubernetes = new ApiServer();
let server: RunningPowerDNS;
let agent: Running;
let start: () => Promise<Running>;

const put = (name: string, spec: object, { namespace = 'shop', object = name } = {}) =>
  kubernetes.put(collection, {
    metadata: {
      ...{ name: object, namespace, uid: `uid-${namespace}-${object}`, generation: 1 },
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { name, ...spec },
  });
const www = (address: string) => ({ records: [record('www', 'A', address)] });
const ask = async (name: string, type: 'A' | 'NS' | 'DS') => {
  const { rcode, answers } = await server.query(name, type);
  return [rcode, ...answers.map((answer) => (typeof answer.data === 'string' ? answer.data : answer.type))];
};
/** What the status of a Zone says now: the API server of the test keeps what is applied. */
const entryOf = (object: string) => {
  const line = kubernetes.writes.findLast((each) => each.includes(`/zones/${object}/status`));
  return line === undefined ? undefined : JSON.parse(line.slice(line.indexOf('{'))).status.instances[0];
};
const eventsOn = (object: string): string[] =>
  kubernetes.writes
    .filter((line) => line.includes('/events '))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))))
    .filter(({ involvedObject }) => involvedObject.name === object && involvedObject.kind === 'Zone')
    .map(({ reason, message }) => `${reason} ${message}`);

beforeAll(async () => {
  server = await startPowerDNS({ config: powerdnsFilesFor({ dynamic: true, dname: false })['pdns.conf'], dir });
  kubernetes.storesPatches = true;
  const { flags, env } = inCluster(dir, await kubernetes.start());
  const declaration = declare({
    name: 'office',
    zones: zones('corp.internal'),
    discovery: {
      ...{ ownerID: 'office', sources: [{ kind: 'Zone', resources: ['zones.v1alpha1.dns.internal'] }] },
      tenants: [tenant('shop', {}, [], ['*.corp.internal', 'shop.internal'])],
      deleteGuard: { percent: 20, holdSeconds: 600 },
    },
  });
  putConfigMaps(kubernetes, declaration);
  kubernetes.put('/api/v1/secrets', { metadata: { name: 'k', namespace: 'n' } });
  for (const team of ['shop', 'other'])
    kubernetes.put('/api/v1/namespaces', { metadata: { name: team, labels: { team } } });
  kubernetes.resources.set(group, ['zones']);
  start = () =>
    run(
      {
        ...flags,
        declaration: join(dir, 'none'),
        'powerdns-api': server.apiUrl,
        'powerdns-key': join(dir, 'include/api.conf'),
        dns: `127.0.0.1:${server.dnsPort}`,
      },
      env,
    );
  agent = await start();
});
afterAll(async () => {
  await agent?.kill();
  await server?.stop();
  kubernetes.stop();
  rmSync(dir, { recursive: true });
});

test('a Zone is answered, delegated, and told in its status', async () => {
  put('pay.corp.internal', www('192.0.2.1'), { object: 'pay' });
  put('shop.internal', www('192.0.2.2'), { object: 'shop' });
  await vi.waitFor(
    async () => expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NOERROR', '192.0.2.1']),
    polling,
  );
  await vi.waitFor(() => expect(entryOf('pay')).toMatchObject({ name: 'office', state: 'Serving' }), polling);
  expect(entryOf('pay')).not.toHaveProperty('delegation');
  expect(entryOf('pay').conditions).toEqual([
    expect.objectContaining({
      type: 'Ready',
      status: 'True',
      reason: 'Serving',
      message: 'pay.corp.internal is served',
    }),
  ]);
  await vi.waitFor(() => {
    expect(entryOf('shop')?.delegation).toEqual([
      'shop.internal. 3600 IN NS ns1.shop.internal.',
      'ns1.shop.internal. 60 IN A 192.0.2.53',
    ]);
  }, polling);
});

test('a changed record is answered within a few seconds', async () => {
  const startedAt = performance.now();
  put('pay.corp.internal', www('192.0.2.9'), { object: 'pay' });
  await vi.waitFor(async () => expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NOERROR', '192.0.2.9']), {
    ...polling,
    interval: 20,
  });
  console.log(`answered after ${Math.round(performance.now() - startedAt)} ms`);
});

test('a Zone that is refused has the reason in its status and an Event', async () => {
  put('pay.corp.internal', www('192.0.2.66'), { object: 'mine', namespace: 'other' });
  const reason =
    'namespace other can have no zones (discovery.tenants): add the name to zones of a tenant that includes it';
  await vi.waitFor(() => expect(entryOf('mine')).toMatchObject({ state: 'Refused', message: reason }), polling);
  await vi.waitFor(() => {
    expect(eventsOn('mine')).toEqual([`Refused pay.corp.internal: ${reason} (InternalDNS office)`]);
  }, polling);
  expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NOERROR', '192.0.2.9']);
});

test('a Zone that is signed has its DS in the status and in the parent zone, also after a restart', async () => {
  put('pay.corp.internal', { ...www('192.0.2.9'), dnssec: { mode: 'Signed' } }, { object: 'pay' });
  await vi.waitFor(() => expect(entryOf('pay')?.dnssec?.ds).toHaveLength(1), polling);
  const { ds } = entryOf('pay').dnssec;
  await vi.waitFor(async () => expect(await ask('pay.corp.internal', 'DS')).toEqual(['NOERROR', 'DS']), polling);
  await agent.kill();
  kubernetes.failures.set(collection, { code: 403, message: 'no' });
  agent = await start();
  await vi.waitFor(() => expect(agent.output()).toContain('cannot watch zones'), polling);
  expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NOERROR', '192.0.2.9']);
  expect(await ask('pay.corp.internal', 'DS')).toEqual(['NOERROR', 'DS']);
  kubernetes.failures.clear();
  put('pay.corp.internal', { ...www('192.0.2.10'), dnssec: { mode: 'Signed' } }, { object: 'pay' });
  await vi.waitFor(
    async () => expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NOERROR', '192.0.2.10']),
    polling,
  );
  expect(entryOf('pay').dnssec.ds).toEqual(ds);
});

test('a Zone that is deleted is gone, with its delegation', async () => {
  kubernetes.remove(collection, 'shop/pay');
  await vi.waitFor(async () => expect(await ask('www.pay.corp.internal', 'A')).toEqual(['NXDOMAIN']), polling);
  await vi.waitFor(async () => expect(await ask('www.shop.internal', 'A')).toEqual(['NOERROR', '192.0.2.2']), polling);
});
