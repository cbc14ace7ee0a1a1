import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceFilters } from '../../../../functions/agent/sources/kinds/annotation.ts';
import { fromIngress, type Ingress } from '../../../../functions/agent/sources/kinds/ingress.ts';
import { annotated, both, lineOf, metadata } from './object.ts';

const ingress = (more: Partial<Ingress> = {}): Ingress => ({
  metadata: metadata(),
  spec: { rules: [{ host: 'web.corp.internal' }] },
  status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } },
  ...more,
});
const status = (...entries: { ip?: string; hostname?: string }[]) => ({
  status: { loadBalancer: { ingress: entries } },
});

test('an Ingress has its hosts with its addresses', () => {
  expect(fromIngress(ingress(), both)).toEqual([
    {
      resource: 'ingress/shop/web',
      namespace: 'shop',
      uid: metadata().uid,
      created: '2026-11-21T08:00:00Z',
      hosts: ['web.corp.internal.'],
      targets: ['198.51.100.7'],
    },
  ]);
});

test('a filtered Ingress keeps only its hosts and the reason', () => {
  expect(fromIngress(ingress({ metadata: annotated({ controller: 'mine', ttl: '5m' }) }), both)).toEqual([
    {
      resource: 'ingress/shop/web',
      namespace: 'shop',
      uid: metadata().uid,
      created: '2026-11-21T08:00:00Z',
      hosts: ['web.corp.internal.'],
      filteredBy:
        'the annotation external-dns.kubernetes.io/controller assigns it to another controller: remove it, or set it to dns-controller',
    },
  ]);
});

describe('the targets are', () => {
  test.each<[string, Partial<Ingress>, string]>([
    ['an address', status({ ip: '198.51.100.7' }), '198.51.100.7'],
    [
      'what a load balancer of AWS is called',
      status({ hostname: 'K8s-1.eu.elb.amazonaws.com' }),
      'k8s-1.eu.elb.amazonaws.com.',
    ],
    [
      'both of an entry, and of several',
      status({ ip: '192.0.2.1', hostname: 'lb.example' }, { ip: '2001:DB8:0::1' }),
      '192.0.2.1 lb.example. 2001:db8::1',
    ],
    ['none as long as no controller wrote one', { status: { loadBalancer: {} } }, 'none'],
    ['none without a status', { status: undefined }, 'none'],
    [
      'those of the annotation, in any form',
      { metadata: annotated({ target: ' 192.0.2.9, LB.example.,2001:db8:0:0::9' }) },
      '192.0.2.9 lb.example. 2001:db8::9',
    ],
    ['its own when the annotation is empty', { metadata: annotated({ target: '' }) }, '198.51.100.7'],
  ])('%s', (_, more, targets) => {
    expect(lineOf(fromIngress(ingress(more), both))).toBe(`web.corp.internal. > ${targets}`);
  });
});

const spec = {
  rules: [{ host: 'Web.corp.internal' }, {}, { host: '' }, { host: '*.w.corp.internal' }],
  tls: [{ hosts: ['tls.corp.internal', 'web.corp.internal'] }, {}],
};
const [defined, own] = [
  'web.corp.internal. *.w.corp.internal. tls.corp.internal.',
  'a.corp.internal. b.corp.internal.',
];
const hostname = 'a.corp.internal, B.corp.internal.,';

describe('the hosts are', () => {
  test.each<[string, Ingress['metadata'], Partial<SourceFilters>, string]>([
    ['those of rules and TLS, each once', metadata(), {}, defined],
    ['those and the annotation’s', annotated({ hostname }), {}, `${defined} ${own}`],
    ['the annotation’s only', annotated({ hostname, 'ingress-hostname-source': 'Annotation-Only' }), {}, own],
    ['the spec’s only', annotated({ hostname, 'ingress-hostname-source': 'defined-hosts-only' }), {}, defined],
  ])('%s', (_, meta, filters, hosts) => {
    expect(lineOf(fromIngress(ingress({ metadata: meta, spec }), { ...both, ...filters }))).toBe(
      `${hosts} > 198.51.100.7`,
    );
  });

  const ignored =
    'left out: discovery.hostnames is Spec, so names in annotations are ignored: write the host into the spec, or change that field';
  test.each<[string, Record<string, string>, string]>([
    ['but those of the spec as well', { hostname }, `${defined} > 198.51.100.7 | ${own} ${ignored}`],
    [
      'unless the spec has them, too',
      { hostname: 'tls.corp.internal,a.corp.internal' },
      `${defined} > 198.51.100.7 | a.corp.internal. ${ignored}`,
    ],
    ['and the object wants no others', { hostname, 'ingress-hostname-source': 'annotation-only' }, `${own} ${ignored}`],
    [
      'but the object does not want them',
      { hostname, 'ingress-hostname-source': 'defined-hosts-only' },
      `${defined} > 198.51.100.7`,
    ],
  ])('the annotation does nothing where only the spec counts, %s', (_, annotations, line) => {
    const object = ingress({ metadata: annotated(annotations), spec });
    expect(lineOf(fromIngress(object, { ...both, hostnames: 'Spec' }))).toBe(line);
  });

  test.each<[string, Ingress]>([
    ['no rule names one', ingress({ spec: { rules: [{}] } })],
    ['the spec is empty', ingress({ spec: undefined })],
    ['lists are null', ingress({ spec: { rules: null, tls: [{ hosts: null }] } })],
    ['it names none, and is another controller’s', ingress({ metadata: annotated({ controller: 'x' }), spec: {} })],
  ])('none when %s', (_, object) => {
    expect(lineOf(fromIngress(object, both))).toBe('no claim');
  });
});

