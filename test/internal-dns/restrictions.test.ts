import { describe, expect, test } from 'vitest';
import { readArguments } from '../../functions/cdk8s-function-xp/arguments.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNSUnder } from '../../functions/internal-dns/composition.ts';
import { restrictionFlags, restrictionsOf } from '../../functions/internal-dns/restrictions.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { internalDNSOf } from './refusals.ts';

/** Runs a function with these arguments, in the namespace of Crossplane. Returns its message and the images. */
function answer(args: string[], spec: object) {
  const { flags } = readArguments(['--insecure', ...args], {}, restrictionFlags);
  const composition = internalDNSUnder(restrictionsOf(flags, { POD_NAMESPACE: 'control-plane' }));
  const composite = internalDNSOf({ zones: [{ name: 'corp.internal' }], ...spec });
  const { results, desired } = run(requestFor(composite), composition);
  const pod = desired?.resources?.['server/pods']?.resource?.spec.template.spec;
  const images = pod && [...pod.initContainers, ...pod.containers].map(({ image }: { image: string }) => image);
  return { actual: results[0]?.message, images };
}

const own = { images: { agent: 'registry.example.com/agent:v1' } };

describe('a restriction of the administrator applies to', () => {
  test.each<[reason: string, args: string[], spec: object, message: string]>([
    [
      'the namespace of Crossplane, whatever its name',
      [],
      { namespace: 'control-plane' },
      "spec.namespace: control-plane is reserved by the function's administrator: use internal-dns or one of your own",
    ],
    [
      'a namespace that is listed',
      ['--reserved-namespaces', 'vault, monitoring'],
      { namespace: 'monitoring' },
      "spec.namespace: monitoring is reserved by the function's administrator: use internal-dns or one of your own",
    ],
    [
      'an image where they are locked, as every other fault',
      ['--lock-images', '--reserved-namespaces=vault'],
      { namespace: 'vault', ...own },
      "spec.namespace: vault is reserved by the function's administrator: use internal-dns or one of your own; spec.images.agent: the function's administrator chooses the images: leave it out",
    ],
  ])('%s', (_, args, spec, message) => {
    const { actual, images } = answer(args, spec);
    expect(actual).toBe(`cannot accept the spec: ${message}`);
    expect(images).toBeUndefined();
  });
});

test('images of the administrator are used where the spec has none', () => {
  const args = [
    '--agent-image=mirror/agent:1',
    '--powerdns-image=mirror/pdns:1',
    '--external-dns-image=mirror/external:1',
  ];
  expect(answer(args, {}).images).toEqual(['mirror/pdns:1', 'mirror/agent:1', 'mirror/external:1']);
  expect(answer(args, own).images?.[1]).toBe(own.images.agent);
  expect(answer(['--lock-images', ...args], {}).images).toEqual([
    'mirror/pdns:1',
    'mirror/agent:1',
    'mirror/external:1',
  ]);
  expect(answer([], own).images?.[1]).toBe(own.images.agent);
});

test.each([
  [
    '--reserved-namespaces=Vault',
    'cannot read --reserved-namespaces: "Vault" is not the name of a namespace: write a,b',
  ],
  ['--agent-image= ', 'cannot read --agent-image: it is empty: name an image, or leave it out'],
])('an invalid flag is a startup error: %s', (flag, message) => {
  expect(() => answer([flag], {})).toThrow(new Error(message));
});
