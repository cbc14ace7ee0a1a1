import { basename } from 'node:path';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { examples } from '../examples.ts';
import { readObjects } from '../render.ts';
import { deleteAt, objectPathOf } from './cluster/api.ts';
import { apply, get, kubectl, remove, until, waitFor, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { everybody } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

/** Examples that need something a test cluster lacks, with the reason that ServerReady then has. */
const lacking: Record<string, string> = {
  // User IDs that the cluster assigns: kubelet does not start an image whose user is a name without one.
  'openshift.yaml': 'PodsNotReady',
  // Tailscale's operator.
  ...(process.env.TAILNET_EXEC ? {} : { 'tailscale.yaml': 'NoAddress' }),
  'private-registry.yaml': 'PodsNotReady',
  'storage.yaml': 'NoStorageClass',
};

/** Examples that another scenario applies. */
const elsewhere = ['minimal.yaml', 'zone-editors.yaml'];

const others = Object.values(examples)
  .map((file) => basename(file))
  .filter((file) => !elsewhere.includes(file));

/** The InternalDNS of an example. */
const compositeIn = (file: string) =>
  readObjects(`examples/${file}`).find(({ kind }) => kind === 'InternalDNS') as KubernetesObject;

/** With this machine among the clients of a resolver: it has none of the addresses of an example. */
function openToTest(object: KubernetesObject): KubernetesObject {
  const { resolver } = object.spec ?? {};
  return resolver ? { ...object, spec: { ...object.spec, resolver: { ...resolver, allowFrom: everybody } } } : object;
}

scenario('examples', ({ owns }) => {
  test.concurrent.each(others.filter((file) => !(file in lacking)))(
    'examples/%s becomes Ready and answers',
    async (file) => {
      const { metadata, spec } = compositeIn(file);
      owns(metadata.name);
      const objects = readObjects(`examples/${file}`).map(openToTest);
      await apply(...objects);
      await waitForReady(metadata.name);
      const inside = (await get('service', `idns-${metadata.name}`, 'internal-dns')).spec.clusterIP;
      const client = await clientOf(metadata.name, inside);
      for (const { name } of spec.zones) expect((await client.ask(name, 'SOA')).answers).toHaveLength(1);
      for (const object of objects) await deleteAt(await objectPathOf(object));
      await remove('internaldns', metadata.name);
    },
  );

  test.each(Object.entries(lacking))(
    'examples/%s is composed, and reports %s in a cluster that lacks what it needs',
    async (file, reason) => {
      const { metadata } = compositeIn(file);
      owns(metadata.name);
      await kubectl('apply', '-f', `examples/${file}`);
      await waitFor('Synced', `internaldns/${metadata.name}`);
      await until(`ServerReady has the reason ${reason}`, async () => {
        const { status } = await get('internaldns', metadata.name);
        const server = status.conditions.find((c: { type: string }) => c.type === 'ServerReady');
        const pods = await get('statefulset', `idns-${metadata.name}`, 'internal-dns');
        return (server?.reason === reason && pods.spec.replicas === 1) || server;
      });
      await remove('internaldns', metadata.name);
      await kubectl('-n', 'internal-dns', 'delete', 'pvc', `data-idns-${metadata.name}-0`, '--ignore-not-found');
    },
  );
});
