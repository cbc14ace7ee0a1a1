/** Hashes, which the golden files mask, and the version of a build. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { describe, expect, test, vi } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { serverImages } from '../../functions/package/digests.ts';
import { bundleFunction } from '../bench/bundle.ts';
import { measure } from '../bench/process.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { examples } from '../examples.ts';
import { callFunction, readComposite } from '../render.ts';

const objectsIn = ({ desired }: RunFunctionResponse): Record<string, KubernetesObject> =>
  Object.fromEntries(
    Object.entries(desired?.resources ?? {}).map(([key, { resource }]) => [key, resource as KubernetesObject]),
  );

describe('across the specs of all examples, under one name', () => {
  const answers = Object.values(examples).map((file) => {
    const composite = readComposite(file);
    const renamed = { ...composite, metadata: { ...composite.metadata, name: 'corp' } };
    return objectsIn(run(requestFor(renamed), internalDNS));
  });

  interface Hashed {
    hash: string;
    content: unknown;
  }

  /** Pairs with the same hash and different contents, or vice versa. */
  const mismatches = (all: Hashed[]) =>
    all.flatMap((one, index) =>
      all
        .slice(index + 1)
        .filter(({ hash, content }) => (hash === one.hash) !== isDeepStrictEqual(content, one.content))
        .map((other) => [one, other]),
    );

  const keys = [...new Set(answers.flatMap(Object.keys))];
  test.for(keys)('the hash of %s changes exactly when the object does', (key) => {
    const all = answers.flatMap(({ [key]: object }): Hashed[] => {
      if (!object) return [];
      const { 'cdk8s-function-xp/desired': hash, ...annotations } = object.metadata.annotations as Record<
        string,
        string
      >;
      expect(hash).toMatch(/^[0-9a-f]{16}$/);
      return [{ hash: hash!, content: { ...object, metadata: { ...object.metadata, annotations } } }];
    });
    expect(mismatches(all)).toEqual([]);
  });

  test('the hash that restarts the pods changes exactly when PowerDNS’s files do', () => {
    const all = answers.map((objects): Hashed => {
      const { annotations } = objects['server/pods']!.spec.template.metadata;
      return { hash: annotations['dns.internal/configuration'], content: objects['server/powerdns']!.data };
    });
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(5);
    expect(mismatches(all)).toEqual([]);
  });
});

/** What a build of the function answers for examples/minimal.yaml. */
async function answerOf(set: Record<string, string>): Promise<Record<string, KubernetesObject>> {
  for (const [name, value] of Object.entries(set)) vi.stubEnv(name, value);
  const folder = mkdtempSync(join(tmpdir(), 'build-'));
  try {
    const built = await measure(bundleFunction(folder), ['--insecure', '--address=127.0.0.1:0']);
    try {
      return objectsIn(await callFunction(built.address, readComposite(examples.minimal!)));
    } finally {
      await built.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
    vi.unstubAllEnvs();
  }
}

const imagesIn = ({ 'server/pods': pods }: Record<string, KubernetesObject>): Record<string, string> => {
  const { initContainers, containers } = pods!.spec.template.spec;
  return Object.fromEntries(
    [...initContainers, ...containers].map(({ name, image }: { name: string; image: string }) => [name, image]),
  );
};

test('a build labels every object with its version and runs the agent of that version', {
  timeout: 120_000,
}, async () => {
  const objects = await answerOf({ VERSION: 'v9.8.7', REGISTRY: 'registry.example.internal' });
  for (const { metadata } of [...Object.values(objects), objects['server/pods']!.spec.template]) {
    expect(metadata.labels['app.kubernetes.io/version']).toBe('v9.8.7');
  }
  expect(imagesIn(objects)).toEqual({
    powerdns: serverImages.powerdns,
    agent: 'registry.example.internal/cdk8s-function-xp:v9.8.7',
    'external-dns': serverImages.externalDNS,
  });
});

test('a build with digests pins the images of the servers', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'digests-'));
  try {
    const digest = (digit: string) => `@sha256:${digit.repeat(64)}`;
    const powerdns = serverImages.powerdns + digest('1');
    const externalDNS = serverImages.externalDNS + digest('2');
    const DIGESTS = join(folder, 'digests.txt');
    writeFileSync(DIGESTS, `${powerdns}\n${externalDNS}\n${serverImages.dnsdist}${digest('3')}\n`);
    expect(imagesIn(await answerOf({ DIGESTS }))).toMatchObject({ powerdns, 'external-dns': externalDNS });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
