import type { RunFunctionRequest } from '@crossplane-org/function-sdk-typescript';
import type { FunctionClient } from '../cdk8s-function-xp/client.ts';
import type { Measured } from './process.ts';
import { quantile } from './table.ts';

export interface Load {
  client: FunctionClient;
  request: RunFunctionRequest;
  calls: number;
  /** Calls in flight at any time. */
  concurrency: number;
}

/** The latency of each call in milliseconds, as the client measures it. */
export async function call({ client, request, calls, concurrency }: Load): Promise<number[]> {
  const latencies: number[] = [];
  let begun = 0;
  const caller = async () => {
    while (begun++ < calls) {
      const start = performance.now();
      await client.bytes(request);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return latencies;
}

/** Cells: concurrency, p50 and p99 in ms, the server's CPU time per call in ms, calls per second, calls. */
export async function measureCalls(server: Pick<Measured, 'cpu'>, load: Load): Promise<(string | number)[]> {
  const [cpu, start] = [server.cpu(), performance.now()];
  const latencies = await call(load);
  const milliseconds = [quantile(latencies, 0.5), quantile(latencies, 0.99), (server.cpu() - cpu) / load.calls];
  const rate = load.calls / ((performance.now() - start) / 1000);
  return [load.concurrency, ...milliseconds.map((each) => each.toFixed(2)), rate.toFixed(0), load.calls];
}
