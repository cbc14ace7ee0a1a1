/** Measures the function without a cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript';
import type { Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { makeCertificates } from '../cdk8s-function-xp/certificates.ts';
import { type FunctionClient, makeClient, requestFor } from '../cdk8s-function-xp/client.ts';
import { greeting } from '../cdk8s-function-xp/greeting.ts';
import { running } from '../golden/cluster.ts';
import { readComposite } from '../render.ts';
import { bundleFunction, bundleGreeting } from './bundle.ts';
import { call, measureCalls } from './calls.ts';
import { emptyRun, idle, type Measured, measure } from './process.ts';
import { printSizes } from './size.ts';
import { stored, storedAll } from './stored.ts';
import { mebibytes, median, printTable } from './table.ts';

const starts = 10;
const warmUp = 2_000;
const calls = 1_000;
const composite = stored(readComposite(join(import.meta.dirname, '../../examples/minimal.yaml')));

/** Starts a program with a client. */
type Start = (
  file: string,
  flags?: string[],
) => Promise<Awaited<ReturnType<typeof measure>> & { client: FunctionClient }>;

/** Measures the bundle and its baselines in the same minutes, and prints the tables. */
export async function benchFunction(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const certificatesFolder = join(folder, 'certificates');
    const certificates = makeCertificates(certificatesFolder);
    const flags = ['--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'];
    const start: Start = async (file, nodeFlags) => {
      const server = await measure(file, [...flags, `--tls-server-certs-dir=${certificatesFolder}`], nodeFlags);
      return { ...server, client: makeClient({ address: server.address, certificates }) };
    };
    const files = { ours: bundleFunction(join(folder, 'image/app')), tiny: await bundleGreeting(folder) };
    const echo = join(import.meta.dirname, 'echo.ts');

    await benchStarts(start, files);
    await benchCalls(start, { ...files, echo });
    printSizes(join(folder, 'image'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchStarts(start: Start, { ours, tiny }: { ours: string; tiny: string }): Promise<void> {
  const requests: [string, RunFunctionRequest][] = [
    [ours, requestFor(composite)],
    [tiny, requestFor(greeting('hi'))],
  ];
  const times = { started: [[], []] as number[][], answered: [[], []] as number[][], emptyRun: [] as number[] };
  for (let round = 0; round < starts; round++) {
    times.emptyRun.push(await emptyRun());
    for (const [index, [file, request]] of requests.entries()) {
      const { client, startedIn, stop } = await start(file);
      times.started[index]!.push(startedIn);
      times.answered[index]!.push(...(await call({ client, request, calls: 1, concurrency: 1 })));
      client.close();
      await stop();
    }
  }
  const medians = (all: number[][]) => all.map((each) => median(each).toFixed(0));
  printTable(
    'Start (median, ms)',
    ['', 'InternalDNS', 'one ConfigMap', 'bare node', 'n'],
    [
      ['start to listening', ...medians(times.started), median(times.emptyRun).toFixed(0), starts],
      ['first call, including the handshake', ...medians(times.answered), '', starts],
    ],
  );
}

async function benchCalls(start: Start, files: Record<'ours' | 'tiny' | 'echo', string>): Promise<void> {
  const bare = await idle();
  const [unlimited, tinyUnlimited] = [await start(files.ours, []), await start(files.tiny, [])];
  const [ours, tiny, echo] = [await start(files.ours), await start(files.tiny), await start(files.echo)];
  const memory = (...processes: Pick<Measured, 'memory'>[]) => processes.map((each) => mebibytes(each.memory()));
  const atStart = memory(ours, tiny, bare);

  const observed = await observedWhenReady(ours.client);
  const request = requestFor(composite, observed);
  const greetRequest = requestFor(greeting('hi'), observed);
  const cases = [
    { name: 'InternalDNS', server: ours, request },
    { name: 'one ConfigMap, the same observed state', server: tiny, request: greetRequest },
    { name: 'gRPC echo', server: echo, request },
  ];
  const all = [...cases, { server: unlimited, request }, { server: tinyUnlimited, request: greetRequest }];
  for (const { server, request } of all) {
    await call({ client: server.client, request, calls: warmUp, concurrency: 10 });
  }
  const loaded = memory(ours, tiny, bare);
  const loadedUnlimited = memory(unlimited, tinyUnlimited, bare);
  const rows = [];
  for (const concurrency of [1, 10]) {
    for (const { name, server, request } of cases) {
      rows.push([name, ...(await measureCalls(server, { client: server.client, request, calls, concurrency }))]);
    }
  }
  const [sent, answered] = [await echo.client.bytes(request), await ours.client.bytes(request)];
  for (const { client, stop } of [ours, tiny, echo, unlimited, tinyUnlimited]) {
    client.close();
    await stop();
  }
  await bare.stop();

  printTable(
    `RunFunction: mutual TLS, ${sent.length} bytes in, ${answered.length} out`,
    ['', 'concurrency', 'p50 ms', 'p99 ms', 'CPU ms per call', 'calls/s', 'n'],
    rows,
  );
  console.log('\nCPU is that of the server process. Its client runs on the same cores, which adds to p50 and p99.');
  printTable(
    'Memory (RSS, MiB)',
    ['', 'InternalDNS', 'one ConfigMap', 'bare node', 'n'],
    [
      ['idle', ...atStart, 1],
      [`after ${warmUp.toLocaleString('en')} requests under the pod's limit`, ...loaded, 1],
      ['the same without the limit', ...loadedUnlimited, 1],
    ],
  );
}

/** The usual observed state: all composed objects exist and are ready, as an API server stores them. */
async function observedWhenReady(client: FunctionClient): Promise<Observed> {
  const first = await client.run(requestFor(composite));
  const second = await client.run(requestFor(composite, running(composite, first)));
  return storedAll(running(composite, second));
}
