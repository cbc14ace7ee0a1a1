import { expect, test } from 'vitest';
import { delv, findDelv } from '../powerdns/delv.ts';
import { figure } from './cluster/figures.ts';
import { apply, exists, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'ephemeral.internal';
const at = (name: string) => `${name}.${zone}`;
const namespace = 'internal-dns';
const pod = 'idns-ephemeral-0';

const answers = { declared: '192.0.2.1', discovered: '192.0.2.2', 'without-object': '192.0.2.3' };

scenario('ephemeral', ({ shop, ingress, internalDNS }) => {
  const fixed = (name: 'discovered' | 'without-object') =>
    ingress({ name, hosts: [at(name)], annotations: { [target]: answers[name] } });
  const dsOf = async (): Promise<string[]> => (await get('internaldns', 'ephemeral')).status.zones[0].dnssec.ds;

  test('a new pod without a volume has every record, and signs with the same key', async () => {
    await findDelv();
    await apply(
      internalDNS('ephemeral', {
        zones: [
          {
            name: zone,
            records: [{ name: 'declared', type: 'A', values: [answers.declared] }],
            dnssec: { mode: 'Signed', algorithm: 'ECDSA256' },
          },
        ],
        discovery: { sources: [{ kind: 'Ingress' }], policy: 'UpsertOnly' },
        storage: { type: 'Ephemeral', size: '64Mi' },
      }),
      fixed('discovered'),
      fixed('without-object'),
    );
    await waitForReady('ephemeral');
    expect(await exists('persistentvolumeclaim', `data-${pod}`, namespace)).toBe(false);
    const client = await clientOf('ephemeral');
    const answered = () =>
      Promise.all(Object.entries(answers).map(([name, answer]) => client.becomes(at(name), answer)));
    await answered();
    await remove('ingress', 'without-object', shop);
    await until('what the policy keeps is mirrored', async () => {
      const { data = {} } = await get('configmap', 'idns-ephemeral-kept', namespace);
      return `${zone}..A..without-object` in data || Object.keys(data);
    });

    const ds = await dsOf();
    const { uid } = (await get('pod', pod, namespace)).metadata;
    const begin = performance.now();
    await kubectl('-n', namespace, 'delete', 'pod', pod);
    await until('the pod is a new one', async () => (await get('pod', pod, namespace)).metadata.uid !== uid);
    await answered();
    figure('pod without a volume deleted -> all records of all kinds restored', (performance.now() - begin) / 1000);
    await waitForReady('ephemeral');
    expect(await dsOf()).toEqual(ds);
    const { address: server } = (await get('internaldns', 'ephemeral')).status;
    const validated = await delv({ server, zone, ds, name: at('declared') });
    expect(validated).toMatch(/fully validated[\s\S]*192\.0\.2\.1/);
    await anotherLoop('ephemeral');
  });
});
