import { expect, test } from 'vitest';
import { requestedNames, withoutHeldNames } from '../../../functions/agent/discovery/requested-names.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { found } from '../make.ts';

const www = 'www.corp.internal.';
const at = (resource: string, address = '192.0.2.1') => found(resource, www, 'A', address);
const current = [at('ingress/shop/web')];
/** Where this object asks for these. */
const asking = (hosts: string[], below = false): SourceLister => ({
  ...noSources,
  hasSynced: () => true,
  get: (resource) =>
    resource === 'ingress/shop/web' ? { resource, namespace: 'shop', created: '', hosts, below } : undefined,
});

const [itself, neighbour, rival] = ['ingress/shop/web', 'ingress/shop/other', 'ingress/evil/x'].map((r) => at(r));

test.each<
  [string, (typeof current)[number][], (typeof current)[number][], SourceLister, 'Merge' | 'SameNamespace', boolean]
>([
  ['its object wants it', [itself!], [itself!], asking([www]), 'SameNamespace', true],
  ['its object wants it in vain', [itself!], [], asking([www]), 'SameNamespace', true],
  ['another of the namespace wants it', [neighbour!], [], asking([www]), 'SameNamespace', true],
  ['nobody wants it', [], [], asking([www]), 'SameNamespace', false],
  ['another one would have it', [rival!], [rival!], asking([www]), 'SameNamespace', false],
  [
    'another one would have a name of its Pods',
    [rival!],
    [rival!],
    asking(['corp.internal.'], true),
    'SameNamespace',
    false,
  ],
  ['another one wants it in vain', [rival!], [], asking([www]), 'SameNamespace', false],
  ['all answers are merged', [rival!], [rival!], asking([www]), 'Merge', true],
  ['its object is gone, and another one has it', [rival!], [rival!], asking([]), 'SameNamespace', true],
  ['its object is gone, and another one wants it in vain', [rival!], [], asking([]), 'SameNamespace', false],
  ['its object is not seen, and another one has it', [rival!], [rival!], noSources, 'SameNamespace', true],
])('a name that stands is asked for, or not, where %s', (_, desiredRecords, accepted, lister, sharedHosts, isAsked) => {
  const names = requestedNames({ current, desiredRecords, accepted, sharedHosts }, lister);
  expect([...names]).toEqual(isAsked ? [www] : []);
});

test('a held name is nobody else’s, and is said whose it is', () => {
  const other = found('ingress/evil/x', 'x.corp.internal.', 'A', '192.0.2.1');
  expect(withoutHeldNames([rival!, other], current, 'corp')).toEqual({
    accepted: [other],
    refused: [
      {
        rrset: rival,
        verdict: 'Duplicate',
        message:
          'ingress/shop/web has the name, which the delete guard holds (to let it go: kubectl annotate internaldns corp --overwrite dns.internal/let-go=$(date -u +%FT%TZ))',
      },
    ],
  });
});
