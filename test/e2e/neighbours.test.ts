import { expect, test } from 'vitest';
import { apply, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';

const namespaced =
  'all,configmap,serviceaccount,role,rolebinding,networkpolicy,poddisruptionbudget,persistentvolumeclaim';

/** Everything that belongs to one instance, by kind and name. */
async function belongings(composite: string): Promise<string[]> {
  const selector = `app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${composite}`;
  const inside = await kubectl('get', namespaced, '-n', 'internal-dns', '-l', selector, '-o', 'name');
  const claims = await kubectl('get', 'persistentvolumeclaim', '-n', 'internal-dns', '-o', 'name');
  const cluster = await kubectl('get', 'clusterrolebinding', '-l', selector, '-o', 'name');
  const ofClaims = claims.split('\n').filter((claim) => claim.includes(`data-idns-${composite}-`));
  return [...new Set([...inside.split('\n'), ...ofClaims, ...cluster.split('\n')])].filter(Boolean);
}

scenario('neighbours', ({ ingress, internalDNS }) => {
  let work: Client;
  let home: Client;

  test('two instances serve one zone each from the same Ingresses', async () => {
    await apply(
      internalDNS('home', {
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
    for (const name of ['home', 'work']) await waitForReady(name);
    [work, home] = [await clientOf('work'), await clientOf('home')];
    await work.becomes('both.work.internal', address);
    await home.becomes('both.home.internal', address);
    expect(await work.answer('both.home.internal')).toBe('REFUSED');
    expect(await home.answer('both.work.internal')).toBe('REFUSED');
    expect(await home.answer('2.0.192.in-addr.arpa', 'SOA')).toContain('hostmaster.2.0.192.in-addr.arpa');
    for (const name of ['home', 'work']) await anotherLoop(name);
    expect(await home.answer('both.work.internal')).toBe('REFUSED');
  });

  test('deleting one leaves nothing of it but the claim that was to be kept, and nothing else gone', async () => {
    const others = await belongings('work');
    await remove('internaldns', 'home');
    await until('everything is gone', async () => {
      const left = await belongings('home');
      return left.join() === 'persistentvolumeclaim/data-idns-home-0' || left;
    });
    expect(await belongings('work')).toEqual(others);
    expect(await work.answer('both.work.internal')).toBe(address);
  });

  test('one that comes back finds its volume, and without retain leaves nothing', async () => {
    const before = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
    await apply(internalDNS('home', { zones: [{ name: 'home.internal' }], storage: { size: '2Gi' } }));
    await waitForReady('home');
    const after = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    // The agent grows what is smaller than declared.
    await until('the claim has grown', async () => {
      const { spec } = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
      return spec.resources.requests.storage === '2Gi' || spec.resources;
    });
    await remove('internaldns', 'home');
    await until('everything is gone', async () => {
      const left = await belongings('home');
      return left.length === 0 || left;
    });
    expect(await work.answer('both.work.internal')).toBe(address);
  });
});
