import { expect, test } from 'vitest';
import { countTokens } from './cluster/crossplane.ts';
import { figure } from './cluster/figures.ts';
import { apply, get, kubectl, list, until, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { internalDNS } from './cluster/objects.ts';
import { functionName, functionPackageOf, version } from './cluster/packages.ts';
import { scenario } from './scenario.ts';

scenario('installation', ({ owns }) => {
  test('the Configuration installs the Function, which becomes Healthy under mutual TLS', async () => {
    expect((await get('function', functionName)).spec.package).toBe(functionPackageOf(version));
    const [pod] = await list('pod', {
      namespace: 'crossplane-system',
      labels: `pkg.crossplane.io/function=${functionName}`,
    });
    expect(pod?.spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test.each(['mirror', 'verification'])(
    'examples/%s.yaml has ImageConfigs that the API server accepts',
    async (name) => {
      await kubectl('apply', '--dry-run=server', '--validate=strict', '-f', `examples/${name}.yaml`);
    },
  );

  test('examples/minimal.yaml is not Ready before DNS answers for it', async () => {
    await kubectl('apply', '-f', 'examples/minimal.yaml');
    figure('InternalDNS applied -> Ready', await waitForReady(owns('corp')));
    const client = await clientOf('corp');
    expect(await client.answer('corp.internal', 'SOA')).toContain('hostmaster.corp.internal');
    const { status } = await get('internaldns', 'corp');
    expect(await client.answer('ns1.corp.internal')).toBe(status.address);
    expect(status).toMatchObject({
      port: 53,
      zonesServed: '1/1',
      zones: [{ name: 'corp.internal', state: 'Serving' }],
    });
    const namespace = await get('namespace', 'internal-dns');
    expect(namespace.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
  });

  test('a creation takes fewer than 55 of the 100 tokens of the circuit breaker', async () => {
    // The second report of the first instance would take tokens, too.
    await until('the first instance has completed a self-test', async () => {
      return (await get('internaldns', 'corp')).status.resolution?.state === 'Serving';
    });
    await waitForQuiescence('corp');
    const { tokens, reversions } = await countTokens(async () => {
      await apply(internalDNS(owns('second'), { zones: [{ name: 'second.internal' }] }));
      figure('the next InternalDNS applied -> Ready', await waitForReady('second'));
      await waitForQuiescence('second');
    });
    figure('tokens of a creation', `${tokens}, and ${reversions} times four`, '');
    expect(tokens).toBeLessThan(55);
  });
});