describe('parts of the spec that ExternalDNS ignores', () => {
  const flags = 'discovery.extraArgs (--ignore-ingress-';
  const excludes = 'excludes it: name it in another part of the Ingress, or remove the flag';
  const noTLS = `${flags}tls-spec) ${excludes}`;
  const noRules = `${flags}rules-spec) ${excludes}`;
  const neither = `${flags}rules-spec, --ignore-ingress-tls-spec) ${excludes}`;
  const notAnnotated =
    'discovery.hostnames is Spec, so names in annotations are ignored: write the host into the spec, or change that field';
  test.each<[string, ('rules' | 'tls')[], Ingress['metadata'], Partial<SourceFilters>, string]>([
    [
      'only what TLS alone names is left out',
      ['tls'],
      metadata(),
      {},
      `web.corp.internal. *.w.corp.internal. > 198.51.100.7 | tls.corp.internal. left out: ${noTLS}`,
    ],
    [
      'what the annotation names, too, counts',
      ['tls'],
      annotated({ hostname: 'tls.corp.internal' }),
      {},
      'web.corp.internal. *.w.corp.internal. tls.corp.internal. > 198.51.100.7',
    ],
    [
      'only what rules alone name is left out',
      ['rules'],
      metadata(),
      {},
      `tls.corp.internal. web.corp.internal. > 198.51.100.7 | *.w.corp.internal. left out: ${noRules}`,
    ],
    ['nothing is left of both', ['rules', 'tls'], metadata(), {}, `${defined} left out: ${neither}`],
    [
      'annotations that do not count either say so themselves',
      ['rules', 'tls'],
      annotated({ hostname }),
      { hostnames: 'Spec' },
      `${defined} left out: ${neither} | ${own} left out: ${notAnnotated}`,
    ],
    [
      'nothing is said of what the object does not ask for',
      ['tls'],
      annotated({ hostname, 'ingress-hostname-source': 'annotation-only' }),
      {},
      `${own} > 198.51.100.7`,
    ],
  ])('%s', (_, ignoredParts, meta, filters, line) => {
    const object = ingress({ metadata: meta, spec });
    expect(lineOf(fromIngress(object, { ...both, ...filters }, { ignoredParts }))).toBe(line);
  });
});

describe('over the host limit', () => {
  const [rules, ...others] = ['web.corp.internal', ...Array.from({ length: 1500 }, (_, i) => `h${i}.corp.internal`)];
  const many = annotated({ hostname: others.join() });

  test('the hosts of the spec and the first of the annotation are kept', () => {
    const [sourceObject, ...more] = fromIngress(ingress({ metadata: many }), both);
    expect(sourceObject?.hosts).toEqual([rules, ...others.slice(0, 999)].map((host) => `${host}.`));
    expect([sourceObject?.overflow?.host, more]).toEqual(['h999.corp.internal.', []]);
  });

  test('a filtered Ingress keeps no more hosts than the limit', () => {
    const [, ignored] = fromIngress(ingress({ metadata: many }), { ...both, hostnames: 'Spec' });
    expect([ignored?.hosts.length, ignored?.overflow]).toEqual([1000, undefined]);
  });
});

