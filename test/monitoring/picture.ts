/**
 * Draws docs/dashboard.png: the rendered dashboard with data from a real Prometheus, but without Grafana.
 *
 *     node test/monitoring/picture.ts                     starts a PowerDNS, and records it for four minutes
 *     node test/monitoring/picture.ts URL INTERNALDNS     draws the last half hour of a running Prometheus
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dashboard, dashboardOf } from '../../functions/internal-dns/monitoring/dashboard.ts';
import { startChromium } from '../agent/http/page/chromium.ts';
import { type Line, pageOf } from './drawing.ts';
import { startPod } from './pod.ts';
import { PrometheusAPI, startPrometheus } from './prometheus.ts';
import { queriesOf, type Variables } from './queries.ts';

const file = join(import.meta.dirname, '../../docs/dashboard.png');
const points = 120;

async function linesOf(
  prometheus: PrometheusAPI,
  dashboard: Dashboard,
  variables: Variables,
  seconds: number,
): Promise<Map<number, Line[]>> {
  const end = Date.now() / 1000;
  const lines = new Map<number, Line[]>();
  for (const { panel, expr, legend } of queriesOf(dashboard, variables)) {
    const series = await prometheus.range(expr, end - seconds, end, Math.max(1, Math.round(seconds / points)));
    const found = series.map(({ metric, values }) => ({
      legend: legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
      samples: values,
    }));
    lines.set(panel.id, [...(lines.get(panel.id) ?? []), ...found]);
  }
  return lines;
}

async function draw(prometheus: PrometheusAPI, variables: Variables, seconds: number): Promise<void> {
  const dashboard = dashboardOf(variables.internaldns, '30s');
  const { html, height } = pageOf(dashboard, await linesOf(prometheus, dashboard, variables, seconds));
  const browser = await startChromium();
  const page = await browser.newPage({ viewport: { width: 1208, height } });
  await page.setContent(html);
  await page.screenshot({ path: file });
  await browser.close();
}

/** Starts a server with simulated clients. */
async function drawOwn(seconds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'picture-'));
  const pod = await startPod(dir);
  const prometheus = await startPrometheus(join(dir, 'prometheus'), pod.targets);
  const end = Date.now() + seconds * 1000;
  for (let round = 0; Date.now() < end; round++) {
    await pod.serve(round);
    await delay(200 + 200 * Math.sin(round / 60));
  }
  await draw(prometheus.api, { internaldns: 'watched', rateInterval: '15s' }, seconds - 15);
  await Promise.all([prometheus.stop(), pod.stop()]);
  rmSync(dir, { recursive: true });
}

const [url, internaldns] = process.argv.slice(2);
if (url && internaldns) await draw(new PrometheusAPI(url), { internaldns, rateInterval: '4m' }, 30 * 60);
else await drawOwn(Number(process.env.SECONDS ?? 240));
