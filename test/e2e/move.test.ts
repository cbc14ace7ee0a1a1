import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { declare } from './cluster/edit.ts';
import { watchForwarder } from './cluster/forwarder.ts';
import { apply, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { debugExternalDNS, inPod } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'move.internal';
const pod = 'idns-move-0';
const address = '198.51.100.200';
const ownershipTXT = { prefix: 'extdns-%{record_type}.', wildcardReplacement: '_wildcard' };
const at = (name: string) => `${name}.${zone}`;

/** A migration to ExternalDNS's built-in provider and TXT registry, and back. */
scenario('move', ({ shop, ingress, internalDNS }) => {
  let client: Client;
  const txtOf = (name: string) => client.answer(name, 'TXT');

  test('each record has the ownership TXT record that ExternalDNS would write', async () => {
    await apply(
      internalDNS('move', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], ownershipTXT },
      }),
      ingress({ name: 'stays', hosts: [at('stays'), zone, `*.${at('any')}`] }),
      ingress({ name: 'goes', hosts: [at('goes')] }),
    );
    await waitForReady('move');
    client = await clientOf('move');
    for (const name of [at('stays'), at('goes'), zone, at('a.any')]) await client.becomes(name, address);
    for (const name of [at('extdns-a.stays'), `extdns-a.${zone}`, at('extdns-a._wildcard.any')]) {
      expect([name, await txtOf(name)]).toEqual([name, expect.stringContaining('data')]);
    }
  });

  test('the built-in provider takes over all records, and no query is lost', async () => {
    await declare('move', { discovery: { policy: 'Preview' } });
    const forwarder = await watchForwarder('move', at('stays'), address);
    await withDisturbance('move', async () => {
      await startBuiltIn();
      await until('it finds all records up to date', async () => {
        const log = await kubectl('-n', 'internal-dns', 'logs', pod, '-c', 'built-in');
        return /All records are already up to date/.test(log) || log.slice(-500);
      });
      await remove('ingress', 'goes', shop);
      await client.becomes(at('goes'), 'NXDOMAIN');
      await apply(ingress({ name: 'comes', hosts: [at('comes')] }));
      await client.becomes(at('comes'), address);
      await stopBuiltIn();
    });
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
  });

  test('the agent takes the records back, and no query is lost', async () => {
    const forwarder = await watchForwarder('move', at('comes'), address);
    await declare('move', { discovery: { policy: 'Sync' } });
    // The default TTL of the built-in provider is 300.
    await until('the record has our TTL', async () => {
      const [answer] = (await client.ask(at('comes'))).answers;
      return answer?.ttl === 60 || answer?.ttl;
    });
    await anotherLoop('move');
    expect(Math.max(...(await forwarder.stop()))).toBe(0);
    // A record of the built-in provider is removed with its TXT record.
    await remove('ingress', 'comes', shop);
    await client.becomes(at('comes'), 'NXDOMAIN');
    expect(await txtOf(at('extdns-a.comes'))).toBe('NXDOMAIN');
    await declare('move', { discovery: { ownershipTXT: null } });
    await client.becomes(at('extdns-a.stays'), 'NXDOMAIN', 'TXT');
    expect(await client.answer(at('stays'))).toBe(address);
  });
});

/** Runs in the pod itself, because PowerDNS's API listens only on its loopback address. */
async function startBuiltIn(): Promise<void> {
  const { spec } = await get('pod', pod, 'internal-dns');
  const own = spec.containers[0];
  const read = `require('fs').readFileSync('/run/internal-dns/api.conf', 'utf8').match(/api-key=(\\S+)/)[1]`;
  const key = await inPod(pod, 'agent', '/nodejs/bin/node', '-p', read);
  const custom = join(await mkdtemp(join(tmpdir(), 'move-')), 'container.json');
  const container = {
    env: [{ name: 'EXTERNAL_DNS_PDNS_API_KEY', value: key.trim() }],
    volumeMounts: own.volumeMounts,
    securityContext: own.securityContext,
  };
  await writeFile(custom, JSON.stringify(container), { mode: 0o600 });
  await kubectl(
    ...['-n', 'internal-dns', 'debug', pod, '-c', 'built-in', `--image=${own.image}`, '--profile=restricted'],
    ...['--target=external-dns', `--custom=${custom}`, '--', 'external-dns', '--source=ingress', '--provider=pdns'],
    ...['--pdns-server=http://127.0.0.1:8081', `--domain-filter=${zone}`, '--policy=sync', '--interval=2s'],
    ...['--registry=txt', '--txt-owner-id=move', `--txt-prefix=${ownershipTXT.prefix}`],
    ...[`--txt-wildcard-replacement=${ownershipTXT.wildcardReplacement}`, '--enable-legacy-annotation-prefix'],
    ...['--managed-record-types=A', '--managed-record-types=AAAA', '--managed-record-types=CNAME'],
    ...['--metrics-address=127.0.0.1:7999'],
  );
}

/** Kills the process from a debug container: an ephemeral container cannot be removed from its pod. */
async function stopBuiltIn(): Promise<void> {
  await debugExternalDNS(pod, 'cd /proc; for p in [0-9]*; do grep -q provider=pdn[s] $p/cmdline && kill $p; done');
  await until('the container has terminated', async () => {
    const { status } = await get('pod', pod, 'internal-dns');
    const states = status.ephemeralContainerStatuses.filter(({ name }: { name: string }) => name === 'built-in');
    return states.every(({ state }: { state: object }) => 'terminated' in state) || states;
  });
}
