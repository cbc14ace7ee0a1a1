import { basename } from 'node:path';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { examples } from '../examples.ts';
import { readObjects } from '../render.ts';
import { get, kubectl, remove, until, waitFor, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { scenario } from './scenario.ts';

/** Examples that need something a test cluster lacks, with the reason that ServerReady then has. */
const lacking: Record<string, string> = {
  'load-balancer.yaml': 'NoAddress',
  'tailscale.yaml': 'NoAddress',
  'private-registry.yaml': 'PodsNotReady',
  'storage.yaml': 'PodsNotReady',
};

/** Examples that another scenario applies. */
const elsewhere = ['minimal.yaml', 'zone-editors.yaml'];

const others = Object.values(examples)
  .map((file) => basename(file))
  .filter((file) => !elsewhere.includes(file));

/** The InternalDNS of an example. */
const compositeIn = (file: string) =>
  readObjects(`examples/${file}`).find(({ kind }) => kind === 'InternalDNS') as KubernetesObject;

scenario('examples', ({ owns }) => {
  test.concurrent.each(others.filter((file) => !(file in lacking)))(
    'examples/%s becomes Ready and answers',
    async (file) => {
      const { metadata, spec } = compositeIn(file);
      owns(metadata.name);
      await kubectl('apply', '-f', `examples/${file}`);
      await waitForReady(metadata.name);
      const inside = (await get('service', `idns-${metadata.name}`, 'internal-dns')).spec.clusterIP;
      const client = await clientOf(metadata.name, inside);
      for (const { name } of spec.zones) expect((await client.ask(name, 'SOA')).answers).toHaveLength(1);
      await kubectl('delete', '-f', `examples/${file}`, '--wait=true');
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
