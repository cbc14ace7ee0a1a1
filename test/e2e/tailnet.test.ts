import { afterAll, expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { figure } from './cluster/figures.ts';
import { apply, condition, exists, get, kubectl, list, remove, until, waitForReady } from './cluster/kubectl.ts';
import { clientAt } from './cluster/names.ts';
import { scenarioLabel, target } from './cluster/objects.ts';
import {
  apiURL,
  becomesOnLaptop,
  changeSplitDNS,
  laptopAsks,
  laptopFinds,
  oauthClient,
  reason,
  splitDNS,
} from './cluster/tailnet.ts';
import { scenario } from './scenario.ts';

const [zone, second] = ['remote.internal', 'second.internal'];
const host = `web.${zone}`;
const address = '10.10.0.7';
const namespace = 'internal-dns';
const ofOthers = { 'others.example': ['192.0.2.1'] };

/** A laptop in a tailnet resolves every host, and nobody has configured it. */
scenario('tailnet', ({ ingress, internalDNS, shop }) => {
  const credentials = { secretRef: { name: 'e2e-tailnet' } };
  const tailnet = { name: 'tailnet', tailscale: { hostname: 'e2e-dns', splitDNS: { credentials, apiURL } } };
  const proxies = { name: 'e2e-dns' };
  const viaProxies = [
    { name: 'group', tailscale: { hostname: 'e2e-dns-group', proxyGroup: proxies.name } },
    { name: 'class', tailscale: { hostname: 'e2e-dns-class', proxyClass: proxies.name } },
  ];
  const additionalServices = [{ name: 'lan', type: 'LoadBalancer' }, tailnet, ...viaProxies];
  const inTailnet = async (): Promise<string[]> => (await get('internaldns', 'remote')).status.tailnet.addresses;
  const ownEntries = async () => {
    const { [zone]: first, [second]: other } = await splitDNS();
    return [first?.join(), other?.join()];
  };
  const conditionIs = (status: string, reason: string, message: RegExp) =>
    until(`TailnetReady is ${status} ${reason}`, async () => {
      const { message: said = '', ...now } = await condition('remote', 'TailnetReady');
      return (now.status === status && now.reason === reason && message.test(said)) || { ...now, said };
    });

  afterAll(async () => {
    if (reason) return;
    await remove('secret', credentials.secretRef.name, namespace);
    for (const kind of ['proxygroup', 'proxyclass']) await remove(kind, proxies.name);
    await changeSplitDNS({ 'others.example': null, [zone]: null, [second]: null });
  });

  test.skipIf(reason)(`a tailnet without credentials does not hold Ready back, and is told${reason}`, async () => {
    await changeSplitDNS({ ...ofOthers, [second]: ['192.0.2.2'] });
    const [apiVersion, labels] = ['tailscale.com/v1alpha1', { [scenarioLabel]: 'tailnet' }];
    await apply(
      { apiVersion, kind: 'ProxyGroup', metadata: proxies, spec: { type: 'ingress', replicas: 1, tags: ['tag:k8s'] } },
      { apiVersion, kind: 'ProxyClass', metadata: proxies, spec: { statefulSet: { pod: { labels } } } },
    );
    await apply(internalDNS('remote', { zones: [{ name: zone }], additionalServices }));
    await waitForReady('remote');
    await conditionIs('False', 'SplitDNSPending', /^Secret e2e-tailnet does not exist: /);
    expect(await ownEntries()).toEqual([undefined, '192.0.2.2']);
  });

  test.skipIf(reason)(`with them the tailnet asks this server for its zone${reason}`, async () => {
    const { id: client_id, secret: client_secret } = oauthClient;
    const metadata = { name: credentials.secretRef.name, namespace };
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { client_id, client_secret } });
    await until('the entry has the address', async () => {
      const [entry] = await ownEntries();
      return (entry !== undefined && entry === (await inTailnet()).join()) || entry;
    });
    await conditionIs('True', 'SplitDNSKept', /^$/);
    expect(await splitDNS()).toMatchObject(ofOthers);
    expect((await get('internaldns', 'remote')).status.tailnet).toMatchObject({ service: 'tailnet', state: 'Ready' });
  });

  test.skipIf(reason)(
    `a new host resolves on the laptop, in the LAN and in a pod at the same time${reason}`,
    async () => {
      const { status } = await get('internaldns', 'remote');
      const addressOf = (name: string) =>
        status.addresses.find(({ service }: { service: string }) => service === name).addresses[0];
      const [pod, lan] = [clientAt(addressOf('service')), clientAt(addressOf('lan'))];
      expect(await laptopFinds(host)).toBe('');
      await apply(ingress({ name: 'web', hosts: [host], annotations: { [target]: address } }));
      const [seconds] = await Promise.all([
        becomesOnLaptop(host, address),
        lan.becomes(host, address),
        pod.becomes(host, address),
      ]);
      figure('a new Ingress resolves on a laptop in the tailnet', seconds);
      await remove('ingress', 'web', shop);
      figure('a deleted one is gone there', await becomesOnLaptop(host, ''));
      expect(await pod.answer(host)).toBe('NXDOMAIN');
      await apply(ingress({ name: 'web', hosts: [host], annotations: { [target]: address } }));
      await becomesOnLaptop(host, address);
    },
  );

  test.skipIf(reason)(`the laptop also gets answers through a ProxyGroup, and a ProxyClass${reason}`, async () => {
    for (const { name } of viaProxies) {
      await until(`there is an answer through ${name}`, async () => {
        const { addresses } = (await get('internaldns', 'remote')).status;
        const way = addresses.find(({ service }: { service: string }) => service === name);
        const answer = await laptopAsks(way.addresses[0], host);
        return answer === address || { way, answer };
      });
    }
    expect(await list('pod', { namespace: 'tailscale', labels: `${scenarioLabel}=tailnet` })).toHaveLength(1);
  });

  test.skipIf(reason)(`an entry of others is left, is told, and is replaced once it is gone${reason}`, async () => {
    await edit('remote', { zones: [{ name: zone }, { name: second }] });
    await conditionIs('False', 'SplitDNSConflict', /for second\.internal \(192\.0\.2\.2\): /);
    expect((await splitDNS())[second]).toEqual(['192.0.2.2']);
    await changeSplitDNS({ [second]: null });
    await becomesOnLaptop(`ns1.${second}`, (await get('internaldns', 'remote')).status.address);
    await conditionIs('True', 'SplitDNSKept', /^$/);
  });

  test.skipIf(reason)(`a restart removes nothing, and a new address is followed${reason}`, async () => {
    const before = await ownEntries();
    let lost = 0;
    let isOver = false;
    const watch = (async () => {
      while (!isOver) if (String(await ownEntries()) !== String(before)) lost++;
    })();
    await kubectl('-n', namespace, 'delete', 'pod', 'idns-remote-0', '--wait=true');
    await kubectl('-n', namespace, 'rollout', 'status', 'statefulset/idns-remote', '--timeout=180s');
    isOver = true;
    await watch;
    expect(lost).toBe(0);
    // The operator makes another machine for another Service.
    await kubectl('-n', namespace, 'delete', 'service', 'idns-remote-tailnet', '--wait=true');
    await until('the entries have the new address', async () => {
      const [entries, now] = [await ownEntries(), (await inTailnet()).join()];
      return (now !== '' && now !== before[0] && entries.every((each) => each === now)) || [entries, now];
    });
    await becomesOnLaptop(host, address);
  });

  test.skipIf(reason)(`the entries go with a zone, and with the InternalDNS${reason}`, async () => {
    await edit('remote', { zones: [{ name: zone }] });
    await until('the entry of the second zone is gone', async () => {
      const [, entry] = await ownEntries();
      return entry === undefined || entry;
    });
    await remove('internaldns', 'remote');
    await until('no entry is left', async () => {
      const entries = await ownEntries();
      return entries.every((each) => each === undefined) || entries;
    });
    expect(await splitDNS()).toMatchObject(ofOthers);
    await until('the Service is gone', async () => !(await exists('service', 'idns-remote-tailnet', namespace)));
  });
});
