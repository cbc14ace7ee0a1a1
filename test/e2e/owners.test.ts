import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { apply, get, kubectl, patch, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { clientOf } from './cluster/names.ts';
import { hostname, target } from './cluster/objects.ts';
import { statusAddress, tableAt, untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

/** Ownership of names: namespaces, tenants, reserved names, and instances that do not affect each other. */
scenario('owners', ({ shop, market, ingress, internalDNS }) => {
  const fixed = (name: string, host: string, address: string, namespace = shop) =>
    ingress({ name, namespace, hosts: [host], annotations: { [target]: address } });

  test('an instance discovers and can read only the namespaces in its spec, with one ExternalDNS each', async () => {
    await apply(
      internalDNS('team', {
        zones: [{ name: 'team.internal' }],
        discovery: { sources: [{ kind: 'Ingress' }], namespaces: [shop, market] },
      }),
      fixed('seen', 'seen.team.internal', '192.0.2.1'),
      fixed('seen', 'too.team.internal', '192.0.2.2', market),
      fixed('unseen', 'unseen.team.internal', '192.0.2.3', 'default'),
    );
    await waitForReady('team');
    const client = await clientOf('team');
    await client.becomes('seen.team.internal', '192.0.2.1');
    await client.becomes('too.team.internal', '192.0.2.2');
    await anotherLoop('team');
    expect(await client.answer('unseen.team.internal')).toBe('NXDOMAIN');
    const account = 'system:serviceaccount:internal-dns:idns-team';
    const canList = (namespace: string) =>
      kubectl('auth', 'can-i', 'list', 'ingresses.networking.k8s.io', `--as=${account}`, '-n', namespace).then(
        (answer) => answer.trim(),
        () => 'no',
      );
    expect([await canList(shop), await canList(market), await canList('default')]).toEqual(['yes', 'yes', 'no']);

    // A namespace cannot take over or delete a name of another.
    await apply(fixed('thief', 'seen.team.internal', '192.0.2.66', market));
    await untilReported('team', {
      name: 'seen.team.internal',
      resource: `ingress/${market}/thief`,
      verdict: 'Duplicate',
      message: new RegExp(`^already used by ingress/${shop}/seen`),
    });
    await anotherLoop('team');
    expect(await client.answer('seen.team.internal')).toBe('192.0.2.1');
    await remove('ingress', 'seen', shop);
    await client.becomes('seen.team.internal', '192.0.2.66');

    // Removing a namespace from the list removes its names only.
    await apply(fixed('stays', 'stays.team.internal', '192.0.2.4'));
    await client.becomes('stays.team.internal', '192.0.2.4');
    await edit('team', { discovery: { namespaces: [shop] } });
    await client.becomes('too.team.internal', 'NXDOMAIN');
    await client.becomes('seen.team.internal', 'NXDOMAIN');
    await waitForReady('team');
    await client.becomes('stays.team.internal', '192.0.2.4');
    await remove('internaldns', 'team');
    for (const [name, namespace] of [
      ['stays', shop],
      ['seen', market],
      ['thief', market],
      ['unseen', 'default'],
    ] as const) {
      await remove('ingress', name, namespace);
    }
  });

  test('a tenant gets only its own names, nobody gets reserved ones, and a namespace has a quota', async () => {
    await kubectl('label', 'namespace', shop, 'team=a', '--overwrite');
    await apply(
      internalDNS('rent', {
        zones: [{ name: 'rent.internal' }],
        discovery: {
          sources: [{ kind: 'Ingress' }],
          tenants: [{ namespaceSelector: { matchLabels: { team: 'a' } }, names: ['*.a.rent.internal'] }],
          reservedNames: ['vpn.rent.internal', 'rent.internal'],
          maxNamesPerNamespace: 3,
        },
      }),
    );
    await waitForReady('rent');
    const client = await clientOf('rent');
    await apply(
      fixed('own', 'www.a.rent.internal', '192.0.2.1'),
      fixed('foreign', 'www.b.rent.internal', '192.0.2.2'),
      fixed('intruder', 'mail.a.rent.internal', '192.0.2.3', market),
      fixed('vpn', 'vpn.rent.internal', '192.0.2.4', market),
      fixed('apex', 'rent.internal', '192.0.2.4', market),
      fixed('free', 'free.rent.internal', '192.0.2.5', market),
    );
    await client.becomes('www.a.rent.internal', '192.0.2.1');
    await client.becomes('free.rent.internal', '192.0.2.5');
    await anotherLoop('rent');
    for (const name of ['www.b', 'mail.a', 'vpn'].map((label) => `${label}.rent.internal`)) {
      expect(await client.answer(name)).toBe('NXDOMAIN');
    }
    expect(await client.answer('rent.internal')).toBe('NOERROR');

    await apply(...[1, 2, 3].map((n) => fixed(`more-${n}`, `more-${n}.rent.internal`, '192.0.2.6', market)));
    await client.becomes('more-2.rent.internal', '192.0.2.6');
    await anotherLoop('rent');
    expect(await client.answer('more-3.rent.internal')).toBe('NXDOMAIN');
    expect(await client.answer('free.rent.internal')).toBe('192.0.2.5');

    // A namespace without the label is no longer the tenant: the existing record stays, and the page reports the conflict.
    await kubectl('label', 'namespace', shop, 'team-');
    const page = await statusAddress('rent');
    await until('the page names the tenant', async () => {
      const { names } = await tableAt(page, 'www.a.rent.internal');
      const own = names.find(({ resource }) => resource === `ingress/${shop}/own`);
      return (
        (own?.verdict === 'Resolved' && own.message.includes(`tenant that does not include namespace ${shop}`)) || own
      );
    });
    expect(await client.answer('www.a.rent.internal')).toBe('192.0.2.1');
    await remove('internaldns', 'rent');
    for (const name of ['own', 'foreign']) await remove('ingress', name, shop);
    for (const name of ['intruder', 'vpn', 'apex', 'free', 'more-1', 'more-2', 'more-3']) {
      await remove('ingress', name, market);
    }
  });

  test('two instances with one zone do not affect each other, and read annotations with their own prefix', async () => {
    const spec = (discovery: object) => ({ zones: [{ name: 'split.internal' }], discovery });
    await apply(
      internalDNS('left', spec({ sources: [{ kind: 'Ingress' }], annotationPrefix: 'left.example.org/' })),
      internalDNS('right', spec({ sources: [{ kind: 'Ingress' }] })),
      ingress({
        name: 'split',
        hosts: [],
        annotations: {
          'left.example.org/hostname': 'l.split.internal',
          'left.example.org/target': '192.0.2.1',
          [hostname]: 'r.split.internal',
          [target]: '192.0.2.2',
        },
      }),
      fixed('both', 'both.split.internal', '192.0.2.3'),
    );
    for (const name of ['left', 'right']) await waitForReady(name);
    const [left, right] = [await clientOf('left'), await clientOf('right')];
    await left.becomes('l.split.internal', '192.0.2.1');
    await right.becomes('r.split.internal', '192.0.2.2');
    await left.becomes('both.split.internal', '198.51.100.200');
    await right.becomes('both.split.internal', '192.0.2.3');
    expect([await left.answer('r.split.internal'), await right.answer('l.split.internal')]).toEqual([
      'NXDOMAIN',
      'NXDOMAIN',
    ]);
    // The newer of ExternalDNS's default prefixes is read as well, and takes precedence.
    await patch(
      'ingress',
      'both',
      { metadata: { annotations: { 'external-dns.kubernetes.io/target': '192.0.2.4' } } },
      shop,
    );
    await right.becomes('both.split.internal', '192.0.2.4');
    await remove('internaldns', 'left');
    expect(await right.answer('both.split.internal')).toBe('192.0.2.4');
    await anotherLoop('right');
    expect((await get('internaldns', 'right')).status.zonesServed).toBe('1/1');
    await remove('internaldns', 'right');
    for (const name of ['split', 'both']) await remove('ingress', name, shop);
  });

  test('with hostnames: Spec only the rules of an Ingress are read, not its annotations', async () => {
    await apply(
      internalDNS('rules', {
        zones: [{ name: 'rules.internal' }],
        discovery: { sources: [{ kind: 'Ingress' }], hostnames: 'Spec' },
      }),
      ingress({
        name: 'sly',
        hosts: ['honest.rules.internal'],
        annotations: { [hostname]: 'sly.rules.internal', [target]: '192.0.2.1' },
      }),
    );
    await waitForReady('rules');
    const client = await clientOf('rules');
    await client.becomes('honest.rules.internal', '192.0.2.1');
    await anotherLoop('rules');
    expect(await client.answer('sly.rules.internal')).toBe('NXDOMAIN');
    await remove('internaldns', 'rules');
    await remove('ingress', 'sly', shop);
  });
});
