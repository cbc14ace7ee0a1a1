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

/** Commands that freeze and resume the API server, which depend on how the cluster was set up. */
const { FREEZE_API: freeze, THAW_API: thaw } = process.env;

scenario('api-server', ({ ingress, internalDNS }) => {
  const fixed = (name: string) => ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address } });
  const reason = freeze && thaw ? '' : ' (skipped: it needs FREEZE_API and THAW_API)';

  test.skipIf(reason)(
    `while the API server is frozen for a minute, DNS answers and the agent reports it${reason}`,
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
        const seconds = await until('the agent reports Blind', async () => {
          const { resolution, names } = await tableAt(page, stays);
          return (resolution?.state === 'Blind' && names[0]?.verdict === 'Resolved') || { resolution, names };
        });
        figure('API server unreachable -> reported', seconds);
        await sleep(Math.max(0, 60_000 - seconds * 1000));
      } finally {
        await run('sh', ['-c', thaw!]);
      }
      const { asked, unanswered, unansweredInARow } = await watch.stop();
      figure('API server frozen for 60 s: unanswered', `${unanswered} of ${asked} queries`, '');
      expect(unansweredInARow).toBeLessThan(3);
      await until('the API server is back', async () => (await kubectl('get', '--raw', '/readyz')) === 'ok');
      await until('the agent reports Serving', async () => {
        const { resolution } = await tableAt(page, stays);
        return resolution?.state === 'Serving' || resolution;
      });
      await apply(fixed('after'));
      figure('API server back -> a new name answered', await client.becomes(`after.${zone}`, address));
    },
  );
});
