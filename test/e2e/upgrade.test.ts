import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { figure } from './cluster/figures.ts';
import { apply, get, patch, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { functionName, registry } from './cluster/packages.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';

/** The Function package of a later version, built with `make package VERSION=... BUILD=...`, and its version. */
const { NEXT_PACKAGE: nextPackage, NEXT_VERSION: nextVersion } = process.env;

/** The command that pushes a package: `PUSH FILE IMAGE`. */
const push = process.env.PUSH ?? 'crossplane xpkg push -f';

scenario('upgrade', ({ ingress, internalDNS }) => {
  const reason = nextPackage && nextVersion ? '' : ' (skipped: it needs NEXT_PACKAGE and NEXT_VERSION)';

  test.skipIf(reason)(`an upgrade rolls out without losing a record${reason}`, async () => {
    const name = 'kept.upgrade.internal';
    await apply(
      internalDNS('upgrade', { zones: [{ name: 'upgrade.internal' }] }),
      ingress({ name: 'kept', hosts: [name], annotations: { [target]: address } }),
    );
    await waitForReady('upgrade');
    const client = await clientOf('upgrade');
    await client.becomes(name, address);
    const image = `${registry}/cdk8s-function-xp:${nextVersion}`;
    const [command, ...args] = push.split(' ');
    await promisify(execFile)(command as string, [...args, nextPackage as string, image]);

    const watch = watchAnswers(client, name, address);
    const start = performance.now();
    await patch('function', functionName, { spec: { package: image } });
    for (const kind of ['statefulset', 'service', 'serviceaccount', 'role', 'networkpolicy']) {
      await until(`${kind} has the new label`, async () => {
        const { metadata } = await get(kind, 'idns-upgrade', 'internal-dns');
        return metadata.labels?.['app.kubernetes.io/version'] === nextVersion || metadata.labels;
      });
    }
    await waitForReady('upgrade');
    await until('the pod runs the new agent', async () => {
      const { spec, status } = await get('pod', 'idns-upgrade-0', 'internal-dns');
      const agent = spec.initContainers.find((c: { name: string }) => c.name === 'agent');
      return (agent.image === image && status.phase === 'Running') || agent.image;
    });
    figure('upgrade -> Ready', (performance.now() - start) / 1000);
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure('upgrade: unanswered', `${unanswered} of ${asked}, longest gap ${longestGapSeconds.toFixed(2)} s`, '');
    expect(await client.answer(name)).toBe(address);
  });
});
