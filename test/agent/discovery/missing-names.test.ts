import { expect, test } from 'vitest';
import { withoutHeldNames } from '../../../functions/agent/discovery/delete-guard.ts';
import { requestedNames } from '../../../functions/agent/discovery/missing-names.ts';
import { noSources, type SourceLister } from '../../../functions/agent/sources/source-object.ts';
import { discoveredRRset } from '../make.ts';

const www = 'www.corp.internal.';
const at = (resource: string, address = '192.0.2.1') => discoveredRRset(resource, www, 'A', address);
const current = [at('ingress/shop/web')];
/** Where ingress/shop/web requests these hosts. */
const requesting = (hosts: string[], below = false): SourceLister => ({
  ...noSources,
  hasSynced: () => true,
  get: (resource) =>
    resource === 'ingress/shop/web' ? { resource, namespace: 'shop', created: '', hosts, below } : undefined,
});

const [own, neighbour, rival] = ['ingress/shop/web', 'ingress/shop/other', 'ingress/evil/x'].map((r) => at(r));

test.each<
  [string, (typeof current)[number][], (typeof current)[number][], SourceLister, 'Merge' | 'SameNamespace', boolean]
>([
  ['its object requests it', [own!], [own!], requesting([www]), 'SameNamespace', true],
  ['its object requests it and is rejected', [own!], [], requesting([www]), 'SameNamespace', true],
  ['another object of the namespace requests it', [neighbour!], [], requesting([www]), 'SameNamespace', true],
  ['no object requests it', [], [], requesting([www]), 'SameNamespace', false],
  ['another namespace’s object would get it', [rival!], [rival!], requesting([www]), 'SameNamespace', false],
  [
    'another namespace’s object would get a name of its Pods',
    [rival!],
    [rival!],
    requesting(['corp.internal.'], true),
    'SameNamespace',
    false,
  ],
  ['another namespace’s object requests it and is rejected', [rival!], [], requesting([www]), 'SameNamespace', false],
  ['all answers are merged', [rival!], [rival!], requesting([www]), 'Merge', true],
  ['its object is gone, and another one gets it', [rival!], [rival!], requesting([]), 'SameNamespace', true],
  ['its object is gone, and another one is rejected', [rival!], [], requesting([]), 'SameNamespace', false],
  ['its object is not watched, and another one gets it', [rival!], [rival!], noSources, 'SameNamespace', true],
])(
  'a published name counts as requested or missing when %s',
  (_, desiredRecords, accepted, lister, sharedHosts, isRequested) => {
    const names = requestedNames({ current, desiredRecords, accepted, sharedHosts }, lister);
    expect([...names]).toEqual(isRequested ? [www] : []);
  },
);

test('a held name is refused to others, with its object and how to release it', () => {
  const elsewhere = discoveredRRset('ingress/evil/x', 'x.corp.internal.', 'A', '192.0.2.1');
  const different = at('ingress/evil/x', '192.0.2.2');
  expect(withoutHeldNames([different, elsewhere], current, 'corp')).toEqual({
    accepted: [elsewhere],
    refused: [
      {
        rrset: different,
        verdict: 'Duplicate',
        message:
          'the delete guard holds the name for ingress/shop/web (to release it: kubectl annotate internaldns corp --overwrite dns.internal/let-go=$(date -u +%FT%TZ))',
      },
    ],
  });
});

test('a held name is not refused to others that want what it answers', () => {
  expect(withoutHeldNames([rival!], current, 'corp')).toEqual({ accepted: [], refused: [] });
});
