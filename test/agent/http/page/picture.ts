/** `node test/agent/http/page/picture.ts`: updates the screenshots of the status page in docs/. Needs pngquant. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { statusServer } from '../../../../functions/agent/http/status-server.ts';
import type { Overview } from '../../../../functions/agent/names/overview.ts';
import { agentWithMachines } from '../../machines/agent-with-machines.ts';
import { claim, machine } from '../../machines/objects.ts';
import { startChromium } from './chromium.ts';
import { now, overviewOf } from './overview.ts';

/** What an agent says of Machines and claims, half an hour after its start. */
async function withMachines(): Promise<Overview> {
  const { lister, tick, clock, agent } = await agentWithMachines();
  const startedAt = clock.now;
  const office = { namespace: 'office' };
  const mail = { ...office, labels: { role: 'mail' } };
  lister.put(
    machine('nas', '192.0.2.20 2001:db8::20', { ...office, spec: { aliases: ['files'] } }),
    machine('printer', '192.0.2.31', office),
    machine('mx1', '192.0.2.25', mail),
    machine('mx2', '192.0.2.26', mail),
    machine('nas', '192.0.2.90', { namespace: 'lab', age: 60 }),
    claim(
      'mail',
      {
        name: 'mail.corp.internal',
        selector: { matchLabels: { role: 'mail' } },
        check: { port: 25 },
        template: '{{machine.name}}.mail.corp.internal',
      },
      office,
    ),
    claim('backup', { name: 'backup.corp.internal', selector: { matchLabels: { role: 'backup' } } }, office),
    claim('portal', { name: 'portal.example.com', selector: { matchLabels: { role: 'mail' } } }, office),
  );
  await tick(450);
  const ago = now - clock.now;
  // The clock here stands still between a change and its answer.
  const names = agent
    .overview()
    .names.map(({ propagation: _, ...each }) => ({ ...each, since: Math.max(each.since, startedAt) + ago }));
  const { reach } = overviewOf();
  return overviewOf(names, { reach: { ...reach, ways: reach.ways.slice(0, 2), notes: [] } });
}

const pictures: [file: string, colorScheme: 'light' | 'dark', overview: Overview][] = [
  ['status-page.png', 'light', overviewOf()],
  ['status-page-dark.png', 'dark', overviewOf()],
  ['machines-page.png', 'light', await withMachines()],
];

const [, , only] = process.argv;
const browser = await startChromium();
for (const [file, colorScheme, overview] of pictures) {
  if (only !== undefined && file !== only) continue;
  const server = statusServer({
    agent: { isReady: true, report: () => undefined, zone: () => undefined },
    overview: () => overview,
    powerdns: { metrics: async () => '' },
    metrics: new Registry(),
    now: () => now,
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await browser.newPage({ colorScheme, viewport: { width: 1180, height: 800 } });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const path = join(import.meta.dirname, '../../../../docs', file);
  await page.screenshot({ path, fullPage: true });
  execFileSync('pngquant', ['--force', '--nofs', '--strip', '--speed=1', '--ext=.png', '32', path]);
  server.close();
}
await browser.close();
