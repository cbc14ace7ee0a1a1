/** Runs a real Prometheus on this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../powerdns/server.ts';
import { find } from '../programs.ts';
import { waitTimeoutMs } from '../timeouts.ts';

export interface ScrapedTarget {
  /** `HOST:PORT` that serves /metrics. */
  address: string;
  /** The labels that the Prometheus operator would add. */
  labels: Record<string, string>;
}

export interface Series {
  metric: Record<string, string>;
}
export type Sample = [time: number, value: string];

/** Prometheus' HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export class PrometheusAPI {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /** Evaluates an expression, now or at `time`. Rejects with the error of Prometheus. */
  query(query: string, time?: number): Promise<(Series & { value: Sample })[]> {
    return this.#get('query', { query, ...(time !== undefined && { time: `${time}` }) });
  }

  /** A time at which every target was up: after a failed scrape its series are stale. */
  async complete(): Promise<number> {
    for (;;) {
      const [all] = await this.query('min(up) == 1');
      if (all) return all.value[0];
      await delay(100);
    }
  }

  /** `start` and `end` are Unix times. */
  range(query: string, start: number, end: number, step: number): Promise<(Series & { values: Sample[] })[]> {
    return this.#get('query_range', { query, start: `${start}`, end: `${end}`, step: `${step}` });
  }

  async #get<T>(path: string, parameters: Record<string, string>): Promise<T[]> {
    const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { status, error, data } = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: T[] };
    };
    if (status !== 'success') throw new Error(`cannot query ${parameters.query}: ${error}`);
    return data.result;
  }
}

export interface RunningPrometheus {
  url: string;
  api: PrometheusAPI;
  stop(): Promise<void>;
}

/** Resolves when it is ready; rejects with the end of its log if it does not start. Writes its files into `dir`. */
export async function startPrometheus(
  dir: string,
  targets: ScrapedTarget[],
  interval = '1s',
): Promise<RunningPrometheus> {
  const { prometheus } = await find('Prometheus');
  mkdirSync(dir, { recursive: true });
  const [config, log] = [join(dir, 'prometheus.yml'), join(dir, 'prometheus.log')];
  const static_configs = targets.map(({ address, labels }) => ({ targets: [address], labels }));
  const scrape_configs = [{ job_name: 'internal-dns', static_configs }];
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: interval }, scrape_configs }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const output = openSync(log, 'w');
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn(prometheus, flags, { stdio: ['ignore', output, output] });
  closeSync(output);
  let isRunning = true;
  const end = () => child.kill('SIGKILL');
  const exit = once(child, 'exit').then(() => {
    isRunning = false;
    process.off('exit', end);
  });
  process.once('exit', end);
  const timeout = AbortSignal.timeout(waitTimeoutMs);
  const isReady = () =>
    fetch(`${url}/-/ready`, { signal: timeout }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (!isRunning || timeout.aborted) {
      end();
      throw new Error(`cannot start Prometheus: ${readFileSync(log, 'utf8').split('\n').slice(-10).join('\n')}`);
    }
    await delay(50);
  }
  return {
    url,
    api: new PrometheusAPI(url),
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
    },
  };
}
