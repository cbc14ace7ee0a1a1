import { expect, test } from 'vitest';
import { apply, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';

const namespaced =
  'all,configmap,serviceaccount,role,rolebinding,networkpolicy,poddisruptionbudget,persistentvolumeclaim';

/** All objects of one instance, as `KIND/NAME`. */
async function objectsOf(composite: string): Promise<string[]> {
  const selector = `app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${composite}`;
  const inside = await kubectl('get', namespaced, '-n', 'internal-dns', '-l', selector, '-o', 'name');
  const claims = await kubectl('get', 'persistentvolumeclaim', '-n', 'internal-dns', '-o', 'name');
  const cluster = await kubectl('get', 'clusterrolebinding', '-l', selector, '-o', 'name');
  const ownClaims = claims.split('\n').filter((claim) => claim.includes(`data-idns-${composite}-`));
  return [...new Set([...inside.split('\n'), ...ownClaims, ...cluster.split('\n')])].filter(Boolean);
}

scenario('neighbours', ({ ingress, internalDNS }) => {
  let work: Client;
  let home: Client;

  test('two instances serve one zone each from the same Ingresses', async () => {
    await apply(
      internalDNS('household', {
        zones: [{ name: 'home.internal' }, { name: '2.0.192.in-addr.arpa' }],
        storage: { retain: true },
      }),
      internalDNS('work', { zones: [{ name: 'work.internal' }] }),
      ingress({
        name: 'both',
        hosts: ['both.work.internal', 'both.home.internal'],
        annotations: { [target]: address },
      }),
    );
    for (const name of ['household', 'work']) await waitForReady(name);
    [work, home] = [await clientOf('work'), await clientOf('household')];
    await work.becomes('both.work.internal', address);
    await home.becomes('both.home.internal', address);
    expect(await work.answer('both.home.internal')).toBe('REFUSED');
    expect(await home.answer('both.work.internal')).toBe('REFUSED');
    expect(await home.answer('2.0.192.in-addr.arpa', 'SOA')).toContain('hostmaster.2.0.192.in-addr.arpa');
    for (const name of ['household', 'work']) await anotherLoop(name);
    expect(await home.answer('both.work.internal')).toBe('REFUSED');
  });

  test('deleting one instance removes its objects except the retained PVC, and no object of the other', async () => {
    const others = await objectsOf('work');
    await remove('internaldns', 'household');
    await until('only the retained PVC is left', async () => {
      const left = await objectsOf('household');
      return left.join() === 'persistentvolumeclaim/data-idns-household-0' || left;
    });
    expect(await objectsOf('work')).toEqual(others);
    expect(await work.answer('both.work.internal')).toBe(address);
  });

  test('a recreated instance gets its volume back, and without retain deletes everything', async () => {
    const before = await get('persistentvolumeclaim', 'data-idns-household-0', 'internal-dns');
    await apply(internalDNS('household', { zones: [{ name: 'home.internal' }], storage: { size: '2Gi' } }));
    await waitForReady('household');
    const after = await get('persistentvolumeclaim', 'data-idns-household-0', 'internal-dns');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    // The agent expands a PVC that is smaller than declared.
    await until('the PVC is expanded', async () => {
      const { spec } = await get('persistentvolumeclaim', 'data-idns-household-0', 'internal-dns');
      return spec.resources.requests.storage === '2Gi' || spec.resources;
    });
    await remove('internaldns', 'household');
    await until('everything is gone', async () => {
      const left = await objectsOf('household');
      return left.length === 0 || left;
    });
    expect(await work.answer('both.work.internal')).toBe(address);
  });
});
