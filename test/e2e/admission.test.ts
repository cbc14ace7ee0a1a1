import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { figure } from './cluster/figures.ts';
import { apply, exists, kubectl, patch, until, waitForReady } from './cluster/kubectl.ts';
import { hostname, objectsIn, target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

const zone = 'gate.internal';
const at = (label: string) => `${label}.${zone}`;
const labels = { gate: 'e2e' };
const { ingress, service, route, dnsEndpoint } = objectsIn('e2e-admission');

/** Selects an object for the instance: its policy applies to the whole cluster, where other tests run. */
const seen = (object: KubernetesObject): KubernetesObject => ({ ...object, metadata: { ...object.metadata, labels } });

const web = (hosts: string[], annotations: Record<string, string> = {}) =>
  seen(ingress({ name: 'gated', hosts, annotations }));
const annotated = (...hosts: string[]) => web([], { [hostname]: hosts.join(',') });
const balancer = (annotations: object, type = 'LoadBalancer') => seen(service('gated', { type }, { annotations }));
const endpoints = (...names: string[]) =>
  seen(
    dnsEndpoint(
      'gated',
      names.map((name) => [name, 'A', '192.0.2.1']),
    ),
  );

/** The stderr of kubectl for a server-side dry run; empty if the object is accepted without a warning. */
async function outputOfApply(object: object): Promise<string> {
  const child = spawn('kubectl', ['apply', '--dry-run=server', '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end(JSON.stringify(object));
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  const output = Buffer.concat(chunks).toString().trim();
  if (output !== '') expect(output).toMatch(code === 0 ? /^Warning: / : /denied request/);
  return output;
}

const letters = /labels consist of letters, digits and inner hyphens/;
const internalHostname = hostname.replace('hostname', 'internal-hostname');
const hostnameSource = hostname.replace('hostname', 'ingress-hostname-source');

const refused: [reason: string, object: KubernetesObject, message: RegExp | string][] = [
  ['a dollar', annotated(at('ok'), at('sp$ecial')), `cannot publish sp$ecial.${zone}: labels consist of `],
  ['one bad host of several', annotated(at('a_b'), at('c_d')), `cannot publish a_b.${zone} and others: `],
  ['two dots', annotated(at('web.')), /cannot publish web\.\.gate\.internal: has an empty label/],
  ['a leading dot', annotated(`.${zone}`), 'has an empty label'],
  [
    'an underscore',
    annotated(at('_acme-challenge')),
    'a label that begins with an underscore is for TXT and SRV records only',
  ],
  ['an inner underscore', annotated(at('a_b')), letters],
  ['an inner asterisk', annotated(at('a.*')), letters],
  ['a label of 64 characters', annotated(at('a'.repeat(64))), 'a label of more than 63 characters'],
  ['more than 253 characters', annotated(at(`${'a.'.repeat(125)}a`)), 'longer than 253 characters'],
  ['a line break', annotated(`a.${zone}`, `\nb.${zone}`), /cannot publish a name: labels consist of /],
  ['wpad in a rule', web([at('wpad')]), 'wpad would configure the proxies of browsers'],
  ['wpad in upper case', annotated(at('WPAD')), 'wpad would configure the proxies of browsers'],
  ["the zone's own server", web([at('ns1')]), "the name of a zone's own server"],
  ['a reserved name', web([at('vpn')]), 'reserved (discovery.reservedNames): use another host'],
  ['a name below a reserved one', web([at('a.b.infra')]), 'reserved (discovery.reservedNames): use another host'],
  ['the reserved wildcard', web([at('*.only')]), 'reserved (discovery.reservedNames): use another host'],
  ['the newer annotation', web([], { 'external-dns.kubernetes.io/hostname': at('a_b') }), letters],
  ['a Service', balancer({ [hostname]: at('a_b') }), letters],
  ['an internal hostname', balancer({ [internalHostname]: at('a_b') }), letters],
  ['an HTTPRoute', seen(route('HTTPRoute', 'gated', [at('wpad')])), 'wpad'],
  ['a GRPCRoute', seen(route('GRPCRoute', 'gated', [at('wpad')])), 'wpad'],
  ['a TLSRoute', seen(route('TLSRoute', 'gated', [at('wpad')])), 'wpad'],
  ['a DNSEndpoint', endpoints(at('ok'), at('sp$ecial')), `cannot publish sp$ecial.${zone}: `],
  [
    'a very long target',
    web([at('web')], { [target]: Array(200).fill('192.0.2.1').join() }),
    'more than 1024 characters',
  ],
  ['the last of 100 hosts', web([...Array.from({ length: 99 }, (_, n) => at(`h${n}`)), at('ns1')]), 'own server'],
];

const accepted: [reason: string, object: KubernetesObject][] = [
  ['hosts, wildcards and the apex', web([at('web'), at('*'), at('*.web'), zone])],
  ['upper case, spaces and a trailing dot', annotated(` ${at('WEB')}`, ` ${at('b')}.`)],
  ['a YAML block scalar, which ends in a line break', annotated(`${at('b')}\n`)],
  ['a label of 63 characters', web([at('a'.repeat(63))])],
  ['the parents of reserved names', web([at('infra'), at('only')])],
  [
    'the older annotation beside the newer',
    web([], { [hostname]: at('a_b'), 'external-dns.kubernetes.io/hostname': at('b') }),
  ],
  ['an annotation that is not read', web([at('a')], { [hostname]: at('a_b'), [hostnameSource]: 'defined-hosts-only' })],
  ['rules that are not read', web([at('wpad')], { [hostname]: at('b'), [hostnameSource]: 'annotation-only' })],
  ["another controller's", web([at('wpad')], { [hostname.replace('hostname', 'controller')]: 'other' })],
  ['an Ingress without hosts', web([])],
  ['a Service of a type that gets no records', balancer({ [hostname]: at('a_b') }, 'ClusterIP')],
  ['service names in a DNSEndpoint', endpoints(at('_sip._tcp'))],
  ['an object that is not selected', ingress({ name: 'gated', hosts: [at('wpad')] })],
];

/** Hosts that the API server refuses while an instance has admission enabled. */
scenario('admission', ({ shop, internalDNS }) => {
  const sources = ['Ingress', 'Service', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'DNSEndpoint'].map((kind) => ({ kind }));
  const isRefused = async (bad: object) => /denied request/.test(await outputOfApply(bad)) || 'not refused';

  test('an instance with admission becomes Ready, and its policy is enforced', async () => {
    await apply(
      internalDNS('gate', {
        zones: [{ name: zone }],
        discovery: {
          sources,
          selector: { matchLabels: labels },
          reservedNames: [at('vpn'), at('*.infra'), at('[*].only')],
          admission: { enabled: true },
        },
      }),
    );
    figure('instance with admission -> Ready', await waitForReady('gate'));
    figure('-> the policy is enforced', await until('a bad host is refused', () => isRefused(web([at('wpad')]))));
  });

  test.each(refused)('kubectl apply refuses %s', async (_, object, message) => {
    const output = await outputOfApply(object);
    expect(output).toContain("ValidatingAdmissionPolicy 'idns-gate-hosts'");
    expect(output).toMatch(message);
  });

  test.each(accepted)('kubectl apply accepts %s', async (_, object) => {
    expect(await outputOfApply(object)).toBe('');
  });

  test('hosts outside the zones are accepted with a warning', async () => {
    const warning = `cannot publish web.example.com and others: outside the zones of InternalDNS gate: use a name in ${zone}`;
    expect(await outputOfApply(web([at('web'), 'web.example.com', 'b.example.com']))).toContain(warning);
    expect(await outputOfApply(endpoints('web.example.com'))).toMatch(/^Warning: .*outside the zones/);
  });

  test('an object that was already invalid can be changed and deleted, but not get another invalid host', async () => {
    const name = 'bad-before';
    const bad = ingress({ name, hosts: [at('wpad'), 'web.example.com'], annotations: { [hostname]: at('a_b') } });
    await apply({ ...bad, metadata: { ...bad.metadata, finalizers: ['e2e.dns.internal/hold'] } });
    const rule = (host: string) =>
      kubectl(
        '-n',
        shop,
        'patch',
        'ingress',
        name,
        '--type=json',
        '-p',
        JSON.stringify([{ op: 'add', path: '/spec/rules/-', value: { host } }]),
      );
    await patch('ingress', name, { metadata: { labels } }, shop);
    await patch('ingress', name, { metadata: { annotations: { note: 'changed' } } }, shop);
    await rule(at('good'));
    await expect(rule(at('ns1'))).rejects.toThrow(`cannot publish ns1.${zone}: the name of a zone's own server`);
    await kubectl('-n', shop, 'delete', 'ingress', name, '--wait=false');
    await patch('ingress', name, { metadata: { finalizers: null } }, shop);
    await until('the Ingress is gone', async () => !(await exists('ingress', name, shop)));
  });

  test('outsideZones: Deny refuses hosts outside the zones, with a single policy', async () => {
    await patch('internaldns', 'gate', { spec: { discovery: { admission: { outsideZones: 'Deny' } } } });
    await until('a host outside the zones is refused', () => isRefused(web(['web.example.com'])));
    expect(await outputOfApply(web([at('web')]))).toBe('');
    await until(
      'the policy with the warning is gone',
      async () => !(await exists('validatingadmissionpolicy', 'idns-gate-zones')),
    );
  });

  test('without admission every host is accepted', async () => {
    await patch('internaldns', 'gate', { spec: { discovery: { admission: { enabled: false } } } });
    await until('the policies are gone', async () => {
      const names = ['policy', 'policybinding'].map((kind) => exists(`validatingadmission${kind}`, 'idns-gate-hosts'));
      return !(await Promise.all(names)).includes(true);
    });
    await until('a bad host is accepted', async () => (await outputOfApply(web([at('wpad')]))) === '');
  });
});
