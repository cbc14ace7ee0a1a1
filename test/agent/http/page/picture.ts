/** `node test/agent/http/page/picture.ts`: updates the screenshots of the status page in docs/. Needs pngquant. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { statusServer } from '../../../../functions/agent/http/status-server.ts';
import { startChromium } from './chromium.ts';
import { now, overviewOf } from './overview.ts';

const server = statusServer({
  agent: { isReady: true, report: () => undefined, zone: () => undefined },
  overview: () => overviewOf(),
  powerdns: { metrics: async () => '' },
  metrics: new Registry(),
  now: () => now,
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const browser = await startChromium();
for (const [colorScheme, file] of [
  ['light', 'status-page.png'],
  ['dark', 'status-page-dark.png'],
] as const) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1180, height: 800 } });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const path = join(import.meta.dirname, '../../../../docs', file);
  await page.screenshot({ path, fullPage: true });
  execFileSync('pngquant', ['--force', '--nofs', '--strip', '--speed=1', '--ext=.png', '32', path]);
}
await browser.close();
server.close();
