import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { breakerTokens } from './breaker.ts';
import { figure } from './figures.ts';
import { apply, exists, get, kubectl, list, patch, remove, settle, until, waitFor, waitForNew } from './kubectl.ts';
import { clientOf } from './names.ts';
import { internalDNS, shop } from './objects.ts';

export const registry = process.env.REGISTRY ?? 'ghcr.io/internal-dns';
const packageVersion = process.env.VERSION ?? `v${JSON.parse(readFileSync('package.json', 'utf8')).version}`;
/** Where the cluster's registry really is, when an ImageConfig rewrites the packages' names. */
const rewritten = process.env.REWRITTEN_REGISTRY;

export const functionName = 'internal-dns-cdk8s-function-xp';
/** As `crossplane xpkg install` names it. */
const configurationName = 'internal-dns-internal-dns-xp';

export function installation(): void {
  test('a cluster without any of it', async () => {
    for (const { metadata } of await list('internaldns').catch(() => [])) await remove('internaldns', metadata.name);
    await remove('namespace', shop);
    for (const { metadata, spec } of await list('configuration')) {
      if (spec.package.startsWith(`${registry}/internal-dns-xp:`)) await remove('configuration', metadata.name);
    }
    await remove('function', functionName);
    await until('the kind is gone', 60, async () => !(await exists('crd', 'internaldnses.dns.internal')));
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: shop } });
  });

  test('the administrator applies configuration/ once', async () => {
    await kubectl('apply', '-R', '-f', 'configuration');
    // An ImageConfig matches the name after the rewrite.
    if (rewritten) {
      const { spec } = await get('imageconfig', 'internal-dns');
      const prefix = `${rewritten}/internal-dns/cdk8s-function-xp`;
      await patch('imageconfig', 'internal-dns', {
        spec: { matchImages: [...spec.matchImages, { type: 'Prefix', prefix }] },
      });
    }
  });

  test('the Configuration brings the Function, Healthy under mutual TLS', async () => {
    await promisify(execFile)('crossplane', [
      'xpkg',
      'install',
      'configuration',
      `${registry}/internal-dns-xp:${packageVersion}`,
    ]);
    figure('Configuration installed -> Healthy', await waitFor('Healthy', `configuration/${configurationName}`, 120));
    await until('the Function is there', 60, () => exists('function', functionName));
    figure('-> Function Healthy', await waitFor('Healthy', `function/${functionName}`, 120));
    const { spec } = await get('function', functionName);
    expect(spec.package, 'the registry has a later version than the one under test').toBe(
      `${registry}/cdk8s-function-xp:${packageVersion}`,
    );
    figure('-> kind established', await waitFor('Established', 'xrd/internaldnses.dns.internal', 60));
    const [pod] = await list('pod', '-n', 'crossplane-system', '-l', `pkg.crossplane.io/function=${functionName}`);
    expect(pod?.spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('examples/minimal.yaml is Ready when DNS answers for it', async () => {
    const before = await breakerTokens();
    await kubectl('apply', '-f', 'examples/minimal.yaml');
    figure('InternalDNS applied -> Ready', await waitForNew('corp'));
    const client = await clientOf('corp');
    expect(await client.answer('corp.internal', 'SOA')).toContain('hostmaster.corp.internal');
    const { status } = await get('internaldns', 'corp');
    expect(await client.answer('ns1.corp.internal')).toBe(status.address);
    expect(status).toMatchObject({
      port: 53,
      zonesServed: '1/1',
      zones: [{ name: 'corp.internal', state: 'Serving' }],
    });
    await settle('corp');
    figure('tokens of the first creation, images included', String((await breakerTokens()) - before), '');
    const namespace = await get('namespace', 'internal-dns');
    expect(namespace.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
  });

  test('a creation costs fewer than 60 of the 100 tokens of the circuit breaker', async () => {
    // The first one's second report would count, too.
    await until('the first one has been asked', 60, async () => {
      return (await get('internaldns', 'corp')).status.resolution?.state === 'Serving';
    });
    await settle('corp');
    const before = await breakerTokens();
    await apply(internalDNS('second', { zones: [{ name: 'second.internal' }] }));
    figure('the next InternalDNS applied -> Ready', await waitForNew('second'));
    await settle('second');
    const tokens = (await breakerTokens()) - before;
    figure('tokens of a creation', String(tokens), '');
    expect(tokens).toBeLessThan(60);
    await remove('internaldns', 'second');
  });
}
