import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { figure } from './cluster/figures.ts';
import { apply, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { statusAddress, tableAt } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'frozen.internal';
const address = '192.0.2.1';

/** Commands that take the API server away and bring it back: only who set the cluster up knows how. */
const { FREEZE_API: freeze, THAW_API: thaw } = process.env;

scenario('api-server', ({ ingress, internalDNS }) => {
  const fixed = (name: string) => ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address } });
  const reason = freeze && thaw ? '' : ' (skipped: it needs FREEZE_API and THAW_API)';

  test.skipIf(reason)(
    `the API server is away for two minutes: DNS goes on, and the agent says so${reason}`,
    async () => {
      const run = promisify(execFile);
      const stays = `stays.${zone}`;
      await apply(internalDNS('frozen', { zones: [{ name: zone }] }), fixed('stays'));
      await waitForReady('frozen');
      const [client, page] = [await clientOf('frozen'), await statusAddress('frozen')];
      await client.becomes(stays, address);
      const watch = watchAnswers(client, stays, address, 100);
      await run('sh', ['-c', freeze!]);
      try {
        const seconds = await until('the agent says that it is blind', async () => {
          const { resolution, names } = await tableAt(page, stays);
          return (resolution?.state === 'Blind' && names[0]?.verdict === 'Resolved') || { resolution, names };
        });
        figure('API server away -> said', seconds);
        await sleep(Math.max(0, 120_000 - seconds * 1000));
      } finally {
        await run('sh', ['-c', thaw!]);
      }
      const { asked, unanswered, unansweredInARow } = await watch.stop();
      figure('API server away for two minutes', `${unanswered} of ${asked} unanswered`, '');
      expect(unansweredInARow).toBeLessThan(3);
      await until('the API server is back', async () => (await kubectl('get', '--raw', '/readyz')) === 'ok');
      await until('the agent sees again', async () => {
        const { resolution } = await tableAt(page, stays);
        return resolution?.state === 'Serving' || resolution;
      });
      await apply(fixed('after'));
      figure('API server back -> a new name answers', await client.becomes(`after.${zone}`, address));
    },
  );
});
