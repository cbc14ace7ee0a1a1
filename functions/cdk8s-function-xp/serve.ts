import { FunctionRunnerServiceService, RunFunctionRequest } from '@crossplane-org/function-sdk-typescript';
import { pino } from 'pino';
import { formatAddress, listen } from './address.ts';
import { helpOn, readArguments } from './arguments.ts';
import type { Composition, Flags, FlagValues, KubernetesObject } from './composition.ts';
import { run } from './function.ts';
import { healthServer } from './health.ts';
import { startServer } from './server.ts';
import { createTelemetry } from './telemetry.ts';

interface ServeOptions {
  argv?: readonly string[];
  env?: NodeJS.ProcessEnv;
  log?: pino.Logger;
  /** Milliseconds that calls under way have after SIGTERM or SIGINT. */
  deadline?: number;
  /** A composite to render once before listening: the first render takes several times as long as the next. */
  warmUp?: KubernetesObject | undefined;
  /** Those of the composition itself, beside those of every function. */
  flags?: Flags;
}

/** A composition, or what makes one of the values of its flags; a throw ends the process with its message. */
type Composing = Composition | ((flags: FlagValues) => Composition);

/** Runs a composition as a function: a whole process, which ends with 0 on SIGTERM or SIGINT and with 1 when it cannot start. */
export async function serve(composing: Composing, options: ServeOptions = {}): Promise<void> {
  try {
    await start(composing, options);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

async function start(
  composing: Composing,
  {
    argv = process.argv.slice(2),
    env = process.env,
    log = pino({ base: null }),
    deadline = 10_000,
    warmUp,
    flags = {},
  }: ServeOptions,
): Promise<void> {
  const { help, address, certificates, metricsAddress, flags: values } = readArguments(argv, env, flags);
  if (help) return void process.stdout.write(helpOn(flags));

  const composition = typeof composing === 'function' ? composing(values) : composing;
  if (warmUp !== undefined) rehearse(composition, warmUp);
  const telemetry = createTelemetry(log);
  const server = await startServer({
    address,
    certificates,
    telemetry,
    handle(request) {
      const start = performance.now();
      const response = run(request, composition);
      telemetry.ran(request, response, performance.now() - start);
      return response;
    },
  });
  // After the function itself, so that a pod is not ready before it can be called.
  const health = metricsAddress && (await listen(healthServer(telemetry.registry), metricsAddress));
  log.info(
    {
      address: formatAddress(server.address),
      metrics: health && formatAddress(health),
      tls: certificates !== undefined,
    },
    'listening',
  );

  const stop = async (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping');
    await server.close(deadline);
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

// Through the codec as well, which takes its share of the first request.
function rehearse(composition: Composition, composite: KubernetesObject): void {
  const { requestSerialize, requestDeserialize, responseSerialize } = FunctionRunnerServiceService.runFunction;
  const request = RunFunctionRequest.fromPartial({ observed: { composite: { resource: composite } } });
  responseSerialize(run(requestDeserialize(requestSerialize(request)), composition));
}
