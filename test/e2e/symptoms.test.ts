import { expect, test } from 'vitest';
import { apply, condition, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientAt, clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { containerOf } from './cluster/pod.ts';
import { eventsOn, type ReportedName, statusAddress, tableAt } from './cluster/reported-names.ts';
import { clusterDNS, startPod, startResolver } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'symptom.internal';
const at = (name: string) => `${name}.${zone}`;
const address = '192.0.2.1';
const ttl = 'external-dns.alpha.kubernetes.io/ttl';
/** The answer of a TXT record. */
const hello = JSON.stringify([Buffer.from('hello')]);
const pods = { bare: 'symptom-bare', searching: 'symptom-searching', dotted: 'symptom-dotted' };

/** Reasons outside the server for which a name does not resolve. */
scenario('symptoms', ({ shop, ingress, dnsEndpoint, internalDNS }) => {
  let server: Client;
  let cached: Client;
  let resolver: string;
  let page: string;
  let otherPage: string;
  const fixed = (name: string, host: string, annotations: Record<string, string> = {}) =>
    ingress({ name, hosts: [host], annotations: { [target]: address, ...annotations } });
  const inner = (name: string) => {
    const object = fixed(name, at(name));
    object.spec.ingressClassName = 'inner';
    return object;
  };
  /** Waits until a page has such an entry for a host of an object; returns it. */
  async function waitForName(
    pageURL: string,
    resource: string,
    host: string,
    expected: Partial<ReportedName>,
  ): Promise<ReportedName> {
    let seen: ReportedName | undefined;
    await until(`${host} is ${JSON.stringify(expected)}`, async () => {
      seen = (await tableAt(pageURL, host)).names.find((each) => each.resource === resource && each.name === host);
      return Object.entries(expected).every(([field, value]) => seen?.[field as keyof ReportedName] === value) || seen;
    });
    return seen as ReportedName;
  }

  test('a caching resolver in front of a server gives its answers', async () => {
    await apply(
      internalDNS('symptom', {
        // Long enough for a test to see what a resolver has cached.
        zones: [{ name: zone, soa: { minimum: 30 } }],
        discovery: {
          sources: [{ kind: 'Ingress' }, { kind: 'DNSEndpoint' }],
          recordTypes: ['A', 'AAAA', 'CNAME', 'TXT'],
          targets: { hostNames: 'CNAME' },
        },
      }),
      fixed('known', at('known')),
    );
    await waitForReady('symptom');
    [server, page] = [await clientOf('symptom'), await statusAddress('symptom')];
    resolver = await startResolver(
      shop,
      'symptom-resolver',
      zone,
      (await get('internaldns', 'symptom')).status.address,
    );
    cached = clientAt(resolver);
    await server.becomes(at('known'), address);
    expect(await cached.answer(at('known'))).toBe(address);
  });

  test('a resolver that was queried too early caches NXDOMAIN for the SOA minimum', async () => {
    const { rcode, authority } = await cached.ask(at('early'));
    expect(rcode).toBe('NXDOMAIN');
    const [soa] = authority;
    if (soa?.type !== 'SOA') throw new Error(`no SOA but ${soa?.type}`);
    const { minimum = Number.NaN } = soa.data;
    expect(minimum).toBe(30);
    expect(soa.ttl).toBeLessThanOrEqual(minimum);
    await apply(fixed('early', at('early')));
    await server.becomes(at('early'), address);
    expect(await cached.answer(at('early'))).toBe('NXDOMAIN');
    await waitForName(page, `ingress/${shop}/early`, at('early'), { verdict: 'Resolved' });
    await cached.becomes(at('early'), address);
  });

  test('a resolver gives the address of a deleted object until its TTL expires', async () => {
    const seconds = 30;
    await apply(fixed('leaving', at('leaving'), { [ttl]: String(seconds) }));
    await server.becomes(at('leaving'), address);
    const { answers } = await cached.ask(at('leaving'));
    expect(answers.map(({ data }) => data)).toEqual([address]);
    expect(answers[0]?.ttl).toBe(seconds);
    await remove('ingress', 'leaving', shop);
    await server.becomes(at('leaving'), 'NXDOMAIN');
    expect(await cached.answer(at('leaving'))).toBe(address);
    await until('the page reports that no object requests it', async () => {
      const { hint = '', names } = await tableAt(page, at('leaving'));
      return /no object requests leaving\.symptom\.internal/.test(hint) || names;
    });
    await cached.becomes(at('leaving'), 'NXDOMAIN');
  });

  test('a resolver that does not forward the zone resolves none of its names', async () => {
    expect(await server.answer(at('known'))).toBe(address);
    expect(await clientAt(await clusterDNS()).answer(at('known'))).toBe('NXDOMAIN');
    expect(await cached.answer(at('known'))).toBe(address);
  });

  test('a short name needs a search domain, and ndots defines which names are short', async () => {
    await apply(fixed('short', at('short')), fixed('wild', at('*.wild'), { [target]: '192.0.2.9' }));
    await server.becomes(at('short'), address);
    await server.becomes(at('any.wild'), '192.0.2.9');
    const { image } = await containerOf('idns-symptom-0', 'agent');
    const nameservers = [resolver];
    const searches = [zone, at('wild')];
    const ndots = (value: string) => [{ name: 'ndots', value }];
    await Promise.all([
      startPod(shop, pods.bare, image, { nameservers }),
      startPod(shop, pods.searching, image, { nameservers, searches, options: ndots('5') }),
      startPod(shop, pods.dotted, image, { nameservers, searches, options: ndots('1') }),
    ]);
    const known = at('known');
    const service = 'kubernetes.default.svc.cluster.local';
    const { clusterIP } = (await get('service', 'kubernetes', 'default')).spec;
    const seen = await Promise.all(
      Object.values(pods).map((pod) => lookupIn(shop, pod, 'short', known, service, `${service}.`)),
    );
    const [bare, searching, dotted] = seen;
    expect(bare).toEqual(['ENOTFOUND', address, clusterIP, clusterIP]);
    // Names with fewer than five dots are first looked up in the search domains, where a wildcard matches.
    expect(searching).toEqual([address, '192.0.2.9', '192.0.2.9', clusterIP]);
    expect(dotted).toEqual([address, address, clusterIP, clusterIP]);
  });

  test('a CNAME cannot coexist with a TXT record of its name, and the page names the other object', async () => {
    const [both, late] = [at('both'), at('late')];
    await apply(
      dnsEndpoint('clash', [
        [both, 'CNAME', 'lb.example.org'],
        [both, 'TXT', 'hello'],
        [late, 'TXT', 'hello'],
      ]),
    );
    await server.becomes(both, hello, 'TXT');
    await server.becomes(late, hello, 'TXT');
    expect(await server.ask(both), 'NODATA').toMatchObject({ rcode: 'NOERROR', answers: [] });
    await waitForName(page, `crd/${shop}/clash`, both, {
      verdict: 'Duplicate',
      message: 'already used by its own TXT record: TXT and CNAME cannot coexist; it still answers TXT "hello"',
    });
    await apply(ingress({ name: 'late', hosts: [late], annotations: { [target]: 'lb.example.org' } }));
    const { message } = await waitForName(page, `ingress/${shop}/late`, late, { verdict: 'Duplicate' });
    expect(message).toMatch(new RegExp(`^already used by crd/${shop}/clash`));
    await apply(fixed('late', late));
    await server.becomes(late, address);
    await waitForName(page, `ingress/${shop}/late`, late, { verdict: 'Resolved' });
    expect(await server.answer(late, 'TXT')).toBe(hello);
  });

  test('a zone under .local is served, and the condition warns that machines do not query it', async () => {
    await apply(
      internalDNS('symptom-view', {
        zones: [{ name: zone }, { name: 'symptom.local' }],
        discovery: {
          sources: [{ kind: 'Ingress', ingressClassNames: ['inner'] }],
          interval: '40s',
          anticipation: 'Disabled',
        },
      }),
    );
    await waitForReady('symptom-view');
    otherPage = await statusAddress('symptom-view');
    const { status, message } = await condition('symptom-view', 'ZonesReady');
    expect(status).toBe('True');
    expect(message).toMatch(/symptom\.local is under \.local, .*RFC 6762/);
  });

  test('of two servers with the zone only the one that selects the object answers, and the other reports Filtered', async () => {
    const other = await clientOf('symptom-view');
    const early = `ingress/${shop}/early`;
    expect(await server.answer(at('early'))).toBe(address);
    expect(await other.answer(at('early'))).toBe('NXDOMAIN');
    await waitForName(page, early, at('early'), { verdict: 'Resolved' });
    const { message } = await waitForName(otherPage, early, at('early'), { verdict: 'Filtered' });
    expect(message).toMatch(/ingressClassNames selects only inner, and it has none/);
    await until('each has published an Event', async () => {
      const events = await Promise.all(
        ['symptom', 'symptom-view'].map((instance) => eventsOn(instance, 'ingress', 'early', shop)),
      );
      const [own = '', others = ''] = events.map((each) => each.at(-1));
      return (own.startsWith('Resolved: ') && others.startsWith('Filtered: ')) || events;
    });
    expect(await server.answer('anything.example.org')).toBe('REFUSED');
  });

  test('without anticipation a name is Pending until the next loop of ExternalDNS', async () => {
    const other = await clientOf('symptom-view');
    const propagations = async () => {
      const metrics = await (await fetch(`${otherPage}/metrics`)).text();
      return Number(/^internal_dns_propagation_seconds_count (\d+)$/m.exec(metrics)?.[1]);
    };
    // ExternalDNS has just completed a loop; the next one starts in 40 seconds.
    await apply(inner('before'));
    await other.becomes(at('before'), address);
    await until('its propagation is measured', async () => (await propagations()) > 0);
    const before = await propagations();
    await apply(inner('after'));
    const { message } = await waitForName(otherPage, `ingress/${shop}/after`, at('after'), { verdict: 'Pending' });
    expect(message).toBe('not requested by ExternalDNS yet: it syncs every 40 s');
    await server.becomes(at('after'), address);
    expect(await other.answer(at('after'))).toBe('NXDOMAIN');
    await other.becomes(at('after'), address);
    await waitForName(otherPage, `ingress/${shop}/after`, at('after'), { verdict: 'Resolved' });
    expect(await propagations()).toBe(before + 1);
  });
});

/** Resolves names with the resolver library of a Pod: the address of each, or the error code. */
async function lookupIn(namespace: string, pod: string, ...names: string[]): Promise<string[]> {
  const script = `const { lookup } = require('node:dns/promises');
    const each = (name) => lookup(name, { family: 4 }).then(({ address }) => address, ({ code }) => code);
    Promise.all(${JSON.stringify(names)}.map(each)).then((all) => console.log(JSON.stringify(all)));`;
  return JSON.parse(await kubectl('-n', namespace, 'exec', pod, '--', '/nodejs/bin/node', '-e', script));
}
