/** What both packages say of themselves, and who may sign them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KubernetesObject } from '../functions/cdk8s-function-xp/composition.ts';
import { type Schema, unknownFields } from './crossplane.ts';
import { readObjects } from './render.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const yaml = (file: string) => parse(read(file)) as KubernetesObject;

const configuration = yaml('crossplane.yaml');
const packages = {
  'crossplane.yaml': configuration,
  'functions/package/crossplane.yaml': yaml('functions/package/crossplane.yaml'),
};
const { version } = JSON.parse(read('package.json')) as { version: string };

describe.for(Object.entries(packages))('%s', ([, { metadata, spec }]) => {
  test('has a name for people, and docs/icon.svg as a data URI', () => {
    expect(metadata.annotations?.['friendly-name.meta.crossplane.io']).toMatch(/^Internal DNS/);
    const [type, content = ''] = metadata.annotations?.['meta.crossplane.io/iconURI']?.split(',') ?? [];
    expect(type).toBe('data:image/svg+xml;base64');
    expect(Buffer.from(content, 'base64').toString(), 'base64 -w0 docs/icon.svg').toBe(read('docs/icon.svg'));
  });

  test('requires the Crossplane that has ImageConfig.spec.runtime', () => {
    expect(spec.crossplane.version).toBe('>=v2.2.0');
  });
});

test('the Configuration accepts the Functions of its own minor version only', () => {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [{ version: accepted }] = configuration.spec.dependsOn;
  expect(accepted).toBe(`>=v${major}.${minor}.0, <v${major}.${minor + 1}.0`);
});

test('the changelog has the version of package.json, or changes that wait for it', () => {
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## \\[(Unreleased|${version.replaceAll('.', '[.]')})\\]`, 'm'));
});

// https://github.com/crossplane/crossplane/blob/v2.4.0/cluster/crds/pkg.crossplane.io_imageconfigs.yaml
const strings = (...names: string[]): Schema => ({
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});
const imageConfigSpec: Schema = {
  properties: {
    matchImages: { items: strings('type', 'prefix') },
    rewriteImage: strings('prefix'),
    registry: { properties: { authentication: { properties: { pullSecretRef: strings('name') } } } },
    verification: {
      properties: {
        provider: { type: 'string' },
        cosign: {
          properties: {
            authorities: {
              items: {
                properties: {
                  name: { type: 'string' },
                  attestations: { items: strings('name', 'predicateType') },
                  key: { properties: { hashAlgorithm: { type: 'string' }, secretRef: strings('key', 'name') } },
                  keyless: {
                    properties: {
                      identities: { items: strings('issuer', 'issuerRegExp', 'subject', 'subjectRegExp') },
                      insecureIgnoreSCT: { type: 'boolean' },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

test('examples/mirror.yaml has only fields of an ImageConfig', () => {
  for (const { apiVersion, kind, spec } of readObjects(join(root, 'examples/mirror.yaml'))) {
    expect([apiVersion, kind]).toEqual(['pkg.crossplane.io/v1beta1', 'ImageConfig']);
    expect(unknownFields(spec, imageConfigSpec, 'spec')).toEqual([]);
  }
});

describe('examples/verification.yaml', () => {
  const { apiVersion, kind, spec } = yaml('examples/verification.yaml');

  test('has only fields of an ImageConfig', () => {
    expect([apiVersion, kind]).toEqual(['pkg.crossplane.io/v1beta1', 'ImageConfig']);
    expect(unknownFields(spec, imageConfigSpec, 'spec')).toEqual([]);
    expect(spec.verification.provider).toBe('Cosign');
  });

  test('matches both packages', () => {
    const registry = 'ghcr.io/internal-dns';
    const prefixes = spec.matchImages.map(({ prefix }: { prefix: string }) => prefix);
    expect(prefixes).toEqual(Object.values(packages).map(({ metadata }) => `${registry}/${metadata.name}`));
    expect(prefixes).toContain(configuration.spec.dependsOn[0].package);
  });

  test('trusts the release workflow on a version tag, and nothing else', () => {
    const [{ keyless }] = spec.verification.cosign.authorities;
    const [{ issuer, subjectRegExp }] = keyless.identities;
    expect(issuer).toBe('https://token.actions.githubusercontent.com');
    expect(parse(read('.github/workflows/release.yml')).on.push.tags).toEqual(['v*']);
    const repository = `https://${configuration.metadata.annotations?.['meta.crossplane.io/source']}`;
    const subject = (workflow: string, ref: string) => `${repository}/.github/workflows/${workflow}@${ref}`;
    const trusted = new RegExp(subjectRegExp);
    expect(subject('release.yml', `refs/tags/v${version}`)).toMatch(trusted);
    for (const other of [
      subject('ci.yml', `refs/tags/v${version}`),
      subject('release.yml', 'refs/heads/main'),
      subject('release.yml', `refs/tags/v${version}/../x`),
      subject('releaseXyml', `refs/tags/v${version}`),
      subject('release.yml', `refs/tags/v${version}`).replace('internal-dns/', 'someone-else/'),
    ]) {
      expect(other).not.toMatch(trusted);
    }
  });
});
