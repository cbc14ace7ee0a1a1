import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../functions/agent/view/annotation.ts';
import { type Ingress, ingressClaim } from '../../../functions/agent/view/ingress.ts';
import { annotated, both, lineOf, metadata } from './claims.ts';

const ingress = (more: Partial<Ingress> = {}): Ingress => ({
  metadata: metadata(),
  spec: { rules: [{ host: 'web.corp.internal' }] },
  status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } },
  ...more,
});
const status = (...entries: { ip?: string; hostname?: string }[]) => ({
  status: { loadBalancer: { ingress: entries } },
});

test('an Ingress claims its hosts with its addresses', () => {
  expect(ingressClaim(ingress(), both)).toEqual({
    resource: 'ingress/shop/web',
    namespace: 'shop',
    created: '2026-11-21T08:00:00Z',
    hosts: ['web.corp.internal.'],
    targets: ['198.51.100.7'],
  });
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
    expect(lineOf(ingressClaim(ingress(more), both))).toBe(`web.corp.internal. > ${targets}`);
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
  test.each<[string, Ingress['metadata'], Partial<Reading>, string]>([
    ['those of rules and TLS, each once', metadata(), {}, defined],
    ['those and the annotation’s', annotated({ hostname }), {}, `${defined} ${own}`],
    ['without the annotation’s where only the spec counts', annotated({ hostname }), { hostnames: 'Spec' }, defined],
    ['the annotation’s only', annotated({ hostname, 'ingress-hostname-source': 'Annotation-Only' }), {}, own],
    ['the spec’s only', annotated({ hostname, 'ingress-hostname-source': 'defined-hosts-only' }), {}, defined],
  ])('%s', (_, meta, reading, hosts) => {
    expect(lineOf(ingressClaim(ingress({ metadata: meta, spec }), { ...both, ...reading }))).toBe(
      `${hosts} > 198.51.100.7`,
    );
  });

  test.each<[string, Ingress, Partial<Reading>]>([
    ['no rule names one', ingress({ spec: { rules: [{}] } }), {}],
    ['the spec is empty', ingress({ spec: undefined }), {}],
    ['lists are null', ingress({ spec: { rules: null, tls: [{ hosts: null }] } }), {}],
    [
      'the source is a word that ExternalDNS does not know',
      ingress({ metadata: annotated({ 'ingress-hostname-source': 'both' }) }),
      {},
    ],
    [
      'only annotations count, for the object, and only the spec, for all',
      ingress({ metadata: annotated({ hostname, 'ingress-hostname-source': 'annotation-only' }) }),
      { hostnames: 'Spec' },
    ],
    ['it is another controller’s', ingress({ metadata: annotated({ controller: 'mine' }) }), {}],
    ['the annotation selector leaves it out', ingress(), { annotationSelector: { matchLabels: { public: 'no' } } }],
  ])('none when %s', (_, object, reading) => {
    expect(ingressClaim(object, { ...both, ...reading })).toBeUndefined();
  });
});

describe('of classes', () => {
  const legacy = { metadata: metadata({ 'kubernetes.io/ingress.class': 'traefik' }) };
  test.each<[string, Partial<Ingress>, string[] | undefined, boolean]>([
    ['every one counts when none is named', {}, undefined, true],
    ['every one counts when the list is empty', {}, [], true],
    ['the named one counts', { spec: { ...spec, ingressClassName: 'nginx' } }, ['traefik', 'nginx'], true],
    ['another one does not', { spec: { ...spec, ingressClassName: 'nginx-internal' } }, ['nginx'], false],
    ['none does not, whatever the default class is', {}, ['nginx'], false],
    ['the legacy annotation counts', legacy, ['traefik'], true],
    [
      'the field wins over the annotation',
      { ...legacy, spec: { ...spec, ingressClassName: 'nginx' } },
      ['traefik'],
      false,
    ],
    [
      'an empty field leaves it to the annotation',
      { ...legacy, spec: { ...spec, ingressClassName: '' } },
      ['traefik'],
      true,
    ],
  ])('%s', (_, more, ingressClassNames, counts) => {
    expect(ingressClaim(ingress(more), both, { ingressClassNames }) !== undefined).toBe(counts);
  });
});

test('whatever stands in it, hosts and targets are canonical, and each is there once', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aB1.:*, '), maxLength: 12 });
  const hosts = fc.array(text, { maxLength: 4 });
  fc.assert(
    fc.property(hosts, hosts, text, text, (rules, tls, name, target) => {
      const claim = ingressClaim(
        {
          metadata: annotated({ hostname: name, target }),
          spec: { rules: rules.map((host) => ({ host })), tls: [{ hosts: tls }] },
        },
        both,
      );
      for (const names of [claim?.hosts ?? [], claim?.targets ?? []]) {
        expect(new Set(names).size).toBe(names.length);
        expect(names).not.toContain('.');
        expect(names.map((n) => n.toLowerCase())).toEqual(names);
      }
      expect(claim?.hosts.every((host) => host.endsWith('.'))).not.toBe(false);
    }),
  );
});
