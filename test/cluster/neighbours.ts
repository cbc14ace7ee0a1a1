import { expect, test } from 'vitest';
import { apply, exists, get, kubectl, list, remove, until, waitForNew } from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { ingress, internalDNS, shop } from './objects.ts';

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

export function neighbours(): void {
  let corp: Client;
  let home: Client;

  test('two instances serve one zone each from the same Ingresses', async () => {
    await apply(
      internalDNS('home', {
        zones: [{ name: 'home.internal' }, { name: '2.0.192.in-addr.arpa' }],
        storage: { retain: true },
      }),
      ingress({ name: 'both', hosts: ['both.corp.internal', 'both.home.internal'] }),
    );
    await waitForNew('home');
    [corp, home] = [await clientOf('corp'), await clientOf('home')];
    await corp.becomes('both.corp.internal', '198.51.100.200');
    await home.becomes('both.home.internal', '198.51.100.200');
    expect(await corp.answer('both.home.internal')).toBe('REFUSED');
    expect(await home.answer('both.corp.internal')).toBe('REFUSED');
    expect(await home.answer('2.0.192.in-addr.arpa', 'SOA')).toContain('hostmaster.2.0.192.in-addr.arpa');
    await quiet('corp');
    await quiet('home');
  });

  test('deleting one leaves nothing of it but the claim that was to be kept, and nothing else gone', async () => {
    const others = await belongings('corp');
    await remove('internaldns', 'home');
    await until('everything is gone', 60, async () => {
      const left = await belongings('home');
      return left.join() === 'persistentvolumeclaim/data-idns-home-0' || left;
    });
    expect(await belongings('corp')).toEqual(others);
    expect(await corp.answer('both.corp.internal')).toBe('198.51.100.200');
    await quiet('corp');
  });

  test('one that comes back finds its volume, and without retain leaves nothing', async () => {
    const before = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
    await apply(internalDNS('home', { zones: [{ name: 'home.internal' }], storage: { size: '2Gi' } }));
    await waitForNew('home');
    const after = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    // The agent grows what is smaller than declared.
    await until('the claim has grown', 30, async () => {
      const { spec } = await get('persistentvolumeclaim', 'data-idns-home-0', 'internal-dns');
      return spec.resources.requests.storage === '2Gi' || spec.resources;
    });
    await remove('internaldns', 'home');
    await until('everything is gone', 60, async () => {
      const left = await belongings('home');
      return left.length === 0 || left;
    });
    await remove('ingress', 'both', shop);
    expect(await exists('internaldns', 'corp')).toBe(true);
    expect(await list('internaldns')).toHaveLength(1);
  });
}
