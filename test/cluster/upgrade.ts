import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { figure } from './figures.ts';
import { functionName, registry } from './installation.ts';
import { apply, get, patch, remove, until, waitFor } from './kubectl.ts';
import { clientOf, quiet, watchAnswers } from './names.ts';
import { ingress, shop } from './objects.ts';

/** The Function package of a later version, built with `make package VERSION=... BUILD=...`, and that version. */
const { NEXT_PACKAGE: nextPackage, NEXT_VERSION: nextVersion } = process.env;

/** Puts a package under its name: `PUSH FILE IMAGE`. */
const push = process.env.PUSH ?? 'crossplane xpkg push -f';

export function upgrade(): void {
  const reason = nextPackage && nextVersion ? '' : ' (skipped: it needs NEXT_PACKAGE and NEXT_VERSION)';

  test.skipIf(reason)(`a new version rolls through without losing a record${reason}`, async () => {
    const client = await clientOf('corp');
    await apply(ingress({ name: 'kept', hosts: ['kept.corp.internal'] }));
    await client.becomes('kept.corp.internal', '198.51.100.200');
    const image = `${registry}/cdk8s-function-xp:${nextVersion}`;
    const [command, ...args] = push.split(' ');
    await promisify(execFile)(command as string, [...args, nextPackage as string, image]);

    const watch = watchAnswers(client, 'kept.corp.internal', '198.51.100.200');
    const start = performance.now();
    await patch('function', functionName, { spec: { package: image } });
    for (const kind of ['statefulset', 'service', 'serviceaccount', 'role', 'networkpolicy']) {
      await until(`${kind} has the new label`, 120, async () => {
        const { metadata } = await get(kind, 'idns-corp', 'internal-dns');
        return metadata.labels?.['app.kubernetes.io/version'] === nextVersion || metadata.labels;
      });
    }
    await waitFor('Ready', 'internaldns/corp', 120);
    await until('the agent is the new one', 60, async () => {
      const { spec, status } = await get('pod', 'idns-corp-0', 'internal-dns');
      const agent = spec.initContainers.find((c: { name: string }) => c.name === 'agent');
      return (agent.image === image && status.phase === 'Running') || agent.image;
    });
    figure('upgrade -> Ready', (performance.now() - start) / 1000);
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure('upgrade: unanswered', `${unanswered} of ${asked}, longest gap ${longestGapSeconds.toFixed(2)} s`, '');
    expect(await client.answer('kept.corp.internal')).toBe('198.51.100.200');
    await quiet('corp');
    await remove('ingress', 'kept', shop);
  });
}