describe('it is filtered because', () => {
  const selector = { matchLabels: { team: 'a', tier: 'edge' } };
  test.each<[string, Partial<Ingress>, Partial<SourceFilters>, string]>([
    [
      'another controller’s',
      { metadata: annotated({ controller: 'mine' }) },
      {},
      'the annotation external-dns.kubernetes.io/controller assigns it to another controller: remove it, or set it to dns-controller',
    ],
    [
      'one with other labels, in the first of those that count',
      { metadata: { ...metadata(), labels: { team: 'a', tier: 'core' } } },
      { selector },
      'discovery.selector (tier=edge) does not match: add matching labels, or change that field',
    ],
    [
      'one without labels',
      {},
      { selector },
      'discovery.selector (team=a) does not match: add matching labels, or change that field',
    ],
    [
      'one with other annotations',
      {},
      { annotationSelector: { matchExpressions: [{ key: 'public', operator: 'In', values: ['no', 'never'] }] } },
      'discovery.annotationSelector (public in (no,never)) does not match: add matching annotations, or change that field',
    ],
    [
      'one whose annotation is a word that ExternalDNS does not know',
      { metadata: annotated({ 'ingress-hostname-source': 'both' }) },
      {},
      'its annotation ingress-hostname-source is neither defined-hosts-only nor annotation-only: correct it, or remove it',
    ],
  ])('%s', (_, more, filters, why) => {
    expect(lineOf(fromIngress(ingress(more), { ...both, ...filters }))).toBe(`web.corp.internal. left out: ${why}`);
  });

  test('one that the annotation names, too', () => {
    const object = ingress({ metadata: annotated({ hostname, controller: 'mine' }) });
    expect(fromIngress(object, { ...both, hostnames: 'Spec' }).map(({ hosts }) => hosts.join(' '))).toEqual([
      `web.corp.internal. ${own}`,
    ]);
  });
});

describe('classes', () => {
  const legacy = (name: string) => ({ metadata: metadata({ 'kubernetes.io/ingress.class': name }) });
  const ofClass = (ingressClassName: string) => ({
    spec: { rules: [{ host: 'web.corp.internal' }], ingressClassName },
  });
  test.each<[string, Partial<Ingress>, string[] | undefined, string]>([
    ['every one counts when none is named', {}, undefined, ''],
    ['every one counts when the list is empty', {}, [], ''],
    ['the named one counts', ofClass('nginx'), ['traefik', 'nginx'], ''],
    [
      'another one does not',
      ofClass('nginx-internal'),
      ['nginx'],
      'selects only nginx, and it has nginx-internal: give it one of these, or change that field',
    ],
    [
      'none does not, whatever the default class is',
      {},
      ['nginx', 'private'],
      'selects only nginx, private, and it has none: give it one of these, or change that field',
    ],
    ['the legacy annotation counts', legacy('traefik'), ['traefik'], ''],
    [
      'another legacy annotation does not',
      legacy('traefik'),
      ['nginx'],
      'selects only nginx, and it has traefik: give it one of these, or change that field',
    ],
    [
      'of a long annotation enough is said',
      legacy('x'.repeat(1e5)),
      ['nginx'],
      `selects only nginx, and it has ${'x'.repeat(100)}…: give it one of these, or change that field`,
    ],
    [
      'the field wins over the annotation',
      { ...legacy('traefik'), ...ofClass('nginx') },
      ['traefik'],
      'selects only traefik, and it has nginx: give it one of these, or change that field',
    ],
    ['an empty field leaves it to the annotation', { ...legacy('traefik'), ...ofClass('') }, ['traefik'], ''],
  ])('%s', (_, more, ingressClassNames, why) => {
    const filteredBy = `web.corp.internal. left out: discovery.sources[Ingress].ingressClassNames ${why}`;
    expect(lineOf(fromIngress(ingress(more), both, { ingressClassNames }))).toBe(
      why ? filteredBy : 'web.corp.internal. > 198.51.100.7',
    );
  });
});

test('hosts and targets of any Ingress are canonical and unique', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aB1.:*, '), maxLength: 12 });
  const hosts = fc.array(text, { maxLength: 4 });
  fc.assert(
    fc.property(hosts, hosts, text, text, (rules, tls, name, target) => {
      const [sourceObject] = fromIngress(
        {
          metadata: annotated({ hostname: name, target }),
          spec: { rules: rules.map((host) => ({ host })), tls: [{ hosts: tls }] },
        },
        both,
      );
      for (const names of [sourceObject?.hosts ?? [], sourceObject?.targets ?? []]) {
        expect(new Set(names).size).toBe(names.length);
        expect(names).not.toContain('.');
        expect(names.map((n) => n.toLowerCase())).toEqual(names);
      }
      expect(sourceObject?.hosts.every((host) => host.endsWith('.'))).not.toBe(false);
    }),
  );
});
