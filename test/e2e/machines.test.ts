/** Hosts that are not in the cluster: they register, move, share names, and fail. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../functions/agent/kubernetes/config.ts';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { figure } from './cluster/figures.ts';
import { apply, clusterClient, get, kubectl, patch, until, waitForReady } from './cluster/kubectl.ts';
import { listener, localAddresses } from './cluster/listener.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { withSecondReplica } from './cluster/replicas.ts';
import { eventsOn } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const run = promisify(execFile);
const zone = 'hosts.internal';
const reverse = '113.0.203.in-addr.arpa';
const at = (name: string) => `${name}.${zone}`;
const apiVersion = 'dns.internal/v1alpha1';
const instance = 'hosts';

scenario('machines', ({ shop, market, internalDNS }) => {
  let client: Client;
  const folder = mkdtempSync(join(tmpdir(), 'machine-'));
  const listeners: Server[] = [];
  afterAll(() => {
    rmSync(folder, { recursive: true });
    for (const server of listeners) server.close();
  });

  const machine = (name: string, spec: object, { namespace = shop, labels = {} } = {}) => ({
    apiVersion,
    kind: 'Machine',
    metadata: { name, namespace, labels },
    // The zone is stated, as other InternalDNSes in the cluster see the object, too.
    spec: { zone, ...spec },
  });
  const claim = (name: string, spec: object, namespace = shop) => ({
    apiVersion,
    kind: 'NameClaim',
    metadata: { name, namespace },
    spec,
  });
  /** The entry of this InternalDNS in the status of an object. */
  const entryOf = async (kind: 'machine' | 'nameclaim', name: string, namespace = shop) => {
    const { instances = [] } = (await get(`${kind}s.dns.internal`, name, namespace)).status ?? {};
    return instances.find((each: { name: string }) => each.name === instance);
  };
  const untilReady = (kind: 'machine' | 'nameclaim', name: string, expected: object, namespace = shop) =>
    until(`the status of ${kind} ${name} says ${JSON.stringify(expected)}`, async () => {
      const entry = await entryOf(kind, name, namespace);
      const ready = entry?.conditions?.find(({ type }: { type: string }) => type === 'Ready');
      return Object.entries(expected).every(([field, value]) =>
        value instanceof RegExp ? value.test(ready?.[field] ?? '') : ready?.[field] === value,
      )
        ? true
        : (entry ?? 'no entry');
    });

  test('without ExternalDNS, a host has its name, its aliases and its PTR record', async () => {
    for (const [namespace, team] of [
      [shop, 'shop'],
      [market, 'market'],
    ] as const)
      await patch('namespace', namespace, { metadata: { labels: { team } } });
    await apply(
      internalDNS(instance, {
        zones: [{ name: zone }, { name: reverse }],
        discovery: {
          sources: [{ kind: 'Machine' }, { kind: 'NameClaim' }],
          tenants: [
            {
              namespaceSelector: { matchLabels: { team: 'shop' } },
              names: [zone, `*.${zone}`],
              machines: 'SelectableByAll',
            },
            {
              namespaceSelector: { matchLabels: { team: 'market' } },
              names: [`*.market.${zone}`],
              networks: ['203.0.113.128/25'],
            },
          ],
        },
      }),
    );
    await waitForReady(instance);
    const { containers } = (await get('pod', `idns-${instance}-0`, 'internal-dns')).spec;
    expect(containers.map(({ name }: { name: string }) => name)).not.toContain('external-dns');
    client = await clientOf(instance);
    await apply(machine('printer', { addresses: ['203.0.113.9'], aliases: ['print'] }));
    figure('Machine applied -> answered', await client.becomes(at('printer'), '203.0.113.9'));
    expect(await client.answer(at('print'))).toContain('203.0.113.9');
    await client.becomes(`9.${reverse}`, at('printer'), 'PTR');
    await untilReady('machine', 'printer', { status: 'True', reason: 'Resolved' });
    expect(await entryOf('machine', 'printer')).toMatchObject({ fqdn: at('printer') });
  });

  test('a host registers itself with a token for its own Machine alone', async () => {
    const text = readFileSync('examples/machines/self-registration.yaml', 'utf8')
      .replaceAll('office', shop)
      .replace('spec: {}', `spec: { zone: ${zone} }`);
    await apply(...parseAllDocuments(text).map((each) => each.toJS() as KubernetesObject));
    const token = (await kubectl('create', 'token', 'nas', '-n', shop, '--duration=1h')).trim();
    const { server, ca } = await loadConfig();
    const register = async (name: string, addresses: string) => {
      const [config, state] = [join(folder, name), join(folder, `${name}-state`)];
      for (const each of [config, state]) mkdirSync(each, { recursive: true });
      const settings = [`SERVER=${server}`, `NAMESPACE=${shop}`, `MACHINE=${name}`, `ADDRESSES=${addresses}`];
      writeFileSync(join(config, 'machine.conf'), settings.join('\n'));
      writeFileSync(join(config, 'ca.crt'), typeof ca === 'object' ? readFileSync(ca.file) : (ca ?? ''));
      writeFileSync(join(state, 'token'), token);
      const env = { PATH: process.env.PATH, CONFIG_DIR: config, STATE_DIR: state };
      return run('sh', ['examples/machines/register-machine'], { env });
    };
    await register('nas', '203.0.113.10');
    await client.becomes(at('nas'), '203.0.113.10');
    await client.becomes(`10.${reverse}`, at('nas'), 'PTR');
    await expect(register('printer', '203.0.113.66')).rejects.toThrow(/403/);
    expect(await client.answer(at('printer'))).toBe('203.0.113.9');
  });

  test('when an address moves, its name, PTR record and claims follow at once', async () => {
    await apply(claim('storage', { name: at('storage'), selector: { matchLabels: { role: 'storage' } } }));
    await client.becomes(at('storage'), '203.0.113.10');
    const seconds: number[] = [];
    for (let turn = 11; turn <= 20; turn++) {
      const address = `203.0.113.${turn}`;
      const start = performance.now();
      await patch('machines.dns.internal', 'nas', { spec: { addresses: [address] } }, shop);
      await Promise.all([
        client.becomes(at('nas'), address),
        client.becomes(at('storage'), address),
        client.becomes(`${turn}.${reverse}`, at('nas'), 'PTR'),
        client.becomes(`${turn - 1}.${reverse}`, 'NXDOMAIN', 'PTR'),
      ]);
      seconds.push((performance.now() - start) / 1000);
    }
    seconds.sort((a, b) => a - b);
    figure('address of a Machine patched -> A, PTR and a claim answer it, median of ten', seconds[5] as number);
    figure('address of a Machine patched -> A, PTR and a claim answer it, slowest of ten', seconds[9] as number);
    await untilReady('machine', 'nas', { status: 'True' });
    expect((await entryOf('machine', 'nas')).claims).toEqual([`${shop}/storage`]);
  });

  test('a claim is answered with the members that are healthy, and each has a name of its own', async () => {
    const [one, other] = localAddresses();
    const port = 18_027;
    listeners.push(await listener(one, port), await listener(other, port));
    const before = (await get('pod', `idns-${instance}-0`, 'internal-dns')).metadata.uid;
    await apply(
      machine('mx1', { addresses: [one] }, { labels: { role: 'mail' } }),
      machine('mx2', { addresses: [other] }, { labels: { role: 'mail' } }),
      claim('smtp', {
        name: at('smtp'),
        selector: { matchLabels: { role: 'mail' } },
        check: { port, interval: '1s' },
        template: `{{machine.name}}.hosts.${zone}`,
      }),
    );
    const both = [one, other].sort().join(' ');
    await client.becomes(at('smtp'), both);
    await client.becomes(at('mx1.hosts'), one);
    await client.becomes(at('mx2.hosts'), other);
    await untilReady('nameclaim', 'smtp', { status: 'True' });
    listeners[1]?.close();
    figure('a member of a claim dies -> no longer answered', await client.becomes(at('smtp'), one));
    await until('the status has one member up', async () => {
      const { membersUp } = await entryOf('nameclaim', 'smtp');
      return membersUp === '1/2' || membersUp;
    });
    listeners[1] = await listener(other, port);
    await client.becomes(at('smtp'), both);
    expect((await get('pod', `idns-${instance}-0`, 'internal-dns')).metadata.uid).toBe(before);
  });

  test('teams have their own names and networks, and are told what they do not get', async () => {
    await apply(
      machine(
        'desk',
        { hostname: `desk.market.${zone}`, addresses: ['203.0.113.200', '203.0.113.9'] },
        { namespace: market },
      ),
      machine('thief', { hostname: `printer.${zone}`, addresses: ['203.0.113.201'] }, { namespace: market }),
    );
    await client.becomes(`desk.market.${zone}`, '203.0.113.200');
    await untilReady('machine', 'desk', { status: 'True', message: /left out 203\.0\.113\.9/ }, market);
    await untilReady('machine', 'thief', { status: 'False', reason: 'Refused' }, market);
    expect(await client.answer(at('printer'))).toBe('203.0.113.9');
    await until('an Event tells the team', async () => {
      const events = await eventsOn(instance, 'machines.dns.internal', 'thief', market);
      return events.some((each) => /tenant/.test(each)) || events;
    });
  });

  test('an entry that an InternalDNS has left behind goes, and no other', async () => {
    const observedAt = new Date(Date.now() - 48 * 3_600_000).toISOString();
    const metadata = { name: 'nas', namespace: shop };
    const api = await clusterClient();
    await api.apply(
      `/apis/${apiVersion}/namespaces/${shop}/machines/nas/status`,
      { apiVersion, kind: 'Machine', metadata, status: { instances: [{ name: 'gone', observedAt }] } },
      { fieldManager: 'internal-dns-gone' },
    );
    await until('the entry is removed', async () => {
      const { instances } = (await get('machines.dns.internal', 'nas', shop)).status;
      const names: string[] = instances.map(({ name }: { name: string }) => name);
      return !names.includes('gone') || names;
    });
    expect(await entryOf('machine', 'nas')).toMatchObject({ fqdn: at('nas') });
  });

  test('what goes takes its names, PTR records and places in claims with it', async () => {
    await kubectl('-n', shop, 'delete', 'machines.dns.internal', 'mx2');
    await client.becomes(at('smtp'), localAddresses()[0]);
    await client.becomes(at('mx2.hosts'), 'NXDOMAIN');
    await kubectl('-n', shop, 'delete', 'machines.dns.internal', 'printer');
    await client.becomes(at('printer'), 'NXDOMAIN');
    await client.becomes(`9.${reverse}`, 'NXDOMAIN', 'PTR');
  });

  test('a second replica has the same names, PTR records and healthy members, and follows at once', async () => {
    const replicas = await withSecondReplica(instance);
    const [member] = localAddresses();
    await apply(machine('scanner', { addresses: ['203.0.113.10'] }));
    for (const { client: replica } of replicas) {
      await replica.becomes(at('scanner'), '203.0.113.10');
      await replica.becomes(`10.${reverse}`, at('scanner'), 'PTR');
      await replica.becomes(at('smtp'), member);
      await replica.becomes(`desk.market.${zone}`, '203.0.113.200');
    }
    await untilReady('machine', 'scanner', { status: 'True' });
    const { instances } = (await get('machines.dns.internal', 'scanner', shop)).status;
    expect(instances.filter(({ name }: { name: string }) => name === instance)).toHaveLength(1);
  });
});
